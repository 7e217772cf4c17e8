"""Square crops of an image, resampled on the device around a moving target."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

# A crop is shrunk by at most _LEVEL_CHANGE pixels a cell before averaged copies are
# read: beyond it, bilinear interpolation skips pixels and fine texture aliases.
_LEVEL_CHANGE = 1.61
_MOST = 8  # Taps of an axis: two blocks of 4.


def crop_and_resize(
    image: jax.Array,
    hw: jax.Array,
    center_xy: jax.Array,
    side: jax.Array,
    size: int,
    fill: jax.Array,
    *,
    antialias: bool = True,
) -> jax.Array:
    """Crops a square of an image and resamples it to `size` by `size` cells.

    Output cell `[i, j]` is the bilinear interpolation, between pixel centers, at

        (x, y) = center_xy + ((j + 0.5, i + 0.5) / size - 0.5) * side

    where every pixel outside the image is `fill`. At integer corners and an
    integer side this is the padding, slicing and bilinear resizing of public trackers
    (as in SiamFC, arXiv:1606.09549, section "Dataset curation"), except that the
    border cells of an enlarged square use the pixels beyond it, where public trackers
    repeat its border. Differentiable in image, center, side and fill.

    Args:
      image: canvas whose top-left part is the image, `[Hc, Wc, 3]` uint8 or float.
      hw: height and width of the image in the canvas, `[2]`, pixels.
      center_xy: center of the square, `[2]` xy, pixels.
      side: side of the square, `[]`, pixels.
      size: side of the result, cells.
      fill: color outside the image, `[3]`.
      antialias: whether squares larger than 1.61 (3.22) times `size` are sampled from
        a copy of the canvas averaged over blocks of 2 x 2 (4 x 4) pixels.

    Returns:
      `[size, size, 3]` float32.

    Raises:
      ValueError: if the image does not have three axes, or `fill` not its channels.
    """
    if image.ndim != 3 or fill.shape != image.shape[-1:]:
        raise ValueError(f"image {image.shape} and fill {fill.shape} do not match")
    taps = list_taps(hw, center_xy, side, size, antialias=antialias)
    return fill_outside(sample(image, taps), taps, fill)


class Taps(NamedTuple):
    """The pixels that each cell of a crop blends; shapes do not depend on the image.

    Attributes:
      index: `[2, T, cells]` columns and rows inside the image.
      weights: `[2, T, cells]`; 0 for pixels outside the image, so that the
        remainder to 1 is the weight of the fill.
      level: `[]` int32: blocks of `2 ** level` pixels are averaged, `2 ** (level + 1)`
        taps are read.
    """

    index: jax.Array
    weights: jax.Array
    level: jax.Array


def list_taps(
    hw: jax.Array,
    center_xy: jax.Array,
    side: jax.Array,
    size: int,
    *,
    antialias: bool = True,
    cells: int = 0,
) -> Taps:
    """Lists the pixels that `crop_and_resize` blends.

    Interpolating between two blocks of `2 ** level` averaged pixels reads twice as many
    pixels, so the averaged copy need not exist.

    Args:
      hw: height and width of the image, `[2]`, pixels.
      center_xy: center of the square, `[2]` xy, pixels.
      side: side of the square, `[]`, pixels.
      size: side of the result, cells.
      antialias: see `crop_and_resize`.
      cells: cells listed on each axis, at least `size`: the grid extends beyond the
        square, so that crops of several sizes have taps of one shape; 0 lists `size`.

    Returns:
      The taps.
    """
    hw, side = jnp.asarray(hw).astype(jnp.int32), jnp.asarray(side).astype(jnp.float32)
    level = jnp.zeros((), jnp.int32)
    if antialias:
        level += (side > _LEVEL_CHANGE * size).astype(jnp.int32)
        level += (side > 2 * _LEVEL_CHANGE * size).astype(jnp.int32)
    offsets = (jnp.arange(cells or size, dtype=jnp.float32) + 0.5) / size - 0.5
    xy = center_xy.astype(jnp.float32)[:, None] + (offsets * side)[None, :]
    block = jnp.left_shift(1, level)
    share = 1 / block.astype(jnp.float32)  # A power of two: exact.
    position = xy * share - 0.5
    first = lax.stop_gradient(jnp.floor(position))
    fraction = (position - first)[:, None, :]
    wh = hw[::-1][:, None, None]
    tap = jnp.arange(_MOST if antialias else 2)[None, :, None]
    # Samples far outside would overflow the integers; two blocks outside suffice.
    beyond = (jnp.right_shift(wh, level) + 1).astype(jnp.float32)
    first = jnp.clip(first[:, None, :], -2.0, beyond).astype(jnp.int32) * block
    index = first + tap
    weights = jnp.where(tap < block, 1 - fraction, fraction) * share
    is_read = (tap < 2 * block) & (index >= 0) & (index < wh)
    weights = jnp.where(is_read, weights, 0)
    return Taps(jnp.clip(index, 0, wh - 1), weights, level)


def sample(image: jax.Array, taps: Taps) -> jax.Array:
    """Blends the pixels listed in taps.

    Only this function takes the image, so only it is recompiled for another canvas.

    Args:
      image: canvas whose top-left part is the image, `[Hc, Wc, C]` uint8 or float.
      taps: taps of a crop.

    Returns:
      `[cells, cells, C]` float32, without the fill.
    """

    def blend(count):
        return lambda image, index, weights: _blend(
            image, index[:, :count], weights[:, :count]
        )

    most = taps.index.shape[1]
    if most == 2:
        return blend(2)(image, taps.index, taps.weights)
    branches = [blend(2), blend(4), blend(_MOST)]
    return lax.switch(taps.level, branches, image, taps.index, taps.weights)


def fill_outside(pixels: jax.Array, taps: Taps, fill: jax.Array) -> jax.Array:
    """Adds the fill to cells that lie outside the image.

    Args:
      pixels: `[cells, cells, C]` returned by `sample`.
      taps: taps of the crop.
      fill: color outside the image, `[C]`.

    Returns:
      `[cells, cells, C]` float32.
    """
    column, row = jnp.sum(taps.weights, axis=1)
    is_image = row[:, None] * column[None, :]
    fill = fill.astype(jnp.float32)
    return pixels + (1 - is_image[..., None]) * fill[None, None, :]


def mean_color(image: jax.Array, hw: jax.Array) -> jax.Array:
    """Averages the pixels of the image, without the rest of the canvas.

    Args:
      image: canvas whose top-left part is the image, `[Hc, Wc, 3]` uint8 or float.
      hw: height and width of the image in the canvas, `[2]`, pixels.

    Returns:
      Mean color, `[3]` float32, gray levels; 0 for an image without pixels.
    """
    height, width = jnp.asarray(hw).astype(jnp.int32)
    rows = jnp.arange(image.shape[0])[:, None, None] < height
    columns = jnp.arange(image.shape[1])[None, :, None] < width
    pixels = jnp.where(rows & columns, image.astype(jnp.float32), 0)
    # One row at a time: float32 cannot hold the sum of millions of pixels.
    row_means = jnp.sum(pixels, axis=1) / jnp.maximum(width, 1).astype(jnp.float32)
    return jnp.sum(row_means, axis=0) / jnp.maximum(height, 1).astype(jnp.float32)


def _blend(image, index, weights):
    """Sums the pixels listed in the taps of both axes; `[size, size, C]` float32.

    Whole rows first, then columns of the result: as many gathers as there are taps of
    both axes, not their product.
    """
    (columns, rows), (column_weights, row_weights) = index, weights
    blended = sum(
        image[row].astype(jnp.float32) * weight[:, None, None]
        for row, weight in zip(rows, row_weights, strict=True)
    )
    return sum(
        blended[:, column] * weight[None, :, None]
        for column, weight in zip(columns, column_weights, strict=True)
    )
