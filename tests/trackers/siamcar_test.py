"""Tests for jaxtrack.models and jaxtrack.trackers.siamcar."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.backbones import param_group
from jaxtrack.ops.grid import points
from tests.goldens import draw
from tests.networks import NETWORKS, abstract, build, draw_variables, from_state_dict

LITE = build("siamcar_lite0")


def images(sizes, batch=1):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((batch, s, s, 3), np.float32) for s in sizes]


@pytest.mark.parametrize("name", [n for n in NETWORKS if "siamcar" in n])
def test_outputs_fit_the_geometry(name):
    outputs, variables = abstract(name)
    cells = build(name).geometry.response_size
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, cells, cells, 2), jnp.float32),
        "ltrb": ((2, cells, cells, 4), jnp.float32),
        "centerness": ((2, cells, cells, 1), jnp.float32),
    }
    assert set(variables) == {"params", "batch_stats"}
    assert set(variables["params"]) == {"backbone", "neck", "correlation", "head"}


def test_released_parameters_behind_the_backbone():
    """The count that the DLA paper prints as 5.58 M: 5,856,775 = 5.585 * 2**20."""
    _, variables = abstract("siamcar_r50")
    params = {k: v for k, v in variables["params"].items() if k != "backbone"}
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 5_856_775


def test_lite_is_small():
    _, variables = abstract("siamcar_lite0")
    count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert 0.8e6 < count < 0.83e6


def test_released_points_count_from_32():
    """Pixel index 32 + 8 i, whose center is half a pixel more."""
    xy = points(build("siamcar_r50").geometry)
    np.testing.assert_array_equal(xy[0, :, 0] - 0.5, 32 + 8 * np.arange(25))
    np.testing.assert_array_equal(points(LITE.geometry)[0, :2, 0], [4, 12])


def test_golden_siamcar_r50(goldens):
    """The public network on the same weights, every stage; error is float32's."""
    variables = from_state_dict("siamcar_r50", draw.state_dict(goldens, "siamcar_r50"))
    golden = np.load(goldens / "siamcar_r50_s1.npz")
    # The first of the two that were drawn.
    z = draw.image("template", (2, 3, 127, 127)).transpose(0, 2, 3, 1)[:1]
    x = draw.image("search", (2, 3, 255, 255)).transpose(0, 2, 3, 1)[:1]

    def stages(model, z, x):
        levels_z, levels_x = model.backbone(z), model.backbone(x)
        neck_z, neck_x = model.neck(levels_z, crop=7), model.neck(levels_x)
        return levels_z, levels_x, neck_z, neck_x, model.predict(neck_z, neck_x)

    model = build("siamcar_r50")
    run = jax.jit(lambda v, z, x: model.apply(v, z, x, method=stages))
    *maps, outputs = run(variables, z, x)
    names = ("backbone_z{}_slice", "backbone_x{}_slice", "neck_z{}", "neck_x{}_slice")
    found = {
        "cls": outputs["cls"],
        "loc": outputs["ltrb"],
        "cen": outputs["centerness"],
    }
    steps = {"backbone_z": (64, 1), "backbone_x": (128, 3)}
    steps |= {"neck_z": (4, 1), "neck_x": (32, 3)}
    for name, levels in zip(names, maps, strict=True):
        channels, cells = steps[name.split("{")[0]]
        for stage, level in enumerate(levels, start=2):
            found[name.format(stage)] = level[:, ::cells, ::cells, ::channels]
    assert set(found) == set(golden.files)
    errors = {
        name: draw.relative_error(value.transpose(0, 3, 1, 2), golden[name][:1])
        for name, value in found.items()
    }
    assert max(errors.values()) < 1e-5, errors


def test_frozen_backbone_gets_no_gradient():
    variables = draw_variables("siamcar_lite0")
    z, x = images((64, 64))

    def loss(params):
        both = {**variables, "params": params}
        outputs, new = LITE.apply(both, z, x, train=True, mutable=["batch_stats"])
        return sum(jnp.mean(v**2) for v in outputs.values()), new["batch_stats"]

    @jax.jit
    def run(params):
        gradients, stats = jax.grad(loss, has_aux=True)(params)
        # One of each other part: all of them take long to compile.
        some = {part: jax.tree.leaves(tree)[0] for part, tree in gradients.items()}
        return {**some, "backbone": gradients["backbone"]}, stats

    gradients, stats = run(variables["params"])
    moved = {
        name: any(np.any(g) for g in jax.tree.leaves(tree))
        for name, tree in gradients.items()
    }
    assert moved == {"backbone": False, "neck": True, "correlation": True, "head": True}
    jax.tree.map(np.testing.assert_array_equal, stats, variables["batch_stats"])


@pytest.mark.slow
def test_bfloat16_is_near_and_ends_in_float32():
    inputs = draw_variables("siamcar_lite0"), *images((64, 64))
    full = jax.jit(LITE.apply)(*inputs)
    outputs = jax.jit(build("siamcar_lite0", dtype="bfloat16").apply)(*inputs)
    for name, value in outputs.items():
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, full[name], rtol=0.1, atol=0.1)
        assert jnp.any(value != full[name])


@pytest.mark.parametrize("correlation", ["depthwise", "both"])
def test_other_correlations_keep_the_map(correlation):
    outputs, _ = abstract("siamcar_lite0", correlation=correlation)
    assert outputs["cls"].shape == (2, 32, 32, 2)


def test_groups_cover_the_frozen_part():
    """What an optimizer must not touch is what never gets a gradient."""
    _, variables = abstract("siamcar_r50")
    groups = {"frozen": set(), "backbone": set(), "head": set()}
    for keys, _ in jax.tree_util.tree_flatten_with_path(variables["params"])[0]:
        path = tuple(key.key for key in keys)
        part = path[1] if path[0] == "backbone" else path[0]
        groups[param_group(path)].add(part)
    assert groups == {
        "frozen": {"conv1", "bn1", "layer1"},
        "backbone": {"layer2", "layer3", "layer4"},
        "head": {"neck", "correlation", "head"},
    }
    assert param_group(("backbone", "block2", "bn2")) == "frozen"
    assert param_group(("backbone", "block3", "bn2")) == "backbone"
