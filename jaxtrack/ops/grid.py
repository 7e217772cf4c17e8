"""Positions of the cells of a response map in the search crop."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Geometry(NamedTuple):
    """Sizes of a tracker's crops and response map, and the positions of its cells.

    Cell `[i, j]` of the response lies at the search crop's point
    `(x, y) = (offset + stride * j, offset + stride * i)`, in continuous pixels. (Public
    trackers that count pixel centers as integers state an offset that is 0.5 less.)

    Attributes:
      template_size: side of the template crop, pixels.
      search_size: side of the search crop, pixels.
      response_size: side of the response map, cells.
      stride: distance of neighboring cells in the search crop, pixels.
      offset: coordinate of cell 0 in the search crop, pixels, on both axes.
    """

    template_size: int
    search_size: int
    response_size: int
    stride: int
    offset: float


def with_search_size(
    geometry: Geometry, search_size: int, response_size: int
) -> Geometry:
    """Returns the geometry of the same network for search crops of another size.

        offset' = offset + ((search_size' - search_size) - stride (n' - n)) / 2

    The middle of the n' cells keeps its position relative to the crop's center, where
    the target lies on average. The released SiamFC++ trains on 289 px, 17 cells, and
    tracks with 303 px, 19 cells: an offset of 79.5 becomes 80.5.

    Args:
      geometry: geometry of the tracker.
      search_size: side of the new search crop, pixels.
      response_size: n', side of its response map, cells.

    Returns:
      Sizes with the same template, stride and middle.
    """
    grown = search_size - geometry.search_size
    spread = geometry.stride * (response_size - geometry.response_size)
    return geometry._replace(
        search_size=search_size,
        response_size=response_size,
        offset=geometry.offset + (grown - spread) / 2,
    )


def points(geometry: Geometry) -> jax.Array:
    """Returns the position of each response cell in the search crop.

    Args:
      geometry: geometry of the tracker.

    Returns:
      `[response_size, response_size, 2]` xy, pixels of the search crop.
    """
    cells = jnp.arange(geometry.response_size, dtype=jnp.float32)
    x, y = jnp.meshgrid(*[geometry.offset + geometry.stride * cells] * 2)
    return jnp.stack([x, y], axis=-1)


def hann_window(size: int) -> jax.Array:
    """Returns the Hann window, which favors cells near the center of the response.

        window[i, j] = h[i] h[j],  h[k] = 0.5 - 0.5 cos(2 pi k / (size - 1))

    Args:
      size: side of the response map, cells.

    Returns:
      `[size, size]` in [0, 1]; 0 on the border for `size > 1`.
    """
    window = np.hanning(size)
    return jnp.asarray(np.outer(window, window), dtype=jnp.float32)
