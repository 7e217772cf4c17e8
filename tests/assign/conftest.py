"""Targets that the tests of all assigners share."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import dynamic
from jaxtrack.ops import anchors, grid

POINTS = grid.points(grid.Geometry(127, 255, 25, 8, 31.5))
TILES = {
    "virtual": dynamic.virtual_anchors(POINTS),
    "five": anchors.tile(POINTS, anchors.anchor_sizes()),
}
FIVE = grid.points(grid.Geometry(16, 40, 5, 8, 4.0))  # x, y in 4, 12, 20, 28, 36.
NO_BOXES = [
    [0.0, 0.0, 0.0, 0.0],
    [50.0, 50.0, 50.0, 90.0],
    [90.0, 10.0, 10.0, 90.0],
    [np.nan] * 4,
    [0.0, 0.0, np.nan, 90.0],
    [0.0, 0.0, np.inf, 90.0],
    [-np.inf, 0.0, np.inf, 90.0],
]


@functools.cache
def positives(tiles, **options):
    """Compiles the positives of many targets, once for all tests."""
    choose = functools.partial(dynamic.dynamic_positives, TILES[tiles], **options)
    return jax.jit(jax.vmap(choose))


def box_at(x, y, half_width, half_height):
    return jnp.array([x - half_width, y - half_height, x + half_width, y + half_height])


def _of(rng, centers, sizes):
    """Puts boxes on multiples of 1/8 px, where centers are exact in float32."""
    low = np.round((centers - sizes / 2) * 8) / 8
    sizes = np.maximum(np.round(sizes * 8) / 8, 1 / 8)
    return np.concatenate([low, low + sizes], axis=1)[rng.permutation(len(low))]


@pytest.fixture(scope="session")
def targets():
    """1,000 boxes `[1000, 4]` xyxy for a search crop of 255 px.

    A fifth each: ordinary, tiny, huge, with their centers at the crop's border, and
    outside of it.
    """
    rng = np.random.default_rng(0)
    uniform = rng.uniform
    sizes = np.exp(uniform(np.log(10), np.log(150), (200, 2)))
    border = uniform(0, 255, (200, 2))
    border[np.arange(200), rng.integers(0, 2, 200)] = rng.choice([0.0, 255.0], 200)
    outside = rng.choice([-1, 1], (200, 2)) * uniform(128, 400, (200, 2)) + 127.5
    kinds = [
        (uniform(64, 191, (200, 2)), sizes),
        (uniform(20, 235, (200, 2)), uniform(0.1, 8, (200, 2))),
        (uniform(20, 235, (200, 2)), uniform(150, 2000, (200, 2))),
        (border, sizes),
        (outside, sizes),
    ]
    return np.concatenate([_of(rng, *kind) for kind in kinds]).astype(np.float32)
