"""Tests for jaxtrack.ops.color."""

import jax
import numpy as np
import pytest

from jaxtrack.ops import color

from . import camera

KEYS = jax.random.split(jax.random.key(0), 4000)


def test_gray_weighs_the_colors_as_bt601():
    image = np.zeros((4, 4, 3), np.uint8)
    image[...] = (100, 50, 200)
    # 0.299 * 100 + 0.587 * 50 + 0.114 * 200 = 82.05.
    np.testing.assert_array_equal(color.to_gray(image), 82)


def test_gray_equals_opencv(variant):
    image = camera.picture()
    gray = np.asarray(variant(color.to_gray)(image))
    assert gray.dtype == np.uint8
    expected = camera.to_gray(image)
    # Fixed-point there: a tie may be rounded the other way.
    assert np.abs(gray.astype(int) - expected).max() <= 1
    assert (gray == expected).mean() > 0.99


def test_color_shifts_have_the_covariance_of_the_directions():
    image = np.full((1, 1, 3), 128, np.uint8)
    shifted = jax.jit(jax.vmap(color.random_color, (0, None)))(KEYS, image)
    shifts = np.asarray(shifted, int)[:, 0, 0] - 128
    # Row R of the directions: .559^2 + .981^2 + .419^2 = 1.450; the rounding adds 1/12.
    # Rows G, B: 6.349 and 67.858. R and B together: -2.597 + 4.645 - 2.048 = 0.
    expected = np.array([1.450, 6.349, 67.858]) + 1 / 12
    np.testing.assert_allclose(np.var(shifts, axis=0), expected, rtol=0.08)
    assert abs(np.cov(shifts.T)[0, 2]) < 0.6
    assert shifts.mean(axis=0) == pytest.approx(0, abs=0.4)


def test_color_shifts_stop_at_black_and_white():
    image = np.zeros((2, 1, 3), np.uint8)
    image[0] = 255
    shifted = np.asarray(color.shift_color(image, np.float32([9, -7.4, 0.6])))
    np.testing.assert_array_equal(shifted[:, 0], [[255, 248, 255], [9, 0, 1]])


@pytest.mark.parametrize("tone", [(0.75, 1.3, 1.4), (1.3, 0.8, 0.55), (1.0, 1.0, 1.0)])
def test_tone_equals_opencv(tone):
    image = camera.picture()
    image[0, :2] = [[0, 0, 0], [255, 255, 255]]
    tone = dict(zip(("gamma", "gain", "saturation"), tone, strict=True))
    toned = jax.jit(color.change_tone)(image, **tone)
    # There a level is rounded by half before it is multiplied by 1.4 at most.
    expected = camera.change_tone(image, **tone)
    np.testing.assert_allclose(np.asarray(toned, float), expected, atol=2.0)


def test_drawn_tones_keep_grey_grey_and_the_order_of_levels():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    toned = jax.jit(jax.vmap(color.random_tone, (0, None)))(KEYS[:50], ramp)
    toned = np.asarray(toned, int)[:, 0]
    assert np.ptp(toned, axis=2).max() <= 1
    assert np.diff(toned, axis=1).min() >= 0
    # The middle level: 255 g (0.502)^gamma; from e^-.3, e^.3 to e^.3, e^-.3.
    assert 70 < toned[:, 128].min() < 95 and 170 < toned[:, 128].max() <= 207
