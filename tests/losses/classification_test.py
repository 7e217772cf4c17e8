"""Tests for jaxtrack.losses.classification."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxtrack.losses import classification


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
    check_grads(total, (logits,), order=1, modes=["rev"], rtol=1e-2, eps=1e-2)


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
    with pytest.raises(ValueError, match=r"logits \(3, 1\) do not fit"):
        classification.softmax_cross_entropy(jnp.zeros((3, 1)), jnp.zeros(3, int))
    for count in (0, 5):
        with pytest.raises(ValueError, match=f"cannot pick {count}"):
            classification.hard_negatives(
                jnp.zeros((1, 2, 2)), jnp.zeros((1, 2, 2), int), count=count
            )
