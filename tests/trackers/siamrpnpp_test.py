"""Tests for jaxtrack.trackers.siamrpnpp."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import anchors, grid
from tests.goldens import draw
from tests.networks import (
    NETWORKS,
    abstract,
    build,
    count,
    draw_variables,
    from_state_dict,
)

LITE = "siamrpnpp_lite0"
NAMES = [name for name in NETWORKS if "rpn" in name]


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
    }
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("name", NAMES)
def test_the_middle_anchor_is_centered(name):
    """The response's middle is the crop's."""
    geometry = build(name).geometry
    xy = grid.points(geometry)
    assert (xy[0, 0] + xy[-1, -1] == geometry.search_size).all()


def test_released_anchors(goldens):
    """pysot's, which counts pixel centers as integers: half a pixel less."""
    model = build("siamrpnpp_r50")
    ours = anchors.tile(grid.points(model.geometry), model.anchors)
    golden = np.load(goldens / "rpn_functions_s1.npz")["anchors_xyxy"]
    np.testing.assert_allclose(ours - 0.5, golden.transpose(2, 3, 1, 0), atol=1e-4)


def test_released_parameters():
    """Those of pysot's neck, and of its three heads with their two times 3 weights."""
    _, variables = abstract("siamrpnpp_r50")
    params = variables["params"]
    assert count(params["neck"]) == 919_040
    assert count(params["correlation"]) + count(params["head"]) == 7_503_456
    _, variables = abstract("siamrpnpp_r50_otb")
    params = variables["params"]
    assert count(params["correlation"]) + count(params["head"]) == 7_503_456 - 6


def test_lite_is_small():
    """`siamcar_lite0` has 1 x 1 outputs 96 -> 7; here they are 96 -> 5 (2 + 4)."""
    ours = abstract(LITE)[1]["params"]
    others = abstract("siamcar_lite0")[1]["params"]
    assert count(ours) - count(others) == (30 - 7) * (96 + 1)


def test_golden_siamrpnpp_r50(goldens):
    """The public network on the same weights; error is float32's."""
    name = "siamrpnpp_r50"
    variables = from_state_dict(name, draw.state_dict(goldens, name))
    golden = np.load(goldens / f"{name}_s1.npz")
    # The first of the two that were drawn.
    z = draw.image("template", (2, 3, 127, 127)).transpose(0, 2, 3, 1)[:1]
    x = draw.image("search", (2, 3, 255, 255)).transpose(0, 2, 3, 1)[:1]
    outputs = jax.jit(build(name).apply)(variables, z, x)
    # There channels are value-major: all anchors' first value, all anchors' second.
    found = {
        ours: value.transpose(0, 4, 3, 1, 2).reshape(1, -1, 25, 25)
        for ours, value in outputs.items()
    }
    errors = {
        ours: draw.relative_error(found[ours], golden[theirs][:1])
        for ours, theirs in (("cls", "cls"), ("deltas", "loc"))
    }
    assert max(errors.values()) < 1e-5, errors


def test_gradients_reach_all_behind_the_backbone():
    """In bfloat16, whose outputs are float32; backbones have tests of their own."""
    params = draw_variables(LITE)["params"]
    model = build(LITE, dtype="bfloat16")
    rng = np.random.default_rng(0)
    # The template's 8 x 8 cells, and few of a search crop: larger ones compile longer.
    z, x = (
        [
            rng.standard_normal((2, cells // by, cells // by, channels), np.float32)
            for by, channels in ((1, 40), (2, 80), (2, 112))
        ]
        for cells in (8, 2)
    )

    def predict(model, z, x):
        return model.predict(model.neck(z, crop=8), model.neck(x))

    def loss(params):
        outputs = model.apply({"params": params}, z, x, method=predict)
        assert {value.dtype for value in outputs.values()} == {jnp.dtype("float32")}
        return sum(jnp.mean((v - 1.0) ** 2) for v in outputs.values())

    gradients = jax.jit(jax.grad(loss))(params)
    for keys, gradient in jax.tree_util.tree_flatten_with_path(gradients)[0]:
        path = [key.key for key in keys]
        assert np.all(np.isfinite(gradient)), path
        assert np.any(gradient) == (path[0] != "backbone"), path
