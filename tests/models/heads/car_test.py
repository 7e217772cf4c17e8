"""Tests for jaxtrack.models.heads.car."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.heads.car import CarHead, Tower
from tests.networks import drawn

LITE = {
    "depth": 2,
    "groups": 2,
    "separable": True,
    "quality": "box",
    "box_unit": 8.0,
    "cls_bias": (0.0, -4.0),
    "box_bias": 1.386294,
}
RELEASED = {"depth": 2, "groups": 2}


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize(
    ("options", "probability", "side"),
    [
        (RELEASED, 0.5, 1.0),  # Equal biases cancel; exp(0).
        (LITE, 0.0179862, 32.0),  # 1 / (1 + e^4); 8 * 4.
    ],
)
def test_outputs_at_the_start(options, probability, side):
    head = CarHead(**options)
    outputs, _ = jax.jit(head.init_with_output)(jax.random.key(0), normal(2, 5, 5, 8))
    assert {k: v.shape for k, v in outputs.items()} == {
        "cls": (2, 5, 5, 2),
        "ltrb": (2, 5, 5, 4),
        "centerness": (2, 5, 5, 1),
    }
    target = jax.nn.softmax(outputs["cls"])[..., 1]
    np.testing.assert_allclose(target, probability, rtol=0.3)
    np.testing.assert_allclose(outputs["ltrb"], side, rtol=0.3)


@pytest.mark.parametrize(("options", "source"), [(RELEASED, 0), (LITE, 1)])
def test_which_tower_judges_the_box(options, source):
    """Centerness listens to the classification tower, or to the regression tower."""
    head, r = CarHead(**options), normal(1, 4, 4, 8)
    variables = drawn(head, r)

    def centerness(params):
        return jnp.sum(head.apply({"params": params}, r)["centerness"] ** 2)

    gradients = jax.jit(jax.grad(centerness))(variables["params"])
    towers = ("cls_tower", "bbox_tower")
    leaves = [jax.tree.leaves(gradients[tower]) for tower in towers]
    moved = [any(np.any(g) for g in tower) for tower in leaves]
    assert moved == [source == 0, source == 1]


def test_released_initialization():
    r = jnp.zeros((1, 4, 4, 64))
    params = jax.jit(CarHead(depth=1).init)(jax.random.key(0), r)["params"]
    kernel = params["cls_tower"]["conv0"]["kernel"]
    assert kernel.shape == (3, 3, 64, 64)
    np.testing.assert_allclose(np.std(kernel), 0.01, rtol=0.05)
    np.testing.assert_allclose(params["cls_logits"]["bias"], -np.log(99.0), rtol=1e-5)
    assert np.all(params["bbox_pred"]["bias"] == 0)


@pytest.mark.parametrize("separable", [False, True])
def test_tower_keeps_the_shape(separable):
    tower = Tower(1, 4, separable)
    x = normal(1, 5, 6, 8)
    y = jax.jit(tower.apply)(drawn(tower, x), x)
    assert y.shape == (1, 5, 6, 8)
    assert np.all(np.asarray(y) >= 0)


def test_bfloat16_gives_float32():
    head = CarHead(**LITE, dtype=jnp.bfloat16)
    r = normal(1, 4, 4, 8)
    outputs, variables = jax.jit(head.init_with_output)(jax.random.key(0), r)
    full = jax.jit(CarHead(**LITE).apply)(variables, r)
    for name, value in outputs.items():
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, full[name], rtol=0.05, atol=0.05)
