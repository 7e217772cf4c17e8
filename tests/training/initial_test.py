"""Tests for jaxtrack.training.initial."""

import jax
import numpy as np

from jaxtrack.training import loop
from jaxtrack.training.initial import kaiming_heads

from .conftest import TINY, small_config


def test_kaiming_draws_all_but_the_backbone():
    """The deviation is sqrt(2 / (k k Cout)), here of 18,432 numbers within 3 %."""
    ones = np.ones(64, np.float32)
    conv = {"kernel": np.zeros((3, 3, 32, 64), np.float32), "bias": ones}
    params = {
        "backbone": {"layer2": conv},
        "head": {"one": conv, "two": conv, "norm": {"scale": ones, "bias": ones}},
        "neck": {"transform": {"kernel": np.zeros((96, 64), np.float32)}},
    }
    drawn = kaiming_heads(jax.random.key(0), params)
    jax.tree.map(np.testing.assert_array_equal, drawn["backbone"], params["backbone"])
    head = drawn["head"]
    for kernel, outputs in (
        (head["one"]["kernel"], 9 * 64),
        (head["two"]["kernel"], 9 * 64),
        (drawn["neck"]["transform"]["kernel"], 64),
    ):
        np.testing.assert_allclose(np.std(kernel), (2 / outputs) ** 0.5, rtol=0.03)
        assert abs(np.mean(kernel)) < 0.03 * np.std(kernel)
    assert (head["one"]["kernel"] != head["two"]["kernel"]).mean() > 0.99
    assert not head["one"]["bias"].any() and not head["norm"]["bias"].any()
    np.testing.assert_array_equal(head["norm"]["scale"], ones)


def test_the_setting_chooses():
    config = small_config()
    network = TINY.network(config)
    released = loop._initial_variables(config, TINY, network)
    config.run.head_init = "kaiming"
    drawn = loop._initial_variables(config, TINY, network)
    equal = jax.tree.map(
        lambda a, b: bool((a == b).all()), released["params"], drawn["params"]
    )
    assert all(jax.tree.leaves(equal["backbone"])) and not equal["head"]["kernel"]
    again = loop._initial_variables(config, TINY, network)
    jax.tree.map(np.testing.assert_array_equal, drawn, again)
