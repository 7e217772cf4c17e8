"""Tests for jaxtrack.data.composed.source."""

import concurrent.futures
import dataclasses
import multiprocessing
import pickle

import numpy as np
import pytest

from jaxtrack.data.composed import ComposedSource, SceneSettings, sprites
from jaxtrack.data.composed import compose as scenes
from jaxtrack.errors import InputError

SIZE = (90, 120)
BUSY = SceneSettings(occluder=1.0, distractors=1.0, motion_blur=1.0)
OPTIONS = {"num_tracks": 6, "length": 8, "size": SIZE, "settings": BUSY}


@pytest.fixture
def source(photo_folder, cutout_folder):
    return ComposedSource(photo_folder, cutouts=cutout_folder, **OPTIONS)


def test_frames_and_boxes_have_the_shapes_of_the_protocol(source):
    assert source.num_tracks == 6
    boxes = source.track_boxes(2)
    assert boxes.shape == (8, 4) and boxes.dtype == np.float32
    image, reduction = source.frame(2, 7)[:2]
    assert image.shape == (*SIZE, 3) and image.dtype == np.uint8
    assert reduction == 1
    image, reduction = source.frame(2, 7, reduction=4)[:2]
    assert image.shape == (23, 30, 3)
    assert reduction == 4


def test_random_access_equals_sequential_order(source):
    again = pickle.loads(pickle.dumps(source))
    order = [(i, t) for i in range(6) for t in range(8)]
    frames = {(i, t): source.frame(i, t)[0] for i, t in order}
    for k in np.random.default_rng(0).permutation(len(order)):
        np.testing.assert_array_equal(again.frame(*order[k])[0], frames[order[k]])
    for i in range(6):
        np.testing.assert_array_equal(again.track_boxes(i), source.track_boxes(i))


def test_threads_see_the_same(source):
    fresh = pickle.loads(pickle.dumps(source))
    tasks = [(i, t) for t in range(8) for i in range(6)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(lambda task: fresh.frame(*task)[0], tasks))
    for task, frame in zip(tasks, frames, strict=True):
        np.testing.assert_array_equal(frame, source.frame(*task)[0])


@pytest.mark.slow
def test_a_spawned_process_draws_the_same(source):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        image, _ = pool.apply(source.frame, (3, 5))
    np.testing.assert_array_equal(image, source.frame(3, 5)[0])


def test_pickle_carries_no_pictures(source):
    for i in range(6):
        source.frame(i, 0)
    assert len(pickle.dumps(source)) < 5000


def test_boxes_are_those_of_the_unoccluded_mask(source):
    for i in range(source.num_tracks):
        scene, boxes = source._scene(i)
        for t, box in enumerate(boxes):
            curves = scene.cast[scene.target].curves(t)
            mask = sprites.fill_curves(curves, (0, 0, *SIZE[::-1]))
            rows = np.flatnonzero(mask.any(1))
            columns = np.flatnonzero(mask.any(0))
            drawn = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            np.testing.assert_allclose(box, drawn, atol=1.07)


def test_seeds_and_tracks_and_splits_differ(photo_folder):
    def boxes(i=0, **changes):
        options = {"num_tracks": 3, "length": 5, "size": SIZE, "seed": 0}
        return ComposedSource(photo_folder, **{**options, **changes}).track_boxes(i)

    variants = [boxes(), boxes(1), boxes(seed=1), boxes(split="eval")]
    for k, one in enumerate(variants):
        for other in variants[:k]:
            assert not np.allclose(one, other)
    np.testing.assert_array_equal(boxes(), boxes(num_tracks=99))


def test_splits_of_equal_pictures_have_streams_of_their_own(photo_folder):
    paths = sorted(photo_folder.iterdir())
    six = paths[:3] + paths[4:7]  # What "train" takes of the first seven.
    train = ComposedSource(paths[:7], num_tracks=1, settings=BUSY)
    every = ComposedSource(six, num_tracks=1, settings=BUSY, split="all")
    assert train._photos == every._photos
    assert not np.allclose(train.track_boxes(0), every.track_boxes(0))


def test_splits_share_no_picture(photo_folder, cutout_folder):
    used = {}
    for split in ("train", "eval", "all"):
        source = ComposedSource(photo_folder, cutouts=cutout_folder, split=split)
        used[split] = {*source._photos, *source._folders}
    assert not used["train"] & used["eval"]
    assert used["train"] | used["eval"] == used["all"]
    assert len(used["all"]) == 12


def test_default_photographs_serve_both_splits():
    for split in ("train", "eval"):
        source = ComposedSource(num_tracks=1, length=2, size=SIZE, split=split)
        assert source.frame(0, 1)[0].std() > 5


def test_faults_say_what_to_do(photo_folder, cutout_folder):
    few = sorted(photo_folder.iterdir())[:3]
    videos = {"cutouts": [cutout_folder / "video_0"], "split": "eval"}
    for photos, options, message in (
        (few, {"split": "eval"}, "'eval' has 0 photographs"),
        (photo_folder, {"seed": -1}, "seed is -1"),
        (photo_folder, {"split": "test"}, "unknown split 'test'"),
        (photo_folder, videos, "none of the 1 cut-out sequences"),
    ):
        with pytest.raises(InputError, match=message):
            ComposedSource(photos, **options)
    for options, message in (
        ({"size": (8, 8)}, r"size \(8, 8\)"),
        ({"num_tracks": 0}, "num_tracks 0"),
    ):
        with pytest.raises(ValueError, match=message):
            ComposedSource(photo_folder, **options)


def test_a_damaged_photograph_is_named_when_drawn(photo_folder):
    for path in photo_folder.iterdir():
        path.write_bytes(b"no picture")
    source = ComposedSource(photo_folder, num_tracks=1, length=2, size=SIZE)
    source.track_boxes(0)  # Boxes need no pictures.
    with pytest.raises(InputError, match=r"photos/\d\.png"):
        source.frame(0, 0)


def test_numbers_outside_the_source_are_refused(source):
    for i, t in [(6, 0), (-1, 0), (0, 8), (0, -1)]:
        with pytest.raises(IndexError):
            source.frame(i, t)


@pytest.mark.slow
def test_real_cutouts_give_exact_smooth_boxes(shared):
    folder = shared / "realdata" / "sequences"
    source = ComposedSource(None, cutouts=folder, num_tracks=20, length=40)
    for i in range(source.num_tracks):
        boxes = source.track_boxes(i)
        assert np.isfinite(boxes).all()
        shift = np.abs(np.diff(boxes, axis=0)).max(1)
        sides = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1))
        assert np.median(shift / sides[1:]) < 0.2
        assert source.frame(i, 20)[0].shape == (360, 480, 3)


def _compose_twice_as_bright(make):
    made = scenes.compose(make)
    return dataclasses.replace(made, light=2 * made.light)


def test_another_composer_gets_the_same_arguments(photo_folder):
    options = {"num_tracks": 2, "length": 5, "size": SIZE, "settings": BUSY}
    plain = ComposedSource(photo_folder, **options)
    bright = ComposedSource(photo_folder, composer=_compose_twice_as_bright, **options)
    bright = pickle.loads(pickle.dumps(bright))
    for i in range(2):
        np.testing.assert_array_equal(bright.track_boxes(i), plain.track_boxes(i))
        light = plain._scene(i)[0].light
        np.testing.assert_array_equal(bright._scene(i)[0].light, 2 * light)
