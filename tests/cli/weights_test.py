"""Tests for the command `jaxtrack weights`."""

import jax
import numpy as np
import pytest

from jaxtrack import cli, configs, trackers, weights
from jaxtrack.errors import InputError
from jaxtrack.training.inference import load_for_inference
from tests.refusals import refused


@pytest.fixture
def arrays(monkeypatch):
    """Weights of a tracker of two arrays, which stands for every tracker."""
    variables = {
        "params": {"a": np.arange(6, dtype=np.float32).reshape(2, 3)},
        "batch_stats": {"b": np.ones(4, np.float32)},
    }

    def import_state_dict(config, arrays):
        if config.model.backbone != "efficientnet_lite0" or set(arrays) != {"a", "b"}:
            raise InputError("other arrays than the tracker's")
        return {"params": {"a": arrays["a"]}, "batch_stats": {"b": arrays["b"]}}

    monkeypatch.setattr(weights, "import_state_dict", import_state_dict)
    return variables


def test_a_file_becomes_a_checkpoint(arrays, tmp_path, capsys):
    path, out = tmp_path / "a.npz", tmp_path / "run"
    np.savez(path, a=arrays["params"]["a"], b=arrays["batch_stats"]["b"])
    cli.main(["weights", "inspect", str(path)])
    told = "a  float32  [2, 3]\nb  float32  [4]\n2 arrays, 10 numbers, 0.0 MB\n"
    assert capsys.readouterr().out == told

    argv = ["weights", "import", str(path), "--config=siamcar_lite0", f"--out={out}"]
    cli.main([*argv, "--config.tracking.window=0.25"])
    saved = load_for_inference(out)
    jax.tree.map(np.testing.assert_array_equal, saved.variables, arrays)
    expected = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    expected.tracking.window = 0.25
    assert saved.config.to_json() == expected.to_json()

    capsys.readouterr()
    cli.main(["weights", "inspect", str(out)])
    assert "params.a       float32  [2, 3]" in capsys.readouterr().out
    assert "is there already" in refused(capsys, *argv)


def test_wrong_files_are_refused(arrays, tmp_path, capsys):
    np.savez(tmp_path / "a.npz", a=np.ones(1))
    argv = ["weights", "import", str(tmp_path / "a.npz"), f"--out={tmp_path / 'run'}"]
    for more, message in (
        (["--config=siamcar_lite0"], "other arrays than the tracker's"),
        ([], "required: --config"),
    ):
        assert message in refused(capsys, *argv, *more)
    assert not (tmp_path / "run").exists()


def test_a_tracker_becomes_a_file(tmp_path, capsys):
    out = tmp_path / "mine.safetensors"
    argv = ["weights", "export", "lite", f"--out={out}"]
    cli.main([*argv, "--set=tracking.window=0.25", "--dtype=float32"])
    assert "siamcar (efficientnet_lite0, light), float32, 3." in capsys.readouterr().out
    saved = load_for_inference(out)
    assert saved.config.tracking.window == 0.25
    own = load_for_inference("lite").variables
    jax.tree.map(np.testing.assert_array_equal, saved.variables, own)
    for change in ("tracking.windw=1", "model.backbone=resnet18"):
        assert change.partition("=")[0] in refused(capsys, *argv, f"--set={change}")


def test_shipped_trackers_are_looked_into(capsys):
    cli.main(["weights", "card", "lite"])
    assert capsys.readouterr().out.startswith("# ")
    cli.main(["weights", "card"])
    assert capsys.readouterr().out.startswith("lite       SiamCAR on")
    cli.main(["weights", "inspect", "lite"])
    told = capsys.readouterr().out
    assert "params/neck/fine/kernel " in told and "batch_stats/" in told
    assert "did you mean lite?" in refused(capsys, "weights", "card", "lit")
