"""Square crops of whole pixels, resampled in integers exactly as `cv2.resize` does.

Networks that were trained on OpenCV's crops depend on its rounding, and the next
crop depends on whole pixels of the last box: a gray level more in a twentieth of the
pixels moves boxes by a tenth of a pixel, and by several after a few frames.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

# Steps of a bilinear weight: INTER_RESIZE_COEF_SCALE of OpenCV.
_ONE = 2048


class FixedTaps(NamedTuple):
    """The pixels that each cell of a crop blends; shapes do not depend on the image.

    Attributes:
      index: `[2, 2, cells]` int32, columns and rows of the first and the second pixel;
        they may lie outside the image.
      weights: `[2, 2, cells]` int32, in 2048ths.
    """

    index: jax.Array
    weights: jax.Array


def list_taps(
    corner: jax.Array, side: jax.Array, size: int, *, cells: int = 0
) -> FixedTaps:
    """Lists the pixels that resizing a square to `size` by `size` cells blends.

    Cell j reads the square's pixel index `(2 j + 1) side / (2 size) - 1/2`; beyond
    the first and the last pixel their own are repeated.

    Args:
      corner: top-left pixel of the square, `[2]` int32 xy.
      side: side of the square, `[]` int32 pixels, at least 1.
      size: side of the result, cells.
      cells: cells listed on each axis, at least `size`, so that crops of several sizes
        have taps of one shape; 0 lists `size`.

    Returns:
      The taps.
    """
    cell = jnp.arange(cells or size, dtype=jnp.int32)
    numerator = (2 * cell + 1) * side - size
    first = numerator // (2 * size)
    share = _rounded_share(first, numerator - 2 * size * first, 2 * size)
    pair = jnp.clip(jnp.stack([first, first + 1]), 0, side - 1)
    # At the square's border both pixels of a row are the same one, but not weighed as
    # one: what is cut off of products differs.
    is_border = (first < 0) | (first >= side - 1)
    shares = jnp.stack([jnp.where(is_border, 0.0, share), share])
    weights = jnp.round(jnp.stack([1 - shares, shares], axis=1) * _ONE)
    index = corner.astype(jnp.int32)[:, None, None] + pair[None]
    return FixedTaps(index, weights.astype(jnp.int32))


def _rounded_share(whole, rest, unit):
    """Returns `rest / unit` as it is left of the float32 number `whole + rest / unit`.

    In integers: a compiler's float32 division by a constant may round twice.
    """
    exponent = 31 - lax.clz(jnp.maximum(whole, 4))  # Finer steps change no weight.
    steps = jnp.left_shift(rest, 23 - exponent)
    quotient = steps // unit
    quotient += (2 * (steps - unit * quotient) >= unit).astype(jnp.int32)
    return jnp.ldexp(quotient.astype(jnp.float32), exponent - 23)


def sample(
    image: jax.Array, hw: jax.Array, taps: FixedTaps, fill: jax.Array
) -> jax.Array:
    """Blends the pixels listed in taps, as `cv2.resize` with INTER_LINEAR.

    Equal to `cv2.copyMakeBorder` by `fill`, slicing and `cv2.resize` of uint8, bit for
    bit: columns first, in integers; rows by products whose low bits are cut off.

    Args:
      image: canvas whose top-left part is the image, `[Hc, Wc, 3]` uint8.
      hw: height and width of the image in the canvas, `[2]` int32.
      taps: taps of the crop.
      fill: color outside the image, `[3]`, whole gray levels.

    Returns:
      `[cells, cells, 3]` float32, whole gray levels.
    """
    wh = jnp.asarray(hw)[::-1].astype(jnp.int32)[:, None, None]
    is_inside = (taps.index >= 0) & (taps.index < wh)
    columns, rows = jnp.clip(taps.index, 0, wh - 1)
    fill = fill.astype(jnp.int32)

    def line(tap):
        whole = image[rows[tap]]
        blended = 0
        for other in range(2):
            is_image = is_inside[1, tap][:, None] & is_inside[0, other][None]
            pixels = whole[:, columns[other]].astype(jnp.int32)
            pixels = jnp.where(is_image[..., None], pixels, fill[None, None])
            blended += pixels * taps.weights[0, other][None, :, None]
        weight = taps.weights[1, tap][:, None, None]
        return (weight * (blended >> 4)) >> 16

    return jnp.clip((line(0) + line(1) + 2) >> 2, 0, 255).astype(jnp.float32)
