"""Tests for jaxtrack.data.transforms."""

import dataclasses

import cv2
import numpy as np
import pytest

from jaxtrack.data import crops, frames, transforms
from jaxtrack.data.settings import Augmentation, PairSettings

from .conftest import scene

SETTINGS = PairSettings(32, 64, context=0.5, negative_ratio=0.0)
NONE = {f.name: 0.0 for f in dataclasses.fields(Augmentation)}
NONE = Augmentation(**NONE | {"jitter": "pysot", "attempts": 0})
BOX = np.array([40.0, 50.0, 60.0, 90.0])  # 20 x 40 around (50, 70).
# sqrt((20 + 30) (40 + 30)) = 59.16.
SIDE = np.sqrt(3500)


OPTIONS = {"settings": SETTINGS, "augmentation": NONE}


def views(rng=None, **changes):
    """Returns what template and search crop show."""
    options = {**OPTIONS, "augmentation": dataclasses.replace(NONE, **changes)}
    return transforms.draw_views(BOX, BOX, rng or np.random.default_rng(0), **options)


def reader(image, asked=None):
    def read(reduction):
        if asked is not None:
            asked.append(reduction)
        return frames.whole(image)

    return read


def make(image, seed=0, read_other=None, augmentation=NONE, box=BOX):
    rng, options = np.random.default_rng(seed), {**OPTIONS, "read_other": read_other}
    options["augmentation"] = augmentation
    return transforms.make_pair(reader(image), None, box, box, rng, **options)


def test_the_templates_box_without_augmentation():
    # The template shows SIDE px of the frame on 32: the box has
    # 20 * 32 / 59.161 = 10.8180 by 40 * 32 / 59.161 = 21.6360 px around (16, 16).
    pair = make(scene(0, (160, 120)))
    assert pair["z_xyxy"].dtype == np.float32
    np.testing.assert_allclose(
        pair["z_xyxy"], [10.591, 5.182, 21.409, 26.818], atol=1e-3
    )
    # A second frame with another box does not matter to it.
    readers = (reader(scene(seed, (160, 120))) for seed in (0, 1))
    boxes = BOX, np.add(BOX, [3, -5, 30, 7])
    rng = np.random.default_rng(0)
    other = transforms.make_pair(*readers, *boxes, rng, **OPTIONS)
    np.testing.assert_array_equal(other["z_xyxy"], pair["z_xyxy"])
    assert (other["xyxy"] != pair["xyxy"]).any()


@pytest.mark.parametrize("jitter", ["pysot", "video_analyst"])
def test_no_view_reaches_farther_than_reach_says(jitter):
    changes = {"jitter": jitter, "search_shift": 20.0, "search_scale": 0.3}
    changes |= {"template_shift": 2.0, "template_scale": 0.1, "aspect": 0.2}
    augmentation = dataclasses.replace(NONE, **changes)
    reach = transforms.reach(SETTINGS, augmentation)
    rng, farthest = np.random.default_rng(0), 0.0
    for _ in range(2000):
        for view in views(rng, **changes):
            far = np.abs(view.center_xy - [50, 70]) + view.sides_xy / 2
            farthest = max(farthest, far.max() / SIDE)
    assert 0.9 * reach < 2 * farthest <= reach
    # pysot's own: 2 (255 / 254 * 1.18 + 64 / 127).
    pysot = PairSettings(127, 255, context=0.5, negative_ratio=0.0)
    augmentation = dataclasses.replace(NONE, search_shift=64.0, search_scale=0.18)
    np.testing.assert_allclose(
        transforms.reach(pysot, augmentation), 3.37717, atol=1e-5
    )


def test_views_without_augmentation():
    z, x = views()
    np.testing.assert_allclose(z.center_xy, [50, 70])
    np.testing.assert_allclose(z.sides_xy, [SIDE, SIDE])
    np.testing.assert_allclose(x.sides_xy, [2 * SIDE, 2 * SIDE])
    # So the target has the same size in px of both crops, and lies in the middle.
    xyxy = crops.to_crop(BOX, x, 64)
    expected = np.array([20, 40]) * 32 / SIDE
    np.testing.assert_allclose(xyxy[2:] - xyxy[:2], expected, rtol=1e-6)
    np.testing.assert_allclose(xyxy[:2] + xyxy[2:], [64, 64], rtol=1e-6)


