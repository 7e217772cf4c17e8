"""Tests for jaxtrack.data.bank."""

import dataclasses
import errno
import math
import os
import pickle
import shutil

import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.data import bank, transforms
from jaxtrack.data.bank import build, choice, footprint
from jaxtrack.data.bank.source import BankedSource, stored_bytes
from jaxtrack.data.composed import ComposedSource
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource
from jaxtrack.errors import InputError

SETTINGS = PairSettings(16, 32, context=0.5, negative_ratio=0.3)
AUGMENTATION = Augmentation(
    **get_config().augment.to_dict()
    | {"search_shift": 6.0, "search_scale": 0.3, "aspect": 0.2, "fill_image": 0.5}
)
SEEN = bank.footprint_of(SETTINGS, AUGMENTATION)
HERE = bank.Options(num_workers=0, skip_damaged=False)


def open_one(source, place, said=None, footprint=SEEN, options=HERE, reads=math.inf):
    """Opens the bank of one source; `said` collects what is told."""
    say = (lambda line: None) if said is None else said.append
    return bank.open_bank([source], [reads], str(place), footprint, options, say=say)[0]


def assert_equal_pairs(source, other, count=40):
    loaders = [
        PairLoader([Portion("all", s, 100)], SETTINGS, AUGMENTATION)
        for s in (source, other)
    ]
    for number in range(count):
        rows = [
            loader.random_map((0, number % source.num_tracks), np.random.default_rng(n))
            for loader, n in zip(loaders, (number, number), strict=True)
        ]
        for name, value in rows[0].items():
            np.testing.assert_array_equal(value, rows[1][name])


@pytest.fixture(scope="module")
def banked(packed, tmp_path_factory):
    """The packed folder's source, and the same with a bank."""
    source = RecordSource(packed)
    return source, open_one(source, tmp_path_factory.mktemp("bank"))


# What training can see.


def test_regions_and_reductions_by_hand():
    # 20 x 20 with p = 20 shows sqrt(40 * 40) = 40 px on 16: 2.5 px a px. The search
    # crop reaches 6 + 32 / 2 = 22 crop px = 55 px from the center, and 8 px beyond:
    # 100 - 63 = 37 -> 32, 163 -> 168, multiples of 8.
    plain = dataclasses.replace(AUGMENTATION, search_scale=0.0, aspect=0.0)
    seen = bank.footprint_of(SETTINGS, plain)
    box = np.array([[90, 90, 110, 110]], np.float32)
    np.testing.assert_array_equal(seen.regions(box), [[32, 32, 168, 168]])
    # Unscaled 2.5 averages by 2; times 0.95 and 1.05 (the template's) as well.
    np.testing.assert_array_equal(seen.reductions(box), [[False, True, False]])
    # Times 0.7 ... 1.3 it is 1.75 ... 3.25: also 4.
    np.testing.assert_array_equal(SEEN.reductions(box), [[False, True, True]])


@pytest.mark.parametrize("jitter", ["pysot", "video_analyst"])
def test_no_view_leaves_its_footprint(jitter):
    augmentation = dataclasses.replace(AUGMENTATION, jitter=jitter)
    seen = bank.footprint_of(SETTINGS, augmentation)
    rng = np.random.default_rng(0)
    for _ in range(300):
        low, wh = rng.uniform(-50, 400, 2), np.exp(rng.uniform(0, 6, 2))
        box = np.concatenate([low, low + wh]).astype(np.float32)
        x0, y0, x1, y1 = seen.regions(box[None])[0]
        asked = dict(zip((1, 2, 4), seen.reductions(box[None])[0], strict=True))
        views = transforms.draw_views(
            box, box, rng, settings=SETTINGS, augmentation=augmentation
        )
        for view, size in zip(views, (16, 32), strict=True):
            step = transforms.crops.reduction(view, size)
            assert asked[step]
            # One averaged block more on each side is what a crop reads.
            low = view.center_xy - view.sides_xy / 2 - 2 * step
            high = view.center_xy + view.sides_xy / 2 + 2 * step
            assert (low >= (x0, y0)).all() and (high <= (x1, y1)).all()


