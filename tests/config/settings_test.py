"""Tests for jaxtrack.config.settings."""

import json

import pytest

from jaxtrack import config as config_lib
from jaxtrack.config.fields import GROUPS
from jaxtrack.errors import InputError


def test_an_invented_field_is_refused():
    config = config_lib.get_config()
    assert config.is_locked
    with pytest.raises(AttributeError, match="batch_size"):
        config.run.batch_sise = 8
    with pytest.raises(AttributeError, match="optimizer"):
        config.optimzer = 8
    assert config_lib.is_known("refine")
    assert config_lib.is_known("model.preprocessing")
    assert config_lib.is_known("refine.samples")
    assert not config_lib.is_known("refine.sampls")
    assert not config_lib.is_known("refin")


def test_every_field_lies_in_a_group():
    assert set(config_lib.get_config()) == set(GROUPS)


def test_what_was_saved_comes_back():
    config = config_lib.get_config()
    config.loss.weights, config.refine.jittered = (1.0, 1.0, 0.0), 4
    saved = json.loads(config.to_json())
    back = config_lib.from_saved(saved, source="runs/a")
    assert back == config
    assert back.is_locked
    assert back.loss.weights == (1.0, 1.0, 0.0)


def test_saved_settings_of_other_fields_are_refused():
    saved = json.loads(config_lib.get_config().to_json())
    del saved["tracking"]["num_boxes"], saved["refine"]["samples"]
    lacks = "runs/a .* lacks refine.samples, tracking.num_boxes"
    with pytest.raises(InputError, match=f"{lacks}; train again"):
        config_lib.from_saved(saved, source="runs/a")
    saved["online"]["memory"] = 3
    with pytest.raises(InputError, match=f"{lacks} and has the unknown online.memory"):
        config_lib.from_saved(saved, source="runs/a")


def test_update_takes_what_fits_and_names_what_does_not():
    config = config_lib.get_config()
    values = {"optimizer.lr": 1, "refine.samples": 4, "loss.weights": [1.0, 0.5, 0.0]}
    config_lib.update(config, values, source="x")
    assert (config.optimizer.lr, config.refine.samples) == (1.0, 4)
    assert isinstance(config.optimizer.lr, float)
    assert config.loss.weights == (1.0, 0.5, 0.0)
    faults = {
        ("run.batch_size", "many"): "is 'many': it must be of type int",
        ("run.batch_size", 1.5): "x: config.run.batch_size is 1.5: it must be of type",
        ("optimizer.lr.x", 3): "x: no setting config.optimizer.lr.x",
        ("lr", 3): "x: no setting config.lr: did you mean optimizer.lr",
        (
            "model.preprocessing",
            3,
        ): "x: config.model.preprocessing is a group: name one",
        ("refine.sampls", 3): "did you mean refine.samples",
    }
    for (name, value), message in faults.items():
        with pytest.raises(InputError, match=message):
            config_lib.update(config, {name: value}, source="x")


def test_fields_of_tracking():
    for field in ("tracking.penalty", "tracking", "online", "online.rate"):
        assert config_lib.is_of_tracking(field)
    for field in ("refine", "refine.positives", "loss", "rate", "penalty", "on"):
        assert not config_lib.is_of_tracking(field)
    assert all(map(config_lib.is_known, config_lib.TRACKING))


def test_steps_count_whole_batches():
    config = config_lib.get_config()
    config.run.batch_size, config.run.pairs_per_epoch = 32, 100
    config.run.num_epochs = 4
    assert config_lib.steps_per_epoch(config) == 3  # 100 // 32
    assert config_lib.total_steps(config) == 12
    assert config_lib.epochs_to_steps(config, 0.5) == 2  # ceil(1.5)


def test_preprocessing_is_of_plain_numbers():
    config = config_lib.get_config()
    config.model.preprocessing.order = "BGR"
    config.model.preprocessing.mean = (1.0, 2.0, 3.0)
    order, mean, scale = config_lib.preprocessing(config)
    assert (order, mean, scale) == ("BGR", (1.0, 2.0, 3.0), (1.0, 1.0, 1.0))
