"""Tests for jaxtrack.weights.averaging."""

import jax
import numpy as np
import pytest

from jaxtrack import configs, trackers
from jaxtrack.errors import InputError
from jaxtrack.weights import averaging, bundle, digests, shipped


def tracker(value, *, step=5, name="siamcar_lite0", size=2, **provenance):
    """Returns a tracker of one array and one statistic."""
    arrays = {"params": {"a": np.full(size, value, np.float32)}}
    arrays["batch_stats"] = {"mean": np.float32([value / 2])}
    config = trackers.with_preprocessing(configs.load(name))
    return bundle.Bundle(config, arrays, step, provenance)


def test_the_mean_by_hand():
    one, two = tracker(1.0, teachers={"x": "0"}), tracker(4.0, step=7)
    two.config.model.pretrained = "elsewhere"
    found = averaging.mean({"a": one, "b": two})
    np.testing.assert_array_equal(found.variables["params"]["a"], [2.5, 2.5])
    np.testing.assert_array_equal(found.variables["batch_stats"]["mean"], [1.25])
    assert found.step == 7 and found.config is one.config
    assert found.provenance == {
        "teachers": {"x": "0"},
        "mean_of": {
            "a": digests.hash_arrays(one.variables),
            "b": digests.hash_arrays(two.variables),
        },
    }
    assert averaging.mean({"a": one}) is one


def test_the_mean_of_equal_trackers_is_that_tracker():
    lite = shipped.load("lite")
    found = averaging.mean({"lite": lite, "again": lite})
    jax.tree.map(np.testing.assert_array_equal, found.variables, lite.variables)


@pytest.mark.parametrize("other", [{"size": 3}, {"name": "siamla_lite0"}])
def test_unlike_networks_have_no_mean(other):
    with pytest.raises(InputError, match="b is another network than a"):
        averaging.mean({"a": tracker(1.0), "b": tracker(1.0, **other)})
