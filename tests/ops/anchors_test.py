"""Tests for jaxtrack.ops.anchors."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import anchors, grid
from tests.gradients import check_gradients

POINTS = grid.points(grid.Geometry(127, 255, 25, 8, 31.5))
SIZES = anchors.anchor_sizes()


def random_boxes(count, seed=0):
    rng = np.random.default_rng(seed)
    low, size = rng.uniform(-50, 250, (count, 2)), rng.uniform(1, 200, (count, 2))
    return np.concatenate([low, low + size], axis=1).astype(np.float32)


def test_sizes_by_hand():
    # sqrt(64 / 0.33) = 13.9 is cut to 13, 13 * 0.33 = 4.29 to 4; sqrt(128) = 11.3 to
    # 11, 5.5 to 5; sqrt(32) = 5.7 to 5, 10; sqrt(21.3) = 4.6 to 4, 12; all times 8.
    assert SIZES == ((104, 32), (88, 40), (64, 64), (40, 80), (32, 96))
    # sqrt(256 / 0.5) = 22.6 to 22, 11; and 16, 16; all times 4.
    sizes = anchors.anchor_sizes(stride=16, scale=4, ratios=(0.5, 1))
    assert sizes == ((88, 44), (64, 64))


def test_tiles_by_hand(variant):
    points = jnp.array([[[10.0, 20.0], [18.0, 20.0], [26.0, 20.0]]])
    boxes = variant(lambda p: anchors.tile(p, [(4.0, 6.0), (2.0, 10.0)]))(points)
    assert boxes.shape == (1, 3, 2, 4)
    np.testing.assert_array_equal(boxes[0, 0], [[8, 17, 12, 23], [9, 15, 11, 25]])
    np.testing.assert_array_equal(boxes[0, 2], [[24, 17, 28, 23], [25, 15, 27, 25]])


def test_golden_anchors(goldens):
    """pysot's anchors, (xyxy, anchor, row, column), half a pixel less."""
    golden = np.load(goldens / "rpn_functions_s1.npz")
    boxes = np.asarray(anchors.tile(POINTS, SIZES))
    expected = golden["anchors_xyxy"].transpose(2, 3, 1, 0) + 0.5
    np.testing.assert_array_equal(boxes, expected)
    centered = golden["anchors_cxcywh"].transpose(2, 3, 1, 0)
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2 - 0.5
    np.testing.assert_array_equal(centers, centered[..., :2])
    np.testing.assert_array_equal(boxes[..., 2:] - boxes[..., :2], centered[..., 2:])


def test_golden_deltas(goldens):
    golden = np.load(goldens / "rpn_functions_s1.npz")
    boxes = jnp.asarray(golden["assign_box_xyxy"] + 0.5, jnp.float32)
    tiles = anchors.tile(POINTS, SIZES)
    deltas = jax.vmap(lambda box: anchors.encode(tiles, box))(boxes)
    expected = golden["assign_deltas"].transpose(0, 3, 4, 2, 1)
    np.testing.assert_allclose(deltas, expected, rtol=0, atol=1e-5)


def test_deltas_by_hand(variant):
    # The anchor's center is (20, 30), 20 x 40; the box's (25, 20), 40 x 20: a quarter
    # of the width right, a quarter of the height up, twice as wide, half as high.
    anchor = jnp.array([10.0, 10.0, 30.0, 50.0])
    box = jnp.array([5.0, 10.0, 45.0, 30.0])
    deltas = np.asarray(variant(anchors.encode)(anchor, box))
    expected = [0.25, -0.25, np.log(2), -np.log(2)]
    np.testing.assert_allclose(deltas, expected, rtol=1e-6)
    np.testing.assert_allclose(variant(anchors.decode)(anchor, deltas), box, rtol=1e-6)


def test_matches_definition():
    tiles, boxes = random_boxes(1000), random_boxes(1000, seed=1)
    deltas = np.asarray(anchors.encode(tiles, boxes))
    for anchor, box, delta in zip(tiles, boxes, deltas, strict=True):
        left, top, right, bottom = (float(v) for v in anchor)
        x0, y0, x1, y1 = (float(v) for v in box)
        expected = [
            ((x0 + x1) - (left + right)) / 2 / (right - left),
            ((y0 + y1) - (top + bottom)) / 2 / (bottom - top),
            np.log((x1 - x0) / (right - left)),
            np.log((y1 - y0) / (bottom - top)),
        ]
        # The corners have 24 bits: sizes and shifts err by 2e-5 px at most.
        np.testing.assert_allclose(delta, expected, rtol=1e-5, atol=1e-4)
    decoded = anchors.decode(tiles, deltas, max_log_scale=np.inf)
    np.testing.assert_allclose(decoded, boxes, rtol=0, atol=2e-3)


def test_an_anchor_of_itself_is_zeros():
    tiles = anchors.tile(POINTS, SIZES)
    np.testing.assert_array_equal(anchors.encode(tiles, tiles), 0)
    np.testing.assert_array_equal(anchors.decode(tiles, jnp.zeros(4)), tiles)


