"""Tests for jaxtrack.models.heads.localization."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.heads.car import CarHead
from jaxtrack.models.heads.localization import (
    LocalizationBranch,
    LocalizationHead,
    NonLocal,
    PointAggregation,
    make_tower,
)
from jaxtrack.ops.grid import Geometry
from tests.networks import drawn

# Cell [i, j] of the 4 x 4 map looks at x, y = 4 + 8 j, 4 + 8 i.
GRID = Geometry(16, 32, 4, 8, 4.0)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def dense(params, name, features):
    kernel, bias = params[name]["kernel"][0, 0], params[name]["bias"]
    return np.float64(features) @ kernel + bias


def numpy_non_local(params, x, p):
    """Eq. 9 of one example in float64, one query at a time; `x` and `p` [N, C]."""
    query = dense(params, "query", x + p)
    key, value = dense(params, "key", x + p), dense(params, "value", x)
    seen = []
    for q in query:
        weights = np.exp(key @ q - np.max(key @ q))
        seen.append(weights / weights.sum() @ value)
    return dense(params, "out", np.array(seen)) + x


def test_non_local_equals_the_equation(variant):
    x, p = normal(2, 3, 4, 6), normal(2, 3, 4, 6, seed=1)
    block = NonLocal(features=5)
    variables = drawn(block, x, p)
    y = variant(lambda x, p: block.apply(variables, x, p))(x, p)
    expected = [
        numpy_non_local(variables["params"], *(m[b].reshape(12, 6) for m in (x, p)))
        for b in range(2)
    ]
    np.testing.assert_allclose(
        y.reshape(2, 12, 6), np.array(expected), rtol=1e-4, atol=1e-5
    )


def test_non_local_starts_as_the_identity():
    x, p = normal(1, 4, 4, 6), normal(1, 4, 4, 6, seed=1)
    y, _ = NonLocal(features=5).init_with_output(jax.random.key(0), x, p)
    np.testing.assert_array_equal(y, x)


def test_non_local_averages_equal_keys():
    # One color everywhere and no position: every weight is 1 / N, so the block adds
    # f(v(x)), the same at each cell.
    x, p = jnp.ones((1, 4, 4, 6)), jnp.zeros((1, 4, 4, 6))
    block = NonLocal(features=5)
    variables = drawn(block, x, p)
    params = variables["params"]
    added = dense(params, "out", dense(params, "value", np.ones(6)))
    np.testing.assert_allclose(
        block.apply(variables, x, p)[0, 2, 1], 1 + added, rtol=1e-5
    )


def test_position_reaches_queries_and_keys_but_not_values():
    x, p = normal(1, 4, 4, 6), normal(1, 4, 4, 6, seed=1)
    block = NonLocal(features=5)
    variables = drawn(block, x, p)
    # With equal weights (queries 0) the position changes nothing.
    params = jax.tree.map(jnp.asarray, variables["params"])
    params["query"] = jax.tree.map(jnp.zeros_like, params["query"])
    run = jax.jit(lambda params, p: block.apply({"params": params}, x, p))
    np.testing.assert_allclose(run(params, p), run(params, 0 * p), rtol=1e-5)
    moved = run(variables["params"], p) - run(variables["params"], 0 * p)
    assert np.abs(moved).max() > 0.1


def test_pooled_keys_are_means_of_squares():
    # Squares of equal cells: pooling leaves the set of keys, each four times.
    few = normal(1, 2, 2, 6)
    x = np.repeat(np.repeat(few, 2, axis=1), 2, axis=2)
    p = np.zeros_like(x)
    block = NonLocal(features=5)
    variables = drawn(block, x, p)
    pooled = NonLocal(features=5, key_stride=2).apply(variables, x, p)
    np.testing.assert_allclose(pooled, block.apply(variables, x, p), rtol=1e-5)


@cache
def aggregation(**options):
    return jax.jit(PointAggregation(1, GRID, **options).apply)


def aggregate(x, ltrb, **options):
    """One channel whose five weights are 1, 10, 100, 1000 and 10000."""
    kernel = 10.0 ** np.arange(5, dtype=np.float32)
    params = {"project": {"kernel": kernel[None, None, None]}, "bias": np.zeros(1)}
    params = jax.tree.map(np.float32, params)
    return aggregation(**options)({"params": params}, np.float32(x), np.float32(ltrb))


def test_five_points_by_hand():
    # The map holds j + 4 i: linear, so that bilinear reading is exact.
    x = (np.arange(4)[None, :] + 4 * np.arange(4)[:, None])[None, ..., None]
    ltrb = np.zeros((1, 4, 4, 4))
    # Cell (1, 2) looks at (20, 12). Its box is 16 4 28 20 px, in cells (less 4, over
    # 8) 1.5 0 3 2. Center: 2 + 4 = 6. Top left (1.5, 0): 1.5; top right (3, 0): 3;
    # bottom right (3, 2): 11; bottom left (1.5, 2): 9.5.
    ltrb[0, 1, 2] = [4, 8, 8, 8]
    y = aggregate(x, ltrb)
    assert y[0, 1, 2, 0] == 6 + 10 * 1.5 + 100 * 3 + 1000 * 11 + 10_000 * 9.5
    # A box of no size: all five points are the cell.
    assert y[0, 3, 1, 0] == 13 * 11_111
    # The box's own middle is (22, 12), in cells (2.25, 1): 6.25.
    y = aggregate(x, ltrb, center="box")
    assert y[0, 1, 2, 0] == 6.25 + 10 * 1.5 + 100 * 3 + 1000 * 11 + 10_000 * 9.5


def test_five_points_stay_on_the_map():
    x = (np.arange(4)[None, :] + 4 * np.arange(4)[:, None])[None, ..., None]
    for side in (1e6, np.inf):
        y = aggregate(x, np.full((1, 4, 4, 4), side))
        # The corners of the map, in the order of the weights: 0, 3, 15, 12.
        expected = x[0, ..., 0] + 10 * 0 + 100 * 3 + 1000 * 15 + 10_000 * 12
        np.testing.assert_array_equal(y[0, ..., 0], expected)
    assert np.all(np.isfinite(aggregate(x, np.full((1, 4, 4, 4), np.nan))))


def test_no_gradient_by_the_box():
    x, ltrb = normal(1, 4, 4, 6), np.exp(normal(1, 4, 4, 4, seed=1))
    module = PointAggregation(3, GRID)
    variables = drawn(module, x, ltrb)

    def total(x, ltrb):
        return jnp.sum(module.apply(variables, x, ltrb) ** 2)

    by_x, by_ltrb = jax.jit(jax.grad(total, (0, 1)))(x, ltrb)
    assert np.abs(by_x).max() > 0
    np.testing.assert_array_equal(by_ltrb, 0)


def test_unknown_center_is_refused():
    with pytest.raises(ValueError, match="point or box, got 'middle'"):
        aggregate(np.zeros((1, 4, 4, 1)), np.zeros((1, 4, 4, 4)), center="middle")


@pytest.mark.parametrize("with_position", [True, False])
@pytest.mark.parametrize("with_points", [True, False])
def test_parts_can_be_left_out(with_position, with_points, variant):
    car = CarHead(depth=1, groups=2, quality="none", cls_bias=(-4.0,))
    branch = LocalizationBranch(
        tower=make_tower(car),
        non_local=NonLocal(4) if with_position else None,
        aggregation=PointAggregation(3, GRID) if with_points else None,
    )
    head = LocalizationHead(car, branch)
    inputs = (normal(2, 4, 4, 8), normal(2, 4, 4, 8, seed=1) if with_position else None)
    variables = drawn(head, inputs)
    params = variables["params"]["branch"]
    blocks = {"non_local": with_position, "aggregation": with_points}
    assert set(params) == {"tower", "logits"} | {k for k, v in blocks.items() if v}
    outputs = variant(lambda inputs: head.apply(variables, inputs))(inputs)
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, 4, 4, 1), jnp.float32),
        "ltrb": ((2, 4, 4, 4), jnp.float32),
        "localization": ((2, 4, 4, 1), jnp.float32),
    }


def test_branch_has_a_tower_of_its_own():
    car = CarHead(depth=1, groups=2, quality="none", cls_bias=(-4.0,))
    branch = LocalizationBranch(make_tower(car), NonLocal(4), PointAggregation(3, GRID))
    head = LocalizationHead(car, branch)
    inputs = normal(1, 4, 4, 8), normal(1, 4, 4, 8, seed=1)
    variables = drawn(head, inputs)

    def total(params):
        return jnp.sum(head.apply({"params": params}, inputs)["localization"] ** 2)

    gradients = jax.jit(jax.grad(total))(variables["params"])
    assert all(not np.any(g) for g in jax.tree.leaves(gradients["car"]))
    leaves = jax.tree_util.tree_leaves_with_path(gradients["branch"])
    # Softmax does not change when all logits of a query do, so the key's bias is idle.
    still = {jax.tree_util.keystr(k) for k, g in leaves if np.abs(g).max() < 1e-6}
    assert still <= {"['non_local']['key']['bias']"}
