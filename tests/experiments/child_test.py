"""Tests for experiments.child."""

import functools
import json
import pathlib
import subprocess
import sys
import time

import pytest

from experiments import child, runs, settings
from jaxtrack import config as config_lib
from jaxtrack import configs
from jaxtrack.evaluation import atomic, results, run, scoring
from jaxtrack.evaluation.analysis import alignment
from jaxtrack.training import loop
from tests.datasets import fake_datasets as fake

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """A run's folder, with one sequence of three frames to test on."""
    video = tmp_path / "videos" / "a"
    fake.otb_sequence(video.parent, "a", truth=[[1, 2, 10, 10]] * 3)
    lite = configs.find("siamcar_lite0")
    config = settings.of_training(lite, data={}, pairs=320, seed=3)
    spec = {"config": json.loads(config.to_json()), "videos": [str(video)]}
    spec["aligns"] = False
    path = tmp_path / "run" / child.SETTINGS
    atomic.write_text(path, json.dumps(spec))
    return path.parent


@pytest.fixture
def tracked(monkeypatch):
    """A runner that answers boxes twice as high as the truth; its settings."""
    asked = []

    def track(checkpoint, videos, out_dir, *, name, tracking):
        assert checkpoint == out_dir / "train"
        asked.append(tracking)
        made = out_dir / "results" / name
        for video in videos:
            xywh = scoring.truth_xywh([video])[video.name] + [0, 0, 0, 10]
            results.write_result(made, video.name, xywh, [0.5] * len(xywh))
        return made

    monkeypatch.setattr(run, "track_checkpoint", track)
    return asked


def test_trains_by_the_settings_of_the_folder(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(loop, "train", lambda *given: asked.append(given))
    child.train([folder])
    ((config, workdir),) = asked
    assert workdir == folder / "train"
    of_run = config.run
    assert (of_run.seed, of_run.pairs_per_epoch, of_run.num_epochs) == (3, 320, 1)
    assert config.is_locked and config.loss.cls_weights == (0.5, 0.35, 0.15)


def test_scores_by_the_first_frame_left_out(folder, tracked):
    child.score([folder])
    found = runs.read_outcome(folder)
    # IoU 1/2 in every frame: above the thresholds 0, 0.05, ..., 0.45, 10 of 21.
    assert found.auc == {"a": pytest.approx(10 / 21)}
    assert found.ao == {"a": pytest.approx(0.5)}
    assert found.frames_per_second == pytest.approx(2.0)
    assert found.alignment is None


def change(folder, fields=(), **changes):
    """Changes a run's settings."""
    path = folder / child.SETTINGS
    spec = json.loads(path.read_text())
    for name, value in dict(fields).items():
        *groups, last = name.split(".")
        functools.reduce(dict.__getitem__, groups, spec["config"])[last] = value
    path.write_text(json.dumps({**spec, **changes}))


def test_tracks_by_the_settings_of_the_run(folder, tracked):
    values = {"tracking.window": 0.125, "online.learns": False}
    change(folder, {**values, "optimizer.lr": 0.5, "refine.samples": 3})
    child.score([folder])
    ((given),) = tracked
    assert {name: given[name] for name in values} == values
    # Nothing that training reads, and all that it does not.
    parts = {name.split(".")[0] for name in given}
    assert parts == {name.split(".")[0] for name in config_lib.TRACKING}
    assert not {"optimizer.lr", "refine.samples", "model.name"} & set(given)
    # The network's own settings take them.
    config_lib.update(configs.load("siamcar_lite0"), given, source="test")


def test_measures_alignment_if_asked(folder, tracked, monkeypatch):
    asked = []

    def measure(checkpoint, videos, out_dir, *, name, tracking):
        asked.append((checkpoint, out_dir, tracking["tracking.window"]))
        return {"sequences": {"a": {"correlation": 0.25}, "b": {"correlation": None}}}

    monkeypatch.setattr(alignment, "measure", measure)
    change(folder, {"tracking.window": 0.125}, aligns=True)
    child.score([folder])
    assert asked == [(folder / "train", folder, 0.125)]
    assert runs.read_outcome(folder).alignment == {"a": 0.25, "b": None}


def test_ends_when_its_parent_is_gone():
    code = "from experiments import child; import time\n"
    code += "child._end_with_parent(); print('ready', flush=True); time.sleep(60)"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    orphan = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes)
    assert orphan.stdout.readline() == b"ready\n"
    time.sleep(0.1)
    assert orphan.poll() is None
    orphan.stdin.close()  # As when the parent dies.
    assert orphan.wait(20) == -15
    orphan.stdout.close()
