"""Tests for jaxtrack.models.backbones.efficientnet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.models.backbones.efficientnet import EfficientNetLite0, MBConv
from tests.networks import drawn

NETWORK = EfficientNetLite0()


def image(size, batch=1):
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, size, size, 3), np.float32)


@pytest.fixture
def variables(lite_variables):
    return {kind: tree["backbone"] for kind, tree in lite_variables.items()}


@pytest.mark.parametrize("size", [128, 256])
def test_sizes(size):
    x = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
    taps, variables = jax.eval_shape(NETWORK.init_with_output, jax.random.key(0), x)
    cells = size // 8
    assert [tap.shape[1:] for tap in taps] == [
        (cells, cells, 40),
        (cells // 2, cells // 2, 80),
        (cells // 2, cells // 2, 112),
    ]
    # Stem and normalization 864 + 64; block 0: 288 + 64 + 512 + 32; 11 blocks in all.
    params = variables["params"]
    sizes = {k: sum(a.size for a in jax.tree.leaves(v)) for k, v in params.items()}
    assert sizes["conv_stem"] + sizes["bn0"] == 928
    assert sizes["block0"] == 896
    assert sum(sizes.values()) == 700_768


def test_block_adds_its_input_only_where_it_can():
    x = image(8)
    block = MBConv(features=3, kernel_size=3, stride=1, expansion=2)
    variables = drawn(block, x)
    dead = jax.tree.map(np.zeros_like, variables["params"])
    still = jax.jit(block.apply)({**variables, "params": dead}, x)
    np.testing.assert_array_equal(still, x)
    strided = MBConv(features=3, kernel_size=3, stride=2, expansion=2)
    assert not np.any(jax.jit(strided.apply)({**variables, "params": dead}, x))


def test_squeeze_and_excitation_by_hand():
    """A gate a channel, from its mean over the map; the rest passes unchanged.

    Kernels are 1 at their center and the reduction of two channels to one adds them:
    the map's means are 1 and 3, the squeezed value 4 of max(4, 0), and the expansion
    by 1/4 and -1/4 gives the gates sigmoid(1) and sigmoid(-1).
    """
    x = np.zeros((1, 4, 4, 2), np.float32)
    x[0, :2] = (2, 6)
    block = MBConv(2, 3, 1, 1, squeeze=0.5, activation=nn.relu)
    shapes = jax.eval_shape(block.init, jax.random.key(0), x)
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes)
    params, stats = variables["params"], variables["batch_stats"]
    for name in ("bn1", "bn2"):
        params[name]["scale"][:] = np.sqrt(1 + 1e-3)
        stats[name]["var"][:] = 1
    params["depthwise_conv"]["kernel"][1, 1] = 1
    params["se_reduce"]["kernel"][:] = 1
    params["se_expand"]["kernel"][:] = (0.25, -0.25)
    params["project_conv"]["kernel"][:] = np.eye(2)
    y = jax.jit(block.apply)(variables, x) - x  # The block adds its input.
    gates = 1 / (1 + np.exp([-1.0, 1.0]))
    np.testing.assert_allclose(y, x * gates, rtol=1e-5)


def test_taps_are_standardised(variables):
    """A tap is the sum of its stage's blocks, brought to mean 0 and variance 1.

    Block 3 ends with (beta, gamma) = (2, 3), block 4 with (1, 4): mean 3, variance
    9 + 16, so a channel whose sum is 8 becomes (8 - 3) / 5 = 1. With kernels of zero
    the blocks give their betas, 2 + 1 = 3, and the tap 0; statistics shifted by 5/4
    of block 4's unit deviation add 4 * 5/4 = 5.
    """
    params = jax.tree.map(np.zeros_like, variables["params"])
    stats = jax.tree.map(np.asarray, variables["batch_stats"])
    for name, beta, gamma in (("block3", 2.0, 3.0), ("block4", 1.0, 4.0)):
        bn = params[name]["bn2"]
        bn["bias"], bn["scale"] = bn["bias"] + beta, bn["scale"] + gamma
    for name in ("block3", "block4"):
        stats[name]["bn2"] = {"mean": np.zeros(40, "f4"), "var": np.ones(40, "f4")}
    stats["block4"]["bn2"]["mean"] -= np.float32(1.25)
    apply = jax.jit(NETWORK.apply)
    tap = apply({"params": params, "batch_stats": stats}, image(32))[0]
    np.testing.assert_allclose(tap, 1.0, rtol=2e-3)  # Epsilons of 1e-3.


@pytest.mark.slow
def test_training_moves_blocks_3_to_10_alone(variables):
    x = image(32)

    def loss(params):
        both = {**variables, "params": params}
        taps, new = NETWORK.apply(both, x, train=True, mutable=["batch_stats"])
        return sum(jnp.mean((tap - 1.0) ** 2) for tap in taps), new["batch_stats"]

    def moved(tree, start):
        changes = jax.tree.map(lambda a, b: jnp.any(a != b), tree, start)
        return any(jax.tree.leaves(changes))

    trained = {f"block{i}" for i in range(3, 11)}

    @jax.jit
    def run(params):
        gradients, stats = jax.grad(loss, has_aux=True)(params)
        # One of each trained block: all of them take long to compile.
        return gradients | {k: gradients[k]["bn2"] for k in trained}, stats

    gradients, stats = run(variables["params"])
    zeros = jax.tree.map(jnp.zeros_like, gradients)
    start = variables["batch_stats"]
    assert {k for k in gradients if moved(gradients[k], zeros[k])} == trained
    assert {k for k in stats if moved(stats[k], start[k])} == trained