# The same pairs with a bank as without.


def test_pairs_are_equal_with_and_without_a_bank(banked):
    source, stored = banked
    assert_equal_pairs(source, stored)
    for track in range(source.num_tracks):
        np.testing.assert_array_equal(
            stored.track_boxes(track), source.track_boxes(track)
        )


def test_nothing_is_decoded_once_it_is_stored(banked, monkeypatch):
    _, stored = banked
    stored = pickle.loads(pickle.dumps(stored))

    def never(*_, **__):
        raise AssertionError("decoded")

    monkeypatch.setattr(RecordSource, "frame", never)
    loader = PairLoader([Portion("all", stored, 100)], SETTINGS, AUGMENTATION)
    for number in range(20):
        pair = loader.random_map((0, number % 5), np.random.default_rng(number))
        assert pair["x_image"].any()


def test_what_no_crop_shows_is_not_stored(packed, tmp_path):
    # Objects of 8 x 8 to 20 x 30 px in frames of 48 x 64: a template of 16 px with
    # little context needs the surroundings only.
    narrow = dataclasses.replace(SEEN, context=0.0)
    source = RecordSource(packed)
    stored = open_one(source, tmp_path, footprint=narrow)
    part = stored.frame(4, 0)
    assert part.hw == (48, 64) and part.image.size < 3 * 48 * 64
    whole = source.frame(4, 0)
    left, top = part.corner
    height, width = part.image.shape[:2]
    np.testing.assert_array_equal(
        part.image, whole.image[top : top + height, left : left + width]
    )
    np.testing.assert_array_equal(part.mean_color, whole.mean_color)


def test_composed_scenes_are_drawn_once(tmp_path, monkeypatch):
    scenes = ComposedSource(num_tracks=2, length=6, shown=2, size=(64, 80))
    boxes = scenes.track_boxes(0)
    assert np.isfinite(boxes).all(axis=1).sum() <= 2
    stored = open_one(scenes, tmp_path)
    assert_equal_pairs(scenes, stored, count=6)

    def never(self, track):
        raise AssertionError("composed")

    monkeypatch.setattr(ComposedSource, "_compose", never)
    again = pickle.loads(pickle.dumps(stored))
    loader = PairLoader([Portion("all", again, 100)], SETTINGS, AUGMENTATION)
    loader.random_map((0, 1), np.random.default_rng(0))


def test_other_scenes_are_drawn_of_the_same_pictures():
    scenes = ComposedSource(num_tracks=2, length=6, size=(64, 80))
    other = scenes.redrawn(1)
    assert (scenes.track_boxes(0) != other.track_boxes(0)).any()
    np.testing.assert_array_equal(
        scenes.redrawn(0).track_boxes(0), scenes.track_boxes(0)
    )
    assert len({s.fingerprint() for s in (scenes, other, other.redrawn(0))}) == 2


# Reuse, and what is not whole.


def test_a_bank_is_reused_while_data_and_settings_fit(packed, tmp_path):
    said = []
    first = open_one(RecordSource(packed), tmp_path, said)
    again = open_one(RecordSource(packed), tmp_path, said)
    assert first.folder == again.folder
    assert "filled in" in said[0] and "reused" in said[1]
    other = bank.footprint_of(
        dataclasses.replace(SETTINGS, search_size=40), AUGMENTATION
    )
    assert open_one(RecordSource(packed), tmp_path, footprint=other).folder != (
        first.folder
    )


