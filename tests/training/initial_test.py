"""Tests for jaxtrack.training.initial."""

import jax
import numpy as np
import pytest

from jaxtrack import cli, configs, trackers
from jaxtrack.errors import InputError
from jaxtrack.training import inference, loop
from jaxtrack.training.initial import (
    check_file,
    initial_variables,
    kaiming_heads,
    start_from,
)
from jaxtrack.weights.bundle import Bundle

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
    released = initial_variables(config, TINY, network)[0]
    config.run.head_init = "kaiming"
    drawn = initial_variables(config, TINY, network)[0]
    equal = jax.tree.map(
        lambda a, b: bool((a == b).all()), released["params"], drawn["params"]
    )
    assert all(jax.tree.leaves(equal["backbone"])) and not equal["head"]["kernel"]
    again = initial_variables(config, TINY, network)[0]
    jax.tree.map(np.testing.assert_array_equal, drawn, again)


def tree(backbone, **head):
    """Variables of a network: a number a name, of one or more equal values."""
    filled = {k: np.full(size, value, np.float32) for k, (size, value) in head.items()}
    params = {"backbone": {"a": np.full(2, backbone, np.float32)}, "head": filled}
    return {"params": params, "batch_stats": {}}


def test_what_fits_of_a_trained_tracker_is_taken(monkeypatch):
    config = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    config.model.pretrained = "lite"
    other = Bundle(config, tree(1.0, b=(4, 1.0), c=(1, 1.0), d=(1, 1.0)), 5)
    monkeypatch.setattr(inference, "load_for_inference", lambda source: other)
    start = start_from(config, None, tree(0.0, b=(3, 0.0), c=(1, 0.0), e=(1, 0.0)))
    jax.tree.map(
        np.testing.assert_array_equal,
        start.variables,
        tree(1.0, b=(3, 0.0), c=(1, 1.0), e=(1, 0.0)),
    )
    assert start.description == (
        "2 of 4 arrays are those of lite, the others are drawn (missing: params/head/e;"
        " unexpected: params/head/d; of another shape: params/head/b is [4], not [3])"
    )
    whole = start_from(config, None, other.variables)
    assert whole.description == "all 4 arrays are those of lite"
    lacking = {"params": {"backbone": {"z": np.ones(2)}, "head": {}}}
    with pytest.raises(InputError, match="not all of .* backbone: missing: params/ba"):
        start_from(config, None, lacking)


def test_trackers_by_name_and_folders_pass_for_files_of_weights(tmp_path):
    config = configs.load("siamcar_lite0")
    for source in ("", "imagenet", "lite", str(tmp_path)):
        config.model.pretrained = source
        check_file(config)


def test_a_tracker_that_expects_other_pixels_is_refused(monkeypatch):
    config = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    other = trackers.with_preprocessing(configs.load("siamcar_r50"))
    config.model.pretrained = "lite"
    found = Bundle(other, tree(1.0), 5)
    monkeypatch.setattr(inference, "load_for_inference", lambda source: found)
    with pytest.raises(InputError, match=r"other pixels.*order=.BGR. --config.*mean"):
        start_from(config, None, tree(0.0))


def test_init_names_what_to_start_from(monkeypatch, tmp_path):
    (tmp_path / "run/checkpoints/3").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(loop, "train", lambda c, *_, **__: seen.append(c.model))
    for source in ("run", "lite", "imagenet"):
        cli.main(["train", f"--init={source}"])
        assert seen.pop().pretrained == source