def test_shifts_are_crop_pixels_on_each_axis():
    rng, shifts = np.random.default_rng(0), []
    for _ in range(500):
        z, x = views(rng, search_shift=10.0)
        shifts.append((x.center_xy - [50, 70]) * 32 / SIDE)
        np.testing.assert_allclose(z.center_xy, [50, 70])
    shifts = np.array(shifts)
    assert np.abs(shifts).max() <= 10 and (np.abs(shifts).max(axis=0) > 9.5).all()
    # Independent axes: U(-10, 10) has variance 100 / 3 and no covariance.
    np.testing.assert_allclose(np.cov(shifts.T), np.eye(2) * 100 / 3, atol=5)


def test_scales_are_factors_on_each_axis():
    rng, factors = np.random.default_rng(0), []
    for _ in range(500):
        factors.append(views(rng, template_scale=0.2)[0].sides_xy / SIDE)
    factors = np.array(factors)
    assert factors.min() >= 0.8 and factors.max() <= 1.2
    np.testing.assert_allclose(np.var(factors, axis=0), 0.04 / 3, rtol=0.15)
    assert abs(np.corrcoef(factors.T)[0, 1]) < 0.15


def test_video_analyst_scales_both_sides_and_then_shifts():
    # max_scale 0.3 and max_shift 0.4, which is 0.4 * 64 / 2 = 12.8 px of the crop.
    jitter = {"jitter": "video_analyst", "template_scale": 0.3}
    jitter |= {"search_scale": 0.3, "search_shift": 12.8}
    rng, factors, shifts = np.random.default_rng(0), [], []
    for _ in range(500):
        z, x = views(rng, **jitter)
        assert z.sides_xy[0] == z.sides_xy[1] and x.sides_xy[0] == x.sides_xy[1]
        factors.append([z.sides_xy[0] / SIDE, x.sides_xy[0] / (2 * SIDE)])
        # As a share of half the scaled crop's side, whatever the scale.
        shifts.append((x.center_xy - [50, 70]) / (x.sides_xy / 2))
    factors, shifts = np.array(factors), np.array(shifts)
    assert factors.min() >= 1 / 1.3 and factors.max() <= 1.3
    # log U: mean 0. U: mean (1 / 1.3 + 1.3) / 2 = 1.0346, variance of 0.5308 wide.
    deviations = 2 * np.log(1.3) / np.sqrt(12), 0.5308 / np.sqrt(12)
    values = np.stack([np.log(factors[:, 0]), factors[:, 1]])
    np.testing.assert_allclose(values.mean(axis=1), [0, 1.0346], atol=0.02)
    np.testing.assert_allclose(values.std(axis=1), deviations, rtol=0.08)
    assert np.abs(shifts).max() <= 0.4
    np.testing.assert_allclose(np.cov(shifts.T), np.eye(2) * 0.16 / 3, atol=0.008)


def test_attempts_keep_the_whole_box_in_the_crop():
    # The box is 21.6 px high in a crop of 64 that is shifted by up to 31: seen whole
    # where the shift is at most 32 - 10.8 = 21.2.
    for jitter in ("pysot", "video_analyst"):
        rng, whole = np.random.default_rng(0), {0: [], 50: []}
        for attempts, found in whole.items():
            changes = {"jitter": jitter, "search_shift": 31.0, "attempts": attempts}
            for _ in range(100):
                xyxy = crops.to_crop(BOX, views(rng, **changes)[1], 64)
                found.append(xyxy.min() >= 0 and xyxy.max() <= 64)
        assert 0.4 < np.mean(whole[0]) < 0.75 and all(whole[50])
        # A shift that never does is left out.
        for _ in range(5):
            z, x = views(rng, **changes | {"search_shift": 1e6, "attempts": 3})
            for view, side in ((z, SIDE), (x, 2 * SIDE)):
                np.testing.assert_allclose(view.center_xy, [50, 70], atol=1e-9)
                np.testing.assert_allclose(view.sides_xy, side, rtol=1e-9)


