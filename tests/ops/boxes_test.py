"""Tests for jaxtrack.ops.boxes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import boxes
from tests.gradients import check_gradients

DEGENERATE = [
    [1.0, 1.0, 1.0, 1.0],  # A point.
    [1.0, 1.0, 5.0, 1.0],  # A line.
    [5.0, 5.0, 1.0, 1.0],  # Inside out.
    [0.0, 0.0, 0.0, 0.0],
]


def random_boxes(count, seed=0, spread=20.0):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, spread, (count, 2))
    return np.concatenate([low, low + rng.uniform(1, 15, (count, 2))], 1).astype("f4")


def numpy_iou_giou(a, b):
    """The definitions in float64, one pair of boxes at a time."""
    values = []
    for (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) in zip(
        a.astype("f8"), b.astype("f8"), strict=True
    ):
        overlap = max(0, min(ax1, bx1) - max(ax0, bx0))
        overlap *= max(0, min(ay1, by1) - max(ay0, by0))
        union = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - overlap
        hull = (max(ax1, bx1) - min(ax0, bx0)) * (max(ay1, by1) - min(ay0, by0))
        values.append((overlap / union, overlap / union - (hull - union) / hull))
    return np.array(values).T


def test_formats_by_hand():
    # Left 1, top 2, right 4, bottom 8: 3 wide, 6 high, center (2.5, 5).
    xyxy = jnp.array([1.0, 2.0, 4.0, 8.0])
    np.testing.assert_array_equal(boxes.xyxy_to_cxcywh(xyxy), [2.5, 5.0, 3.0, 6.0])
    assert boxes.area(xyxy) == 18.0


def test_formats_are_inverse(variant):
    xyxy = random_boxes(50).reshape(5, 10, 4)
    returned = variant(lambda b: boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(b)))(xyxy)
    np.testing.assert_allclose(returned, xyxy, rtol=0, atol=1e-5)


def test_iou_and_giou_by_hand():
    a, b = jnp.array([0.0, 0.0, 4.0, 2.0]), jnp.array([2.0, 0.0, 6.0, 3.0])
    # Intersection 2 * 2 = 4, union 8 + 12 - 4 = 16, hull 6 * 3 = 18.
    assert boxes.iou(a, b) == pytest.approx(4 / 16)
    assert boxes.giou(a, b) == pytest.approx(4 / 16 - 2 / 18, abs=1e-6)
    # Apart by 2 in a hull of 6 x 1: union 4, GIoU = -(6 - 4) / 6.
    a, b = jnp.array([0.0, 0.0, 2.0, 1.0]), jnp.array([4.0, 0.0, 6.0, 1.0])
    assert boxes.iou(a, b) == 0
    assert boxes.giou(a, b) == pytest.approx(-1 / 3, abs=1e-6)


def test_iou_and_giou_match_definition(variant):
    a, b = random_boxes(200), random_boxes(200, seed=1)
    iou, giou = numpy_iou_giou(a, b)
    assert 0.2 < np.mean(iou > 0) < 0.9  # Both cases are tested.
    np.testing.assert_allclose(variant(boxes.iou)(a, b), iou, rtol=0, atol=2e-6)
    np.testing.assert_allclose(variant(boxes.giou)(a, b), giou, rtol=0, atol=2e-6)


def test_overlaps_broadcast_over_leading_axes():
    a, b = random_boxes(6), random_boxes(5, seed=1)
    pairs = boxes.iou(jnp.asarray(a)[:, None], jnp.asarray(b)[None])
    assert pairs.shape == (6, 5)
    one_by_one = [[boxes.iou(jnp.asarray(p), jnp.asarray(q)) for q in b] for p in a]
    np.testing.assert_allclose(pairs, one_by_one, rtol=0, atol=1e-7)
    grid = boxes.iou(jnp.asarray(a[:1]), jnp.asarray(b).reshape(5, 1, 4))
    np.testing.assert_allclose(grid[:, 0], pairs[0], rtol=0, atol=1e-7)


@pytest.mark.parametrize("box", DEGENERATE)
@pytest.mark.parametrize("other", [DEGENERATE[0], [0.0, 0.0, 4.0, 4.0]])
@pytest.mark.parametrize("overlap", [boxes.iou, boxes.giou])
def test_empty_boxes_have_finite_value_and_gradient(overlap, box, other):
    box, other = jnp.array(box), jnp.array(other)
    value, gradients = jax.value_and_grad(overlap, argnums=(0, 1))(box, other)
    assert np.isfinite(value)
    assert np.isfinite(gradients).all()
    assert boxes.area(box) == 0
    assert boxes.iou(box, other) == 0


@pytest.mark.parametrize("overlap", [boxes.iou, boxes.giou])
def test_gradients(overlap):
    # No two sides coincide, so no minimum or maximum is at its kink.
    a, b = jnp.array([0.0, 1.0, 6.0, 5.0]), jnp.array([2.0, 0.0, 9.0, 4.0])
    check_gradients(overlap, (a, b), rtol=1e-2, eps=1e-2)


def test_ltrb_by_hand():
    point, xyxy = jnp.array([3.0, 4.0]), jnp.array([1.0, 1.0, 9.0, 6.0])
    ltrb = boxes.xyxy_to_ltrb(point, xyxy)
    np.testing.assert_array_equal(ltrb, [2.0, 3.0, 6.0, 2.0])
    # Left of the box the distance to its left side is negative.
    assert boxes.xyxy_to_ltrb(jnp.array([0.0, 4.0]), xyxy)[0] == -1


def test_ltrb_is_inverse_on_a_grid(variant):
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(4.0)), -1).astype("f4")
    xyxy = random_boxes(3)[:, None, None, :]

    def there_and_back(points, xyxy):
        return boxes.ltrb_to_xyxy(points, boxes.xyxy_to_ltrb(points, xyxy))

    back = variant(there_and_back)(points, xyxy)
    expected = np.broadcast_to(xyxy, (3, 4, 5, 4))
    np.testing.assert_allclose(back, expected, rtol=0, atol=1e-5)


def test_clip_keeps_boxes_inside():
    hw = jnp.array([10, 20])  # 10 high, 20 wide.
    xyxy = jnp.array([[-5.0, -5.0, 30.0, 30.0], [25.0, 2.0, 30.0, 4.0]])
    clipped = boxes.clip(xyxy, hw)
    np.testing.assert_array_equal(clipped, [[0, 0, 20, 10], [20, 2, 20, 4]])
    assert boxes.area(clipped[1]) == 0


def test_context_side_by_hand():
    # p = (30 + 50) / 2 = 40, so the side is sqrt(70 * 90).
    side = boxes.context_side(jnp.array([30.0, 50.0]))
    assert side == pytest.approx(np.sqrt(6300), rel=1e-6)
    # Without context it is the side of the square of equal area.
    side = boxes.context_side(jnp.array([30.0, 50.0]), context=0.0)
    assert side == pytest.approx(np.sqrt(1500), rel=1e-6)


def test_context_side_scales_with_the_target(variant):
    wh = jnp.array([[30.0, 50.0], [7.0, 3.0]])
    side = variant(boxes.context_side)
    np.testing.assert_allclose(side(3 * wh), 3 * side(wh), rtol=1e-5)


def test_context_side_of_nothing_is_zero_with_gradient():
    value, gradient = jax.value_and_grad(boxes.context_side)(jnp.zeros(2))
    assert value == 0
    assert np.isfinite(gradient).all()
