"""Tests for jaxtrack.trackers.siamfcpp."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.backbones import googlenet, param_group
from jaxtrack.models.correlations import TaskCorrelation
from jaxtrack.models.necks import TaskNeck
from jaxtrack.models.siamese import resized
from jaxtrack.ops.boxes import ltrb_to_xyxy
from jaxtrack.ops.grid import points
from tests.goldens import draw
from tests.networks import build, drawn, from_state_dict, shapes_of

NAME = "siamfcpp_googlenet"
MODEL = build(NAME)


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize(
    "model",
    [MODEL, resized(MODEL, 289), build("siamfcpp_lite0")],
    ids=["303", "289", "lite0"],
)
def test_outputs_fit_the_geometry(model):
    outputs, variables = shapes_of(model)
    cells = model.geometry.response_size
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, cells, cells, 1), jnp.float32),
        "ltrb": ((2, cells, cells, 4), jnp.float32),
        "centerness": ((2, cells, cells, 1), jnp.float32),
    }
    assert set(variables) == {"params", "batch_stats"}


@pytest.mark.parametrize(("size", "cells", "first"), [(303, 19, 79), (289, 17, 80)])
def test_points_are_those_of_the_released_network(size, cells, first):
    """Pixel index 79 + 8 i in tracking, 80 + 8 i in training."""
    xy = points(resized(MODEL, size).geometry)
    np.testing.assert_array_equal(xy[0, :, 0] - 0.5, first + 8 * np.arange(cells))


def released_images():
    """The golden's images, BGR there, as the released network scales them."""
    z = draw.image("template", (1, 3, 127, 127)).transpose(0, 2, 3, 1)
    x = draw.image("search", (1, 3, 303, 303)).transpose(0, 2, 3, 1)
    return [(image[..., ::-1] - 127.5) / 127.5 for image in (z, x)]


def test_golden_siamfcpp_googlenet(goldens):
    """The public network on the same weights; error is float32's.

    The weights drawn give all cells nearly the same outputs, so what differs between
    cells is compared too: there float32 leaves fewer digits.
    """
    variables = from_state_dict(NAME, draw.state_dict(goldens, NAME))
    golden = np.load(goldens / f"{NAME}_s1.npz")

    def stages(model, z, x):
        features = model.encode_template(z)
        return features, model.predict(features, model.encode_search(x))

    run = jax.jit(lambda v, z, x: MODEL.apply(v, z, x, method=stages))
    features, outputs = run(variables, *released_images())
    cls, centerness = (jax.nn.sigmoid(outputs[k]) for k in ("cls", "centerness"))
    # A box in pixel indices covers one pixel more than x1 - x0.
    xyxy = ltrb_to_xyxy(points(MODEL.geometry)[None], outputs["ltrb"])
    found = {
        "feature0": features["cls"].transpose(0, 3, 1, 2),
        "feature1": features["box"].transpose(0, 3, 1, 2),
        "out0": (cls * centerness).reshape(1, -1, 1),
        "out1": (xyxy - jnp.array([0.0, 0, 1, 1])[None, None, None]).reshape(1, -1, 4),
        "out2": cls.reshape(1, -1, 1),
        "out3": centerness.reshape(1, -1, 1),
    }
    assert set(found) == set(golden.files)
    errors = {k: draw.relative_error(v, golden[k]) for k, v in found.items()}
    assert max(errors.values()) < 1e-5, errors
    np.testing.assert_allclose(found["out1"], golden["out1"], rtol=0, atol=1e-3)
    # The boxes' ltrb, without the points that they are counted from.
    index = points(MODEL.geometry).reshape(1, -1, 2) - 0.5
    corners = jnp.concatenate([index, index], -1)
    for boxes in (found, golden := dict(golden)):
        boxes["out1"] = boxes["out1"] - corners
    for name in ("out0", "out1", "out2", "out3"):
        mean = np.mean(golden[name], 1, keepdims=True)
        error = draw.relative_error(found[name] - mean, golden[name] - mean)
        assert error < 1e-3, (name, error)