def test_aspect_keeps_the_area():
    rng = np.random.default_rng(0)
    logs = [np.log(views(rng, aspect=0.3)[1].sides_xy / (2 * SIDE)) for _ in range(200)]
    np.testing.assert_allclose(np.sum(logs, axis=1), 0, atol=1e-9)
    skews = np.diff(logs, axis=1)
    assert np.abs(skews).max() <= 0.3 < np.abs(skews).max() + 0.02


def test_the_boxes_frame_the_target_whatever_is_drawn():
    image = np.zeros((400, 400, 3), np.uint8)
    image[180:220, 190:210] = 255
    box = np.array([190.0, 180.0, 210.0, 220.0])
    augmentation = dataclasses.replace(
        NONE,
        template_shift=3.0,  # So that all of it stays in the crop.
        template_scale=0.1,
        search_shift=8.0,
        search_scale=0.2,
        aspect=0.2,
    )
    for seed in range(20):
        pair = make(image, seed, augmentation=augmentation, box=box)
        for crop, name in (("z_image", "z_xyxy"), ("x_image", "xyxy")):
            white = pair[crop][..., 0] / 255
            x0, y0, x1, y1 = pair[name]
            rows, columns = np.mgrid[: len(white), : len(white)] + 0.5
            total = white.sum()
            center = (white * columns).sum() / total, (white * rows).sum() / total
            np.testing.assert_allclose(
                center, [(x0 + x1) / 2, (y0 + y1) / 2], atol=0.15
            )
            np.testing.assert_allclose(total, (x1 - x0) * (y1 - y0), rtol=0.03)
            # Its edges: where half of the light of a row or column is reached.
            for axis, low, high in ((0, x0, x1), (1, y0, y1)):
                lit = np.flatnonzero(white.max(axis=axis) > 0.5)
                np.testing.assert_allclose([lit[0], lit[-1] + 1], [low, high], atol=1)


def test_outside_is_the_mean_color_or_another_image():
    image = scene(0, (160, 120))
    box = np.array([-10.0, -10.0, 30.0, 30.0])
    mean = np.array(cv2.mean(image)[:3])
    plain = make(image, box=box)["x_image"]
    np.testing.assert_allclose(plain[:5, :5], np.broadcast_to(mean, (5, 5, 3)), atol=1)
    other = np.full((20, 30, 3), 77, np.uint8)
    augmentation = dataclasses.replace(NONE, fill_image=1.0)
    filled = make(image, box=box, augmentation=augmentation, read_other=lambda: other)
    # sqrt(80 * 80) = 80 px on 32: 2.5 px a px. The view begins at 10 - 80 = -70 px, so
    # the frame begins at crop pixel 70 / 2.5 = 28.
    crop = filled["x_image"]
    assert (crop[:28] == 77).all() and (crop[:, :28] == 77).all()
    np.testing.assert_array_equal(crop[28:, 28:], plain[28:, 28:])


def test_another_image_is_read_only_where_it_is_seen():
    image = scene(0, (400, 400))
    augmentation = dataclasses.replace(NONE, fill_image=1.0)

    def never():
        raise AssertionError("read without need")

    box = np.array([190.0, 190.0, 210.0, 210.0])
    pair = make(image, box=box, augmentation=augmentation, read_other=never)
    assert pair["x_image"].any()


def test_frames_are_read_no_sharper_than_needed_and_a_shared_one_once():
    image, box = scene(0, (400, 400)), np.array([100.0, 100.0, 200.0, 200.0])
    # The template shows 200 px on 32, the search crop 118.3 px on 64: 1.85 px a px.
    for is_shared, expected in ((False, [4, 2]), (True, [2])):
        asked = []
        read = reader(image, asked)
        readers = (read, None if is_shared else read)
        rng = np.random.default_rng(0)
        transforms.make_pair(*readers, box, BOX, rng, **OPTIONS)
        assert asked == expected
