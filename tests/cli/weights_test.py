"""Tests for the command `jaxtrack weights`."""

import functools
import hashlib
import json

import jax
import numpy as np
import pytest

import jaxtrack
from jaxtrack import cli, configs, trackers, weights
from jaxtrack import config as config_lib
from jaxtrack.cli.arguments import parse_checkpoints
from jaxtrack.errors import InputError
from jaxtrack.evaluation.results import tracker_name
from jaxtrack.training.inference import Foreign, load_for_inference
from jaxtrack.weights import bundle, foreign
from tests.refusals import refused

SHAPES_OF = foreign.shapes_of


@functools.cache
def shapes(text):
    """Shapes of the network that settings name, traced once."""
    return SHAPES_OF(config_lib.from_saved(json.loads(text), source="test"))


@pytest.fixture(autouse=True)
def traced_once(monkeypatch):
    monkeypatch.setattr(foreign, "shapes_of", lambda config: shapes(config.to_json()))


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

    monkeypatch.setattr(foreign, "import_state_dict", import_state_dict)
    return variables


def test_a_file_becomes_a_checkpoint(arrays, tmp_path, capsys):
    """Two files, as of backbone and head, make one tracker, which says so."""
    paths, out = [tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "run"
    np.savez(paths[0], a=arrays["params"]["a"])
    np.savez(paths[1], b=arrays["batch_stats"]["b"])
    joined = ",".join(map(str, paths))
    cli.main(["weights", "inspect", joined])
    told = "a  float32  [2, 3]\nb  float32  [4]\n2 arrays, 10 numbers, 0.0 MB\n"
    assert capsys.readouterr().out == f"{told}form: .npz\n"

    argv = ["weights", "import", "--model=siamcar_lite0", f"--file={joined}"]
    argv += [f"--out={out}", "--config.tracking.window=0.25"]
    cli.main(argv)
    assert "its pixels are RGB, mean (127.0, " in capsys.readouterr().out
    saved = load_for_inference(out)
    jax.tree.map(np.testing.assert_array_equal, saved.variables, arrays)
    expected = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    expected.tracking.window = 0.25
    assert saved.config.to_json() == expected.to_json()
    assert saved.provenance["network"] == "siamcar (efficientnet_lite0, light)"
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert saved.provenance["files"] == dict(zip(["a.npz", "b.npz"], hashes, strict=1))

    cli.main(["weights", "inspect", str(out)])
    told = capsys.readouterr().out
    assert "params/a       float32  [2, 3]" in told and hashes[0] in told
    file = tmp_path / "mine.safetensors"
    cli.main(["weights", "export", str(out), f"--out={file}"])
    assert bundle.read(file).provenance == saved.provenance
    capsys.readouterr()
    assert "exists already" in refused(capsys, *argv)


def test_wrong_files_are_refused(arrays, tmp_path, capsys):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.ones(1))
    argv = ["weights", "import", f"--out={tmp_path / 'run'}"]
    for more, message in (
        ([f"--file={path}", "--model=siamcar_lite0"], "other arrays than the tracker"),
        ([f"--file={path},{path}", "--model=siamcar_lite0"], "earlier file has a too"),
        ([f"--file={path}"], "missing: --model"),
        (["--model=siamcar_lite0"], "missing: --file"),
        ([f"--file={path}", "--model=siamcar_lite"], "did you mean siamcar_lite0?"),
    ):
        assert message in refused(capsys, *argv, *more)
    assert not (tmp_path / "run").exists()


def test_a_file_of_weights_alone_tracks_with_its_model(arrays, tmp_path, capsys):
    path = tmp_path / "a.npz"
    np.savez(path, a=arrays["params"]["a"], b=arrays["batch_stats"]["b"])
    named = parse_checkpoints([f"x={path}", "lite"], model="siamcar_lite0")
    assert named["lite"] == "lite" and str(named["x"]) == str(path)
    assert tracker_name(named["x"]) == "a"
    loaded = load_for_inference(named["x"])
    jax.tree.map(np.testing.assert_array_equal, loaded.variables, arrays)
    assert loaded.config.model.preprocessing.order == "RGB"
    with pytest.raises(InputError, match="name the network .* --model=siamcar_r50"):
        load_for_inference(path)
    with pytest.raises(InputError, match="no --checkpoint is one"):
        parse_checkpoints(["lite"], model="siamcar_lite0")
    with pytest.raises(InputError, match=r"typo\.pth: no such file of weights"):
        jaxtrack.load("typo.pth", model="siamcar_lite0")
    with pytest.raises(InputError, match="lite is none; leave it out"):
        jaxtrack.load("lite", model="siamcar_lite0")


def test_a_state_dict_leaves_and_comes_back(tmp_path, capsys):
    """In o out is exact; what a file fits is found by its names."""
    out = tmp_path / "torch.safetensors"
    argv = ["weights", "export", "lite", "--names=torch", f"--out={out}"]
    cli.main(argv)
    assert "PyTorch's names, float32, 3." in capsys.readouterr().out
    model = "--model=siamcar_lite0"
    cli.main(["weights", "inspect", str(out), model])
    count = len(jax.tree.leaves(load_for_inference("lite").variables))
    told = capsys.readouterr().out.splitlines()
    assert told[-3].startswith(f"{count} arrays fit, 0 missing, 0 unexpected, 0 missh")
    assert told[-2] == "compared with the whole tracker of siamcar_lite0"
    again = load_for_inference(Foreign(str(out), "siamcar_lite0")).variables
    own = load_for_inference("lite").variables
    jax.tree.map(np.testing.assert_array_equal, again, own)
    cli.main([*argv, "--backbone", "--dtype=float16"])
    assert "the backbone, float16, " in capsys.readouterr().out
    found = weights.read(out)
    assert found.arrays["_conv_stem.weight"].dtype == np.float16
    cli.main(["weights", "inspect", str(out), model])
    told = capsys.readouterr().out.splitlines()
    assert told[-2] == "compared with the backbone of siamcar_lite0"
    capsys.readouterr()
    for more, message in (
        (["--set=tracking.window=0.3"], "such a file has no settings"),
        (["--dtype=float24"], "take float16 or float32"),
    ):
        assert message in refused(capsys, *argv, *more)
    assert "--names=torch" in refused(
        capsys, "weights", "export", "lite", f"--out={out}", "--backbone"
    )


def test_the_networks_that_a_file_fits_are_named(tmp_path, monkeypatch, capsys):
    names = ["siamcar_lite0", "dla_siamcar_lite0", "siamla_lite0", "demo", "x/y"]
    monkeypatch.setattr(configs, "names", lambda: names)
    out = tmp_path / "torch.safetensors"
    cli.main(["weights", "export", "lite", "--names=torch", f"--out={out}"])
    capsys.readouterr()
    cli.main(["weights", "inspect", str(out), "--fits"])
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("--model=siamcar_lite0: ") and "fit the whole" in told[0]
    assert told[1:] == ["  or dla_siamcar_lite0", "form: safetensors"]
    np.savez(tmp_path / "a.npz", a=np.ones(1))
    cli.main(["weights", "inspect", str(tmp_path / "a.npz"), "--fits"])
    assert "fits no network that is here\n" in capsys.readouterr().out
    told = refused(capsys, "weights", "inspect", "lite", "--fits")
    assert "lite has its own settings" in told


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
