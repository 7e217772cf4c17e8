"""Tests for jaxtrack.models.norms."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.models.norms import BatchNorm, GroupNorm, Statistics, statistics_of


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_batch_norm_by_hand():
    """Values 1, 2, 3, 6: mean 3, variance (4+1+0+9)/4 = 3.5, unbiased 14/3."""
    x = jnp.array([1.0, 2.0, 3.0, 6.0]).reshape(2, 2, 1, 1)
    bn = BatchNorm(1, epsilon=0.5)  # 3.5 + 0.5 has the root 2.
    variables = bn.init(jax.random.key(0), x)
    y, updated = bn.apply(variables, x, mutable=["batch_stats"])
    np.testing.assert_allclose(y.ravel(), [-1.0, -0.5, 0.0, 1.5], atol=1e-6)
    stats = updated["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.9 * 0 + 0.1 * 3.0, rtol=1e-6)
    np.testing.assert_allclose(stats["var"], 0.9 * 1 + 0.1 * 14 / 3, rtol=1e-6)


def test_initializing_leaves_the_statistics():
    bn = BatchNorm(1)
    stats = bn.init(jax.random.key(0), jnp.full((1, 2, 2, 1), 7.0))["batch_stats"]
    assert stats["mean"] == 0 and stats["var"] == 1


def test_folded_equals_running_normalization():
    bn = BatchNorm(2, epsilon=0.0)
    variables = {
        "params": {"scale": jnp.array([2.0, 1.0]), "bias": jnp.array([1.0, 0.0])},
        "batch_stats": {"mean": jnp.array([3.0, 5.0]), "var": jnp.array([4.0, 0.25])},
    }
    # a = 2/2 = 1, b = 1 - 3; a = 1/0.5 = 2, b = 0 - 10.
    a, b = bn.apply(variables, method="affine")
    np.testing.assert_allclose(a, [1.0, 2.0])
    np.testing.assert_allclose(b, [-2.0, -10.0])


def test_ghost_statistics_by_hand():
    """Pairs 1, 3 and 2, 8: means 2 and 5, deviations 1 and 3, unbiased 2 and 18."""
    x = jnp.array([1.0, 3.0, 2.0, 8.0]).reshape(4, 1, 1, 1)
    bn = BatchNorm(1, epsilon=0.0)
    variables = bn.init(jax.random.key(0), x)
    with statistics_of(Statistics(split=2)):
        y, updated = bn.apply(variables, x, mutable=["batch_stats"])
    np.testing.assert_allclose(y.ravel(), [-1.0, 1.0, -1.0, 1.0], rtol=1e-6)
    stats = updated["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.9 * 0 + 0.1 * (2 + 5) / 2, rtol=1e-6)
    np.testing.assert_allclose(stats["var"], 0.9 * 1 + 0.1 * (2 + 18) / 2, rtol=1e-6)


def test_frozen_statistics_by_hand():
    bn = BatchNorm(1, epsilon=0.0)
    variables = {
        "params": {"scale": jnp.array([2.0]), "bias": jnp.array([1.0])},
        "batch_stats": {"mean": jnp.array([3.0]), "var": jnp.array([4.0])},
    }
    with statistics_of(Statistics(is_frozen=True)):  # 2 (7 - 3) / 2 + 1; none is moved.
        y = bn.apply(variables, jnp.full((2, 1, 1, 1), 7.0))
    np.testing.assert_allclose(y.ravel(), [5.0, 5.0])


def test_groups_of_devices_are_groups_of_pairs():
    """Four devices of a pair each: two together, or each alone, are one device's."""
    x, weight = normal(4, 3, 3, 2), normal(4, 3, 3, 2, seed=1)
    variables = BatchNorm(2).init(jax.random.key(0), x)

    def run(x, weight, *, axis, statistics):
        bn = BatchNorm(2, axis_name=axis)

        def loss(x):
            with statistics_of(statistics):
                y, new = bn.apply(variables, x, mutable=["batch_stats"])
            return jnp.sum(y * weight), (y, new["batch_stats"])

        (_, aux), gradient = jax.value_and_grad(loss, has_aux=True)(x)
        return *aux, gradient

    def both(x, weight, *, axis, pairs):
        return [run(x, weight, axis=axis, statistics=of) for of in pairs]

    whole = jax.jit(
        partial(both, axis=None, pairs=[Statistics(split=2), Statistics(split=4)])
    )(x, weight)
    mapped = jax.pmap(
        partial(
            both, axis="batch", pairs=[Statistics(devices=2), Statistics(devices=1)]
        ),
        axis_name="batch",
        devices=jax.devices()[:4],
    )(x[:, None], weight[:, None])
    for (y, stats, slope), (y4, stats4, slope4) in zip(whole, mapped, strict=True):
        np.testing.assert_allclose(y4[:, 0], y, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(slope4[:, 0], slope, rtol=1e-4, atol=1e-5)
        for name in ("mean", "var"):
            expected = np.tile(stats[name], (4, 1))
            np.testing.assert_allclose(stats4[name], expected, rtol=1e-5, atol=1e-7)


def test_flax_batch_norm_is_refused_where_it_would_not_follow():
    bn, x = nn.BatchNorm(False), jnp.ones((2, 1, 1, 1))
    with statistics_of(Statistics(split=2)), pytest.raises(ValueError, match="norms"):
        bn.init(jax.random.key(0), x)


def test_four_devices_normalize_as_one():
    """Outputs, statistics and gradients of a synchronized normalization."""
    x, weight = normal(8, 3, 3, 2), normal(8, 3, 3, 2, seed=1)
    bn = BatchNorm(2)
    synced = BatchNorm(2, axis_name="device")
    variables = bn.init(jax.random.key(0), x)

    def run(module, variables, x, weight):
        def loss(x):
            y, new = module.apply(variables, x, mutable=["batch_stats"])
            return jnp.sum(y * weight), (y, new["batch_stats"])

        (_, aux), gradient = jax.value_and_grad(loss, has_aux=True)(x)
        return *aux, gradient

    y, stats, gradient = run(bn, variables, x, weight)
    mapped = jax.pmap(
        lambda x, weight: run(synced, variables, x, weight),
        axis_name="device",
        devices=jax.devices()[:4],
    )
    parts = [a.reshape(4, 2, *a.shape[1:]) for a in (x, weight)]
    y4, stats4, gradient4 = mapped(*parts)
    np.testing.assert_allclose(y4.reshape(y.shape), y, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        gradient4.reshape(x.shape), gradient, rtol=1e-4, atol=1e-5
    )
    for name in ("mean", "var"):
        for device in range(4):
            np.testing.assert_allclose(
                stats4[name][device], stats[name], rtol=1e-5, atol=1e-7
            )


def test_group_norm_matches_definition(variant):
    x = normal(2, 3, 4, 6)
    gn = GroupNorm(2)
    scale, bias = normal(6, seed=1), normal(6, seed=2)
    variables = {"params": {"scale": scale, "bias": bias}}
    groups = np.asarray(x, np.float64).reshape(2, 3, 4, 2, 3)
    mean = groups.mean((1, 2, 4), keepdims=True)
    var = groups.var((1, 2, 4), keepdims=True)
    expected = ((groups - mean) / np.sqrt(var + 1e-5)).reshape(x.shape) * scale + bias
    y = variant(lambda x: gn.apply(variables, x))(x)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_group_norm_survives_a_large_offset():
    """Squares near 1e8 resolve 8, not the variance 1: the mean must go first."""
    x = 1e4 + normal(1, 8, 8, 4)
    y = GroupNorm(1).init_with_output(jax.random.key(0), x)[0]
    np.testing.assert_allclose(np.std(y), 1.0, rtol=1e-2)