def test_what_is_not_whole_is_filled_again(packed, tmp_path):
    source = RecordSource(packed)
    folder = choice.folder_of(source, tmp_path, SEEN)
    # Left by a build that was killed.
    (folder.parent / f"{folder.name}.incomplete").mkdir()
    open_one(source, tmp_path)
    size = stored_bytes(folder)
    with open(folder / build.PIXELS, "r+b") as file:
        file.truncate(size // 2)
    assert stored_bytes(folder) is None
    assert_equal_pairs(source, open_one(source, tmp_path), count=5)
    assert stored_bytes(folder) == size
    assert not list(tmp_path.glob("*.incomplete"))


def test_a_bank_that_vanished_is_done_without(packed, tmp_path):
    source = RecordSource(packed)
    stored = open_one(source, tmp_path)
    mapped = pickle.loads(pickle.dumps(stored))
    assert mapped.frame(0, 0).image.size
    shutil.rmtree(tmp_path)
    assert_equal_pairs(source, mapped, count=5)  # What is mapped stays.
    assert_equal_pairs(source, stored, count=5)


def test_damaged_frames_are_named_or_left_to_the_loader(packed, tmp_path, monkeypatch):
    read = RecordSource.frame

    def frame(self, track, time, *, reduction=1):
        if (track, time) == (1, 2):
            raise InputError("track b, frame 2: damaged")
        return read(self, track, time, reduction=reduction)

    monkeypatch.setattr(RecordSource, "frame", frame)
    source = RecordSource(packed)
    with pytest.raises(InputError, match="1 damaged frames: track b, frame 2"):
        open_one(source, tmp_path)
    assert not list(tmp_path.glob("*/"))
    stored = open_one(source, tmp_path, options=HERE._replace(skip_damaged=True))
    with pytest.raises(InputError, match="track b, frame 2"):
        stored.frame(1, 2)


def test_a_full_disk_is_told_and_leaves_nothing(packed, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "ftruncate", full)
    with pytest.raises(InputError, match="disk full while filling the bank"):
        open_one(RecordSource(packed), tmp_path)
    assert not list(tmp_path.glob("*/"))


def test_a_place_that_cannot_be_used_is_named(packed, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="set data.bank to another folder"):
        open_one(RecordSource(packed), tmp_path / "file" / "bank")
    source = RecordSource(packed)
    assert open_one(source, "off") is source


# Whether it pays.


def test_an_estimate_is_near(packed, tmp_path):
    source = RecordSource(packed)
    frames, size = choice.estimate(source, SEEN)
    assert frames == 15
    folder = open_one(source, tmp_path).folder
    assert size == pytest.approx(stored_bytes(folder), rel=0.3)


def test_auto_decides_by_reads_and_space():
    room = {"free": 10**12, "total": 10**11}
    assert choice.refusal(1000, 10**9, reads=1e6, **room) == ""
    assert choice.refusal(1000, 10**9, reads=math.inf, **room) == ""
    assert "1.5 times each" in choice.refusal(1000, 10**9, reads=1500.0, **room)
    assert "of memory" in choice.refusal(1000, 6 * 10**10, reads=math.inf, **room)
    room["free"] = 10**9
    assert "free 1.00 GB" in choice.refusal(1000, 6 * 10**8, reads=math.inf, **room)


def test_auto_keeps_banks_for_days(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(choice.tempfile, "gettempdir", lambda: str(tmp_path))
    source, said = RecordSource(packed), []
    stored = open_one(source, "auto", said)
    assert isinstance(stored, BankedSource) and "filled in" in said[0]
    assert open_one(source, "auto", reads=20.0) is source
    os.utime(stored.folder, (0, 0))
    other = dataclasses.replace(SEEN, context=0.4)
    open_one(source, "auto", said, footprint=other)
    assert not stored.folder.exists()


@pytest.mark.slow
def test_processes_fill_a_bank_side_by_side(packed, tmp_path):
    source = RecordSource(packed)
    stored = open_one(source, tmp_path, options=HERE._replace(num_workers=2))
    assert_equal_pairs(source, stored)


def test_crops_ask_for_the_reductions_that_are_stored():
    ratios = np.array([0.3, 1.6, 1.62, 3.2, 3.3, 50.0])
    found = {int(transforms.crops.reductions(ratio)) for ratio in ratios}
    assert found == set(footprint.REDUCTIONS)
