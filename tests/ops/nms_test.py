"""Tests for jaxtrack.ops.proposals.nms."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops.proposals import nms

NAN = np.nan
# Each box is moved by 2 of 10 from the last: IoU 8 / 12 of neighbors, 6 / 14 of the
# next but one, 4 / 16 of those three apart; the last box is elsewhere.
ROW = np.array([[2 * i, 0, 2 * i + 10, 10] for i in range(4)] + [[50, 0, 60, 10]], "f4")


def numpy_iou(a, b):
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if not (wide > 0 and high > 0):
        return 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return wide * high / (sum(areas) - wide * high)


def numpy_nms(xyxy, scores, count, threshold):
    """The definition: go down the list, compare with all that were kept before."""
    xyxy, scores = xyxy.astype("f8"), scores.tolist()
    place = {
        i: (np.isnan(s), 0 if np.isnan(s) else -s, i) for i, s in enumerate(scores)
    }
    kept, others = [], []
    for i in sorted(place, key=place.get):
        if any(numpy_iou(xyxy[i], xyxy[k]) > threshold for k in kept):
            others.append(i)
        else:
            kept.append(i)
    is_kept = [True] * len(kept) + [False] * count
    return (kept + others)[:count], is_kept[:count]


def random_set(seed, total=24):
    """Boxes on a grid of integers, so that identical, touching and empty ones occur."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 12, (total, 2))
    xyxy = np.concatenate([low, low + rng.integers(-1, 9, (total, 2))], axis=1)
    xyxy[rng.integers(total, size=4)] = xyxy[rng.integers(total, size=4)]
    scores = rng.integers(-3, 4, total) / 2.0
    scores[rng.integers(total, size=3)] = rng.choice([NAN, np.inf, -np.inf, -0.0], 3)
    return xyxy.astype("f4"), scores.astype("f4")


def select(xyxy, scores, **options):
    chosen = nms(jnp.asarray(xyxy), jnp.asarray(scores, jnp.float32), **options)
    return tuple(np.asarray(c).tolist() for c in chosen)


def test_by_hand(variant):
    # 1 is best and suppresses its neighbors 0 and 2 (IoU 0.67), but not 3 (0.43),
    # which comes after 4. Of those suppressed, 2 is better than 0.
    scores = jnp.array([0.3, 0.9, 0.5, 0.4, 0.45])
    fn = variant(partial(nms, count=5, iou_threshold=0.5))
    indices, is_kept = fn(ROW, scores)
    assert indices.dtype == jnp.int32 and is_kept.dtype == jnp.bool_
    np.testing.assert_array_equal(indices, [1, 4, 3, 2, 0])
    np.testing.assert_array_equal(is_kept, [True] * 3 + [False] * 2)


def test_a_suppressed_box_does_not_suppress():
    # 0 suppresses 1 only; 1 would suppress 2, which is kept; 2 suppresses 3.
    chosen = select(ROW, [5, 4, 3, 2, 1], count=4, iou_threshold=0.5)
    assert chosen == ([0, 2, 4, 1], [True] * 3 + [False])


def test_iou_may_reach_the_threshold():
    # Half of one box is the other: IoU 1/2, exact in floating point.
    pair = np.array([[0, 0, 8, 8], [0, 0, 8, 4]], "f4")
    for threshold, is_second_kept in ((0.5, True), (0.4999, False)):
        chosen = select(pair, [1, 0], count=2, iou_threshold=threshold)
        assert chosen == ([0, 1], [True, is_second_kept])


def test_ties_go_to_the_lower_index_and_nan_is_worst():
    apart = np.array([[20 * i, 0, 20 * i + 10, 10] for i in range(6)], "f4")
    scores = [NAN, 0.0, -np.inf, -0.0, 1.0, NAN]
    chosen, _ = select(apart, scores, count=6, iou_threshold=0.5)
    assert chosen == [4, 1, 3, 2, 0, 5]


def test_boxes_that_are_none_overlap_nothing():
    none = np.array([[1, 1, 1, 9], [1, 1, 1, 9], [9, 9, 1, 1], [NAN] * 4], "f4")
    chosen = select(none, [1, 1, 1, 1], count=4, iou_threshold=0.0)
    assert chosen == ([0, 1, 2, 3], [True] * 4)


@pytest.mark.parametrize(("count", "threshold"), [(24, 0.3), (10, 0.5), (1, 0.75)])
def test_matches_definition(count, threshold):
    sets = [random_set(seed) for seed in range(200)]
    xyxy, scores = (np.stack(part) for part in zip(*sets, strict=True))
    # IoUs of integers and thresholds of few digits are told apart in float32 too.
    fn = partial(nms, count=count, iou_threshold=threshold)
    indices, is_kept = jax.jit(jax.vmap(fn))(xyxy, scores)
    wanted = [numpy_nms(*s, count, threshold) for s in sets]
    np.testing.assert_array_equal(indices, [w[0] for w in wanted])
    np.testing.assert_array_equal(is_kept, [w[1] for w in wanted])
    assert all(len(set(row)) == count for row in indices.tolist())


def test_examples_of_a_batch_are_apart():
    sets = [random_set(seed) for seed in range(8)]
    xyxy, scores = (jnp.stack(part) for part in zip(*sets, strict=True))
    fn = partial(nms, count=9, iou_threshold=0.4)
    together = jax.vmap(fn)(xyxy, scores)
    one = jax.jit(fn)
    each = [one(*example) for example in zip(xyxy, scores, strict=True)]
    for got, wanted in zip(together, zip(*each, strict=True), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_selected_boxes_carry_gradients_and_the_selection_none():
    xyxy, scores = jnp.asarray(ROW), jnp.array([0.3, 0.9, 0.5, 0.4, 0.45])

    def total(xyxy, scores):
        indices, is_kept = nms(xyxy, scores, count=4, iou_threshold=0.5)
        return jnp.sum(jnp.where(is_kept, scores[indices] * xyxy[indices, 0], 0))

    by_boxes, by_scores = jax.jit(jax.grad(total, argnums=(0, 1)))(xyxy, scores)
    np.testing.assert_array_equal(by_boxes[:, 0], scores * jnp.array([0, 1, 0, 1, 1.0]))
    np.testing.assert_array_equal(by_scores, [0, 2, 0, 6, 50])


@pytest.mark.parametrize(
    ("boxes_shape", "scores_shape", "count", "message"),
    [
        ((5, 4), (4,), 2, r"\(5, 4\) and \(4,\)"),
        ((5, 5), (5,), 2, r"\(5, 5\)"),
        ((2, 5, 4), (2, 5), 2, r"\(2, 5, 4\)"),
        ((5, 4), (5,), 6, "count=6 of 5"),
        ((5, 4), (5,), 0, "count=0 of 5"),
    ],
)
def test_faults_are_refused(boxes_shape, scores_shape, count, message):
    with pytest.raises(ValueError, match=message):
        nms(
            jnp.zeros(boxes_shape),
            jnp.zeros(scores_shape),
            count=count,
            iou_threshold=0.5,
        )
