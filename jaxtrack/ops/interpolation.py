"""Bilinear interpolation of a map between its cells."""

import jax
import jax.numpy as jnp


def bilinear(x: jax.Array, cells: jax.Array) -> jax.Array:
    """Reads a map at fractional cells, bilinearly.

        y[n] = sum_ij h(v - i) h(u - j) x[i, j],  h(t) = max(0, 1 - |t|)

    with (u, v) = cells[n].

    Coordinates beyond the first or last cell are clamped to it, and NaN counts as 0, so
    that every result is finite. Gradients of `cells` are those of the equation; stop
    them in the caller where positions are constant.

    Args:
      x: `[H, W, C]`.
      cells: `[N, 2]` xy in cells: (0, 0) is the center of `x[0, 0]`.

    Returns:
      `[N, C]`.
    """
    height, width, channels = x.shape
    last = jnp.array([width - 1, height - 1], jnp.float32)
    cells = cells.astype(jnp.float32)
    zeros = jnp.zeros_like(cells)  # Converters to ONNX take a number for float64.
    cells = jnp.where(jnp.isnan(cells), zeros, cells)
    cells = jnp.minimum(jnp.maximum(cells, zeros), last[None])
    # The lower cell stops one before the last, so that its neighbor exists.
    low = jnp.minimum(jnp.floor(cells), jnp.maximum(last - 1, 0)[None])
    u, v = jnp.moveaxis((cells - low).astype(x.dtype), -1, 0)[..., None]
    column, row = jnp.moveaxis(low.astype(jnp.int32), -1, 0)
    right = jnp.minimum(column + 1, width - 1)
    below = jnp.minimum(row + 1, height - 1) * width
    row = row * width
    flat = x.reshape(height * width, channels)
    top = (1 - u) * flat[row + column] + u * flat[row + right]
    bottom = (1 - u) * flat[below + column] + u * flat[below + right]
    return (1 - v) * top + v * bottom
