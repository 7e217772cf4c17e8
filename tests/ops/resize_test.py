"""Tests for jaxtrack.ops.resize."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import resize


@pytest.mark.parametrize(
    ("hw", "size"), [((25, 25), 193), ((7, 12), 31), ((20, 20), 9), ((1, 3), 4)]
)
def test_equals_opencv(variant, hw, size):
    x = np.random.default_rng(0).uniform(0, 1, (*hw, 2)).astype(np.float32)
    expected = cv2.resize(x, (size, size), interpolation=cv2.INTER_CUBIC)
    resized = variant(lambda x: resize.resize_bicubic(x, size))(x)
    np.testing.assert_allclose(resized, expected, rtol=0, atol=1e-5)


def test_same_size_changes_nothing():
    x = jnp.arange(32.0).reshape(4, 4, 2)
    np.testing.assert_allclose(resize.resize_bicubic(x, 4), x, atol=1e-6)


def test_constant_stays_constant():
    # The kernel's taps sum to 1 at every position, on the border too.
    resized = resize.resize_bicubic(jnp.full((5, 5, 1), 3.0), 17)
    np.testing.assert_allclose(resized, 3.0, rtol=1e-6)


def test_weights_by_hand():
    # From 2 to 4 cells, cell 1 reads index 1.5 / 2 - 0.5 = 0.25. With a = -0.75 the
    # taps at -1, 0, 1, 2 (distances 1.25, .25, .75, 1.75) are -.10546875, .87890625,
    # .26171875, -.03515625; the border folds the outer onto the inner ones.
    resized = resize.resize_bicubic(jnp.array([[0.0, 1.0], [0.0, 1.0]])[..., None], 4)
    np.testing.assert_allclose(resized[0, 1, 0], 0.26171875 - 0.03515625, rtol=1e-6)
