"""Tests for jaxtrack.ops.interpolation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxtrack.ops import interpolation
from tests.gradients import check_gradients

MAP = jnp.array([[0.0, 1.0, 2.0], [10.0, 13.0, 16.0]])[..., None]  # 2 rows, 3 columns.


def random_map(height=5, width=7, channels=3):
    rng = np.random.default_rng(0)
    return rng.standard_normal((height, width, channels), np.float32)


def random_cells(count=200, spread=2.0, height=5, width=7):
    """Returns cells inside the map and up to `spread` beyond it."""
    rng = np.random.default_rng(1)
    low, high = [-spread] * 2, [width - 1 + spread, height - 1 + spread]
    return rng.uniform(low, high, (count, 2)).astype(np.float32)


def numpy_bilinear(x, cells):
    """The equation in float64: every cell weighed by its two hats."""
    height, width, _ = x.shape
    values = []
    for u, v in cells.astype("f8"):
        u, v = np.clip(u, 0, width - 1), np.clip(v, 0, height - 1)
        columns = np.maximum(0, 1 - np.abs(u - np.arange(width)))
        rows = np.maximum(0, 1 - np.abs(v - np.arange(height)))
        values.append(np.einsum("i,j,ijc->c", rows, columns, x.astype("f8")))
    return np.array(values)


bilinear = jax.jit(interpolation.bilinear)  # One program for a shape.


def read(*cells):
    return bilinear(MAP, jnp.array(cells, jnp.float32))[:, 0].tolist()


def test_by_hand():
    # x first. Halfway to the right of 10 lies 11.5, a quarter down of 1 lies
    # 3/4 * 1 + 1/4 * 13 = 4; amid 1, 2, 13, 16 their mean, 8.
    assert read([0.5, 1], [1, 0.25], [1.5, 0.5]) == [11.5, 4.0, 8.0]


def test_whole_cells_are_read_as_they_are():
    columns, rows = np.meshgrid(np.arange(7.0), np.arange(5.0))
    cells = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32)
    x = random_map()
    values = bilinear(jnp.asarray(x), jnp.asarray(cells))
    np.testing.assert_array_equal(values, x.reshape(35, 3))


def test_cells_beyond_the_map_are_moved_onto_it():
    # Each coordinate by itself: (-3, 0.5) reads halfway between 0 and 10.
    assert read([-3, 0.5], [9, 1], [2.5, -1], [1, 40]) == [5, 16, 2, 13]


def test_what_is_not_finite_is_read_all_the_same():
    inf, nan = np.inf, np.nan
    assert read([inf, inf], [-inf, 1], [nan, 1], [1, nan]) == [16, 10, 10, 1]


@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (1, 4), (4, 1), (1, 1), (2, 2)])
def test_matches_definition(variant, shape):
    x, cells = random_map(*shape), random_cells(60, 2.0, *shape)
    values = variant(interpolation.bilinear)(x, cells)
    np.testing.assert_allclose(values, numpy_bilinear(x, cells), rtol=0, atol=2e-6)


def test_matches_scipy():
    x, cells = random_map(), random_cells()
    values = bilinear(jnp.asarray(x), jnp.asarray(cells))
    places = cells[:, ::-1].T.astype("f8")  # Scipy asks for rows first.
    for channel in range(3):
        expected = ndimage.map_coordinates(
            x[..., channel].astype("f8"), places, order=1, mode="nearest"
        )
        np.testing.assert_allclose(values[:, channel], expected, rtol=0, atol=2e-6)


def test_a_plane_is_read_exactly():
    rows, columns = np.mgrid[:5, :7].astype(np.float32)
    plane = (2 * columns - 3 * rows + 1)[..., None]
    cells = random_cells(spread=0.0)
    values = bilinear(jnp.asarray(plane), jnp.asarray(cells))[:, 0]
    expected = 2 * cells[:, 0] - 3 * cells[:, 1] + 1
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5)


def test_gradients():
    # Whole cells, where the slope jumps, are kept a tenth away.
    cells = random_cells(30, 0.0)
    cells = np.floor(cells) + 0.1 + 0.8 * (cells - np.floor(cells))
    check_gradients(
        interpolation.bilinear,
        (random_map(), cells.astype(np.float32)),
        rtol=2e-2,
        eps=1e-2,
    )


def test_slopes_by_hand():
    # At (1.5, 0.5): by x the mean of 2 - 1 and 16 - 13, by y the mean of 12 and 14.
    # Beyond the map nothing changes with the coordinate that lies beyond.
    cells = jnp.array([[1.5, 0.5], [9.0, 0.5], [1.5, -4.0], [np.nan, 0.5]])
    slopes = jax.grad(lambda c: interpolation.bilinear(MAP, c).sum())(cells)
    np.testing.assert_allclose(slopes, [[2, 13], [0, 14], [1, 0], [0, 10]], rtol=1e-6)


def test_the_maps_slopes_are_the_weights():
    # At (1.25, 0.5): (3/4, 1/4) along x times (1/2, 1/2) along y.
    def value(x):
        return interpolation.bilinear(x, jnp.array([[1.25, 0.5]]))[0, 0]

    weights = jax.grad(value)(MAP)[..., 0]
    np.testing.assert_allclose(weights, [[0, 0.375, 0.125]] * 2, rtol=1e-6)


def test_the_maps_type_is_kept():
    values = bilinear(MAP.astype(jnp.bfloat16), jnp.array([[0.5, 1.0]]))
    assert values.dtype == jnp.bfloat16
    assert values[0, 0] == 11.5
