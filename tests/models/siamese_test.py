"""Tests for jaxtrack.models.siamese."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.errors import InputError
from jaxtrack.models.siamese import Siamese, make_forward, resized
from jaxtrack.ops.grid import Geometry
from tests.networks import build


class Scale(nn.Module):
    """Multiplies by a parameter; stands for any part, and keeps how it was called."""

    name_of: str

    @nn.compact
    def __call__(self, *maps, crop=None, train=False):
        self.sow("calls", self.name_of, (crop, train))
        factor = self.param("factor", nn.initializers.constant(2.0), ())
        return factor * sum(maps)


def make():
    parts = {n: Scale(n) for n in ("backbone", "neck", "correlation", "head")}
    return Siamese(**parts, template_cells=3, geometry=Geometry(8, 16, 1, 8, 8.0))


def run(**modes):
    model = make()
    z, x = jnp.ones((1, 1, 1, 1)), 10 * jnp.ones((1, 1, 1, 1))
    variables = {"params": model.init(jax.random.key(0), z, x)["params"]}
    return model.apply(variables, z, x, mutable=["calls"], **modes)


def test_images_flow_through_the_four_parts():
    """(1 * 2 * 2 + 10 * 2 * 2) * 2 * 2 = 176: every part doubles, correlation adds."""
    np.testing.assert_array_equal(run()[0], [[[[176]]]])


def test_parts_compose_to_the_whole():
    """A template encoded once is 1 * 2 * 2 = 4, a search crop 40."""
    model, ones = make(), jnp.ones((1, 1, 1, 1))
    variables = {"params": model.init(jax.random.key(0), ones, ones)["params"]}

    def call(name, *inputs):
        return model.apply(variables, *inputs, method=name, mutable=["calls"])[0]

    z, x = call("encode_template", ones), call("encode_search", 10 * ones)
    np.testing.assert_array_equal([z, x], [[[[[4]]]], [[[[40]]]]])
    np.testing.assert_array_equal(call("predict", z, x), [[[[176]]]])


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("train_backbone", [False, True])
def test_modes_reach_the_parts(train, train_backbone):
    _, state = run(train=train, train_backbone=train_backbone)
    calls = {k: v[k] for k, v in state["calls"].items()}
    assert calls["backbone"] == ((None, train_backbone),) * 2
    assert calls["neck"] == ((3, train), (None, train))
    assert calls["correlation"] == calls["head"] == ((None, train),)


def test_a_network_has_no_anchors_unless_it_says_so():
    assert make().anchors == ()


def test_a_batchs_images_alone_go_through_the_network():
    model, ones = make(), jnp.ones((1, 1, 1, 1))
    batch = {"z_image": ones, "x_image": 10 * ones, "key": None}
    forward = nn.apply(make_forward(None, model), model, mutable=["calls"])
    variables = {"params": model.init(jax.random.key(0), ones, ones)["params"]}
    outputs, state = forward(variables, batch, train=True, train_backbone=False)
    np.testing.assert_array_equal(outputs, [[[[176]]]])
    assert state["calls"]["neck"]["neck"] == ((3, True), (None, True))
    assert state["calls"]["backbone"]["backbone"] == ((None, False),) * 2


@pytest.mark.parametrize(
    ("name", "size", "cells", "offset"),
    [
        # SAME padding: the cells tile the crop, and the first is centered on 4 px.
        ("siamcar_lite0", 192, 24, 4.0),
        # 287 px is four strides more: (287 - 255 - 8 * 4) / 2 = 0 more in front.
        ("siamcar_r50", 287, 29, 32.5),
        # The released networks' response may jump: 303 px has 37 - 7 + 1 cells.
        ("siamcar_r50", 303, 31, 32.5),
    ],
)
def test_other_search_sizes(name, size, cells, offset):
    model = build(name)
    other = resized(model, size)
    wanted = Geometry(model.geometry.template_size, size, cells, 8, offset)
    assert other.geometry == wanted
    assert other.clone(geometry=model.geometry) == model


def test_the_own_search_size_changes_nothing():
    model = build("siamcar_lite0")
    assert resized(model, 256) == model


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("siamcar_lite0", 100, "incompatible shapes"),  # Not a multiple of 16.
        ("siamcar_r50", 31, "larger than search"),
        ("siamfcpp_googlenet", 135, "no cell is left"),
    ],
)
def test_a_search_size_that_does_not_fit(name, size, reason):
    message = rf"search_size: .* takes no crops of {size} px: .*{reason}"
    with pytest.raises(InputError, match=message):
        resized(build(name), size)
