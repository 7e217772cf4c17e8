"""Tests for jaxtrack.data.transforms."""

import dataclasses

import cv2
import numpy as np
import pytest

from jaxtrack.data import crops, transforms
from jaxtrack.data.settings import Augmentation, PairSettings

from .conftest import scene

SETTINGS = PairSettings(template_size=32, search_size=64)
NONE = Augmentation(**{f.name: 0.0 for f in dataclasses.fields(Augmentation)})
BOX = np.array([40.0, 50.0, 60.0, 90.0])  # 20 x 40 around (50, 70).
# sqrt((20 + 30) (40 + 30)) = 59.16.
SIDE = np.sqrt(3500)


def views(rng=None, **changes):
    return transforms.draw_views(
        BOX,
        BOX,
        rng or np.random.default_rng(0),
        settings=SETTINGS,
        augmentation=dataclasses.replace(NONE, **changes),
    )


def reader(image, asked=None):
    def read(reduction):
        if asked is not None:
            asked.append(reduction)
        return image, 1

    return read


def make(image, seed=0, read_other=None, augmentation=NONE, box=BOX):
    return transforms.make_pair(
        reader(image),
        None,
        box,
        box,
        np.random.default_rng(seed),
        settings=SETTINGS,
        augmentation=augmentation,
        read_other=read_other,
    )


def test_views_without_augmentation():
    v = views()
    np.testing.assert_allclose(v.z.center_xy, [50, 70])
    np.testing.assert_allclose(v.z.sides_xy, [SIDE, SIDE])
    np.testing.assert_allclose(v.x.sides_xy, [2 * SIDE, 2 * SIDE])
    # So the target has the same size in px of both crops, and lies in the middle.
    xyxy = crops.to_crop(BOX, v.x, 64)
    expected = np.array([20, 40]) * 32 / SIDE
    np.testing.assert_allclose(xyxy[2:] - xyxy[:2], expected, rtol=1e-6)
    np.testing.assert_allclose(xyxy[:2] + xyxy[2:], [64, 64], rtol=1e-6)


def test_shifts_are_crop_pixels_on_each_axis():
    rng, shifts = np.random.default_rng(0), []
    for _ in range(500):
        v = views(rng, search_shift=10.0)
        shifts.append((v.x.center_xy - [50, 70]) * 32 / SIDE)
        np.testing.assert_allclose(v.z.center_xy, [50, 70])
    shifts = np.array(shifts)
    assert np.abs(shifts).max() <= 10 and (np.abs(shifts).max(axis=0) > 9.5).all()
    # Independent axes: U(-10, 10) has variance 100 / 3 and no covariance.
    np.testing.assert_allclose(np.cov(shifts.T), np.eye(2) * 100 / 3, atol=5)


def test_scales_are_factors_on_each_axis():
    rng, factors = np.random.default_rng(0), []
    for _ in range(500):
        factors.append(views(rng, template_scale=0.2).z.sides_xy / SIDE)
    factors = np.array(factors)
    assert factors.min() >= 0.8 and factors.max() <= 1.2
    np.testing.assert_allclose(np.var(factors, axis=0), 0.04 / 3, rtol=0.15)
    assert abs(np.corrcoef(factors.T)[0, 1]) < 0.15


def test_aspect_keeps_the_area():
    rng = np.random.default_rng(0)
    logs = [np.log(views(rng, aspect=0.3).x.sides_xy / (2 * SIDE)) for _ in range(200)]
    np.testing.assert_allclose(np.sum(logs, axis=1), 0, atol=1e-9)
    skews = np.diff(logs, axis=1)
    assert np.abs(skews).max() <= 0.3 < np.abs(skews).max() + 0.02


def test_the_box_frames_the_target_whatever_is_drawn():
    image = np.zeros((400, 400, 3), np.uint8)
    image[180:220, 190:210] = 255
    box = np.array([190.0, 180.0, 210.0, 220.0])
    augmentation = dataclasses.replace(
        NONE, search_shift=8.0, search_scale=0.2, aspect=0.2, flip=0.5
    )
    for seed in range(20):
        pair = make(image, seed, augmentation=augmentation, box=box)
        white = pair["x_image"][..., 0] / 255
        x0, y0, x1, y1 = pair["xyxy"]
        rows, columns = np.mgrid[:64, :64] + 0.5
        total = white.sum()
        center = (white * columns).sum() / total, (white * rows).sum() / total
        np.testing.assert_allclose(center, [(x0 + x1) / 2, (y0 + y1) / 2], atol=0.15)
        np.testing.assert_allclose(total, (x1 - x0) * (y1 - y0), rtol=0.03)


def test_both_crops_are_flipped_or_none():
    image = scene(0, (160, 120))
    plain = make(image)
    flipped = make(image, augmentation=dataclasses.replace(NONE, flip=1.0))
    for name in ("z_image", "x_image"):
        np.testing.assert_array_equal(flipped[name], plain[name][:, ::-1])
        assert flipped[name].flags["C_CONTIGUOUS"]
    x0, _, x1, _ = plain["xyxy"]
    np.testing.assert_allclose(flipped["xyxy"][[0, 2]], [64 - x1, 64 - x0])


def test_gray_is_for_both_crops():
    pair = make(scene(0, (160, 120)), augmentation=dataclasses.replace(NONE, gray=1.0))
    for name in ("z_image", "x_image"):
        assert np.ptp(pair[name], axis=2).max() == 0


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("template_color", ["z_image"]),
        ("template_blur", ["z_image"]),
        ("search_color", ["x_image"]),
        ("search_blur", ["x_image"]),
        ("occluder", ["x_image"]),
        ("motion_blur", ["x_image"]),
        ("low_resolution", ["x_image"]),
        ("noise", ["x_image"]),
        ("tone", ["z_image", "x_image"]),
        ("gray", ["z_image", "x_image"]),
    ],
)
def test_each_augmentation_changes_its_crops_only(field, changed):
    image = scene(0, (160, 120))
    plain = make(image)
    pair = make(image, augmentation=dataclasses.replace(NONE, **{field: 1.0}))
    found = [n for n in ("z_image", "x_image") if (pair[n] != plain[n]).any()]
    assert found == changed
    np.testing.assert_array_equal(pair["xyxy"], plain["xyxy"])


def test_outside_is_the_mean_colour_or_another_image():
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
    make(image, box=box, augmentation=augmentation, read_other=never)


def test_frames_are_read_no_sharper_than_needed():
    image = scene(0, (400, 400))
    box = np.array([100.0, 100.0, 200.0, 200.0])  # The template shows 200 px on 32.
    asked = []
    transforms.make_pair(
        reader(image, asked),
        reader(image, asked),
        box,
        BOX,  # 118.3 px on 64: 1.85 px a px.
        np.random.default_rng(0),
        settings=SETTINGS,
        augmentation=NONE,
    )
    assert asked == [4, 2]


def test_a_shared_frame_is_read_once_for_the_sharper_crop():
    asked = []
    transforms.make_pair(
        reader(scene(0, (400, 400)), asked),
        None,
        np.array([100.0, 100.0, 200.0, 200.0]),
        BOX,
        np.random.default_rng(0),
        settings=SETTINGS,
        augmentation=NONE,
    )
    assert asked == [2]
