"""Tests for the command `jaxtrack demo`."""

import json

import jax
import pytest

from jaxtrack.cli import demo
from jaxtrack.configs import demo as demo_config


@pytest.mark.slow
def test_the_whole_road(tmp_path, monkeypatch):
    def small():
        config = demo_config_get()
        config.run.batch_size = 8
        config.run.pairs_per_epoch = 16
        config.data.num_workers = 0
        config.data.composed_tracks, config.run.log_every = 8, 1
        return config

    demo_config_get = demo_config.get_config
    monkeypatch.setattr(demo_config, "get_config", small)
    with jax.numpy_dtype_promotion("standard"):  # As optax's Adam wants it.
        auc = demo.demonstrate(tmp_path, num_sequences=2, num_epochs=1)
    assert 0 <= auc <= 1
    assert (tmp_path / "tracking.mp4").stat().st_size > 1000
    report = (tmp_path / "report.html").read_text()
    assert "scene" in report
    assert json.loads((tmp_path / "report.json").read_text())
    # Run again, it finds everything done.
    assert demo.demonstrate(tmp_path, num_sequences=2, num_epochs=1) == auc
