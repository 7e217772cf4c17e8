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


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"logits \(2, 1\) and targets \(2,\)"):
        quality.bce_with_logits(jnp.zeros((2, 1)), jnp.zeros(2))
