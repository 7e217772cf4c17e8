"""Tests for jaxtrack.ops.preprocess."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import preprocess

LITE = preprocess.Preprocessing("RGB", (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))
RAW = preprocess.Preprocessing("BGR", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CHANNELS = preprocess.Preprocessing("BGR", (1.0, 2.0, 3.0), (2.0, 4.0, 8.0))


def test_by_hand(variant):
    image = jnp.array([[[10, 20, 255]]], jnp.uint8)

    def normalized(preprocessing):
        return variant(lambda x: preprocess.normalize(x, preprocessing))(image)[0, 0]

    np.testing.assert_array_equal(normalized(RAW), [255, 20, 10])
    np.testing.assert_allclose(normalized(LITE), [-117 / 128, -107 / 128, 1])
    # Mean and scale are in the network's order: blue is (255 - 1) / 2.
    np.testing.assert_allclose(normalized(CHANNELS), [127, 18 / 4, 7 / 8])


@pytest.mark.parametrize("shape", [(3,), (4, 5, 3), (2, 4, 5, 3)])
def test_any_leading_axes_and_float32(shape):
    out = jax.eval_shape(
        lambda x: preprocess.normalize(x, LITE), jax.ShapeDtypeStruct(shape, jnp.uint8)
    )
    assert (out.shape, out.dtype) == (shape, jnp.float32)


def test_faults():
    with pytest.raises(ValueError, match=r"\[\.\.\., 3\], got \(4, 4\)"):
        preprocess.normalize(jnp.zeros((4, 4)), RAW)
    with pytest.raises(ValueError, match="'GBR'"):
        preprocess.normalize(jnp.zeros((4, 3)), RAW._replace(order="GBR"))
