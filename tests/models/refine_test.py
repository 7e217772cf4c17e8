"""Tests for jaxtrack.models.refine."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack.models import refine
from jaxtrack.models.refine import REFINEMENTS, Refiner, RelationHead
from jaxtrack.ops import roi_align
from tests.networks import drawn

STRIDE, OFFSET = 8.0, 7.5
WEIGHTS = np.array([5, 5, 10, 10])  # SPM-Tracker's (C8).


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def make(refinement="cascade", **options):
    options = {"features": 3, "hidden": 5, **options}
    return Refiner(refinement, (2, 1), STRIDE, OFFSET, **options)


def inputs():
    """Maps of two examples, 9 x 11 cells of 4 channels, and three boxes in each."""
    rng = np.random.default_rng(1)
    low = rng.uniform(5, 30, (2, 3, 2))
    xyxy = np.concatenate([low, low + rng.uniform(15, 40, (2, 3, 2))], axis=-1)
    return normal(2, 9, 11, 4), normal(2, 2, 2, 8, seed=2), xyxy.astype("f4")


@cache
def draw_variables():
    """Draws parameters so large that every output depends on every one of them."""
    shapes = jax.eval_shape(make().init, jax.random.key(0), *inputs())
    leaves, tree = jax.tree.flatten(shapes)
    drawn = [0.5 * normal(*leaf.shape, seed=i) for i, leaf in enumerate(leaves)]
    return jax.tree.unflatten(tree, drawn)


def with_regression(kernel, bias):
    """Variables whose last layer of the regression is another."""
    params = dict(draw_variables()["params"])
    last = {"kernel": jnp.full((5, 4), kernel), "bias": jnp.asarray(bias, jnp.float32)}
    params["regression"] = {**params["regression"], "fc_out": last}
    return {"params": params}


def numpy_decode(xyxy, offsets):
    """Eq. 4 turned round in float64, with C8's weights and bound."""
    xyxy, offsets = np.float64(xyxy), np.float64(offsets) / WEIGHTS
    size = xyxy[..., 2:] - xyxy[..., :2]
    center = xyxy[..., :2] + size / 2 + offsets[..., :2] * size
    scale = np.clip(np.exp(offsets[..., 2:]), 32 / 255, 255 / 32)
    return np.concatenate([center - size * scale / 2, center + size * scale / 2], -1)


@partial(jax.jit, static_argnums=(0, 3))
def relate(part, f, f_init, outputs):
    head = RelationHead(outputs, features=3, hidden=5)
    return head.apply({"params": draw_variables()["params"][part]}, f, f_init)


