"""Tests for jaxtrack.models.heads.rpn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.heads.rpn import RpnHead, RpnTowerHead, split_anchors
from tests import networks


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def levels(seed=0):
    names = ("cls", "loc")
    return {
        name: tuple(normal(2, 4, 5, 8, seed=seed + 10 * i + n) for n in range(3))
        for i, name in enumerate(names)
    }


def test_anchors_are_split_by_hand():
    """Two values of three anchors: channels are a0 a1 a2, then b0 b1 b2."""
    maps = jnp.array([1, 2, 3, 10, 20, 30]).reshape(1, 1, 1, 6)
    expected = [[1, 10], [2, 20], [3, 30]]
    np.testing.assert_array_equal(split_anchors(maps, 3)[0, 0, 0], expected)


def test_tower_outputs_at_the_start():
    """The target has 1 / (1 + e^4), boxes are their anchors, all but for noise."""
    head = RpnTowerHead(anchors=3, depth=1, groups=2)
    outputs, _ = jax.jit(head.init_with_output)(jax.random.key(0), normal(2, 5, 6, 8))
    assert outputs["cls"].shape == (2, 5, 6, 3, 2)
    assert outputs["deltas"].shape == (2, 5, 6, 3, 4)
    target = jax.nn.softmax(outputs["cls"])[..., 1]
    np.testing.assert_allclose(target, 0.0179862, rtol=0.3)
    np.testing.assert_allclose(outputs["deltas"], 0, atol=0.3)


def test_towers_are_apart():
    head, r = RpnTowerHead(anchors=3, depth=1, groups=2), normal(1, 4, 4, 8)
    params = networks.drawn(head, r)["params"]
    still = {
        k: v if "cls" in k else jax.tree.map(jnp.zeros_like, v)
        for k, v in params.items()
    }
    outputs = jax.jit(head.apply)({"params": still}, r)
    assert not np.any(outputs["deltas"])
    assert np.std(outputs["cls"]) > 0


def definition(variables, maps, branch, weights, anchors):
    """Pysot's head in float64 at evaluation, `[B, n A, H, W]`."""
    params, stats = variables["params"], variables["batch_stats"]
    total = 0
    for stage, r, weight in zip((2, 3, 4), maps, weights, strict=True):
        name = f"{branch}{stage}"
        y = np.float64(r) @ np.float64(params[f"{name}_conv"]["kernel"][0, 0])
        norm = params[f"{name}_bn"] | stats[f"{name}_bn"]
        y = (y - norm["mean"]) / np.sqrt(np.float64(norm["var"]) + 1e-5)
        y = np.maximum(y * norm["scale"] + norm["bias"], 0)
        last = params[f"{name}_out"]
        y = y @ np.float64(last["kernel"][0, 0]) + last["bias"]
        total = total + weight * y
    return total.transpose(0, 3, 1, 2)


def drawn(head, response):
    """Variables of a head, none of them 0 or 1."""
    shapes = jax.eval_shape(head.init, jax.random.key(0), response)
    leaves, tree = jax.tree.flatten(shapes)
    values = [
        0.5 + np.random.default_rng(i).uniform(size=leaf.shape).astype(np.float32)
        for i, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(tree, values)


@pytest.mark.parametrize("weighted", [False, True])
def test_levels_are_weighed(weighted):
    response, anchors = levels(), 3
    head = RpnHead(anchors, weighted, features=6)
    variables = drawn(head, response)
    assert ("cls_weight" in variables["params"]) == weighted
    outputs = jax.jit(head.apply)(variables, response)
    for name, branch in (("cls", "cls"), ("deltas", "loc")):
        weights = np.full(3, 1 / 3)
        if weighted:
            exponents = np.exp(np.float64(variables["params"][f"{branch}_weight"]))
            weights = exponents / exponents.sum()
        expected = definition(variables, response[branch], branch, weights, anchors)
        expected = expected.reshape(2, -1, anchors, 4, 5)  # Values, then anchors.
        found = outputs[name].transpose(0, 4, 3, 1, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_levels_start_alike():
    variables = jax.jit(RpnHead(features=6).init)(jax.random.key(0), levels())
    np.testing.assert_array_equal(variables["params"]["cls_weight"], np.ones(3))
    np.testing.assert_array_equal(variables["params"]["loc_weight"], np.ones(3))


def test_training_normalizes_by_the_batch():
    head, response = RpnHead(features=6, dtype=jnp.bfloat16), levels()
    variables = networks.drawn(head, response)
    outputs, new = jax.jit(
        lambda v, r: head.apply(v, r, train=True, mutable=["batch_stats"])
    )(variables, response)
    assert {value.dtype for value in outputs.values()} == {jnp.dtype("float32")}
    changed = jax.tree.map(
        lambda a, b: np.any(a != b), variables["batch_stats"], new["batch_stats"]
    )
    assert all(jax.tree.leaves(changed))
