"""Resamples maps and crops of one network on the grid of another."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.ops.grid import Geometry


class Line(NamedTuple):
    """Positions of one network's cells along an axis of another's search crop.

    Attributes:
      offset: coordinate of cell 0, pixels of the other network's search crop.
      stride: distance of neighboring cells, in the same unit.
      scale: pixels of the other network's crops per pixel of its own.
    """

    offset: float
    stride: float
    scale: float


def line_in(source: Geometry, target: Geometry) -> Line:
    """Computes the positions of a network's cells in another network's search crop.

    Both cut crops around one center, and their templates show the same square, so

        x' = S' / 2 + (x - S / 2) z' / z

    Args:
      source: geometry of the network whose cells are placed, with S and z.
      target: geometry of the other network, with S' and z'.
    """
    scale = target.template_size / source.template_size
    offset = target.search_size / 2 + (source.offset - source.search_size / 2) * scale
    return Line(offset, source.stride * scale, scale)


def resample_map(values: jax.Array, source: Geometry, target: Geometry) -> jax.Array:
    """Interpolates a response map at the cells of another network's response.

    Linear on each axis; cells beyond the border take the border's value.

    Args:
      values: `[B, H, W, ...]` of the network with the geometry `source`.
      source: geometry of that network.
      target: geometry of the other network.

    Returns:
      `[B, H', W', ...]`; the values themselves where the cells are the same.
    """
    line = line_in(source, target)
    cells = target.offset + target.stride * np.arange(target.response_size)
    return _interpolate(values, (cells - line.offset) / line.stride)


def resample_crop(image: jax.Array, size: int, scale: float) -> jax.Array:
    """Resamples a crop to another size, around the same center.

    Linear, without antialiasing: `scale` is meant to be near one. Beyond the border the
    outermost pixels are repeated.

    Args:
      image: `[B, S, S, 3]`.
      size: S', side of the result, pixels.
      scale: pixels of `image` per pixel of the result.

    Returns:
      `[B, S', S', 3]` float32.
    """
    centers = np.arange(size) + 0.5 - size / 2
    indices = image.shape[1] / 2 + centers * scale - 0.5
    return _interpolate(image.astype(jnp.float32), indices)


def _interpolate(values, indices):
    """Reads axes 1 and 2 at fractions of an index, `[N]` each."""
    size = values.shape[1]
    indices = np.clip(indices, 0, size - 1)
    if len(indices) == size and np.allclose(indices, np.arange(size), atol=1e-6):
        return values
    low = np.minimum(np.floor(indices).astype(np.int32), max(size - 2, 0))
    high = np.minimum(low + 1, size - 1)
    for axis in (1, 2):
        shape = [1] * values.ndim
        shape[axis] = -1
        share = jnp.asarray(indices - low, jnp.float32).reshape(shape)
        below, above = (jnp.take(values, at, axis) for at in (low, high))
        values = below + share * (above - below)
    return values