def test_deltas_do_not_depend_on_place_and_scale():
    tiles, boxes = random_boxes(50), random_boxes(50, seed=1)
    deltas = anchors.encode(tiles, boxes)
    moved = anchors.encode(tiles * 4 + 32, boxes * 4 + 32)
    np.testing.assert_allclose(moved, deltas, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "box",
    [
        [0.0, 0.0, 0.0, 0.0],
        [5.0, 5.0, 5.0, 9.0],
        [9.0, 1.0, 1.0, 9.0],
        [np.nan] * 4,
        [0.0, 0.0, np.inf, 9.0],
    ],
)
def test_no_box_has_zeros_and_no_slope(variant, box):
    box, full = jnp.array(box), jnp.array([10.0, 10.0, 30.0, 50.0])
    for pair in ((full, box), (box, full), (box, box)):
        np.testing.assert_array_equal(variant(anchors.encode)(*pair), 0)
        slopes = variant(
            jax.grad(lambda a, b: anchors.encode(a, b).sum(), argnums=(0, 1))
        )(*pair)
        np.testing.assert_array_equal(slopes, 0)


def test_gradients():
    tiles, boxes = (jnp.asarray(random_boxes(4, seed) / 50) for seed in (0, 1))
    check_gradients(anchors.encode, (tiles, boxes), rtol=2e-2)
    deltas = jnp.linspace(-1, 1, 16).reshape(4, 4)
    check_gradients(anchors.decode, (tiles, deltas), rtol=2e-2)


def test_log_scale_is_cut():
    anchor, deltas = jnp.array([0.0, 0.0, 2.0, 2.0]), jnp.array([9.0, 0.0, 5.0, -5.0])
    # Center (1 + 9 * 2, 1); without a bound 2 e^5 wide and 2 e^-5 high.
    wide, high = np.exp(5), np.exp(-5)
    free = anchors.decode(anchor, deltas, max_log_scale=np.inf)
    np.testing.assert_allclose(free, [19 - wide, 1 - high, 19 + wide, 1 + high], 1e-5)
    cut = anchors.decode(anchor, deltas, max_log_scale=float(np.log(4)))
    np.testing.assert_allclose(cut, [15, 0.75, 23, 1.25], rtol=1e-5)


def test_weights_by_hand(variant):
    # `test_deltas_by_hand`, with SPM's weights: 5 * 0.25, 5 * -0.25, 10 ln 2, -10 ln 2.
    anchor = jnp.array([10.0, 10.0, 30.0, 50.0])
    box = jnp.array([5.0, 10.0, 45.0, 30.0])
    weights = (5, 5, 10, 10)
    deltas = np.asarray(variant(partial(anchors.encode, weights=weights))(anchor, box))
    expected = [1.25, -1.25, 10 * np.log(2), -10 * np.log(2)]
    np.testing.assert_allclose(deltas, expected, rtol=1e-6)
    back = variant(partial(anchors.decode, weights=weights))(anchor, deltas)
    np.testing.assert_allclose(back, box, rtol=1e-6)


def test_each_delta_has_its_own_weight():
    tiles, boxes = (jnp.asarray(random_boxes(50, seed)) for seed in (0, 1))
    weights = (2.0, 3.0, 5.0, 7.0)
    deltas = anchors.encode(tiles, boxes, weights=weights)
    plain = np.asarray(anchors.encode(tiles, boxes))
    np.testing.assert_allclose(deltas, plain * np.array(weights), rtol=1e-6)
    back = anchors.decode(tiles, deltas, weights=weights, max_log_scale=np.inf)
    np.testing.assert_allclose(back, boxes, rtol=0, atol=2e-3)


def test_log_scale_is_cut_after_division():
    # 20 / 10 = 2 is below ln(255 / 32) = 2.08, -30 / 10 is cut to -2.08.
    anchor, deltas = jnp.array([0.0, 0.0, 2.0, 2.0]), jnp.array([5.0, 0.0, 20.0, -30.0])
    cut = anchors.decode(
        anchor, deltas, weights=(5, 5, 10, 10), max_log_scale=float(np.log(255 / 32))
    )
    # The center is (1 + 2, 1), half the sizes e^2 and 32 / 255.
    wide, high = np.exp(2), 32 / 255
    np.testing.assert_allclose(cut, [3 - wide, 1 - high, 3 + wide, 1 + high], rtol=1e-5)


def test_deltas_of_a_batch_share_their_anchors():
    tiles = anchors.tile(POINTS, SIZES)
    deltas = 0.1 * jax.random.normal(jax.random.key(0), (2, 25, 25, 5, 4))
    boxes = anchors.decode(tiles, deltas)
    np.testing.assert_allclose(boxes[1], anchors.decode(tiles, deltas[1]), rtol=1e-6)
    np.testing.assert_allclose(anchors.encode(tiles, boxes), deltas, atol=1e-5)
