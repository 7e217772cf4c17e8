"""Blur, lower resolution and noise as data augmentation.

All take and return `[H, W, 3]` uint8 RGB; `random_*` draw the strength.
The border is mirrored without repeating the border pixel (OpenCV's
REFLECT_101). Blurs sum whole numbers below 2^24: exact in any order.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.ops.color import round_levels

_HALF_SIZES = 2, 22  # Least and largest half of a plus: odd sizes 5 to 45, as pysot.
_LINE_HALVES = 1, 7  # Of a motion's line: 3 to 15 px.
_FACTORS = 0.25, 0.67  # Of the resolution.
_DEVIATIONS = 2.0, 14.0  # Of the noise, gray levels.


def blur_plus(image: jax.Array, *, half: jax.Array, weight: jax.Array) -> jax.Array:
    """Blurs with a plus-shaped kernel of size `k = 2 half + 1`.

    Its middle column weighs `weight` in all, its middle row `1 - weight`: two box
    blurs, each a product with a matrix of how often a pixel is counted.

    Args:
      image: `[H, W, 3]` uint8.
      half: pixels on each side of the middle one, at most 22, `[]` int.
      weight: share of the column, `[]`.

    Returns:
      `[H, W, 3]` uint8.
    """
    height, width, _ = image.shape
    levels = image.astype(jnp.float32)
    down = _along_rows(_box(height, half), levels)
    across = _along_columns(_box(width, half), levels)
    size = (2 * half + 1).astype(jnp.float32)
    return round_levels((weight * down + (1 - weight) * across) / size)


def random_plus_blur(key: jax.Array, image: jax.Array) -> jax.Array:
    """Blurs with a plus of odd size in 5 ... 45, its weights U(0, 1), as pysot does.

    Args:
      key: random key.
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8.
    """
    drawn = jax.random.uniform(key, (2,))
    return blur_plus(image, half=_whole(drawn[0], _HALF_SIZES), weight=drawn[1])


def blur_line(image: jax.Array, *, half: jax.Array, angle: jax.Array) -> jax.Array:
    """Averages along a line of `2 half + 1` points, one pixel apart.

    Args:
      image: `[H, W, 3]` uint8.
      half: points on each side of the middle one, at most 7, `[]` int.
      angle: angle of the line, radians from the columns' axis to the rows', `[]`.

    Returns:
      `[H, W, 3]` uint8; a point takes the value of the pixel it lies in.
    """
    height, width, _ = image.shape
    most = _LINE_HALVES[1]
    padded = jnp.pad(image, ((most, most), (most, most), (0, 0)), mode="reflect")
    padded = padded.reshape(height + 2 * most, -1)  # Long rows are faster to read.
    places = jnp.arange(-most, most + 1)
    along = places.astype(jnp.float32)
    rows = most + jnp.round(along * jnp.sin(angle)).astype(jnp.int32)
    columns = 3 * (most + jnp.round(along * jnp.cos(angle)).astype(jnp.int32))
    is_on = (jnp.abs(places) <= half).astype(jnp.int32)
    total = jnp.zeros((height, 3 * width), jnp.int32)
    for row, column, on in zip(rows, columns, is_on, strict=True):
        part = jax.lax.dynamic_slice(padded, (row, column), total.shape)
        total = total + on * part.astype(jnp.int32)
    size = (2 * half + 1).astype(jnp.float32)
    return round_levels(total.astype(jnp.float32) / size).reshape(image.shape)


def random_motion_blur(key: jax.Array, image: jax.Array) -> jax.Array:
    """Blurs along a line of 3 to 15 px at any angle.

    Args:
      key: random key.
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8.
    """
    drawn = jax.random.uniform(key, (2,))
    half = _whole(drawn[0], _LINE_HALVES)
    return blur_line(image, half=half, angle=math.pi * drawn[1])


def lower_resolution(image: jax.Array, *, factor: jax.Array) -> jax.Array:
    """Shrinks an image by area averaging and enlarges it bilinearly.

    Both are linear along each axis: two products with one matrix.

    Args:
      image: `[H, W, 3]` uint8.
      factor: scale of the sides, in [0.25, 0.67]; shrunk sides are rounded, `[]`.

    Returns:
      `[H, W, 3]` uint8.
    """
    height, width, _ = image.shape
    levels = _along_rows(_shrink_enlarge(height, factor), image.astype(jnp.float32))
    return round_levels(_along_columns(_shrink_enlarge(width, factor), levels))


def random_resolution(key: jax.Array, image: jax.Array) -> jax.Array:
    """Lowers the resolution to between one quarter and two thirds.

    Args:
      key: random key.
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8.
    """
    low, high = _FACTORS
    return lower_resolution(image, factor=low + (high - low) * jax.random.uniform(key))


def random_noise(key: jax.Array, image: jax.Array) -> jax.Array:
    """Adds Gaussian noise of standard deviation `U(2, 14)` gray levels.

    Noise of a quarter of the rows is drawn and laid out four times, shifted along the
    rows: drawing all of it would take seven times as long.

    Args:
      key: random key.
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8.
    """
    height, width, channels = image.shape
    keys = jax.random.split(key)
    drawn = jax.random.normal(keys[0], (-(-height // 4), width * channels))
    numbers = jax.random.uniform(keys[1], (5,))
    low, high = _DEVIATIONS
    drawn = drawn * (low + (high - low) * numbers[4])
    shifts = channels * jnp.floor(width * numbers[:4]).astype(jnp.int32)
    noise = jnp.concatenate([jnp.roll(drawn, shift, axis=1) for shift in shifts])
    noise = noise[:height].reshape(image.shape)
    return round_levels(image.astype(jnp.float32) + noise)


def _whole(drawn, limits):
    """Maps a number in [0, 1) to an integer between limits, both included."""
    low, high = limits
    return low + jnp.floor((high - low + 1) * drawn).astype(jnp.int32)


def _along_rows(matrix, levels):
    """Multiplies `[Y, H]` with every column of `[H, W, 3]`."""
    height, width, channels = levels.shape
    product = matrix @ levels.reshape(height, width * channels)
    return product.reshape(-1, width, channels)


def _along_columns(matrix, levels):
    """Multiplies `[X, W]` with every row of `[H, W, 3]`."""
    return jnp.einsum("xw,hwc->hxc", matrix, levels)


def _box(size, half):
    """Counts how often output pixel y sums input pixel j: `[size, size]` float."""
    y, j = np.mgrid[:size, :size].astype(np.int32)
    period, most = 2 * max(size - 1, 1), _HALF_SIZES[1]
    is_mirrored = (j > 0) & (j < size - 1)  # Border pixels are not repeated.
    count = jnp.zeros((size, size), jnp.float32)
    for start in range(-most // period * period, most + period + 1, period):
        direct = jnp.abs(start + j - y) <= half
        mirrored = is_mirrored & (jnp.abs(start - j - y) <= half)
        count = count + direct.astype(jnp.float32) + mirrored.astype(jnp.float32)
    return count


def _shrink_enlarge(size, factor):
    """Returns the matrix that shrinks an axis by areas and enlarges it: `[size, size]`.

    Shrunk pixel i is the mean of `[i r, (i + 1) r)`, `r = size / shrunk`. Output pixel
    y lies at `(y + 0.5) / r - 0.5`, between two of them or at the border.
    """
    shrunk = jnp.maximum(jnp.round(size * factor), 1)
    ratio = size / shrunk
    most = max(round(size * _FACTORS[1]), 1)
    i, j = np.mgrid[:most, :size].astype(np.float32)
    overlap = jnp.minimum((i + 1) * ratio, j + 1) - jnp.maximum(i * ratio, j)
    shrinking = jnp.clip(overlap, 0, 1) / ratio
    y, i = np.mgrid[:size, :most].astype(np.float32)
    source = jnp.clip((y + 0.5) / ratio - 0.5, 0, shrunk - 1)
    return jnp.maximum(1 - jnp.abs(source - i), 0) @ shrinking
