"""Tests for jaxtrack.assign.proposals."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import proposals, regions

BOX = np.float32([40, 50, 80, 90])
SHOWN = jnp.array(True)
NO_BOXES = [
    [0.0, 0.0, 0.0, 0.0],
    [50.0, 50.0, 50.0, 90.0],
    [90.0, 10.0, 10.0, 90.0],
    [np.nan] * 4,
    [0.0, 0.0, np.inf, 90.0],
]


def numpy_iou(tiles, box):
    """IoU in float64, a side at a time."""
    left, top, right, bottom = np.moveaxis(np.asarray(tiles, np.float64), -1, 0)
    x0, y0, x1, y1 = np.asarray(box, np.float64)
    width = np.maximum(np.minimum(right, x1) - np.maximum(left, x0), 0)
    height = np.maximum(np.minimum(bottom, y1) - np.maximum(top, y0), 0)
    both = (right - left) * (bottom - top) + (x1 - x0) * (y1 - y0)
    return width * height / (both - width * height)


def candidates(positives, negatives, seed=0):
    """Returns different boxes, mixed: on BOX but for 4 px a side, and far from it."""
    rng = np.random.default_rng(seed)
    near = BOX + rng.uniform(-4, 4, (positives, 4))
    corner = rng.uniform(100, 200, (negatives, 2))
    far = np.concatenate([corner, corner + rng.uniform(5, 40, (negatives, 2))], 1)
    found = rng.permutation(np.concatenate([near, far]).astype(np.float32))
    assert (numpy_iou(found, BOX) > 0.5).sum() == positives
    return found


def sample(seed, found, box, shown, **options):
    options = {"count": 8, "num_positives": 4, "num_jittered": 0, **options}
    return proposals.sample_proposals(
        jax.random.key(seed), found, box, shown, **options
    )


@functools.cache
def jitted(**options):
    """Compiles each set of options once."""
    return jax.jit(functools.partial(sample, **options))


def draw(seed, found, box=BOX, shown=SHOWN, **options):
    return jitted(**options)(seed, jnp.asarray(found), jnp.asarray(box), shown)


def rows(array):
    return {tuple(row) for row in np.asarray(array).tolist()}


def test_counts(variant):
    # Of 20: min(4, available) positives, and more where negatives lack.
    call = variant(sample)
    table = {0: 0, 2: 2, 4: 4, 10: 4, 16: 4, 17: 5, 20: 8}
    for seed, (positives, expected) in enumerate(table.items()):
        found = candidates(positives, 20 - positives)
        drawn = call(jnp.int32(seed), found, jnp.asarray(BOX), SHOWN)
        assert (drawn.shape, drawn.dtype) == ((8, 4), np.float32)
        assert len(rows(drawn)) == 8
        assert rows(drawn) <= rows(found)
        assert (numpy_iou(drawn, BOX) > 0.5).sum() == expected


def test_what_is_drawn_does_not_hang_on_the_order():
    found = candidates(9, 15)
    permuted = np.random.default_rng(1).permutation(found)
    counts = [(numpy_iou(draw(5, f), BOX) > 0.5).sum() for f in (found, permuted)]
    assert counts == [4, 4]
    assert rows(draw(5, found)) != rows(draw(5, permuted))


def test_all_are_drawn_alike():
    # Each of 10 positives 4 times in 10, and so each of 10 negatives; where negatives
    # lack, 4 and 1 more of 17 positives, and all negatives. Of 2,000 draws the
    # deviation is at most sqrt(0.4 0.6 / 2000) = 0.011.
    seeds = jnp.arange(2000)
    call = jax.jit(jax.vmap(sample, (0, None, None, None)))
    for positives, of_positives, of_negatives in ((10, 0.4, 0.4), (17, 5 / 17, 1)):
        found = candidates(positives, 20 - positives)
        drawn = np.asarray(call(seeds, found, BOX, SHOWN))
        share = (drawn[:, :, None] == found).all(-1).any(1).mean(0)
        is_positive = numpy_iou(found, BOX) > 0.5
        expected = np.where(is_positive, of_positives, of_negatives)
        np.testing.assert_allclose(share, expected, atol=0.05)


def test_the_same_key_draws_the_same():
    found = candidates(10, 10)
    options = {"num_jittered": 4}
    first, again, other = (draw(s, found, **options) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert rows(first) != rows(other)
    mapped = jax.vmap(lambda seed: draw(seed, found, **options))(jnp.arange(2))
    np.testing.assert_array_equal(mapped, [first, other])


def test_the_defaults_are_the_papers():
    # 32 boxes, 16 of them positive; section 3.4.
    call = jax.jit(functools.partial(proposals.sample_proposals, jax.random.key(0)))
    drawn = call(candidates(30, 34), BOX, SHOWN)
    assert drawn.shape == (32, 4)
    assert (numpy_iou(drawn, BOX) > 0.5).sum() == 16
    drawn = call(candidates(0, 64), BOX, SHOWN)
    assert 6 <= (numpy_iou(drawn, BOX) > 0.5).sum() <= 8


def test_jittered_boxes_stand_in_for_positives_that_lack():
    found = candidates(0, 20)
    drawn = draw(0, found, num_jittered=8)
    positives = drawn[numpy_iou(drawn, BOX) > 0.5]
    assert len(positives) == 4
    assert not rows(positives) & rows(draw(1, found, num_jittered=8))


def test_a_proposal_must_overlap_by_more_than_the_threshold():
    # IoU 1/2 with [0, 0, 2, 1], exactly; of the other one 1/4.
    found = jnp.array([[0.0, 0.0, 1.0, 1.0]] * 2 + [[0.0, 0.0, 0.5, 1.0]] * 4)
    box = [0.0, 0.0, 2.0, 1.0]
    for threshold, expected in ((0.5, 0), (0.49, 2)):
        counts = [
            (np.asarray(draw(seed, found, box, count=3, iou_threshold=threshold))[:, 2])
            for seed in range(20)
        ]
        halves = [int((c == 1).sum()) for c in counts]
        assert max(halves) == 2
        assert min(halves) == expected


def test_where_no_target_is_shown_all_are_proposals(variant):
    found = candidates(8, 12)
    call = variant(functools.partial(sample, num_jittered=8, count=16))
    for box in (*NO_BOXES, BOX):
        shown = jnp.array(box is not BOX)
        drawn = call(jnp.int32(0), found, jnp.asarray(box), shown)
        assert drawn.shape == (16, 4)
        assert rows(drawn) <= rows(found)


@pytest.mark.parametrize("box", [*NO_BOXES, BOX])
def test_where_no_target_is_shown_no_proposal_is_preferred(box):
    found, shown = candidates(8, 12), jnp.array(box is not BOX)
    counts = [
        (numpy_iou(draw(s, found, jnp.array(box), shown), BOX) > 0.5).sum()
        for s in range(12)
    ]
    assert len(set(counts)) > 1


def test_all_boxes_may_be_drawn_but_no_more():
    found = candidates(3, 3)
    assert rows(draw(0, found, count=6)) == rows(found)
    assert rows(found) < rows(draw(0, found, count=8, num_jittered=2))
    with pytest.raises(ValueError, match=r"6 \+ 1 proposals are too few to draw 8"):
        draw(0, found, num_jittered=1)


@pytest.mark.parametrize("box", [BOX, NO_BOXES[0], NO_BOXES[3]])
def test_no_gradient_goes_through_places(box):
    def total(found, box):
        drawn = draw(0, found, box, num_jittered=8, count=16)
        return jnp.sum(drawn * drawn)

    found = jnp.asarray(candidates(8, 12))
    for slope in jax.jit(jax.grad(total, (0, 1)))(found, jnp.asarray(box)):
        np.testing.assert_array_equal(slope, 0)


def test_jittered_boxes_lie_around_the_box():
    # Shares by an integral in float64, of 2,000,000 draws: 0.980 above 1/2, mean 0.638.
    box = jnp.array([10.0, 20.0, 30.0, 100.0])
    jittered = jax.jit(functools.partial(proposals.jittered_boxes, count=20_000))
    drawn = np.asarray(jittered(jax.random.key(0), box), np.float64)
    shift = ((drawn[:, :2] + drawn[:, 2:]) / 2 - [20, 60]) / [20, 80]
    log_scale = np.log((drawn[:, 2:] - drawn[:, :2]) / [20, 80])
    noise = np.concatenate([shift / 0.2, log_scale / 0.3], axis=1)
    assert np.abs(noise).max() <= 1 + 1e-4
    # U(-1, 1): mean 0 and variance 1/3, independent of one another.
    np.testing.assert_allclose(noise.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(4) / 3, atol=0.02)
    overlap = numpy_iou(drawn, box)
    assert (overlap > 0.5).mean() == pytest.approx(0.980, abs=0.005)
    assert overlap.mean() == pytest.approx(0.638, abs=0.005)


def labels_of(found, box=BOX, shown=SHOWN, **options):
    return proposals.refinement_labels(found, jnp.asarray(box), shown, **options)


def test_labels_match_definition(variant):
    found = candidates(20, 30)
    found[::7] += 12
    overlap = numpy_iou(found, BOX)
    for threshold, most in ((0.5, 16), (0.75, 16), (0.5, 5)):
        call = functools.partial(labels_of, iou_threshold=threshold, num_positives=most)
        labels = variant(call)(found)
        expected, count = [], 0
        for iou in overlap:
            assert abs(iou - threshold) > 1e-5
            count += iou > threshold
            expected.append(0 if iou <= threshold else 1 if count <= most else -1)
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, expected)
    assert {-1, 0, 1} == set(expected)


def test_labels_by_hand():
    # IoU with 4 x 2: 1, 1/2 (not above), 3/4, 0, 3/4; the third positive is too many.
    box = [0.0, 0.0, 4.0, 2.0]
    found = jnp.array([box, *[[0, 0, w, 2.0] for w in (2.0, 3.0)], [5, 0, 6, 1.0]])
    found = jnp.concatenate([found, found[2:3]])
    assert labels_of(found, box, num_positives=2).tolist() == [1, 0, 1, 0, -1]
    assert labels_of(found, box, iou_threshold=0.4).tolist() == [1, 1, 1, 0, 1]
    sixteen = labels_of(jnp.tile(found[:1], (20, 1)), box).tolist()
    assert sixteen == [1] * 16 + [-1] * 4


@pytest.mark.parametrize("box", [*NO_BOXES, BOX])
def test_without_a_target_all_labels_are_negative(box):
    labels = labels_of(candidates(8, 8), box, jnp.array(box is not BOX))
    np.testing.assert_array_equal(labels, regions.NEGATIVE)


def test_boxes_that_are_none_are_negative():
    labels = labels_of(jnp.array(NO_BOXES))
    np.testing.assert_array_equal(labels, regions.NEGATIVE)
