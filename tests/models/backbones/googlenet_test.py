"""Tests for jaxtrack.models.backbones.googlenet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.backbones import googlenet
from jaxtrack.models.backbones.googlenet import GoogLeNet, Inception
from tests.networks import drawn

MIXED = {name: (branches, pool) for name, branches, pool in googlenet.MIXED}


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.fixture
def short(monkeypatch):
    """The network with two of its eight Inception blocks, one of them halving."""
    monkeypatch.setattr(googlenet, "MIXED", googlenet.MIXED[2:4])
    return GoogLeNet()


@pytest.mark.parametrize(("size", "cells"), [(127, 13), (289, 33), (303, 35)])
def test_sizes(size, cells):
    x = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
    (level,), _ = jax.eval_shape(GoogLeNet().init_with_output, jax.random.key(0), x)
    assert level.shape == (1, cells, cells, 768)


def torch_block(name, variables, x, train):
    """Mixed_5*, 6a and 6b to 6e after Inception-v3's figures, in PyTorch."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    params, stats = variables["params"], variables["batch_stats"]

    def conv(layer, x, stride=1, padding=0):
        kernel = params[layer]["conv"]["kernel"].transpose(3, 2, 0, 1).copy()
        bn = {**params[layer]["bn"], **stats[layer]["bn"]}
        bn = {k: torch.tensor(v) for k, v in bn.items()}
        x = functional.conv2d(x, torch.tensor(kernel), stride=stride, padding=padding)
        order = [bn[k] for k in ("mean", "var", "scale", "bias")]
        return functional.batch_norm(x, *order, training=train, eps=1e-3).relu()

    x = torch.tensor(x.transpose(0, 3, 1, 2).copy())
    if name == "Mixed_6a":
        double = conv("branch3x3dbl_2", conv("branch3x3dbl_1", x), padding=1)
        branches = [
            conv("branch3x3", x, stride=2),
            conv("branch3x3dbl_3", double, stride=2),
            functional.max_pool2d(x, 3, 2),
        ]
    else:
        pool = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=True)
        if name.startswith("Mixed_5"):
            double = conv("branch3x3dbl_2", conv("branch3x3dbl_1", x), padding=1)
            middle = [
                conv("branch5x5_2", conv("branch5x5_1", x), padding=2),
                conv("branch3x3dbl_3", double, padding=1),
            ]
        else:
            row, column = {"padding": (0, 3)}, {"padding": (3, 0)}
            single = conv("branch7x7_2", conv("branch7x7_1", x), **row)
            double = conv("branch7x7dbl_2", conv("branch7x7dbl_1", x), **column)
            double = conv("branch7x7dbl_3", double, **row)
            double = conv("branch7x7dbl_4", double, **column)
            middle = [
                conv("branch7x7_3", single, **column),
                conv("branch7x7dbl_5", double, **row),
            ]
        branches = [conv("branch1x1", x), *middle, conv("branch_pool", pool)]
    return torch.cat(branches, 1).numpy().transpose(0, 2, 3, 1)


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", ["Mixed_5c", "Mixed_6a", "Mixed_6b"])
def test_blocks_match_pytorch(name, train):
    x = normal(2, 8, 9, 6)
    block = Inception(*MIXED[name])
    variables = drawn(block, x)
    mutable = ["batch_stats"] if train else False
    run = jax.jit(lambda v, x: block.apply(v, x, train=train, mutable=mutable))
    y = run(variables, x)[0] if train else run(variables, x)
    expected = torch_block(name, variables, x, train)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_training_moves_the_mixed_blocks_alone(short):
    x = normal(2, 63, 63, 3)
    variables = drawn(short, x)

    def loss(params):
        both = {**variables, "params": params}
        (level,), new = short.apply(both, x, train=True, mutable=["batch_stats"])
        return jnp.mean(level**2), new["batch_stats"]

    def moved(tree, start):
        changes = jax.tree.map(lambda a, b: jnp.any(a != b), tree, start)
        return any(jax.tree.leaves(changes))

    gradients, stats = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    zeros = jax.tree.map(jnp.zeros_like, gradients)
    start = variables["batch_stats"]
    trained = {"Mixed_5d", "Mixed_6a"}
    assert {k for k in gradients if moved(gradients[k], zeros[k])} == trained
    assert {k for k in stats if moved(stats[k], start[k])} == trained


def test_no_gradient_enters_unless_it_trains(short):
    x = normal(1, 63, 63, 3)
    variables = drawn(short, x)

    def loss(params):
        (level,) = short.apply({**variables, "params": params}, x)
        return jnp.sum(level)

    gradients = jax.jit(jax.grad(loss))(variables["params"])
    assert not any(np.any(g) for g in jax.tree.leaves(gradients))


def test_bfloat16_is_near(short):
    x = normal(1, 63, 63, 3)
    variables = drawn(short, x)
    (full,) = jax.jit(short.apply)(variables, x)
    (half,) = jax.jit(GoogLeNet(dtype=jnp.bfloat16).apply)(variables, x)
    assert half.dtype == jnp.bfloat16
    error = np.asarray(half, np.float32) - full
    assert 0 < np.linalg.norm(error) < 0.05 * np.linalg.norm(full)