def test_relation_is_one_convolution_of_both():
    """Eqs. 3 and 6: of the concatenation, proposal's channels first."""
    f, f_init = normal(2, 3, 4, 4, 5), normal(2, 4, 4, 5, seed=1)
    head = RelationHead(2, features=6, hidden=7)
    params = drawn(head, f, f_init)["params"]
    parts = [params[name]["kernel"] for name in ("conv_proposal", "conv_target")]
    of_target = np.broadcast_to(f_init[:, None], f.shape)
    y = lax.conv_general_dilated(
        np.concatenate([f, of_target], axis=-1).reshape(6, 4, 4, 10),
        jnp.concatenate(parts, axis=2),  # [3, 3, 2 C, features]
        window_strides=(1, 1),
        padding=((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    y = np.maximum(np.float64(y) + np.float64(params["conv_target"]["bias"]), 0)
    y = y.reshape(6, -1)
    for name in ("fc0", "fc1", "fc_out"):
        y = y @ np.float64(params[name]["kernel"]) + np.float64(params[name]["bias"])
        y = y if name == "fc_out" else np.maximum(y, 0)
    out = jax.jit(head.apply)({"params": params}, f, f_init)
    np.testing.assert_allclose(out, y.reshape(2, 3, 2), rtol=1e-4, atol=1e-4)


def test_relation_starts_as_if_of_twice_the_channels():
    """He: variances 2 / fan-in, of the concatenation's 9 * 2 * 64 in both halves."""
    f, f_init = jnp.zeros((1, 1, 4, 4, 64)), jnp.zeros((1, 4, 4, 64))
    head = RelationHead(4, features=64, hidden=32)
    params = jax.jit(head.init)(jax.random.key(0), f, f_init)["params"]
    stds = {name: np.std(layer["kernel"]) for name, layer in params.items()}
    expected = {
        "conv_proposal": np.sqrt(2 / (9 * 128)),
        "conv_target": np.sqrt(2 / (9 * 128)),
        "fc0": np.sqrt(2 / (16 * 64)),
        "fc1": np.sqrt(2 / 32),
        "fc_out": 0.01,
    }
    assert set(stds) == set(expected)
    for name, std in expected.items():
        np.testing.assert_allclose(stds[name], std, rtol=0.15)
    biases = [layer["bias"] for layer in params.values() if "bias" in layer]
    assert len(biases) == 4  # The halves of the convolution share one.
    assert not any(np.any(bias) for bias in biases)


def test_parameters_by_hand():
    """SPM-Tracker's sizes (C7) on three levels of 256 channels, 6 x 6 bins.

    A head: 3 x 3 from 2 * 768 channels to 256; 6 * 6 * 256 to 256, 256 to 256; then 4
    and 2 outputs.
    """
    refiner = Refiner("cascade", (6, 3, 1), STRIDE, OFFSET)
    feature_map, xyxy = jnp.zeros((1, 9, 9, 256)), jnp.zeros((1, 2, 4))
    f_init = jnp.zeros((1, 6, 6, 768))
    shapes = jax.eval_shape(
        refiner.init_with_output, jax.random.key(0), feature_map, f_init, xyxy
    )
    outputs, variables = shapes
    assert set(variables) == {"params"}
    head = (9 * 1536 * 256 + 256) + (36 * 256 * 256 + 256) + (256 * 256 + 256)
    count = sum(leaf.size for leaf in jax.tree.leaves(variables))
    assert count == 2 * head + (256 * 4 + 4) + (256 * 2 + 2) == 11_930_630
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "offsets": ((1, 2, 4), jnp.float32),
        "aligned": ((1, 2, 4), jnp.float32),
        "identity": ((1, 2, 2), jnp.float32),
        "pooled": ((1, 2, 6, 6, 768), jnp.float32),
    }


@pytest.mark.parametrize("refinement", REFINEMENTS)
def test_what_is_classified(variant, refinement):
    """The aligned boxes' features in cascade, in parallel the proposals' (C20)."""
    feature_map, f_init, xyxy = inputs()
    refiner = make(refinement)
    apply = variant(partial(refiner.apply, draw_variables()))
    out = apply(feature_map, f_init, xyxy)
    pool = jax.jit(refiner.pool)
    f = pool(feature_map, xyxy)
    offsets = relate("regression", f, f_init, 4)
    np.testing.assert_allclose(out["offsets"], offsets, rtol=1e-4, atol=1e-4)
    aligned = numpy_decode(xyxy, offsets)
    np.testing.assert_allclose(out["aligned"], aligned, rtol=1e-4, atol=1e-3)
    assert np.abs(aligned - xyxy).max() > 1  # Else the two ways do not differ.
    places = {"cascade": jnp.asarray(aligned, jnp.float32), "parallel": xyxy}
    pooled = pool(feature_map, places[refinement])
    np.testing.assert_allclose(out["pooled"], pooled, rtol=1e-3, atol=1e-3)
    identity = relate("identifier", out["pooled"], f_init, 2)
    np.testing.assert_allclose(out["identity"], identity, rtol=1e-4, atol=1e-4)


def test_offsets_by_hand():
    # The box's center is (20, 40), its size 20 x 40: 1 / 5 of 20 to the right, 0.5 / 5
    # of 40 up, twice as wide, half as high.
    feature_map, f_init, _ = inputs()
    xyxy = jnp.broadcast_to(jnp.array([10.0, 20.0, 30.0, 60.0]), (2, 1, 4))
    bias = [1.0, -0.5, 10 * np.log(2), -10 * np.log(2)]
    apply = jax.jit(make().apply)
    out = apply(with_regression(0.0, bias), feature_map, f_init, xyxy)
    np.testing.assert_allclose(out["aligned"][1], [[4, 26, 44, 46]], rtol=1e-5)
    # No side grows or shrinks by more than 255 / 32.
    out = apply(with_regression(0.0, [0, 0, 90, -90]), feature_map, f_init, xyxy)
    wide, high = 10 * 255 / 32, 20 * 32 / 255
    expected = [[20 - wide, 40 - high, 20 + wide, 40 + high]]
    np.testing.assert_allclose(out["aligned"][0], expected, rtol=1e-5)


def test_without_offsets_both_ways_agree():
    args = with_regression(0.0, [0.0] * 4), *inputs()
    cascade, parallel = (jax.jit(make(way).apply)(*args) for way in REFINEMENTS)
    np.testing.assert_allclose(cascade["aligned"], args[-1], rtol=1e-6)
    for name, value in parallel.items():
        np.testing.assert_allclose(cascade[name], value, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("refinement", REFINEMENTS)
def test_gradients_go_through_features_alone(refinement):
    """None through places: neither by proposals nor by what moves them."""
    feature_map, f_init, xyxy = inputs()
    refiner = make(refinement)

    def total(name, variables, feature_map, f_init, xyxy):
        out = refiner.apply(variables, feature_map, f_init, xyxy)[name]
        return jnp.sum(out * jnp.arange(1.0, 1.0 + out.size).reshape(out.shape))

    args = draw_variables(), feature_map, f_init, xyxy

    @jax.jit
    def gradients(*args):
        names = ("offsets", "identity", "aligned")
        by_all = {n: jax.grad(partial(total, n), (0, 1, 2, 3))(*args) for n in names}
        # What the identifier's gradient is when its boxes are fixed numbers.
        places = refiner.apply(*args)["aligned"]
        places = places if refinement == "cascade" else args[3]
        fixed = {"params": args[0]["params"]}

        def alone(feature_map):
            identity = RelationHead(2, features=3, hidden=5).apply(
                {"params": fixed["params"]["identifier"]},
                refiner.pool(feature_map, places),
                f_init,
            )
            order = jnp.arange(1.0, 1.0 + identity.size).reshape(identity.shape)
            return jnp.sum(identity * order)

        return by_all, jax.grad(alone)(args[1])

    by_all, by_map = gradients(*args)
    for gradient in jax.tree.leaves(by_all["aligned"]):
        np.testing.assert_array_equal(gradient, 0)
    for name, own in (("offsets", "regression"), ("identity", "identifier")):
        by_params, *by_features, by_proposals = by_all[name]
        np.testing.assert_array_equal(by_proposals, 0)
        assert all(np.any(gradient) for gradient in by_features)
        for part, tree in by_params["params"].items():
            moved = [bool(np.any(gradient)) for gradient in jax.tree.leaves(tree)]
            assert moved == [part == own] * 9, (name, part)
    np.testing.assert_allclose(by_all["identity"][1], by_map, rtol=1e-3, atol=1e-3)


def test_order_of_proposals_and_examples_does_not_matter():
    feature_map, f_init, xyxy = inputs()
    apply = jax.jit(make().apply)
    out = apply(draw_variables(), feature_map, f_init, xyxy)
    order = np.array([2, 0, 1])
    moved = apply(draw_variables(), feature_map[::-1], f_init[::-1], xyxy[::-1, order])
    for name, value in out.items():
        expected = value[::-1][:, order]
        np.testing.assert_allclose(moved[name], expected, rtol=1e-4, atol=1e-4)


def test_features_are_those_under_the_boxes():
    """Cells that hold their own place in the picture give the bins' places."""
    x, y = np.meshgrid(OFFSET + STRIDE * np.arange(12), OFFSET + STRIDE * np.arange(10))
    places = jnp.asarray(np.stack([x, y], axis=-1), jnp.float32)
    boxes = jnp.array([[20.0, 10.0, 60.0, 50.0], [30.0, 20.0, 50.0, 70.0]])
    levels = {"output_sizes": (2, 1), "stride": STRIDE, "offset": OFFSET}
    found = jax.jit(partial(refine.pool, **levels))(places, boxes)
    assert found.shape == (2, 2, 2, 4)
    # Halves of 40 x 40 from (20, 10): bins centered on 30, 50 and 20, 40.
    np.testing.assert_allclose(found[0, 0, :, 0], [30, 50], rtol=1e-5)
    np.testing.assert_allclose(found[0, :, 0, 1], [20, 40], rtol=1e-5)
    # The coarse level is the box's center everywhere.
    np.testing.assert_allclose(found[1, ..., 2], 40, rtol=1e-5)
    np.testing.assert_allclose(found[1, ..., 3], 45, rtol=1e-5)


def test_levels_are_chosen():
    """(6,) is RoIAlign (Table 9); each example is pooled from its own map."""
    feature_map, _, xyxy = inputs()
    single = Refiner("cascade", (6,), STRIDE, OFFSET)
    found = jax.jit(single.pool)(feature_map, xyxy)
    assert found.shape == (2, 3, 6, 6, 4)
    align = jax.jit(partial(roi_align.roi_align, output_size=6))
    for of_map, boxes, of_one in zip(feature_map, xyxy, found, strict=True):
        expected = align(of_map, (boxes - OFFSET) / STRIDE)
        np.testing.assert_allclose(of_one, expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_near_and_ends_in_float32():
    args = draw_variables(), *inputs()
    exact = jax.jit(make("parallel").apply)(*args)
    near = jax.jit(make("parallel", dtype=jnp.bfloat16).apply)(*args)
    for name in ("offsets", "identity"):
        assert near[name].dtype == jnp.float32
        error = np.linalg.norm(near[name] - exact[name])
        assert 0 < error < 0.05 * np.linalg.norm(exact[name]), name
