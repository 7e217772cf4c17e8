"""Tests for jaxtrack.models.backbones.efficientnet_b0."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.models.backbones import param_group
from jaxtrack.models.backbones.efficientnet import MBConv
from jaxtrack.models.backbones.efficientnet_b0 import EfficientNetB0
from jaxtrack.weights.torch import fill_backbone
from tests import networks
from tests.goldens import draw
from tests.networks import draw_variables, weight_names

NETWORK = EfficientNetB0()
WITHOUT_STRIDES = EfficientNetB0(output_stride=32)


def image(size):
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, size, size, 3), np.float32)


@functools.cache
def drawn():
    return {k: v["backbone"] for k, v in draw_variables("rpn_effb0").items()}


@pytest.mark.parametrize("size", [129, 256, 257])
def test_sizes(size):
    x = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
    taps, variables = jax.eval_shape(NETWORK.init_with_output, jax.random.key(0), x)
    cells = -(-size // 8)
    assert [tap.shape[1:] for tap in taps] == [
        (cells, cells, c) for c in (40, 112, 320)
    ]
    # The published network has 5,288,548, of them 1280 (320 + 2) in its last
    # convolution and normalization, and 1000 (1280 + 1) in its classifier.
    count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert count == 5_288_548 - 1280 * 322 - 1000 * 1281


def reductions(variables, x):
    """The undilated network's maps before each stride, and its last one."""
    is_block = lambda module, _: isinstance(module, MBConv)  # noqa: E731
    _, state = WITHOUT_STRIDES.apply(variables, x, capture_intermediates=is_block)
    blocks = state["intermediates"]
    return [blocks[f"block{i}"]["__call__"][0] for i in (0, 2, 4, 10, 15)]


def classify(state_dict, x):
    """The part of the public network that trackers cut off: its map and logits."""
    y = jnp.einsum("bhwi,oi->bhwo", x, state_dict["_conv_head.weight"][:, :, 0, 0])
    kinds = ("running_mean", "running_var", "weight", "bias")
    mean, var, gamma, beta = (state_dict[f"_bn1.{k}"][None, None, None] for k in kinds)
    last = nn.swish((y - mean) * jax.lax.rsqrt(var + 1e-3) * gamma + beta)
    pooled = jnp.mean(last, axis=(1, 2))
    return last, pooled @ state_dict["_fc.weight"].T + state_dict["_fc.bias"][None]


def test_golden_efficientnet_b0(goldens):
    """The public network on the same weights, loaded as its file would be."""
    state_dict = draw.state_dict(goldens, "efficientnet_b0")
    tracker = draw_variables("rpn_effb0")
    loaded = fill_backbone(weight_names("rpn_effb0"), tracker, state_dict)
    assert loaded["params"]["neck"] is tracker["params"]["neck"]
    variables = {kind: tree["backbone"] for kind, tree in loaded.items()}
    x = draw.image("search", (1, 3, 224, 224)).transpose(0, 2, 3, 1) / 255
    maps = jax.jit(reductions)(variables, x)
    last, logits = classify(state_dict, maps[-1])
    golden = np.load(goldens / "efficientnet_b0_s1.npz")
    errors = {"logits": draw.relative_error(logits, golden["logits"])}
    for i, value in enumerate([*maps, last], start=1):
        part = value.transpose(0, 3, 1, 2)[:, ::8, ::2, ::2]
        errors[f"reduction_{i}"] = draw.relative_error(part, golden[f"reduction_{i}"])
    assert set(errors) == set(golden.files)
    assert max(errors.values()) < 1e-5, errors


def test_dilation_keeps_what_the_strides_would_have_seen():
    """Every second cell of the dilated block is the strided pair's, to the border.

    Blocks without squeeze-and-excitation, which averages over other cells. A stride of
    2 on a map of even side is centered on its odd cells.
    """
    x = np.random.default_rng(1).standard_normal((1, 12, 12, 4), np.float32)

    class Pair(nn.Module):
        stride: int
        dilation: int

        @nn.compact
        def __call__(self, x):
            x = MBConv(5, 3, self.stride, 2, name="first")(x)
            return MBConv(6, 5, 1, 2, dilation=self.dilation, name="second")(x)

    variables = networks.drawn(Pair(2, 1), x)
    strided = jax.jit(Pair(2, 1).apply)(variables, x)
    dilated = jax.jit(Pair(1, 2).apply)(variables, x)
    np.testing.assert_allclose(dilated[:, 1::2, 1::2], strided, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_cells_lie_evenly_about_the_middle():
    """At 8 n + 1 pixels, mirrored images and kernels give mirrored maps."""
    x = image(33)
    variables = drawn()
    mirrored = jax.tree.map(lambda a: a[:, ::-1] if a.ndim == 4 else a, variables)
    apply = jax.jit(NETWORK.apply)
    for tap, other in zip(
        apply(variables, x), apply(mirrored, x[:, :, ::-1]), strict=True
    ):
        assert tap.shape[1:3] == (5, 5)
        assert draw.relative_error(other[:, :, ::-1], tap) < 1e-5


@pytest.mark.slow
def test_training_starts_at_block_3():
    """Statistics from there on are the batch's; no gradient goes below."""
    variables, x = drawn(), image(33)

    def loss(params):
        both = {**variables, "params": params}
        taps, new = NETWORK.apply(both, x, train=True, mutable=["batch_stats"])
        return jnp.mean((taps[0] - 1.0) ** 2), new["batch_stats"]

    @jax.jit
    def run(params):
        gradients, stats = jax.grad(loss, has_aux=True)(params)
        first = gradients["block3"]["bn2"]  # All of them take long to compile.
        frozen = [k for k in params if param_group(("backbone", k)) == "frozen"]
        return first, [gradients[k] for k in frozen], stats

    first, below, stats = run(variables["params"])
    assert all(np.all(g != 0) for g in jax.tree.leaves(first))
    assert not any(np.any(g) for g in jax.tree.leaves(below)) and len(below) == 5
    moved = {
        name
        for name, old in variables["batch_stats"].items()
        if any(
            jax.tree.leaves(jax.tree.map(lambda a, b: np.any(a != b), old, stats[name]))
        )
    }
    assert moved == {f"block{i}" for i in range(3, 16)}
    groups = {param_group(("backbone", name)) for name in moved}
    assert groups == {"backbone"}
