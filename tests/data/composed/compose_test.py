"""Tests for jaxtrack.data.composed.compose."""

import pathlib

import numpy as np

from jaxtrack.data.composed import compose, cutouts, photos, sprites

LENGTH = 30
HW = (120, 160)
NAMES = [pathlib.Path(f"{k}.jpg") for k in range(5)]
PLAIN = {"distractors": 0.0, "occluder": 0.0, "motion_blur": 0.0}


def make(seed, videos=(), hw=HW, paths=NAMES, length=LENGTH, **settings):
    settings = compose.SceneSettings(**settings)
    rng, sizes = np.random.default_rng(seed), {"hw": hw, "length": length}
    made = compose.stage(rng, paths, videos, settings=settings, **sizes)
    return compose.compose(made)


def consecutive_iou(boxes):
    a, b = boxes[1:].astype(np.float64), boxes[:-1].astype(np.float64)
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(sides, 0).prod(1)
    areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (a, b)]
    return shared / (areas[0] + areas[1] - shared)


def test_targets_move_smoothly_and_stay_mostly_inside():
    ious, inside, moved = [], [], []
    for seed in range(40):
        scene = make(seed)
        boxes, raw = scene.boxes(), scene.cast[scene.target].boxes()
        ious.extend(consecutive_iou(boxes))
        areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (boxes, raw)]
        inside.extend(areas[0] / areas[1])
        moved.append(np.abs(np.diff(boxes[:, 0])).sum())
    assert np.min(ious) > 0.4
    assert np.median(ious) > 0.85
    assert np.min(inside) > 0.7
    assert np.mean(inside) > 0.99
    assert np.min(moved) > 0.5  # Nothing stands still.


def test_a_target_is_as_large_as_asked():
    size = 0.3 * min(HW)
    for seed in range(10):
        scene = make(seed, target_size=(0.3, 0.3), zoom=0.0, bend=0.0, rotation=0.0)
        boxes = scene.cast[scene.target].boxes()
        sides = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1))
        np.testing.assert_allclose(sides, size, rtol=1e-6)


def test_lookalikes_are_like_the_target():
    settings = {**PLAIN, "distractors": 1.0, "lookalike": 1.0}
    for seed in range(10):
        assert len(make(seed, **PLAIN).cast) == 1
        scene = make(seed, **settings)
        assert 2 <= len(scene.cast) <= 4
        target = scene.cast[scene.target]
        for other in scene.cast:
            assert other.skin is target.skin
            assert other.marking is target.marking
            assert other is target or not np.allclose(other.center, target.center)


def test_lookalikes_of_a_cutout_come_from_its_video(cutout_folder):
    videos = [cutouts.read_cutout(p) for p in cutouts.find_cutouts(cutout_folder)]
    scene = make(3, videos, cutout=1.0, distractors=1.0, lookalike=1.0, occluder=0.0)
    skins = [sprite.skin for sprite in scene.cast]
    assert all(isinstance(skin, sprites.Footage) for skin in skins)
    assert len({skin.cutout.images for skin in skins}) == 1


def test_cutouts_act_forwards_and_backwards_without_jumps(cutout_folder):
    videos = [cutouts.read_cutout(p) for p in cutouts.find_cutouts(cutout_folder)]
    for seed in range(10):
        scene = make(seed, videos, cutout=1.0)
        frames = scene.cast[scene.target].skin.frames
        assert set(np.abs(np.diff(frames))) <= {0, 1}
        assert set(frames) == set(range(6))  # 30 frames at half pace show all six.


def test_occluders_come_in_front_and_never_in_the_first_frame():
    meets = 0
    for seed in range(30):
        scene = make(seed, **{**PLAIN, "occluder": 1.0})
        assert len(scene.cast) == 2
        target = scene.boxes()
        for other in scene.cast[scene.target + 1 :]:
            box = other.boxes()
            low = np.maximum(box[:, :2], target[:, :2])
            high = np.minimum(box[:, 2:], target[:, 2:])
            shared = np.maximum(high - low, 0).prod(1)
            assert shared[0] == 0
            meets += (shared > 0.1 * (target[:, 2:] - target[:, :2]).prod(1)).any()
    assert meets >= 10


def test_background_changes_once_to_another_photograph():
    for seed in range(10):
        scene = make(seed, background_change=1.0)
        assert list(np.abs(np.diff(scene.shown))).count(1) == 1
        first, second = scene.backdrops
        assert first.photo != second.photo
        assert not make(seed, background_change=0.0).shown.any()


def test_textures_are_not_taken_from_the_background():
    for seed in range(20):
        scene = make(seed, background_change=1.0)
        behind = {backdrop.photo for backdrop in scene.backdrops}
        for sprite in scene.cast:
            assert sprite.skin.photo not in behind


def test_small_and_long_frames_are_drawn(photo_folder):
    paths = photos.find_photographs(photo_folder)[:2]
    for hw in ((16, 16), (16, 64), (300, 40)):
        for seed in range(6):
            scene = make(seed, (), hw, paths, 3, occluder=1.0, distractors=1.0)
            for t in range(3):
                assert scene.draw(t).shape == (*hw, 3)
            boxes = scene.boxes()
            assert (boxes[:, 2:] > boxes[:, :2]).all()
            assert (boxes >= 0).all() and (boxes[:, 2:] <= hw[::-1]).all()
