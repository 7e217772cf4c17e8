"""Tests for jaxtrack.data.augmentations."""

import cv2
import numpy as np
import pytest

from jaxtrack.data import augmentations

from .conftest import scene

CHANGES = [
    augmentations.shift_color,
    augmentations.blur_plus,
    augmentations.blur_motion,
    augmentations.lower_resolution,
    augmentations.add_noise,
    augmentations.change_tone,
    lambda image, rng: augmentations.to_gray(image),
    lambda image, rng: augmentations.occlude(image, np.array([20, 20, 50, 44]), rng),
]


def test_pure_and_of_equal_shape():
    image = scene(0, (64, 64))
    before = image.copy()
    for place, change in enumerate(CHANGES):
        one, again, other = (change(image, np.random.default_rng(s)) for s in (1, 1, 2))
        assert one.shape == image.shape and one.dtype == np.uint8
        np.testing.assert_array_equal(image, before)
        np.testing.assert_array_equal(one, again)
        assert (one != before).any()
        assert place == 6 or (one != other).any()


def test_gray_weighs_the_colours_as_bt601():
    image = np.zeros((4, 4, 3), np.uint8)
    image[...] = (100, 50, 200)
    # 0.299 * 100 + 0.587 * 50 + 0.114 * 200 = 82.05.
    np.testing.assert_array_equal(augmentations.to_gray(image), 82)


def test_colour_shifts_have_the_covariance_of_the_directions():
    image = np.full((1, 1, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    shifted = [augmentations.shift_color(image, rng)[0, 0] for _ in range(4000)]
    shifts = np.array(shifted, int) - 128
    # Row R of the directions: .559^2 + .981^2 + .419^2 = 1.450; the rounding adds 1/12.
    # Rows G, B: 6.349 and 67.858. R and B together: -2.597 + 4.645 - 2.048 = 0.
    expected = np.array([1.450, 6.349, 67.858]) + 1 / 12
    np.testing.assert_allclose(np.var(shifts, axis=0), expected, rtol=0.08)
    assert abs(np.cov(shifts.T)[0, 2]) < 0.6
    assert shifts.mean(axis=0) == pytest.approx(0, abs=0.4)


def test_colour_shifts_stop_at_black_and_white():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 255
    for seed in range(10):
        shifted = augmentations.shift_color(image, np.random.default_rng(seed))
        assert shifted[0].min() > 200 and shifted[1].max() < 55


def test_plus_blur_is_one_filter_of_a_plus():
    image, seed = scene(3, (70, 70)), 5
    # The same draws in the same order: size, then weight.
    rng = np.random.default_rng(seed)
    size, weight = int(rng.choice(np.arange(5, 46, 2))), rng.random()
    kernel = np.zeros((size, size))
    kernel[:, size // 2] += weight / size
    kernel[size // 2] += (1 - weight) / size
    expected = cv2.filter2D(image.astype(np.float64), -1, kernel)
    blurred = augmentations.blur_plus(image, np.random.default_rng(seed))
    # Each of the three steps rounds by half a level.
    np.testing.assert_allclose(blurred, expected, atol=1.1)


def test_motion_blur_keeps_the_mean_and_spreads_a_point_along_a_line():
    image = np.zeros((41, 41, 3), np.uint8)
    image[20, 20] = 255
    for seed in range(5):
        spread = augmentations.blur_motion(image, np.random.default_rng(seed))[..., 0]
        rows, columns = np.nonzero(spread)
        assert abs(spread.sum(dtype=int) - 255) <= 20  # Rounded at each pixel.
        length = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 2 <= length <= 15
        assert len(rows) <= 2 * length  # A line, not an area.


def test_low_resolution_loses_detail_only():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    low = augmentations.lower_resolution(noise, np.random.default_rng(0))
    assert low.std() < 0.7 * noise.std()
    assert low.mean() == pytest.approx(noise.mean(), abs=1.5)


def test_noise_has_its_deviation_and_no_mean():
    image = np.full((64, 64, 3), 128, np.uint8)
    deviations = []
    for seed in range(20):
        noise = augmentations.add_noise(image, np.random.default_rng(seed)) - 128.0
        assert abs(noise.mean()) < 1
        deviations.append(noise.std())
    # U(2, 14): none outside, and the mean near 8.
    assert min(deviations) > 1.9 and max(deviations) < 14.5
    assert np.mean(deviations) == pytest.approx(8, abs=2)


def test_tone_keeps_grey_grey_and_the_order_of_levels():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(5):
        toned = augmentations.change_tone(ramp, np.random.default_rng(seed))[0]
        assert np.ptp(toned.astype(int), axis=1).max() <= 1
        assert (np.diff(toned[:, 0].astype(int)) >= -1).all()


def test_an_occluder_covers_part_of_the_target_with_its_surroundings():
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 40:60] = 255  # The target; what lies around is black.
    xyxy = np.array([40, 40, 60, 60])
    for seed in range(20):
        result = augmentations.occlude(image, xyxy, np.random.default_rng(seed))
        # At most 0.7 x 0.7 of the target.
        assert 0 < (result[40:60, 40:60, 0] == 0).mean() <= 0.55


def test_an_occluder_of_a_target_outside_of_the_crop_is_nothing():
    image = scene(0, (64, 64))
    xyxy = np.array([200.0, 200.0, 220.0, 220.0])
    result = augmentations.occlude(image, xyxy, np.random.default_rng(0))
    np.testing.assert_array_equal(result, image)
