"""Tests for jaxtrack.data.loader."""

import dataclasses

import numpy as np
import pytest

from jaxtrack.data import frames
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource
from jaxtrack.errors import InputError

from .conftest import check_batch

SETTINGS = PairSettings(16, 32, context=0.5, negative_ratio=0.0)
NONE = {f.name: 0.0 for f in dataclasses.fields(Augmentation)}
NONE = Augmentation(**NONE | {"jitter": "pysot", "attempts": 0})


class Painted:
    """Tracks whose frames have one color: the track's and time's numbers."""

    num_tracks = num_pictures = 3

    def __init__(self, damaged=()):
        self.damaged = damaged
        self.reads = []

    def track_times(self, track):
        return np.arange(len(self.track_boxes(track)))

    def track_boxes(self, track):
        return np.tile(np.array([40, 40, 60, 60], np.float32), (5, 1))

    def frame(self, track, time, *, reduction=1):
        self.reads.append((track, time))
        if track in self.damaged:
            raise InputError(f"track {track} is damaged")
        image = np.empty((100, 100, 3), np.uint8)
        image[...] = (track, time, 0)
        return frames.whole(image)

    def picture(self, number):
        return number, np.full((128, 128, 3), number, np.uint8)


def load(source, number, *, track=0, augmentation=NONE, skip_damaged=False, **settings):
    portion = Portion("tracks", source, settings.pop("frame_range", 100))
    settings = dataclasses.replace(SETTINGS, **settings)
    loader = PairLoader([portion], settings, augmentation, skip_damaged)
    return loader.random_map((0, track), np.random.default_rng(number))


def test_a_row_of_a_batch():
    row = load(Painted(), 0, track=1)
    check_batch({n: np.asarray(value)[None] for n, value in row.items()}, 1, 16, 32)
    assert row["z_image"][8, 8, 0] == row["x_image"][16, 16, 0] == 1


def test_positive_and_negative_pairs():
    for number in range(10):
        row = load(Painted(), number, track=2)
        assert row["is_positive"] and row["x_image"][16, 16, 0] == 2
        row = load(Painted(), number, track=2, negative_ratio=1.0)
        assert not row["is_positive"]
        assert row["z_image"][8, 8, 0] == 2 and row["x_image"][16, 16, 0] != 2


def test_the_templates_box_is_of_the_templates_own_target():
    source = Painted()
    sides = {0: 20, 1: 30, 2: 40}
    source.track_boxes = lambda track: np.tile(
        np.float32([40, 40, 40 + sides[track], 40 + 2 * sides[track]]), (5, 1)
    )
    for number in range(10):
        row = load(source, number, track=2, negative_ratio=1.0)
        assert not row["is_positive"]
        # 40 x 80 with p = 60 shows sqrt(100 * 140) = 118.32 px on 16: 5.409 by 10.818
        # px around (8, 8), also of the other tracks' boxes in their search crops.
        np.testing.assert_allclose(
            row["z_xyxy"], [5.2955, 2.591, 10.7045, 13.409], atol=1e-3
        )
        np.testing.assert_allclose(row["xyxy"], row["z_xyxy"] + 8, atol=1e-3)


def test_a_shared_frame_is_read_once():
    source = Painted()
    for number in range(20):
        row = load(source, number, frame_range=0)
        np.testing.assert_array_equal(row["z_image"][8, 8], row["x_image"][16, 16])
    assert len(source.reads) == 20


def test_the_outside_shows_a_frame_of_another_track(packed):
    augmentation = dataclasses.replace(NONE, fill_image=1.0)
    source = Painted()
    source.track_boxes = lambda track: np.array([[0, 0, 40, 40]], np.float32)
    row = load(source, 0, track=1, augmentation=augmentation)
    assert row["x_image"][0, 0, 0] != 1 and row["x_image"][16, 16, 0] == 1


def test_a_damaged_frame_is_named_or_replaced():
    with pytest.raises(InputError, match="track 1 is damaged"):
        load(Painted(damaged=(1,)), 0, track=1)
    row = load(Painted(damaged=(1,)), 0, track=1, skip_damaged=True)
    assert row["z_image"][8, 8, 0] in (0, 2)
    with pytest.raises(InputError, match="20 damaged frames in a row"):
        load(Painted(damaged=(0, 1, 2)), 0, skip_damaged=True)


def test_a_pair_is_a_function_of_its_random_numbers(packed):
    source = RecordSource(packed)
    half = {f.name: 0.5 for f in dataclasses.fields(Augmentation)}
    half = Augmentation(**half | {"jitter": "pysot", "attempts": 0})
    options = {"augmentation": half, "negative_ratio": 0.5}
    first, again, other = (load(source, number, **options) for number in (5, 5, 6))
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
    assert (first["x_image"] != other["x_image"]).any()
