"""Tests for jaxtrack.training.optimizer."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxtrack.training.optimizer import (
    KINDS,
    make_optimizer,
)

PARAMS = {
    "backbone": {"conv1": jnp.array([1.0]), "layer2": jnp.array([1.0])},
    "head": jnp.array([1.0]),
}
GRADS = jax.tree.map(lambda p: 2 * p, PARAMS)


def group(path):
    if path[0] == "head":
        return "head"
    return "frozen" if path[1] == "conv1" else "backbone"


def optimizer(**changes):
    options = {
        "kind": "sgd",
        "group": group,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "clip_norm": 1e9,
    }
    return make_optimizer(**options | changes)


RATES = {"lr": jnp.float32(0.1), "lr_backbone": jnp.float32(0.05)}


def run(tx, steps, grads=GRADS, rates=RATES, joins=2):
    """Takes steps; the backbone trains from step `joins` on."""
    params, state = PARAMS, tx.init(PARAMS)
    history = []
    for step in range(steps):
        with jax.numpy_dtype_promotion("standard"):  # Optax's Adam: float ** int.
            options = {"rates": rates, "train_backbone": step >= joins}
            updates, state = tx.update(grads, state, params, **options)
        params = optax.apply_updates(params, updates)
        history.append(params)
    return history, state


def test_sgd_by_hand():
    # Gradient 2 + decay 0.5 * 1 = 2.5; momentum 0.9: second step's velocity is
    # 0.9 * 2.5 + (2 + 0.5 * 0.75) = 4.625.
    history, _ = run(optimizer(weight_decay=0.5), 2)
    assert float(history[0]["head"][0]) == pytest.approx(1 - 0.1 * 2.5)
    assert float(history[1]["head"][0]) == pytest.approx(0.75 - 0.1 * 4.625)


def by_hand(kind, w, grads, *, rate, decay, momentum=0.9, b2=0.999):
    """The papers' algorithms in float64, one array at a time."""
    m = v = np.zeros_like(w)
    is_matrix = w.ndim > 1
    decay = decay if is_matrix else 0.0
    for t, g in enumerate(grads, 1):
        if kind == "lars":
            g = g + decay * w
            ratio = 0.001 * np.linalg.norm(w) / np.linalg.norm(g) if is_matrix else 1.0
            m = momentum * m + rate * ratio * g
            w = w - m
        else:
            m = momentum * m + (1 - momentum) * g
            v = b2 * v + (1 - b2) * g**2
            unbiased = m / (1 - momentum**t), v / (1 - b2**t)
            u = unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8) + decay * w
            ratio = np.linalg.norm(w) / np.linalg.norm(u) if is_matrix else 1.0
            w = w - rate * ratio * u
    return w


@pytest.mark.parametrize("kind", ["lars", "lamb"])
def test_large_batch_kinds_are_their_papers_algorithms(kind):
    rng = np.random.default_rng(0)
    start = {"kernel": rng.normal(size=(3, 4)), "bias": rng.normal(size=4)}
    grads = [{k: rng.normal(size=v.shape) for k, v in start.items()} for _ in range(4)]
    tx = optimizer(kind=kind, weight_decay=0.1, group=lambda path: "head")
    params = jax.tree.map(jnp.float32, start)
    state = tx.init(params)
    for gradient in grads:
        with jax.numpy_dtype_promotion("standard"):  # Optax's Adam: float ** int.
            gradient = jax.tree.map(jnp.float32, gradient)
            updates, state = tx.update(
                gradient, state, params, rates=RATES, train_backbone=True
            )
        params = optax.apply_updates(params, updates)
    for name, array in start.items():
        expected = by_hand(kind, array, [g[name] for g in grads], rate=0.1, decay=0.1)
        np.testing.assert_allclose(params[name], expected, rtol=2e-5)
    assert not np.allclose(params["kernel"], start["kernel"], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_backbone_joins_late_as_if_it_had_not_waited(kind):
    history, _ = run(optimizer(kind=kind, weight_decay=0.1), 5)
    joined = [float(p["backbone"]["layer2"][0]) for p in history]
    assert joined[:2] == [1.0, 1.0]
    assert joined[2] != 1.0
    # Its moments start when it does: at half the rate, it moves from step 2 on as the
    # head at half the rate moves from step 0 on.
    rates = {**RATES, "lr": RATES["lr_backbone"]}
    half, _ = run(optimizer(kind=kind, weight_decay=0.1), 3, rates=rates)
    np.testing.assert_allclose(
        joined[2:], [float(p["head"][0]) for p in half], rtol=1e-6
    )


def test_frozen_parameters_never_move():
    history, _ = run(optimizer(weight_decay=0.1), 4, joins=0)
    assert float(history[-1]["backbone"]["conv1"][0]) == 1.0


def test_one_tree_of_states_before_and_after():
    tx = optimizer()
    before = tx.init(PARAMS)
    _, after = run(tx, 4)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    assert [a.shape for a in jax.tree.leaves(before)] == [
        a.shape for a in jax.tree.leaves(after)
    ]


def test_the_whole_gradient_is_clipped_together():
    # Norm of (2, 2, 2) is sqrt(12); clipped to 1 each is 2 / sqrt(12).
    history, _ = run(optimizer(clip_norm=1.0), 1)
    assert float(history[0]["head"][0]) == pytest.approx(1 - 0.1 * 2 / 12**0.5)


def test_an_unknown_kind():
    with pytest.raises(ValueError, match="kind must be one of sgd, adamw"):
        optimizer(kind="adam")
