"""Tests for jaxtrack.trackers.siamban."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.heads.rpn import BanHead
from jaxtrack.ops import grid
from jaxtrack.weights.torch import torch_name, torch_shape
from tests.networks import abstract, build, count, drawn, weight_names


@pytest.mark.parametrize("name", ["siamban_r50", "siamban_lite0"])
def test_outputs_fit_the_geometry(name):
    outputs, _ = abstract(name)
    cells = build(name).geometry.response_size
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, cells, cells, 2), jnp.float32),
        "ltrb": ((2, cells, cells, 4), jnp.float32),
    }


def test_released_points_count_from_31():
    """Pixel index 31 + 8 i, whose center is half a pixel more."""
    xy = grid.points(build("siamban_r50").geometry)
    np.testing.assert_array_equal(xy[0, :, 0] - 0.5, 31 + 8 * np.arange(25))


def test_released_parameters():
    """SiamRPN++'s, with 2 + 4 outputs a level where it has 10 + 20, and 3 scales."""
    params = abstract("siamban_r50")[1]["params"]
    assert count(params["neck"]) == 919_040
    heads = count(params["correlation"]) + count(params["head"])
    assert heads == 7_503_456 - 3 * (30 - 6) * (256 + 1) + 3


def test_names_are_those_of_its_code():
    names, shapes = weight_names("siamban_r50"), {}
    leaves = jax.tree_util.tree_flatten_with_path(abstract("siamban_r50")[1])[0]
    for keys, leaf in leaves:
        path = tuple(key.key for key in keys[1:])
        shapes[torch_name(names, path)] = torch_shape(names, path, leaf.shape)
    assert len(shapes) == len(leaves)
    expected = {
        "neck.downsample3.downsample.0.weight": (256, 1024, 1, 1),
        "head.box2.cls.conv_kernel.0.weight": (256, 256, 3, 3),
        "head.box4.loc.conv_search.1.running_var": (256,),
        "head.box3.loc.head.3.weight": (4, 256, 1, 1),
        "head.box3.cls.head.3.bias": (2,),
        "head.cls_weight": (3,),
        "head.loc_weight": (3,),
        "head.loc_scale": (3,),
    }
    assert {key: shapes.get(key) for key in expected} == expected
    parts = {key.split(".")[0] for key in shapes}
    assert parts == {"backbone", "neck", "head"}


@pytest.mark.parametrize("weighted", [True, False])
def test_levels_are_scaled_before_they_are_averaged(weighted):
    """exp(s o) of each level, then the mean by the softmax of its weights."""
    rng = np.random.default_rng(0)
    normal = lambda *shape: rng.standard_normal(shape, np.float32)  # noqa: E731
    response = {
        name: (normal(1, 2, 2, 3), normal(1, 2, 2, 3)) for name in ("cls", "loc")
    }
    head = BanHead(weighted, features=5)
    variables = drawn(head, response)
    params = jax.tree.map(lambda a: np.asarray(a, "f8"), variables["params"])
    stats = jax.tree.map(lambda a: np.asarray(a, "f8"), variables["batch_stats"])

    def level(branch, stage):
        part = f"{branch}{stage}"
        y = response[branch][stage - 2] @ params[f"{part}_conv"]["kernel"][0, 0]
        bn, own = params[f"{part}_bn"], stats[f"{part}_bn"]
        y = (y - own["mean"]) / np.sqrt(own["var"] + 1e-5) * bn["scale"] + bn["bias"]
        last = params[f"{part}_out"]
        return np.maximum(y, 0) @ last["kernel"][0, 0] + last["bias"]

    def share(name):
        weights = np.exp(params[name]) if weighted else np.ones(2)
        return weights / weights.sum()

    scales, of_cls, of_loc = (
        params["loc_scale"],
        share("cls_weight"),
        share("loc_weight"),
    )
    cls = sum(of_cls[i] * level("cls", i + 2) for i in range(2))
    ltrb = sum(of_loc[i] * np.exp(scales[i] * level("loc", i + 2)) for i in range(2))
    outputs = head.apply(variables, response)
    np.testing.assert_allclose(outputs["cls"], cls, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["ltrb"], ltrb, rtol=1e-4)
