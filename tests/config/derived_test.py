"""Tests for jaxtrack.config.derived."""

from jaxtrack import config as config_lib


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
