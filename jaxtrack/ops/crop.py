"""Square crops of an image, resampled on the device around a moving target."""

import jax
import jax.numpy as jnp
from jax import lax

# A crop is shrunk by at most _LEVEL_CHANGE pixels a cell before averaged copies are
# read: beyond it, bilinear interpolation skips pixels and fine texture aliases.
_LEVEL_CHANGE = 1.61


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
    """Cuts a square out of an image and resamples it to `size` by `size` cells.

    Output cell `[i, j]` is the bilinear interpolation, between pixel centres, at

        (x, y) = center_xy + ((j + 0.5, i + 0.5) / size - 0.5) * side

    where every pixel outside of the image reads `fill`. At integer corners and an
    integer side this is the padding, slicing and bilinear resizing of public trackers
    (as in SiamFC, arXiv:1606.09549, section "Dataset curation"), but that the border
    cells of an enlarged square see the pixels beyond it, where those repeat its own.
    The result is differentiable by image, centre, side and fill.

    Args:
      image: canvas whose top-left part is the image, `[Hc, Wc, 3]` uint8 or float.
      hw: height and width of the image in the canvas, `[2]`, pixels.
      center_xy: centre of the square, `[2]` xy, pixels.
      side: side of the square, `[]`, pixels.
      size: side of the result, cells.
      fill: colour outside of the image, `[3]`.
      antialias: whether squares larger than 1.61 (3.22) times `size` are sampled from
        a copy of the canvas averaged over blocks of 2 x 2 (4 x 4) pixels.

    Returns:
      `[size, size, 3]` float32.

    Raises:
      ValueError: if the image has not three axes or `fill` not its channels.
    """
    if image.ndim != 3 or fill.shape != image.shape[-1:]:
        raise ValueError(f"image {image.shape} and fill {fill.shape} do not fit")
    side = jnp.asarray(side).astype(jnp.float32)
    offsets = (jnp.arange(size, dtype=jnp.float32) + 0.5) / size - 0.5
    x, y = center_xy.astype(jnp.float32)[:, None] + (offsets * side)[None, :]
    hw, fill = jnp.asarray(hw).astype(jnp.int32), fill.astype(jnp.float32)

    def sample(block):
        def branch(image, hw, x, y, fill):
            rows = _taps(y, hw[0], image.shape[0], block)
            columns = _taps(x, hw[1], image.shape[1], block)
            return _gather(image, rows, columns, fill)

        return branch

    if not antialias:
        return sample(1)(image, hw, x, y, fill)
    level = (side > _LEVEL_CHANGE * size).astype(jnp.int32)
    level += (side > 2 * _LEVEL_CHANGE * size).astype(jnp.int32)
    return lax.switch(level, [sample(1), sample(2), sample(4)], image, hw, x, y, fill)


def mean_color(image: jax.Array, hw: jax.Array) -> jax.Array:
    """Averages the pixels of the image, leaving out the rest of the canvas.

    Args:
      image: canvas whose top-left part is the image, `[Hc, Wc, 3]` uint8 or float.
      hw: height and width of the image in the canvas, `[2]`, pixels.

    Returns:
      Mean colour, `[3]` float32, grey levels; 0 of an image without pixels.
    """
    height, width = jnp.asarray(hw).astype(jnp.int32)
    rows = jnp.arange(image.shape[0])[:, None, None] < height
    columns = jnp.arange(image.shape[1])[None, :, None] < width
    pixels = jnp.where(rows & columns, image.astype(jnp.float32), 0)
    # One row at a time: float32 cannot hold the sum of millions of pixels.
    row_means = jnp.sum(pixels, axis=1) / jnp.maximum(width, 1).astype(jnp.float32)
    return jnp.sum(row_means, axis=0) / jnp.maximum(height, 1).astype(jnp.float32)


def _taps(coordinate, length, canvas, block):
    """Lists the pixels of one axis that a sample blends, and their weights.

    Interpolating between two blocks of `block` averaged pixels reads `2 * block`
    pixels, so the averaged copy need not exist.

    Args:
      coordinate: where to sample, `[size]`, pixels.
      length: extent of the image on this axis, pixels.
      canvas: extent of the canvas on this axis, pixels.
      block: pixels averaged into one.

    Returns:
      Pixel indices inside the canvas and weights, both `[size, 2 * block]`; pixels
      outside of the image have weight 0, so that the rest to 1 belongs to the fill.
    """
    position = coordinate / block - 0.5
    first = lax.stop_gradient(jnp.floor(position))
    fraction = position - first
    # Samples far outside would overflow the integers; two blocks outside will do.
    first = jnp.clip(first, -2, canvas // block + 1).astype(jnp.int32) * block
    index = first[:, None] + jnp.arange(2 * block)[None, :]
    weights = jnp.stack([1 - fraction, fraction], axis=-1) / block
    weights = jnp.repeat(weights, block, axis=-1)
    is_inside = (index >= 0) & (index < length)
    return jnp.clip(index, 0, canvas - 1), jnp.where(is_inside, weights, 0)


def _gather(image, rows, columns, fill):
    """Blends the pixels that the taps of both axes name; `[size, size, C]` float32."""
    (row_index, row_weights), (column_index, column_weights) = rows, columns
    size, num_taps = row_index.shape

    def add_rows(total, taps):  # [size, size, C], two [group, size]
        for index, weight in zip(*taps, strict=True):
            strip = sum(
                image[index[:, None], column[None, :]].astype(jnp.float32)
                * share[None, :, None]
                for column, share in zip(column_index.T, column_weights.T, strict=True)
            )
            total += strip * weight[:, None, None]
        return total, None

    # Four rows of taps a turn: XLA's CPU compiler fuses that many gathers, and writes
    # many more than those to memory one by one, which is eight times slower.
    turns = (-1, min(num_taps, 4), size)
    taps = (row_index.T.reshape(turns), row_weights.T.reshape(turns))
    blended = jnp.zeros((size, size, image.shape[-1]), jnp.float32)
    blended, _ = lax.scan(add_rows, blended, taps)
    is_image = jnp.sum(row_weights, 1)[:, None] * jnp.sum(column_weights, 1)[None, :]
    return blended + (1 - is_image[..., None]) * fill[None, None, :]
