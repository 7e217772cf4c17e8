"""Tests for the batches that settings describe: jaxtrack.data.pipeline.make."""

import pytest

from jaxtrack.configs import demo
from jaxtrack.data import pipeline
from jaxtrack.errors import InputError

from .conftest import check_batch


def small_config():
    config = demo.get_config()
    config.run.batch_size = 2
    config.data.num_workers = 0
    config.data.composed_tracks = 4
    return config


def test_composed_scenes_make_batches_of_the_networks_sizes():
    loader = pipeline.make(small_config(), template_size=128, search_size=256)
    batch = next(loader)
    loader.close()
    check_batch(batch, 2, 128, 256)


def test_sources_without_a_share_are_left_out():
    config = small_config()
    config.data.composed_weight = 0.0
    assert pipeline.make_sources(config) == []
    with pytest.raises(InputError, match="no training data"):
        pipeline.make(config, template_size=128, search_size=256)


def test_cutouts_are_found_by_pattern(tmp_path):
    config = small_config()
    config.data.composed_cutouts = str(tmp_path)
    config.data.composed_patterns = ("davis_*",)
    with pytest.raises(InputError, match=r"no sequence davis_\*"):
        pipeline.make_sources(config)
