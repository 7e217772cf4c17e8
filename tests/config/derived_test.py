"""Tests for jaxtrack.config.derived."""

import dataclasses

import pytest

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError


def test_steps_count_whole_batches():
    config = config_lib.get_config()
    config.batch_size, config.pairs_per_epoch, config.num_epochs = 32, 100, 4
    assert config_lib.steps_per_epoch(config) == 3  # 100 // 32
    assert config_lib.total_steps(config) == 12
    assert config_lib.epochs_to_steps(config, 0.5) == 2  # ceil(1.5)


def test_a_dataclass_is_filled_from_settings_that_have_every_field():
    @dataclasses.dataclass
    class Crop:
        size: int = 1
        flip: float = 0.25
        gray: float = 0.25

    config = config_lib.get_config().unlock()
    config.flip = 0.5
    assert config_lib.fill_dataclass(Crop, config, size=8) == Crop(8, 0.5, 0.0)
    del config.flip, config.gray
    with pytest.raises(InputError, match="Crop needs config.flip, config.gray"):
        config_lib.fill_dataclass(Crop, config, size=8)


def test_preprocessing_is_of_plain_numbers():
    config = config_lib.get_config()
    config.preprocessing.mean = (1.0, 2.0, 3.0)
    order, mean, scale = config_lib.preprocessing(config)
    assert (order, mean, scale) == ("BGR", (1.0, 2.0, 3.0), (1.0, 1.0, 1.0))
