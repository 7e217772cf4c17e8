"""Tests for jaxtrack.tracking.decoding."""

import jax.numpy as jnp
import numpy as np

from jaxtrack.ops import anchors, grid
from jaxtrack.tracking import decoding

POINTS = grid.points(grid.Geometry(8, 16, 2, 8, 4.0))


def test_one_logit_is_a_sigmoid_and_two_are_a_softmax():
    ltrb, logits = (
        jnp.ones((1, 2, 2, 4)),
        jnp.array([[[[0.0], [2.0]], [[-3.0], [9.0]]]]),
    )
    one = {"cls": logits, "ltrb": ltrb, "localization": logits - 1}
    two = {
        "cls": jnp.concatenate([0 * logits, logits], -1),
        "ltrb": ltrb,
        "centerness": logits - 1,
    }
    sigmoid = 1 / (1 + np.exp(-np.float64(logits[0, ..., 0])))
    quality = 1 / (1 + np.exp(1 - np.float64(logits[0, ..., 0])))
    for outputs in (one, two):
        cls, _, found = decoding.scores_and_boxes(outputs, POINTS)
        np.testing.assert_allclose(cls, sigmoid, rtol=1e-5)
        np.testing.assert_allclose(found, quality, rtol=1e-5)
    # Only centerness is stretched, from -4 ... 8 to 0 ... 1.
    found = decoding.scores_and_boxes(one, POINTS, stretch=True)[2]
    np.testing.assert_allclose(found, quality, rtol=1e-5)
    found = decoding.scores_and_boxes(two, POINTS, stretch=True)[2]
    np.testing.assert_allclose(found, [[3 / 12, 5 / 12], [0, 1]], rtol=1e-5)


def test_no_quality_is_a_perfect_one():
    outputs = {"cls": jnp.zeros((1, 2, 2, 1)), "ltrb": jnp.ones((1, 2, 2, 4))}
    np.testing.assert_array_equal(decoding.scores_and_boxes(outputs, POINTS)[2], 1)


def test_stretched_by_hand():
    np.testing.assert_allclose(
        decoding.stretched(jnp.array([[-4.0, 0.0], [8.0, 2.0]])),
        [[0, 1 / 3], [1, 1 / 2]],
        rtol=1e-6,
    )
    np.testing.assert_array_equal(decoding.stretched(jnp.full((2, 2), 3.0)), 0)


def test_deltas_become_distances_from_the_cells_point(variant):
    """An anchor of 8 x 4 around (12, 4), moved by (0.25, 0.5) of its size, is around
    (14, 6); twice as wide and half as high, 16 x 2: it spans 6 ... 22 by 5 ... 7.
    """
    places = anchors.tile(POINTS, [(8.0, 4.0), (2.0, 2.0)])
    deltas = jnp.zeros((1, 2, 2, 2, 4))
    moved = jnp.array([0.25, 0.5, np.log(2), -np.log(2)])
    deltas = deltas.at[0, 0, 1, 0].set(moved)
    logits = jnp.zeros((1, 2, 2, 2, 2)).at[0, 0, 1, 0, 1].set(np.log(3))
    cls, ltrb, quality = variant(decoding.scores_and_boxes)(
        {"cls": logits, "deltas": deltas}, places
    )
    assert cls.shape == quality.shape == (2, 2, 2)
    np.testing.assert_allclose(ltrb[0, 1, 0], [6, -1, 10, 3], rtol=1e-6)
    np.testing.assert_allclose(ltrb[0, 1, 1], [1, 1, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(ltrb[1, 0, 0], [4, 2, 4, 2], rtol=1e-6)
    np.testing.assert_allclose(cls[0, 1], [0.75, 0.5], rtol=1e-6)
    np.testing.assert_array_equal(quality, 1)


def test_sizes_stay_finite_whatever_is_predicted():
    places = anchors.tile(POINTS, [(8.0, 4.0)])
    outputs = {
        "cls": jnp.zeros((1, 2, 2, 1, 2)),
        "deltas": jnp.full((1, 2, 2, 1, 4), 1e3),
    }
    _, ltrb, _ = decoding.scores_and_boxes(outputs, places)
    size = (ltrb[..., :2] + ltrb[..., 2:])[0, 0, 0]
    np.testing.assert_allclose(size, np.exp(4) * np.array([8, 4]), rtol=1e-4)


def test_the_best_anchor_of_each_cell_stays():
    ranked = jnp.array([[[1.0, 3.0, 3.0], [5.0, 2.0, 1.0]]])  # One row, two cells.
    values = jnp.arange(12.0).reshape(1, 2, 3, 2)
    kept, ranks = decoding.best_anchors(ranked, values, ranked)
    np.testing.assert_array_equal(kept, [[[2, 3], [6, 7]]])  # The first of equal ones.
    np.testing.assert_array_equal(ranks, [[3, 5]])
    same = decoding.best_anchors(ranked[..., 0], values)
    assert same == (values,)
