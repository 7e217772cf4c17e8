"""Tests for jaxtrack.trackers.cract: its shapes, sizes and choices."""

import importlib
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack import trackers
from jaxtrack.errors import InputError
from jaxtrack.models.siamese import resized
from jaxtrack.ops import grid
from jaxtrack.ops.grid import Geometry
from tests.networks import NETWORKS, abstract, build, count, draw_variables

NAMES = [name for name in NETWORKS if "cract" in name]
PARTS = {"backbone", "neck", "correlation", "head", "fuse", "refiner"}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_fit_the_geometry(name, dtype):
    outputs, variables = abstract(name, dtype=dtype)
    params = variables["params"]
    model = build(name)
    cells = (2, *[model.geometry.response_size] * 2, len(model.anchors))
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((*cells, 2), jnp.float32),
        "deltas": ((*cells, 4), jnp.float32),
        "proposals": ((2, 10, 4), jnp.float32),
        "offsets": ((2, 10, 4), jnp.float32),
        "aligned": ((2, 10, 4), jnp.float32),
        "identity": ((2, 10, 2), jnp.float32),
    }
    assert set(params) == PARTS
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}


def test_parameters_by_hand():
    """ResNet-18 with 3 x 3 shortcuts; one level's RPN; phi_34; SPM's sizes (C7)."""
    _, variables = abstract("cract_r18")
    params = variables["params"]

    def conv(side, inputs, outputs):
        return side * side * inputs * outputs + 2 * outputs  # And its normalization.

    def stage(inputs, width):
        first = 2 * conv(3, inputs, width) + conv(3, width, width)  # One a shortcut.
        return first + 2 * conv(3, width, width)

    stem = conv(7, 3, 64) + 4 * conv(3, 64, 64)
    backbone = stem + stage(64, 128) + stage(128, 256) + stage(256, 512)
    # Of class and box: filters of kernel and search; then 5 anchors' 2 and 4 values.
    correlation = 4 * conv(3, 256, 256)
    head = 2 * conv(1, 256, 256) + (256 + 1) * 5 * (2 + 4)
    # Two levels of features, three of pooling; then 4 and 2 values.
    relation = 9 * (2 * 768) * 256 + 256 + (36 * 256 + 1) * 256 + (256 + 1) * 256
    refiner = 2 * relation + (256 + 1) * (4 + 2)
    by_hand = {
        "backbone": (backbone, 12_552_768),
        "correlation": (correlation, 2_361_344),
        "fuse": (conv(1, 256 + 512, 256), 197_120),
        "head": (head, 139_806),
        "neck": (conv(1, 512, 256), 131_584),
        "refiner": (refiner, 11_930_630),
    }
    found = {part: count(tree) for part, tree in params.items()}
    assert found == {part: derived for part, (derived, _) in by_hand.items()}
    assert found == {part: number for part, (_, number) in by_hand.items()}
    assert count(params) == 27_313_252
    single = abstract("cract_r18", pooling="single")[1]["params"]
    smaller = 2 * 9 * 2 * (768 - 256) * 256  # Two convolutions, two halves each.
    assert count(params) - count(single) == smaller
    parallel = abstract("cract_r18", refinement="parallel")[1]["params"]
    assert count(parallel) == count(params)


def test_lite_is_the_small_rpn_and_a_narrow_refinement():
    ours = abstract("cract_lite0")[1]["params"]
    rpn = abstract("siamrpnpp_lite0")[1]["params"]
    for part, tree in rpn.items():
        assert jax.tree.map(jnp.shape, ours[part]) == jax.tree.map(jnp.shape, tree)
    assert count(ours["fuse"]) == 40 * 48 + 48 + (80 + 112) * 48
    relation = 9 * (2 * 144) * 48 + 48 + (36 * 48 + 1) * 128 + (128 + 1) * 128
    assert count(ours["refiner"]) == 2 * relation + (128 + 1) * (4 + 2)


@pytest.mark.parametrize("name", NAMES)
def test_cells_and_anchors_are_centered(name):
    """Middles of the response, and of both crops' features, are the crops'."""
    model = build(name)
    geometry, refiner = model.geometry, model.refiner
    xy = grid.points(geometry)
    assert (xy[0, 0] + xy[-1, -1] == geometry.search_size).all()
    for size in (geometry.template_size, geometry.search_size):
        image = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
        levels, _ = jax.eval_shape(
            model.backbone.init_with_output, jax.random.key(0), image
        )
        last = refiner.offset + refiner.stride * (levels[0].shape[1] - 1)
        assert refiner.offset + last == size


