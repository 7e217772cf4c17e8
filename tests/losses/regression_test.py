"""Tests for jaxtrack.losses.regression."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.losses import regression
from jaxtrack.ops import boxes
from tests.gradients import check_gradients


def random_ltrb(seed):
    return np.random.default_rng(seed).uniform(1, 30, (40, 4)).astype(np.float32)


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_iou_loss_matches_definition(variant, smoothing):
    ltrb, target = random_ltrb(0), random_ltrb(1)
    losses = variant(lambda a, b: regression.iou_loss(a, b, smoothing=smoothing))(
        ltrb, target
    )

    def area(ltrb):
        left, top, right, bottom = ltrb.astype("f8").T
        return (left + right) * (top + bottom)

    inter = area(np.minimum(ltrb, target))
    union = area(ltrb) + area(target) - inter
    expected = -np.log((inter + smoothing) / (union + smoothing))
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-6)


def test_iou_loss_by_hand():
    # 2 x 2 in 4 x 2 around one point: (4 + 1) / (8 + 1).
    ltrb, target = jnp.array([1.0, 1.0, 1.0, 1.0]), jnp.array([1.0, 1.0, 3.0, 1.0])
    loss = regression.iou_loss(ltrb, target)
    assert loss == pytest.approx(np.log(9 / 5), rel=1e-6)


def test_linear_iou_loss_by_hand():
    # 2 x 2 in 4 x 2 around one point; boxes that do not meet: 1 - (0 + 1) / (8 + 1).
    ltrb, target = jnp.ones((2, 4)), jnp.array([[1.0, 1, 3, 1], [-5, 1, 7, 1]])
    losses = regression.linear_iou_loss(ltrb, target)
    np.testing.assert_allclose(losses, [4 / 9, 8 / 9], rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_perfect_prediction_costs_nothing(smoothing):
    ltrb = jnp.asarray(random_ltrb(0))
    losses = regression.iou_loss(ltrb, ltrb, smoothing=smoothing)
    np.testing.assert_allclose(losses, 0, atol=1e-6)
    xyxy = boxes.ltrb_to_xyxy(jnp.zeros((40, 2)), ltrb)
    np.testing.assert_allclose(regression.giou_loss(xyxy, xyxy), 0, atol=1e-6)


def test_point_outside_of_the_target():
    # Point (0, 0), target x 2..6, y -1..1; predicted x -1..5: intersection 3 * 2 = 6,
    # union 12 + 8 - 6 = 14.
    target, ltrb = jnp.array([-2.0, 1.0, 6.0, 1.0]), jnp.array([1.0, 1.0, 5.0, 1.0])
    loss = regression.iou_loss(ltrb, target, smoothing=0.0)
    assert loss == pytest.approx(np.log(14 / 6), rel=1e-6)


def test_giou_loss_by_hand():
    # Apart by 2 in a hull of 6 x 1: GIoU = -1/3.
    a, b = jnp.array([0.0, 0.0, 2.0, 1.0]), jnp.array([4.0, 0.0, 6.0, 1.0])
    assert regression.giou_loss(a, b) == pytest.approx(4 / 3, rel=1e-6)


@pytest.mark.parametrize("loss", [regression.iou_loss, regression.giou_loss])
def test_gradients(loss):
    ltrb, target = random_ltrb(2)[:5], random_ltrb(3)[:5]
    if loss is regression.giou_loss:
        origin = np.zeros((5, 2), np.float32)
        ltrb, target = (boxes.ltrb_to_xyxy(origin, d) for d in (ltrb, target))
    check_gradients(loss, (ltrb, target), rtol=1e-2, eps=1e-2)


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
@pytest.mark.parametrize("target", [[0.0] * 4, [1.0, 1.0, 2.0, 2.0], [-3.0, 1, -2, 1]])
@pytest.mark.parametrize("ltrb", [[0.0] * 4, [1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 2.0, 2]])
def test_degenerate_boxes_have_finite_value_and_gradient(ltrb, target, smoothing):
    def iou_loss(ltrb, target):
        return regression.iou_loss(ltrb, target, smoothing=smoothing)

    for loss in (iou_loss, regression.giou_loss):
        value, gradients = jax.value_and_grad(loss, (0, 1))(
            jnp.array(ltrb), jnp.array(target)
        )
        assert np.isfinite(value)
        assert np.isfinite(gradients).all()


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_smooth_l1_matches_definition(variant, beta):
    # Girshick, Eqs. 2 and 3: a parabola inside of beta, a line outside.
    prediction, target = np.random.default_rng(0).normal(size=(2, 9, 8, 5)).astype("f4")
    distance = np.abs(prediction.astype("f8") - target)
    expected = np.where(
        distance < beta, distance**2 / (2 * beta), distance - beta / 2
    ).sum(-1)
    call = variant(lambda p, t: regression.smooth_l1(p, t, beta=beta))
    np.testing.assert_allclose(call(prediction, target), expected, rtol=1e-5)


def test_smooth_l1_by_hand():
    # Distances 1/2, 2, 0, 1: 1/8 + 3/2 + 0 + 1/2, and with beta = 2, where all but
    # the second are on the parabola and that at its end, 1/16 + 1 + 0 + 1/4.
    prediction = jnp.array([0.5, -3.0, 4.0, 0.0])
    target = jnp.array([0.0, -1.0, 4.0, 1.0])
    assert regression.smooth_l1(prediction, target) == 2.125
    assert regression.smooth_l1(target, prediction, beta=2.0) == 1.3125


def test_slopes_of_smooth_l1():
    distance = jnp.array([0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -7.0, 1e37, -1e37])
    value, slope = jax.value_and_grad(regression.smooth_l1)(distance, 0 * distance)
    np.testing.assert_allclose(slope, [0, 0.5, -0.5, 1, -1, 1, -1, 1, -1])
    assert np.isfinite(value)
    slope = jax.grad(lambda d: regression.smooth_l1(d, 0 * d, beta=0.25))(distance[:3])
    np.testing.assert_allclose(slope, [0, 1, -1])


def test_gradients_of_smooth_l1():
    prediction, target = np.random.default_rng(4).normal(size=(2, 6, 4))
    args = (prediction.astype("f4"), target.astype("f4"))
    check_gradients(regression.smooth_l1, args, rtol=1e-2, eps=1e-2)


def test_faults_of_smooth_l1():
    with pytest.raises(ValueError, match=r"\(2, 4\) and target \(4,\) differ"):
        regression.smooth_l1(jnp.zeros((2, 4)), jnp.zeros(4))
    for beta in (0.0, -1.0):
        with pytest.raises(ValueError, match=f"beta must be positive, got {beta}"):
            regression.smooth_l1(jnp.zeros(4), jnp.zeros(4), beta=beta)


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"\(2, 4\) and target \(4,\) differ"):
        regression.iou_loss(jnp.zeros((2, 4)), jnp.zeros(4))
