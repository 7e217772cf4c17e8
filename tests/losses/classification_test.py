"""Tests for jaxtrack.losses.classification."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.losses import classification, quality
from tests.gradients import check_gradients


def random_cells(shape=(2, 5, 5)):
    rng = np.random.default_rng(0)
    logits = 3 * rng.standard_normal((*shape, 2)).astype(np.float32)
    return logits, rng.integers(-1, 2, shape).astype(np.int32)


def test_matches_definition(variant):
    logits, labels = random_cells()
    losses = variant(classification.softmax_cross_entropy)(logits, labels)
    p = np.exp(logits.astype("f8"))
    p /= p.sum(-1, keepdims=True)
    expected = np.where(labels == 1, -np.log(p[..., 1]), -np.log(p[..., 0]))
    expected[labels == -1] = 0
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-6)


def test_by_hand():
    # softmax(0, ln 3) = (1/4, 3/4).
    logits = jnp.broadcast_to(jnp.array([0.0, np.log(3)]), (3, 2))
    losses = classification.softmax_cross_entropy(logits, jnp.array([1, 0, -1]))
    np.testing.assert_allclose(losses, [np.log(4 / 3), np.log(4), 0], rtol=1e-5)


def test_extreme_logits_are_finite_and_sloped():
    logits = jnp.array([[500.0, -500.0], [-500.0, 500.0]])
    labels = jnp.array([1, 1])
    losses, pull = jax.vjp(
        lambda x: classification.softmax_cross_entropy(x, labels), logits
    )
    np.testing.assert_array_equal(losses, [1000, 0])
    np.testing.assert_array_equal(pull(jnp.ones(2))[0], [[1, -1], [0, 0]])


def test_ignored_cells_have_no_gradient():
    logits, labels = random_cells()

    def total(logits):
        return classification.softmax_cross_entropy(logits, labels).sum()

    gradient = jax.grad(total)(jnp.asarray(logits))
    assert (np.abs(gradient[labels != -1]) > 0).all()
    np.testing.assert_array_equal(gradient[labels == -1], 0)
    check_gradients(total, (logits,), rtol=1e-2, eps=1e-2)


def focal(logits, label, **options):
    """Calls `focal_loss` with one label for all."""
    logits = jnp.asarray(logits, jnp.float32)
    return classification.focal_loss(logits, jnp.full(logits.shape, label), **options)


def test_focal_by_hand():
    # p = sigmoid(-ln 3, 0, ln 3) = 1/4, 1/2, 3/4. Positive, times 3/4: 9/16 ln 4,
    # 1/4 ln 2, 1/16 ln(4/3); negative, times 1/4, the same the other way round.
    logits = [-np.log(3), 0, np.log(3)]
    by_hand = np.array([9 / 16 * np.log(4), np.log(2) / 4, np.log(4 / 3) / 16])
    np.testing.assert_allclose(focal(logits, 1), 0.75 * by_hand, rtol=1e-6)
    np.testing.assert_allclose(focal(logits, 0), 0.25 * by_hand[::-1], rtol=1e-6)
    np.testing.assert_array_equal(focal(logits, -1), 0)
    np.testing.assert_allclose(focal(0, 1, alpha=0.6), 0.15 * np.log(2), rtol=1e-6)
    # (1/4)^(1/2) = 1/2.
    loss = focal(-np.log(3), 0, alpha=0.0, gamma=0.5)
    np.testing.assert_allclose(loss, np.log(4 / 3) / 2, rtol=1e-6)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.75, 2.0), (0.25, 3.5), (0.9, 0.5)])
def test_focal_matches_definition(variant, alpha, gamma):
    logits, labels = random_cells()
    logits = logits[..., 0]

    def loss(*cells):
        return classification.focal_loss(*cells, alpha=alpha, gamma=gamma)

    p = 1 / (1 + np.exp(-logits.astype("f8")))
    positive = -alpha * (1 - p) ** gamma * np.log(p)
    negative = -(1 - alpha) * p**gamma * np.log(1 - p)
    expected = np.select([labels == 1, labels == 0], [positive, negative])
    np.testing.assert_allclose(variant(loss)(logits, labels), expected, rtol=1e-5)


def test_focal_without_focus_is_the_weighted_cross_entropy():
    logits, labels = random_cells()
    logits = jnp.asarray(logits[..., 1])
    losses = classification.focal_loss(logits, labels, alpha=0.3, gamma=0.0)
    bce = quality.bce_with_logits(logits, (labels == 1).astype(np.float32))
    weight = np.select([labels == 1, labels == 0], [0.3, 0.7])
    np.testing.assert_allclose(losses, weight * bce, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_is_exact_for_extreme_logits(gamma):
    # Right, p is 1: no loss, no slope. Wrong, the factor is 1: alpha |l|, slope alpha.
    logits = jnp.array([-1e4, -200.0, 200.0, 1e4])
    for label, values, slopes in [
        (1, [7500, 150, 0, 0], [-0.75, -0.75, 0, 0]),
        (0, [0, 0, 50, 2500], [0, 0, 0.25, 0.25]),
        (-1, [0, 0, 0, 0], [0, 0, 0, 0]),
    ]:
        losses, pull = jax.vjp(lambda x, k=label: focal(x, k, gamma=gamma), logits)
        np.testing.assert_allclose(losses, values, rtol=1e-6, atol=1e-30)
        np.testing.assert_allclose(pull(jnp.ones(4))[0], slopes, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_gradients(gamma):
    logits, labels = random_cells()

    @jax.jit
    def total(logits):
        return classification.focal_loss(logits, labels, gamma=gamma).sum()

    gradient = jax.grad(total)(jnp.asarray(logits[..., 0]))
    assert (gradient[labels == 1] < 0).all()
    assert (gradient[labels == 0] > 0).all()
    np.testing.assert_array_equal(gradient[labels == -1], 0)
    check_gradients(total, (logits[..., 0],), rtol=1e-2, atol=1e-3, eps=1e-2)


def test_hard_negatives_by_hand(variant):
    losses = jnp.array([[[1.0, 5.0], [3.0, 2.0]], [[0.0, 7.0], [8.0, 9.0]]])
    labels = jnp.array([[[0, 1], [0, 0]], [[0, -1], [-1, 1]]])

    def pick(losses, labels):
        return classification.hard_negatives(losses, labels, count=2)

    hardest, is_real = variant(pick)(losses, labels)
    # The second image has one negative, whose loss of 0 still counts.
    np.testing.assert_array_equal(hardest, [[3, 2], [0, 0]])
    np.testing.assert_array_equal(is_real, [[True, True], [True, False]])


def test_gradient_flows_to_the_picked_cells_only():
    losses = jnp.array([[[1.0, 5.0], [3.0, 2.0]]])
    labels = jnp.array([[[0, 1], [0, 0]]])
    gradient = jax.grad(
        lambda x: classification.hard_negatives(x, labels, count=2)[0].sum()
    )(losses)
    np.testing.assert_array_equal(gradient, [[[0, 0], [1, 1]]])


def test_faults():
    with pytest.raises(ValueError, match=r"logits \(3, 1\) do not match"):
        classification.softmax_cross_entropy(jnp.zeros((3, 1)), jnp.zeros(3, int))
    with pytest.raises(ValueError, match=r"logits \(3, 1\) and labels \(3,\) differ"):
        classification.focal_loss(jnp.zeros((3, 1)), jnp.zeros(3, int))
    for count in (0, 5):
        with pytest.raises(ValueError, match=f"cannot select {count}"):
            classification.hard_negatives(
                jnp.zeros((1, 2, 2)), jnp.zeros((1, 2, 2), int), count=count
            )


def ladl(logits, labels=0.0, positive=True, **options):
    """Calls `ladl_loss` with labels and kinds that are the same everywhere."""
    logits = jnp.asarray(logits, jnp.float32)
    labels = jnp.broadcast_to(jnp.asarray(labels, jnp.float32), logits.shape)
    is_positive = jnp.broadcast_to(jnp.asarray(positive), logits.shape)
    return classification.ladl_loss(logits, labels, is_positive, **options)


def random_soft_cells(shape=(2, 5, 5)):
    rng = np.random.default_rng(0)
    logits = 3 * rng.standard_normal(shape).astype(np.float32)
    labels = rng.uniform(0, 1, shape).astype(np.float32)
    return logits, labels, rng.random(shape) < 0.4


@pytest.mark.parametrize("weight_gradient", [True, False])
def test_ladl_matches_definition(variant, weight_gradient):
    logits, labels, is_positive = random_soft_cells()

    def loss(*cells):
        return classification.ladl_loss(*cells, weight_gradient=weight_gradient)

    c = 1 / (1 + np.exp(-logits.astype("f8")))
    # Eq. 4, the positive term as S1 and the negative as S2 read it.
    positive = -(labels * np.log(c) + (1 - labels) * np.log(1 - c))
    expected = np.where(is_positive, positive, -(1 + c) * np.log(1 - c))
    np.testing.assert_allclose(
        variant(loss)(logits, labels, is_positive), expected, rtol=1e-5, atol=1e-6
    )


def test_ladl_of_positives_by_hand():
    # c = sigmoid(ln 3) = 3/4. Label 1: -ln(3/4); 0: -ln(1/4); 1/2: half of both;
    # 3/4: the entropy of (1/4, 3/4), 1/4 ln 4 + 3/4 ln(4/3).
    losses = ladl([np.log(3)] * 4, [1, 0, 0.5, 0.75])
    by_hand = [0.2876821, 1.3862944, 0.8369882, 0.5623351]
    np.testing.assert_allclose(losses, by_hand, rtol=1e-6)


def test_ladl_of_negatives_by_hand():
    # c = 1/4, 1/2, 3/4: 5/4 ln(4/3), 3/2 ln 2, 7/4 ln 4; the label has no say.
    by_hand = [0.3596026, 1.0397208, 2.4260151]
    for label in (0.0, 0.3, 1.0):
        losses = ladl([-np.log(3), 0, np.log(3)], label, positive=False)
        np.testing.assert_allclose(losses, by_hand, rtol=1e-6)


def test_ladl_is_least_where_the_score_is_the_label():
    # With log(1 - c) twice, as printed (S1), the label would cancel.
    labels = jnp.array([0.1, 0.5, 0.9])
    best = jnp.log(labels) - jnp.log1p(-labels)
    slope = jax.grad(lambda x: ladl(x, labels).sum())(best)
    np.testing.assert_allclose(slope, 0, atol=1e-6)
    for away in (-0.5, 0.5):
        assert (ladl(best + away, labels) > ladl(best, labels)).all()


def test_ladl_weighs_hard_negatives_up_to_twice():
    logits = jnp.linspace(-6, 6, 30)
    factor = np.asarray(ladl(logits, positive=False) / jax.nn.softplus(logits))
    assert (np.diff(factor) > 0).all()
    # 1 + sigmoid(-6) = 1.0025 and 1 + sigmoid(6) = 1.9975.
    np.testing.assert_allclose(
        factor[jnp.array([0, -1])], [1.00247, 1.99753], rtol=1e-5
    )


@pytest.mark.parametrize("logit", [-np.log(3), 0.0, np.log(3)])
def test_the_weights_gradient_changes_the_slope_but_not_the_value(logit):
    # d/dl (1 + c) softplus(l) = c (1 - c) softplus(l) + (1 + c) c, as dc/dl = c (1 - c)
    # and dsoftplus/dl = c. A constant weight leaves the second term. At l = ln 3:
    # 3/16 ln 4 + 21/16 = 1.57243 and 21/16 = 1.3125.
    def loss(logit, weight_gradient):
        return ladl(logit, positive=False, weight_gradient=weight_gradient)

    full, constant = (
        jax.value_and_grad(loss)(jnp.float32(logit), flag) for flag in (True, False)
    )
    c = 1 / (1 + np.exp(-logit))
    assert full[0] == constant[0]
    assert constant[1] == pytest.approx((1 + c) * c, rel=1e-6)
    expected = c * (1 - c) * np.log1p(np.exp(logit)) + (1 + c) * c
    assert full[1] == pytest.approx(expected, rel=1e-6)
    if logit > 0:
        assert full[1] == pytest.approx(1.57243, rel=1e-5)


@pytest.mark.parametrize("weight_gradient", [True, False])
def test_ladl_gradient_of_positives_is_score_minus_label(weight_gradient):
    logits, labels, _ = map(jnp.asarray, random_soft_cells())
    slope = jax.grad(lambda x: ladl(x, labels, weight_gradient=weight_gradient).sum())(
        logits
    )
    np.testing.assert_allclose(slope, jax.nn.sigmoid(logits) - labels, atol=1e-6)


def test_ladl_gradients():
    cells = random_soft_cells()

    @jax.jit
    def loss(logits):
        return classification.ladl_loss(logits, *cells[1:])

    check_gradients(loss, cells[:1], rtol=1e-2, eps=1e-2)


@pytest.mark.parametrize("weight_gradient", [True, False])
def test_ladl_is_exact_for_extreme_logits(weight_gradient):
    # c is 0 or 1 in float32. Positive, label 1/4: -1/4 l and 3/4 l, slopes -1/4 and
    # 3/4; negative: 0 and 2 l, slopes 0 and 2 (c (1 - c) l vanishes).
    logits = jnp.array([-1e4, -100.0, 100.0, 1e4])
    for positive, values, slopes in [
        (True, [2500, 25, 75, 7500], [-0.25, -0.25, 0.75, 0.75]),
        (False, [0, 0, 200, 20000], [0, 0, 2, 2]),
    ]:
        losses, pull = jax.vjp(
            lambda x, p=positive: ladl(x, 0.25, p, weight_gradient=weight_gradient),
            logits,
        )
        np.testing.assert_allclose(losses, values, rtol=1e-6, atol=1e-30)
        np.testing.assert_allclose(pull(jnp.ones(4))[0], slopes, rtol=1e-6, atol=1e-30)


def test_ladl_faults():
    fine, other = jnp.zeros((2, 3)), jnp.zeros((2, 3, 1))
    for cells in [(other, fine, fine), (fine, other, fine), (fine, fine, other)]:
        with pytest.raises(ValueError, match="is_positive .* differ"):
            classification.ladl_loss(*cells[:2], cells[2] > 0)
