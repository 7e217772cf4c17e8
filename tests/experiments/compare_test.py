"""Tests for experiments.compare and for `make compare`'s command."""

import json
import pathlib
import subprocess
import sys

import cv2
import pytest

from experiments import compare, plan, record, runs
from jaxtrack.data import build
from jaxtrack.data.synthetic import SyntheticSource, write_sequences
from jaxtrack.errors import InputError

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "experiments.compare")


@pytest.fixture
def fake(monkeypatch, make_outcome, write_run):
    """Runs that take no time: B (ResNet-18) is better by 0.1 everywhere."""
    asked = []

    def run_all(planned, *, at_once, on_finished):
        asked.append(len(planned))
        for one in planned:
            better = 0.1 * (one.config.model == "siamcar_r18")
            auc = {video.name: 0.5 + better for video in one.videos}
            write_run(one.folder, make_outcome(auc, {n: 0.25 for n in auc}))
            on_finished()

    monkeypatch.setattr(runs, "run_all", run_all)
    monkeypatch.setattr(build, "build", lambda out, **how: out.mkdir(parents=True))
    return asked


def test_writes_numbers_words_and_a_picture(recipe, fake):
    found = compare.run(recipe)
    assert fake == [8]
    assert found["auc"]["all"]["interval"] == pytest.approx([0.1, 0.1])
    written = json.loads((recipe.out / "compare.json").read_text())
    assert written["auc"]["verdict"].startswith("siamcar_r18 is better")
    assert written["alignment"]["verdict"].endswith("which holds zero.")
    assert written["study"] == record.read(recipe.out)
    text = (recipe.out / "compare.md").read_text()
    assert "| davis_a | 0.500 | 0.600 | +0.100 | 0.250 | 0.250 |" in text
    assert cv2.imread(str(recipe.out / "compare.png")).shape[1] > 500


def test_summary_of_an_unfinished_study(recipe, fake, monkeypatch, write_run):
    whole = runs.run_all

    def interrupted(planned, *, at_once, on_finished):
        whole(planned[:3], at_once=at_once, on_finished=on_finished)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "run_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare.run(recipe)
    # The first pair is there; the third run has no partner yet.
    found = json.loads((recipe.out / "compare.json").read_text())
    assert (found["seeds"], found["folds"], found["num_finished"]) == ([0], [0], 3)
    assert set(found["auc"]["sequences"]) == {"davis_a", "otb_c"}
    assert compare.summarise(recipe.out) == found


def test_nothing_to_summarise(tmp_path):
    with pytest.raises(InputError, match="no study in"):
        compare.summarise(tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--b=configs/siamcar_r18.py"], "--root is missing"),
        (["--root=."], "--b is missing"),
        (["--summary_only", "--out=/nowhere"], "no study in /nowhere"),
    ],
)
def test_faults_are_one_line(given, message):
    done = subprocess.run([*COMMAND, *given], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")


@pytest.mark.slow
def test_the_whole_road(tmp_path):
    scenes = SyntheticSource(num_tracks=3, length=4, size=(120, 160), split="eval")
    made = write_sequences(scenes, tmp_path / "data" / "sequences", prefix="davis")
    made[2].rename(made[2].with_name("otb_0002"))
    small = tmp_path / "small.py"
    small.write_text(
        "from jaxtrack.configs import siamcar_lite0\n"
        "def get_config():\n"
        "    c = siamcar_lite0.get_config()\n"
        "    c.lr = 1e-4\n"
        "    return c\n"
    )
    given = [
        f"--a={ROOT / 'configs' / 'siamcar_lite0.py'}",
        *(f"--b={small}", f"--root={tmp_path / 'data'}", f"--out={tmp_path / 'out'}"),
        *("--seeds=1", "--pairs=8", "--set=batch_size=4", "--set=synthetic_tracks=4"),
    ]

    def run():
        done = subprocess.run(
            [*COMMAND, *given], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = run()
    found = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert set(found["auc"]["sequences"]) == {"davis_0000", "davis_0001", "otb_0002"}
    assert found["study"]["differences"] == {"lr": [2e-3, 1e-4]}
    assert found["usage"]["a"]["cpu_seconds"] > 1
    folder = plan.run_folder(tmp_path / "out", "small", 0, 1)
    attempts = json.loads((folder / "train_usage.json").read_text())["attempts"]
    assert len(attempts) == 1
    assert run() == said  # Finds everything done.
    assert json.loads((folder / "train_usage.json").read_text())["attempts"] == attempts
