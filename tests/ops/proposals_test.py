"""Tests for jaxtrack.ops.proposals."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import proposals

NAN = np.nan
pick = jax.jit(proposals.best, static_argnames=("count", "iou_threshold", "candidates"))
# Ten wide, one a hundred pixels: none overlaps another.
APART = np.array([[100 * i, 0, 100 * i + 10, 10] for i in range(5)], "f4")


def numpy_best(xyxy, ranked, count, threshold, candidates):
    """The definition: of the first of the list those kept, then the others."""
    ranked = np.where(np.isnan(ranked), -np.inf, ranked)
    order = np.argsort(-ranked, kind="stable")[:candidates]
    low, high = xyxy[:, :2].astype("f8"), xyxy[:, 2:].astype("f8")
    area = np.prod(high - low, axis=1)
    kept, others = [], []
    for i in order:
        sides = np.minimum(high[i], high[kept]) - np.maximum(low[i], low[kept])
        common = np.prod(np.maximum(sides, 0), axis=1)
        iou = common / (area[i] + area[kept] - common)
        (others if np.any(iou > threshold) else kept).append(i)
    return (kept + others)[:count]


def random_set(seed, total=40):
    """Boxes on a grid of integers, whose IoUs float32 tells from the thresholds."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 16, (total, 2))
    xyxy = np.concatenate([low, low + rng.integers(3, 12, (total, 2))], axis=1)
    ranked = rng.integers(0, 20, total) / 20
    ranked[rng.integers(total, size=3)] = NAN
    return xyxy.astype("f4"), ranked.astype("f4")


@pytest.mark.parametrize(
    ("count", "threshold", "candidates"),
    [(10, 0.5, 256), (10, 0.5, 12), (6, 0.3, 20), (1, 0.75, 5), (40, 0.1, 40)],
)
def test_matches_definition(count, threshold, candidates):
    sets = [random_set(seed) for seed in range(100)]
    xyxy, ranked = (np.stack(part) for part in zip(*sets, strict=True))
    fn = partial(
        proposals.best, count=count, iou_threshold=threshold, candidates=candidates
    )
    picked = jax.jit(jax.vmap(fn))(xyxy, ranked)
    assert picked.dtype == jnp.int32
    wanted = [numpy_best(*s, count, threshold, candidates) for s in sets]
    np.testing.assert_array_equal(picked, wanted)


def test_ten_are_picked_of_those_that_overlap_by_half():
    """C9: N is 10, and IoU 1/2 itself does not suppress."""
    xyxy, ranked = random_set(0)
    picked = pick(xyxy, ranked)
    np.testing.assert_array_equal(picked, numpy_best(xyxy, ranked, 10, 0.5, 256))
    pair = jnp.array([[0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 8.0, 4.0], [0.0, 0.0, 8.0, 5.0]])
    # 5/8 is suppressed and follows 1/2 although it is ranked higher.
    picked = pick(pair, jnp.array([3.0, 1.0, 2.0]), count=3)
    np.testing.assert_array_equal(picked, [0, 1, 2])


def test_by_hand(variant):
    # 1 suppresses 0, of IoU 8/12; 2 is elsewhere; then 0, the best suppressed.
    xyxy = jnp.array([[0.0, 0, 10, 10], [2.0, 0, 12, 10], [50.0, 0, 60, 10]])
    ranked = jnp.array([0.8, 0.9, 0.1])
    picked = variant(partial(proposals.best, count=3))(xyxy, ranked)
    np.testing.assert_array_equal(picked, [1, 2, 0])


def test_a_rank_that_is_no_number_is_the_last():
    ranked = jnp.array([NAN, 0.1, NAN, 0.3, -np.inf])
    # Of -inf and NaN the lower place comes first.
    best = partial(pick, xyxy=APART, ranked=ranked)
    np.testing.assert_array_equal(best(count=5), [3, 1, 0, 2, 4])
    np.testing.assert_array_equal(best(count=2, candidates=2), [3, 1])
    none = pick(APART, jnp.full(5, NAN), count=3)
    np.testing.assert_array_equal(none, [0, 1, 2])


def test_boxes_behind_the_candidates_are_not_looked_at():
    # 0 and 1 are the same box. Of three candidates, 2 is kept; of two, 1 fills up.
    xyxy = APART[jnp.array([0, 0, 1])]
    ranked = jnp.array([0.9, 0.8, 0.7])
    best = partial(pick, xyxy, ranked, count=2)
    np.testing.assert_array_equal(best(candidates=3), [0, 2])
    np.testing.assert_array_equal(best(candidates=2), [0, 1])
    with pytest.raises(ValueError, match="count=2 of 1"):
        best(candidates=1)


def test_probability_is_the_softmax(variant):
    logits = np.random.default_rng(0).normal(0, 3, (4, 5, 2)).astype("f4")
    exps = np.exp(logits.astype("f8"))
    expected = exps[..., 1] / exps.sum(axis=-1)
    probability = variant(proposals.target_probability)(logits)
    np.testing.assert_allclose(probability, expected, rtol=1e-5)


def test_probability_of_large_logits():
    logits = jnp.array([[0.0, 0.0], [-1e4, 1e4], [1e4, -1e4]], jnp.bfloat16)
    probability = proposals.target_probability(logits)
    assert probability.dtype == jnp.float32
    np.testing.assert_array_equal(probability, [0.5, 1, 0])


def test_maps_are_listed_row_column_anchor(variant):
    # Anchor (r, c, a) is 10 wide and 20 high, its left top at (100 c, 1000 r + 10 a).
    row, column, anchor = np.meshgrid(*map(np.arange, (2, 3, 2)), indexing="ij")
    x, y = 100.0 * column, 1000.0 * row + 10 * anchor
    anchors = jnp.asarray(np.stack([x, y, x + 10, y + 20], axis=-1), jnp.float32)
    deltas = (
        jnp.zeros((2, 3, 2, 4))
        .at[1, 2, 0]
        .set(
            # Half a width right, a quarter height up, twice as wide, half as high.
            jnp.array([0.5, -0.25, np.log(2), -np.log(2)])
        )
    )
    found = variant(proposals.decode_maps)(deltas, anchors)
    # Row 1, column 2, anchor 0 is number (1 * 3 + 2) * 2 + 0 = 10. Its center was
    # (205, 1010) and is (210, 1005) now; it is 20 x 10.
    expected = np.asarray(anchors.reshape(-1, 4)).copy()
    expected[10] = [200, 1000, 220, 1010]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


def test_no_box_is_endless():
    """Sizes are cut to exp(4) = 54.6 times the anchor's; float32 comes out."""
    anchors = jnp.array([-1.0, -1.0, 1.0, 1.0]).reshape(1, 1, 1, 4)
    deltas = jnp.array([0.0, 0.0, 1e4, -1e4], jnp.bfloat16).reshape(1, 1, 1, 4)
    found = proposals.decode_maps(deltas, anchors)
    assert found.dtype == jnp.float32
    wide, high = np.exp(4), np.exp(-4)
    np.testing.assert_allclose(found, [[-wide, -high, wide, high]], rtol=1e-5)
