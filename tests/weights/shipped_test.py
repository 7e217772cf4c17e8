"""Tests for jaxtrack.weights.shipped and training.inference: what a person names."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from jaxtrack import config as config_lib
from jaxtrack import trackers
from jaxtrack.errors import InputError
from jaxtrack.training import inference
from jaxtrack.weights import bundle, shipped


def test_shipped_trackers_are_whole_and_small():
    for name in shipped.SHIPPED:
        loaded = shipped.load(name)
        assert shipped.path(name).stat().st_size <= 3e6
        assert shipped.card(name).startswith("# ")
        assert loaded.step > 0
        assert config_lib.preprocessing(loaded.config).order == "RGB"
        assert loaded.config.tracking.score_slope > 0
        assert 0 < loaded.config.tracking.lost_below < 1
        for leaf in jax.tree.leaves(loaded.variables):
            assert leaf.dtype == np.float32 and np.isfinite(leaf).all()


def test_the_fast_one_has_the_same_weights_and_smaller_search_crops():
    lite, fast = map(shipped.load, ("lite", "lite-fast"))
    jax.tree.map(np.testing.assert_array_equal, lite.variables, fast.variables)
    settings = [config_lib.of_tracking(b.config) for b in (lite, fast)]
    differ = {k for k, v in settings[1].items() if v != settings[0][k]}
    assert differ == set(shipped.SHIPPED["lite-fast"].settings)
    assert trackers.network_of(fast.config).geometry.search_size == 192


def test_names_files_and_nothing_else_are_found(tmp_path, monkeypatch):
    named = inference.load_for_inference("lite")
    path = tmp_path / "copy.safetensors"
    path.write_bytes(shipped.path("lite").read_bytes())
    found = inference.load_for_inference(path)
    jax.tree.map(np.testing.assert_array_equal, named.variables, found.variables)
    with pytest.raises(InputError, match="no tracker 'light' is shipped: .* lite"):
        shipped.load("light")
    monkeypatch.chdir(tmp_path)
    for source, message in {
        "light": "no checkpoint light: name a shipped tracker .lite",
        "light.safetensors": "light.safetensors: no such file",
        "./lite": "no checkpoint lite: name",
    }.items():
        with pytest.raises(InputError, match=message):
            inference.load_for_inference(source)


def test_other_arrays_than_the_networks_are_refused(tmp_path):
    loaded = shipped.load("lite")
    del loaded.variables["params"]["neck"]
    path = tmp_path / "cut.safetensors"
    bundle.write(path, loaded)
    message = "cut.* does not fit its network: missing: params/neck/"
    with pytest.raises(InputError, match=message):
        inference.load_for_inference(path)


def test_a_shipped_tracker_needs_nothing_of_a_training():
    script = (
        "import sys\n"
        "from jaxtrack.training.inference import load_for_inference\n"
        "load_for_inference('lite')\n"
        "assert not {'orbax.checkpoint', 'grain', 'optax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
