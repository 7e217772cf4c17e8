"""Tests for jaxtrack.ops.degrade."""

import functools

import jax
import numpy as np
import pytest

from jaxtrack.ops import degrade

from . import camera

KEYS = jax.random.split(jax.random.key(1), 40)


@functools.cache
def compiled(name):
    return jax.jit(getattr(degrade, name))


@functools.cache
def drawn(name):
    """Returns what a random change makes of one image, for every key."""
    return jax.jit(jax.vmap(getattr(degrade, name), (0, None)))


def point(size=41):
    image = np.zeros((size, size, 3), np.uint8)
    image[size // 2, size // 2] = 255
    return image


@pytest.mark.parametrize(("half", "weight"), [(2, 0.3), (9, 1.0), (22, 0.6)])
def test_plus_blur_is_one_filter_of_a_plus(half, weight):
    image = camera.picture()
    blurred = compiled("blur_plus")(image, half=half, weight=weight)
    expected = camera.blur_plus(image, half=half, weight=weight)
    np.testing.assert_allclose(np.asarray(blurred, float), expected, atol=0.501)


def test_plus_blur_of_an_image_smaller_than_the_kernel():
    # 12 px and 22 on each side: mirrored twice.
    image = camera.picture(12, 12)
    blurred = compiled("blur_plus")(image, half=22, weight=0.4)
    expected = camera.blur_plus(image, half=22, weight=0.4)
    np.testing.assert_allclose(np.asarray(blurred, float), expected, atol=0.501)


def test_drawn_pluses_have_all_odd_sizes():
    image = np.zeros((60, 60, 3), np.uint8)
    image[30] = 255
    # A row of light spreads over the column's size.
    spread = np.asarray(drawn("random_plus_blur")(KEYS, image))[:, :, 0, 0] > 0
    sizes = spread.sum(axis=1)
    sizes = sizes[sizes > 1]  # A column of little weight is rounded away.
    assert len(sizes) > 30 and set(sizes) <= set(range(5, 46, 2))
    assert min(sizes) <= 9 and max(sizes) >= 41


@pytest.mark.parametrize(("half", "angle"), [(1, 0.2), (4, 1.1), (7, 2.6), (7, 0.0)])
def test_motion_blur_is_one_filter_of_a_line(half, angle):
    image = camera.picture()
    blurred = compiled("blur_line")(image, half=half, angle=angle)
    expected = camera.blur_line(image, half=half, angle=angle)
    np.testing.assert_allclose(np.asarray(blurred, float), expected, atol=0.501)


def test_drawn_motions_keep_the_mean_and_spread_a_point_along_a_line():
    spread = np.asarray(drawn("random_motion_blur")(KEYS, point()), int)[..., 0]
    lengths = []
    for image in spread:
        rows, columns = np.nonzero(image)
        assert abs(image.sum() - 255) <= 8  # Each of 15 pixels is rounded.
        lengths.append(max(np.ptp(rows), np.ptp(columns)) + 1)
        assert len(rows) <= 1.5 * lengths[-1]  # A line, not an area: 15 px on 11 x 11.
    assert min(lengths) == 3 and 13 <= max(lengths) <= 15


@pytest.mark.parametrize("factor", [0.25, 0.43, 0.67])
def test_low_resolution_equals_opencv(factor):
    image = camera.picture()
    low = compiled("lower_resolution")(image, factor=factor)
    expected = camera.lower_resolution(image, factor=factor)
    # There the shrunk image is rounded too.
    np.testing.assert_allclose(np.asarray(low, float), expected, atol=1.5)


def test_drawn_resolutions_lose_detail_only():
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    low = np.asarray(drawn("random_resolution")(KEYS, noise), float)
    assert (low.std(axis=(1, 2, 3)) < 0.7 * noise.std()).all()
    np.testing.assert_allclose(low.mean(axis=(1, 2, 3)), noise.mean(), atol=1.5)
    # A mean of 1 / f^2 pixels deviates f times as much, and less between pixels.
    assert np.ptp(low.std(axis=(1, 2, 3))) > 0.15 * noise.std()


def test_noise_has_its_deviation_and_no_mean():
    image = np.full((40, 40, 3), 128, np.uint8)
    noise = np.asarray(drawn("random_noise")(KEYS, image), float) - 128
    deviations = noise.std(axis=(1, 2, 3))
    assert (np.abs(noise.mean(axis=(1, 2, 3))) < deviations / 10).all()
    # U(2, 14): none outside, and the mean near 8, whose own deviation is 3.5 / 6.3.
    assert deviations.min() > 1.9 and deviations.max() < 14.6
    assert deviations.mean() == pytest.approx(8, abs=1.7)
    # A quarter of the rows is drawn; the four are not the same rows.
    quarters = noise.reshape(len(KEYS), 4, -1)
    assert (quarters[:, 0] != quarters[:, 1]).any(axis=1).mean() > 0.9
