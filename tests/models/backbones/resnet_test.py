"""Tests for jaxtrack.models.backbones.resnet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.backbones import resnet
from jaxtrack.models.backbones.resnet import ResNet
from jaxtrack.weights.torch import fill_backbone
from tests.goldens import draw
from tests.networks import abstract, drawn, weight_names

SMALL = ResNet(False, (1, 1, 1, 1))


def image(size, batch=1):
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, size, size, 3), np.float32)


def shapes(network, size):
    x = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
    taps, variables = jax.eval_shape(network.init_with_output, jax.random.key(0), x)
    return [tap.shape[1:] for tap in taps], variables["params"]


@pytest.mark.parametrize(("size", "cells"), [(127, 15), (255, 31), (303, 37)])
def test_sizes(size, cells):
    taps, _ = shapes(resnet.resnet50(), size)
    assert taps == [(cells, cells, channels) for channels in (512, 1024, 2048)]


@pytest.mark.parametrize(
    ("build", "count"),
    [
        # torchvision's networks without `fc`: 11,176,512 (R18) and 21,284,672 (R34).
        # The three shortcuts grow from 1x1 to 3x3, by 8 (64*128 + 128*256 + 256*512).
        (resnet.resnet18, 11_176_512 + 8 * 172_032),
        (resnet.resnet34, 21_284_672 + 8 * 172_032),
        (resnet.resnet50, 45_528_128),
    ],
)
def test_number_of_parameters(build, count):
    _, params = shapes(build(), 127)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == count


def test_first_shortcut():
    """Bottlenecks widen in stage 1 by a 1x1 shortcut; basic blocks need none."""
    _, wide = shapes(resnet.resnet50(), 127)
    _, basic = shapes(resnet.resnet34(), 127)
    kernel = wide["layer1"]["block0"]["downsample_conv"]["kernel"]
    assert kernel.shape == (1, 1, 64, 256)
    assert "downsample_conv" not in basic["layer1"]["block0"]
    assert "downsample_conv" not in wide["layer2"]["block1"]


def test_golden_resnet18(goldens):
    """Public ResNet-18 on the same weights; error is float32's."""
    name = "siamcar_r18"
    state_dict = draw.state_dict(goldens, "resnet18_atrous")
    variables = fill_backbone(weight_names(name), abstract(name)[1], state_dict)
    variables = {kind: tree["backbone"] for kind, tree in variables.items()}
    golden = np.load(goldens / "resnet18_atrous_s1.npz")
    encode = jax.jit(resnet.resnet18().apply)
    for letter, name, size, step in (
        ("z", "template", 127, (16, 1)),
        ("x", "search", 255, (32, 3)),
    ):
        x = draw.image(name, (1, 3, size, size)).transpose(0, 2, 3, 1)
        for stage, tap in enumerate(encode(variables, x), start=2):
            channels, cells = step
            ours = tap.transpose(0, 3, 1, 2)[:, ::channels, ::cells, ::cells]
            theirs = golden[f"{letter}{stage}_slice"]
            assert draw.relative_error(ours, theirs) < 1e-5, (letter, stage)


def test_training_moves_stages_2_to_4_alone():
    """Gradients and running statistics of stem and stage 1 stay."""
    x = image(63)
    variables = drawn(SMALL, x)

    def loss(params):
        both = {**variables, "params": params}
        taps, new = SMALL.apply(both, x, train=True, mutable=["batch_stats"])
        return sum(jnp.mean(tap**2) for tap in taps), new["batch_stats"]

    trained = {"layer2", "layer3", "layer4"}

    @jax.jit
    def run(params):
        gradients, stats = jax.grad(loss, has_aux=True)(params)
        # One of each trained stage: all of them take long to compile.
        return gradients | {k: gradients[k]["block0"]["bn1"] for k in trained}, stats

    gradients, stats = run(variables["params"])

    def moved(tree, start=None):
        changes = jax.tree.map(lambda a, b: jnp.any(a != b), tree, start)
        return any(jax.tree.leaves(changes))

    zeros = jax.tree.map(jnp.zeros_like, gradients)
    assert {k for k in gradients if moved(gradients[k], zeros[k])} == trained
    start = variables["batch_stats"]
    assert {k for k in stats if moved(stats[k], start[k])} == trained
