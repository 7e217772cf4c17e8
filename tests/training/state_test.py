"""Tests for jaxtrack.training.state."""

import jax
import jax.numpy as jnp
import optax

from jaxtrack.training import state


def test_a_new_state_owns_its_buffers():
    variables = {"params": {"w": jnp.ones(3)}}
    new = state.create(variables, optax.sgd(0.1), keep_ema=True)
    for leaf in (new.params["w"], new.ema["w"]):
        leaf.delete()
    assert float(variables["params"]["w"].sum()) == 3.0
    assert new.batch_stats == {}


def test_no_leaf_is_weakly_typed():
    # `jnp.full` of a Python number without a type is weak, as some initializers are.
    variables = {
        "params": {"bias": jnp.full((2,), 0.5)},
        "batch_stats": {"mean": jnp.full((2,), 0.0)},
    }
    assert all(leaf.weak_type for leaf in jax.tree.leaves(variables))
    new = state.create(variables, optax.adamw(0.1), keep_ema=True)
    assert not any(leaf.weak_type for leaf in jax.tree.leaves(new))
