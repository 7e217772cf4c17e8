"""Tests for jaxtrack.config and the files in configs/."""

import importlib
import pathlib

import pytest

from configs import common
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = sorted(p.stem for p in (ROOT / "configs").glob("*.py") if p.stem != "__init__")


@pytest.mark.parametrize("name", NAMES)
def test_every_config_is_sound(name):
    config = importlib.import_module(f"configs.{name}").get_config()
    config_lib.check(config)
    assert config.is_locked
    assert set(config) == set(common.get_config())


def test_steps_count_whole_batches():
    config = common.get_config()
    config.batch_size, config.pairs_per_epoch, config.num_epochs = 32, 100, 4
    assert config_lib.steps_per_epoch(config) == 3  # 100 // 32
    assert config_lib.total_steps(config) == 12
    assert config_lib.epochs_to_steps(config, 0.5) == 2  # ceil(1.5)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("schedule", "linear", "config.schedule is 'linear'"),
        ("flip", 1.5, r"config.flip is 1.5: it must lie in \[0, 1\]"),
        ("batch_size", 0, "config.batch_size is 0: it must be positive"),
        ("num_workers", -1, "config.num_workers is -1"),
        ("batch_size", 10_000_000, "an epoch would have no step"),
        ("synthetic_weight", 0.0, "nothing to train on"),
        ("records", ("no/such",), "no/such, which is no folder"),
        ("record_weights", (1.0,), "1 numbers for 0 folders"),
    ],
)
def test_what_cannot_work_is_refused(field, value, message):
    config = common.get_config()
    config[field] = value
    with pytest.raises(InputError, match=message):
        config_lib.check(config)


def test_unknown_field_is_refused():
    config = common.get_config()
    with pytest.raises(AttributeError, match="batch_size"):
        config.batch_sise = 8
