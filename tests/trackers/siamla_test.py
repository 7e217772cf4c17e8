"""Tests for jaxtrack.trackers.siamla."""

import jax
import jax.numpy as jnp
import pytest

from jaxtrack import trackers
from jaxtrack.configs import siamla_lite0
from jaxtrack.errors import InputError
from jaxtrack.trackers.siamla import LOCALIZATIONS
from tests.networks import abstract, build, configure, count, shapes_of

NAMES = ["siamla_r50", "siamla_lite0"]


@pytest.mark.parametrize("localization", LOCALIZATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_outputs_fit_the_geometry(name, localization):
    outputs, variables = abstract(name, localization=localization)
    params = variables["params"]
    cells = build(name).geometry.response_size
    quality = "centerness" if localization == "centerness" else "localization"
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, cells, cells, 1), jnp.float32),
        "ltrb": ((2, cells, cells, 4), jnp.float32),
        quality: ((2, cells, cells, 1), jnp.float32),
    }
    assert set(params) == {"backbone", "neck", "correlation", "head"}


def test_published_parameters():
    """SiamCAR's 5,856,775 behind the backbone, and what SiamLA adds to them.

    One logit less (9 * 256 + 1) and no centerness (9 * 256 + 1); a tower of four
    3 x 3 convolutions with bias and group norms; the embedding's 3 -> 256; query, key
    and value 256 -> 128 and out 128 -> 256; 5 x 256 -> 256 without and one bias; the
    last 3 x 3 convolution.
    """
    _, variables = abstract("siamla_r50")
    params = variables["params"]
    behind = count(params) - count(params["backbone"])
    tower = 4 * (9 * 256 * 256 + 256 + 2 * 256)
    non_local = 3 * (256 * 128 + 128) + 128 * 256 + 256
    points = 5 * 256 * 256 + 256
    last = 9 * 256 + 1
    branch = tower + (3 * 256 + 256) + non_local + points + last
    assert behind == 5_856_775 - 2 * (9 * 256 + 1) + branch


def test_lite_is_small():
    _, variables = abstract("siamla_lite0")
    params = variables["params"]
    assert 0.85e6 < count(params) < 0.9e6


def test_settings_reach_the_network():
    config = siamla_lite0.get_config()
    assert trackers.network_of(config) == build("siamla_lite0")
    config.model.localization = "tower"
    expected = build("siamla_lite0", localization="tower")
    assert trackers.network_of(config) == expected
    config.model.aggregation_center = "box"
    with pytest.raises(InputError, match="aggregation_center: siamla.* has none"):
        trackers.network_of(config)
    config.model.localization = "aggregation"
    assert trackers.network_of(config).head.branch.aggregation.center == "box"
    config.model.dtype = "bfloat16"
    assert trackers.network_of(config).head.branch.dtype == jnp.bfloat16


def test_a_missing_setting_is_an_error():
    for group, field in (("model", "localization"), ("data", "search_size")):
        config = siamla_lite0.get_config().unlock()
        del config[group][field]
        with pytest.raises((AttributeError, KeyError), match=field):
            trackers.network_of(config, training=True)


@pytest.mark.parametrize(
    ("name", "size", "cells"),
    [
        pytest.param("siamla_r50", 287, 29, marks=pytest.mark.slow),
        ("siamla_lite0", 192, 24),
    ],
)
def test_search_crops_of_another_size(name, size, cells):
    """The same variables, and five points that know the cells' places."""
    config = configure(name)
    config.data.search_size = size
    network = trackers.network_of(config, training=True)
    assert network.geometry.search_size == size
    own_size = build(name).geometry.search_size
    assert trackers.network_of(config).geometry.search_size == own_size
    config.data.search_size, config.tracking.search_size = 0, size
    assert trackers.network_of(config) == network
    assert trackers.network_of(config, training=True) == build(name)
    assert network.head.branch.aggregation.geometry == network.geometry
    outputs, variables = shapes_of(network)
    assert outputs["localization"].shape == (2, cells, cells, 1)
    own = abstract(name)[1]
    assert jax.tree.map(jnp.shape, variables) == jax.tree.map(jnp.shape, own)


def test_a_search_size_that_does_not_fit():
    with pytest.raises(InputError, match="takes no crops of 100 px"):
        build("siamla_lite0", search_size=100)
