"""Tests for jaxtrack.ops.fixed_resize."""

import functools

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import fixed_resize

BORDER = 400


@functools.cache
def cropped(size):
    """Compiles the crops of one size."""

    def crop(image, corner, side, fill):
        taps = fixed_resize.list_taps(corner, side, size, cells=71)
        hw = jnp.array([50, 60])
        return fixed_resize.sample(image, hw, taps, fill)[:size, :size]

    return jax.jit(crop)


@pytest.mark.parametrize("size", [71, 32])
def test_equals_opencv_bit_for_bit(size):
    """Shrunk, halved, as it is, enlarged, and squares that hang over every side."""
    rng = np.random.default_rng(size)
    canvas = rng.integers(0, 256, (64, 64, 3), np.uint8)
    fill = np.array([13, 200, 77])
    image = cv2.copyMakeBorder(
        *(np.ascontiguousarray(canvas[:50, :60]), *[BORDER] * 4, cv2.BORDER_CONSTANT),
        value=fill.tolist(),
    )
    for side in (1, 2, 5, 31, size, 40, 2 * size, 2 * size + 1, 200, 301):
        for corner in ((3, 4), (-7, -20), (30, 25), (-100, 44)):
            left, top = BORDER + corner[0], BORDER + corner[1]
            square = image[top : top + side, left : left + side]
            expected = cv2.resize(square, (size, size))
            found = cropped(size)(canvas, np.array(corner), side, fill)
            np.testing.assert_array_equal(found, expected, err_msg=f"{side}, {corner}")


def test_weights_are_opencvs_in_every_cell():
    """Of 1,500 sides: positions in float32, shares in 2048ths, half to even."""
    sides, size = np.arange(2, 1500), 71
    corner = jnp.zeros(2, jnp.int32)
    list_one = lambda side: fixed_resize.list_taps(corner, side, size)  # noqa: E731
    found = np.asarray(jax.jit(jax.vmap(list_one))(sides).weights)
    position = ((np.arange(size) + 0.5) * (sides[:, None] / size) - 0.5).astype("f4")
    share = position - np.floor(position)
    rows = np.stack([np.rint((1 - share) * 2048), np.rint(share * 2048)], 1)
    np.testing.assert_array_equal(found[:, 1], rows)
