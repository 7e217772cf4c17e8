"""Bicubic resizing of response maps, as in OpenCV."""

import jax
import jax.numpy as jnp
import numpy as np

_A = -0.75  # Slope of the kernel; OpenCV's choice (PIL and jax.image take -0.5).


def resize_bicubic(x: jax.Array, size: int) -> jax.Array:
    """Resizes a map with Keys' cubic kernel as OpenCV's INTER_CUBIC does.

    Output cell k reads source index `(k + 0.5) in / size - 0.5`; the border is
    replicated; enlarging only interpolates and shrinking does not smooth:

        k(d) = (a + 2)|d|^3 - (a + 3)|d|^2 + 1        for |d| <= 1
               a|d|^3 - 5a|d|^2 + 8a|d| - 4a          for 1 < |d| < 2,  a = -0.75

    Keys, Cubic Convolution Interpolation for Digital Image Processing (1981), Eq. 4.

    Args:
      x: map, `[H, W, C]` float.
      size: height and width of the result, cells.

    Returns:
      Resized map, `[size, size, C]`, of the type of `x`.
    """
    height, width, _ = x.shape
    rows = jnp.asarray(_bicubic_weights(height, size), x.dtype)
    columns = jnp.asarray(_bicubic_weights(width, size), x.dtype)
    # Positions are read off the result: TF32 or bfloat16 products would be too coarse.
    return jnp.einsum("yh,hwc,xw->yxc", rows, x, columns, precision="highest")


def _bicubic_weights(size_in, size_out):
    """Returns the `[size_out, size_in]` matrix that resizes one axis."""
    source = (np.arange(size_out) + 0.5) * size_in / size_out - 0.5
    first = np.floor(source).astype(int) - 1
    weights = np.zeros((size_out, size_in))
    for tap in range(4):
        index = np.clip(first + tap, 0, size_in - 1)
        kernel = _cubic(np.abs(source - (first + tap)))
        np.add.at(weights, (np.arange(size_out), index), kernel)
    return weights


def _cubic(distance):
    """Evaluates the kernel at distances in [0, 2]."""
    near = ((_A + 2) * distance - (_A + 3)) * distance**2 + 1
    far = _A * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