def test_template_and_search_have_layers_of_their_own():
    """A kernel of 1 at the center shifts nothing: crop, then one cell off each side."""
    neck = TaskNeck(features=2, border=1)
    x = normal(1, 9, 9, 2)
    shapes = [
        jax.eval_shape(lambda c=crop: neck.init(jax.random.key(0), (x,), crop=c))
        for crop in (5, None)
    ]
    params = {}
    for shape in shapes:
        params |= jax.tree.map(lambda leaf: np.zeros(leaf.shape), shape["params"])
    factors = {"cls_z": 2.0, "box_z": 3.0, "cls_x": 5.0, "box_x": 7.0}
    assert set(params) == {
        f"{name}_{kind}" for name in ("reduce", *factors) for kind in ("conv", "bn")
    }
    params["reduce_conv"]["kernel"][0, 0] = np.eye(2)
    params["reduce_bn"]["scale"] += 1
    for name, factor in factors.items():
        params[f"{name}_conv"]["kernel"][1, 1] = np.eye(2)
        params[f"{name}_bn"]["scale"] += factor
    bn = {"mean": np.zeros(2, np.float32), "var": np.ones(2, np.float32)}
    stats = {name: bn for name in params if name.endswith("_bn")}
    params = jax.tree.map(np.float32, params)
    variables = {"params": params, "batch_stats": stats}
    z = neck.apply(variables, (x,), crop=5)
    r = neck.apply(variables, (x,))
    # Epsilons of 1e-3 and 1e-5.
    np.testing.assert_allclose(z["cls"], 2 * x[:, 3:6, 3:6], rtol=1e-3)
    np.testing.assert_allclose(z["box"], 3 * x[:, 3:6, 3:6], rtol=1e-3)
    np.testing.assert_allclose(r["cls"], 5 * x[:, 2:7, 2:7], rtol=1e-3)
    np.testing.assert_allclose(r["box"], 7 * x[:, 2:7, 2:7], rtol=1e-3)


def test_tasks_are_correlated_apart():
    """Cells of 1 in 2 x 2: sums over 2 x 2 of the search map; "box" is twice that."""
    z = {"cls": jnp.ones((1, 2, 2, 1)), "box": 2 * jnp.ones((1, 2, 2, 1))}
    x = {task: jnp.arange(9.0).reshape(1, 3, 3, 1) for task in z}
    r = TaskCorrelation().apply({}, z, x)
    np.testing.assert_array_equal(r["cls"][0, ..., 0], [[8, 12], [20, 24]])
    np.testing.assert_array_equal(r["box"], 2 * r["cls"])


@pytest.mark.slow
def test_what_is_trained(monkeypatch):
    """Every parameter but the frozen ones.

    A short backbone and a narrow neck; 111 px give 11 cells and a response of 3.
    """
    monkeypatch.setattr(googlenet, "MIXED", googlenet.MIXED[3:4])
    model = MODEL.clone(
        neck=TaskNeck(features=8, border=1), head=MODEL.head.clone(depth=1)
    )
    z, x = normal(2, 79, 79, 3), normal(2, 111, 111, 3)
    variables = drawn(model, z, x)

    def loss(params):
        modes = {"train": True, "train_backbone": True}
        both = {**variables, "params": params}
        outputs, new = model.apply(both, z, x, **modes, mutable=["batch_stats"])
        return sum(jnp.mean((v - 1) ** 2) for v in outputs.values()), new

    gradients, _ = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    # A bias in front of a normalization by the batch has no effect.
    for path, gradient in jax.tree_util.tree_flatten_with_path(gradients)[0]:
        path = tuple(key.key for key in path)
        group = param_group(path)
        if group == "frozen" or path[-1] != "bias":
            assert np.any(gradient) == (group != "frozen"), path
    assert set(gradients) == {"backbone", "neck", "head"}


def test_groups_cover_the_frozen_part():
    _, variables = shapes_of(MODEL)
    groups = {"frozen": set(), "backbone": set()}
    for part in variables["params"]["backbone"]:
        groups[param_group(("backbone", part))].add(part)
    assert groups == {
        "frozen": {name for name, *_ in googlenet.STEM},
        "backbone": {name for name, *_ in googlenet.MIXED},
    }
    assert param_group(("neck", "reduce_conv", "kernel")) == "head"


def test_lite_judges_boxes_by_the_tower_of_the_class():
    head = build("siamfcpp_lite0").head
    assert (head.quality, head.cls_bias, head.separable) == ("cls", (-4.0,), True)


@pytest.mark.parametrize("correlation", ["depthwise", "both"])
def test_lite_takes_other_correlations(correlation):
    model = build("siamfcpp_lite0", correlation=correlation)
    assert model.correlation.depthwise
    assert model.correlation.pixelwise == (correlation == "both")
