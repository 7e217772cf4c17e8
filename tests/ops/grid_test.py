"""Tests for jaxtrack.ops.grid."""

import numpy as np
import pytest

from jaxtrack.ops import grid

SIAMCAR = grid.Geometry(127, 255, 25, 8, 32.5)


def test_points_are_those_of_the_released_siamcar(goldens):
    # SiamCAR counts pixel centers as integers: its points are half a pixel less.
    public = np.load(goldens / "car_functions_s1.npz")["loss_points_xy"]
    points = grid.points(SIAMCAR)
    np.testing.assert_array_equal(points.reshape(-1, 2), public + 0.5)


def test_points_are_xy_at_row_and_column():
    points = grid.points(grid.Geometry(4, 8, 3, 2, 1.0))
    assert points.shape == (3, 3, 2)
    np.testing.assert_array_equal(points[0, 2], [5, 1])  # Row 0, column 2.
    np.testing.assert_array_equal(points[2, 1], [3, 5])


def test_points_of_a_symmetric_geometry_are_centered():
    # 32 cells of 8 px tile 256 px: the first looks at 4, the last at 252.
    points = grid.points(grid.Geometry(128, 256, 32, 8, 4.0))
    np.testing.assert_allclose(np.mean(points, axis=(0, 1)), [128, 128])


def test_another_search_size_keeps_the_middle():
    """303 px: the middle of 79.5 + 8 i is 79.5 + 72 = 151.5, the crop's center.

    On 289 px with 17 cells it is again the center, 144.5 = 80.5 + 64.
    """
    tracking = grid.Geometry(127, 303, 19, 8, 79.5)
    training = grid.Geometry(127, 289, 17, 8, 80.5)
    assert grid.with_search_size(tracking, 289, 17) == training
    assert grid.with_search_size(training, 303, 19) == tracking
    # SiamCAR's points lie one pixel to the lower right of the center, and stay there.
    points = grid.points(grid.with_search_size(SIAMCAR, 303, 31))
    np.testing.assert_allclose(np.mean(points, axis=(0, 1)), 303 / 2 + 1)


@pytest.mark.parametrize("size", [1, 5, 25])
def test_window_matches_definition(size):
    k = np.arange(size)
    h = 0.5 - 0.5 * np.cos(2 * np.pi * k / (size - 1)) if size > 1 else np.ones(1)
    window = grid.hann_window(size)
    assert window.dtype == np.float32
    np.testing.assert_allclose(window, h[:, None] * h[None, :], rtol=0, atol=1e-7)
    assert window[size // 2, size // 2] == 1
