"""Tests for the command `jaxtrack weights`."""

import jax
import numpy as np
import pytest

from jaxtrack import cli, configs, trackers, weights
from jaxtrack.errors import InputError
from jaxtrack.training.checkpoint import load_for_inference


@pytest.fixture
def arrays(monkeypatch):
    """Weights of a tracker of two arrays, which stands for every tracker."""
    variables = {
        "params": {"a": np.arange(6, dtype=np.float32).reshape(2, 3)},
        "batch_stats": {"b": np.ones(4, np.float32)},
    }

    def import_state_dict(config, arrays):
        if config.model.backbone != "efficientnet_lite0" or set(arrays) != {
            "a",
            "b",
        }:
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
    with pytest.raises(SystemExit):
        cli.main(argv)
    assert "is there already" in capsys.readouterr().err


def test_wrong_files_are_refused(arrays, tmp_path, capsys):
    np.savez(tmp_path / "a.npz", a=np.ones(1))
    argv = ["weights", "import", str(tmp_path / "a.npz"), f"--out={tmp_path / 'run'}"]
    for more, message in (
        (["--config=siamcar_lite0"], "other arrays than the tracker's"),
        ([], "required: --config"),
    ):
        with pytest.raises(SystemExit) as end:
            cli.main([*argv, *more])
        assert end.value.code == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