@cache
def predict_from_levels():
    """Gradients of one anchor's logit, and phi_34, by `cract_r18`'s levels."""
    model, variables = build("cract_r18"), draw_variables("cract_r18")
    rng = np.random.default_rng(0)
    z, x = (
        tuple(rng.standard_normal((1, s, s, c), np.float32) for c in (128, 256, 512))
        for s in (7, 9)
    )

    def rpn(model, z, x):
        return model.predict({"rpn": model.neck(z, crop=7)}, {"rpn": model.neck(x)})

    def logits(z, x):
        return jnp.sum(model.apply(variables, z, x, method=rpn)["cls"][..., 1])

    def fused(x):
        return jnp.sum(model.apply(variables, x, method=lambda m, x: m.fuse(x)))

    return jax.jit(lambda z, x: (jax.grad(logits, (0, 1))(z, x), jax.grad(fused)(x)))(
        z, x
    )


def test_the_rpn_sees_the_last_level_alone():
    """phi_4 (section 3.1, C3); the refinement phi_34 (section 3.2.1)."""
    by_crops, by_fused = predict_from_levels()
    for gradients in by_crops:
        assert [bool(np.any(g)) for g in gradients] == [False, False, True]
    assert [bool(np.any(g)) for g in by_fused] == [False, True, True]


@pytest.mark.parametrize("name", NAMES)
def test_axis_and_type_reach_every_part(name):
    model = build(name, axis_name="device", dtype="bfloat16")

    def attributes(module, what):
        """Values of an attribute in a module and those it holds."""
        inner = [v for v in vars(module).values() if isinstance(v, nn.Module)]
        own = [getattr(module, what)] if hasattr(module, what) else []
        return own + [v for m in inner for v in attributes(m, what)]

    parts = {part: getattr(model, part) for part in PARTS}
    for part, module in parts.items():
        assert set(attributes(module, "dtype")) == {jnp.dtype("bfloat16")}, part
    axes = {
        part: set(attributes(module, "axis_name")) for part, module in parts.items()
    }
    normalized = PARTS - {"refiner"} if name == "cract_r18" else {"backbone"}
    expected = {p: {"device"} if p in normalized else set() for p in PARTS}
    assert axes == expected


@pytest.mark.parametrize(
    ("name", "size", "cells", "offset"),
    [("cract_lite0", 192, 24, 4.0), ("cract_r18", 287, 29, 31.5)],
)
def test_other_search_sizes(name, size, cells, offset):
    model = build(name)
    other = resized(model, size)
    template = model.geometry.template_size
    assert other.geometry == Geometry(template, size, cells, 8, offset)
    assert other.clone(geometry=model.geometry) == model
    z, x = (jax.ShapeDtypeStruct((1, s, s, 3), jnp.float32) for s in (template, size))
    outputs, _ = jax.eval_shape(other.init_with_output, jax.random.key(0), z, x)
    assert outputs["cls"].shape[1:3] == (cells, cells)
    with pytest.raises(InputError, match="takes no crops of 100 px|larger than search"):
        resized(model, 100 if name == "cract_lite0" else 31)


@pytest.mark.parametrize("name", NAMES)
def test_choices_reach_the_refiner(name):
    model = build(name)
    chosen = (model.refiner.refinement, model.refiner.output_sizes)
    assert chosen == ("cascade", (6, 3, 1))
    assert build(name, refinement="cascade", pooling="pyramid") == model
    other = build(name, refinement="parallel", pooling="single")
    assert (other.refiner.refinement, other.refiner.output_sizes) == ("parallel", (6,))
    assert other.clone(refiner=model.refiner) == model


@pytest.mark.parametrize("name", NAMES)
def test_settings_reach_the_network(name):
    config = importlib.import_module(f"jaxtrack.configs.{name}").get_config()
    assert trackers.network_of(config) == build(name)
    config.model.refinement = "parallel"
    parallel = build(name, refinement="parallel")
    assert trackers.network_of(config) == parallel
    config.model.pooling = "single"
    both = build(name, refinement="parallel", pooling="single")
    assert trackers.network_of(config) == both
