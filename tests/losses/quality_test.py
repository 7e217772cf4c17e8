"""Tests for jaxtrack.losses.quality."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.losses import quality


def test_matches_definition(variant):
    rng = np.random.default_rng(0)
    logits = 4 * rng.standard_normal((3, 7)).astype(np.float32)
    targets = rng.uniform(0, 1, (3, 7)).astype(np.float32)
    losses = variant(quality.bce_with_logits)(logits, targets)
    p = 1 / (1 + np.exp(-logits.astype("f8")))
    expected = -targets * np.log(p) - (1 - targets) * np.log(1 - p)
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-6)


def test_by_hand():
    # sigmoid(ln 3) = 3/4: at target 3/4 the loss is the entropy of (1/4, 3/4).
    loss = quality.bce_with_logits(jnp.log(jnp.float32(3)), jnp.float32(0.75))
    entropy = 0.25 * np.log(4) + 0.75 * np.log(4 / 3)
    assert loss == pytest.approx(entropy, rel=1e-6)


@pytest.mark.parametrize("logit", [-1000.0, -2.0, 0.0, 3.0, 1000.0])
def test_gradient_is_probability_minus_target(logit):
    value, slope = jax.value_and_grad(quality.bce_with_logits)(
        jnp.float32(logit), jnp.float32(0.25)
    )
    assert np.isfinite(value)
    assert slope == pytest.approx(float(jax.nn.sigmoid(logit)) - 0.25, abs=1e-6)


def test_entropy_by_hand(variant):
    # (1/4, 3/4), and the other way round: 1/4 ln 4 + 3/4 ln(4/3).
    entropies = variant(quality.entropy)(jnp.array([0.0, 0.25, 0.5, 0.75, 1.0]))
    quarter = 0.25 * np.log(4) + 0.75 * np.log(4 / 3)
    by_hand = [0, quarter, np.log(2), quarter, 0]
    np.testing.assert_allclose(entropies, by_hand, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(entropies[jnp.array([0, 4])], 0)


def test_entropy_matches_definition():
    targets = np.random.default_rng(0).uniform(0, 1, (3, 7)).astype(np.float32)
    t = targets.astype("f8")
    expected = -t * np.log(t) - (1 - t) * np.log(1 - t)
    np.testing.assert_allclose(quality.entropy(jnp.asarray(targets)), expected, 1e-5)


def test_entropy_is_the_least_cross_entropy():
    targets = jnp.array([0.01, 0.2, 0.5, 0.9, 0.999])
    logits = jnp.linspace(-12, 12, 2401)[:, None]
    grid = [jnp.broadcast_to(a, (2401, 5)) for a in (logits, targets[None])]
    least = quality.bce_with_logits(*grid).min(0)
    np.testing.assert_allclose(quality.entropy(targets), least, atol=1e-4)


def test_entropys_gradient_is_finite():
    # ln((1 - t) / t) inside; at 0 and 1, where that is infinite, still finite.
    inner = jnp.array([0.1, 0.5, 0.8])
    slope = jax.vmap(jax.grad(quality.entropy))
    np.testing.assert_allclose(
        slope(inner), np.log(1 / inner - 1), rtol=1e-5, atol=1e-6
    )
    assert jnp.isfinite(slope(jnp.array([0.0, 1e-38, 1e-6, 1 - 1e-6, 1.0]))).all()


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"logits \(2, 1\) and targets \(2,\)"):
        quality.bce_with_logits(jnp.zeros((2, 1)), jnp.zeros(2))
