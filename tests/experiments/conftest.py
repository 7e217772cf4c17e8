"""Fixtures shared by the tests of experiments."""

import json
import pathlib
import sys

import pytest

from experiments import compare, folds, processes, runs, settings
from jaxtrack.data import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("davis_a", "davis_b", "otb_c")


def outcome(auc, alignment=None, **changes):
    numbers = {"frames_per_second": 40.0, "cpu_seconds": 60.0, "wall_seconds": 90.0}
    return runs.Outcome(auc=auc, ao=auc, alignment=alignment, **{**numbers, **changes})


@pytest.fixture
def make_outcome():
    """Makes what a run has come to."""
    return outcome


@pytest.fixture
def record():
    """What experiment.json of two folds and two seeds holds."""
    folds = [
        {"train": ["davis_b"], "test": ["davis_a", "otb_c"]},
        {"train": ["davis_a"], "test": ["davis_b", "otb_c"]},
    ]
    return {
        **{"configs": {"old": "old.py", "new": "new.py"}, "reference": "first"},
        **{"root": "/data", "changes": {"optimizer.lr": "0.1"}, "num_seeds": 2},
        **{"pairs": 320, "batch_size": 32, "folds": folds, "held_out": ["otb_c"]},
        **{"differences": {"loss.quality": ["centerness", "iou"]}},
    }


@pytest.fixture
def outcomes():
    """Runs of two configs, seeds, folds; `new` is better by 0.1 on each sequence."""
    found = {}
    for name, better in (("old", 0.0), ("new", 0.1)):
        for seed in (0, 1):
            for fold, own in ((0, "davis_a"), (1, "davis_b")):
                auc = {
                    own: 0.5 + 0.1 * fold + 0.02 * seed + better,
                    "otb_c": 0.3 + 0.2 * fold + 0.02 * seed + better,
                }
                ranks = {n: v / 2 for n, v in auc.items()}
                found[name, seed, fold] = outcome(auc, ranks)
    return found


@pytest.fixture
def write_run():
    """Writes what a finished run leaves in its folder."""

    def write(folder, one):
        (folder / "train").mkdir(parents=True, exist_ok=True)
        scores = {"auc": one.auc, "ao": one.ao}
        scores["frames_per_second"] = one.frames_per_second
        if one.alignment is not None:
            scores["alignment"] = one.alignment
        (folder / "scores.json").write_text(json.dumps(scores))
        attempt = {"cpu_seconds": one.cpu_seconds, "wall_seconds": one.wall_seconds}
        usage = {"attempts": [{**attempt, "exit_code": 0}]}
        (folder / "train" / "train_usage.json").write_text(json.dumps(usage))

    return write


@pytest.fixture
def root(tmp_path):
    """A folder of sequences without any picture; enough for folds."""
    for name in NAMES:
        folder = tmp_path / "data" / "sequences" / name
        (folder / "img").mkdir(parents=True)
        (folder / "groundtruth_rect.txt").write_text("1,2,3,4\n")
    (tmp_path / "data" / "sequences" / "davis_a" / "mask").mkdir()
    return tmp_path / "data"


@pytest.fixture
def packed(monkeypatch):
    """Calls of the packer, which packs nothing."""
    calls = []

    def note(out, **how):
        calls.append((out, how))
        out.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(build, "build", note)
    return calls


def write_config(path, change):
    """Writes a config file that changes siamcar_lite0's."""
    lines = ["from jaxtrack.configs import siamcar_lite0", "def get_config():"]
    lines += [f"    c = siamcar_lite0.get_config(); {change}", "    return c", ""]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def experiment(root, tmp_path, packed):
    """Three configs on that folder; the last two differ in tracking alone."""
    changes = {"plain": "", "middle": "c.optimizer.lr = 0.5"}
    changes["full"] = "c.optimizer.lr = 0.5; c.tracking.window = 0"
    files = [str(write_config(tmp_path / f"{n}.py", c)) for n, c in changes.items()]
    return compare.Experiment(
        configs=settings.find(files),
        out=tmp_path / "out",
        reference="previous",
        num_seeds=2,
        pairs=320,
        root=root,
    )


@pytest.fixture
def two_folds():
    """The division of that folder."""
    return folds.split(NAMES)


# Stands in for Python: trains ten steps at once, scores what is trained. Boxes of the
# config `middle` are better by 0.1, and those of seed 1 by 0.02.
CHILD = """
import json, os, pathlib, sys
stage, folder = sys.argv[3], pathlib.Path(sys.argv[4])
with open(os.environ["CALLS"], "a") as calls:
    calls.write(f"{stage} {folder.parent.name} {folder.name}\\n")
if os.environ.get("FAILS") == f"{stage} {folder.parent.name}":
    sys.exit("out of memory")
if stage == "train":
    (folder / "train" / "checkpoints" / "10").mkdir(parents=True)
else:
    assert (folder / "train" / "checkpoints" / "10").is_dir()
    spec = json.loads((folder / "settings.json").read_text())
    seed, rate = spec["config"]["run"]["seed"], spec["config"]["optimizer"]["lr"]
    auc = 0.5 + 0.02 * seed + 0.1 * (rate == 0.5)
    auc = {os.path.basename(video): auc for video in spec["videos"]}
    scores = {"auc": auc, "ao": auc, "frames_per_second": 40.0}
    if spec["aligns"]:
        scores["alignment"] = {name: 0.25 for name in auc}
    (folder / "scores.json").write_text(json.dumps(scores))
"""


@pytest.fixture
def children(tmp_path, monkeypatch):
    """Returns what child processes were asked for since the last call."""
    program, calls = tmp_path / "child.py", tmp_path / "calls.txt"
    program.write_text(f"#!{sys.executable} -S\n{CHILD}")
    program.chmod(0o755)
    calls.touch()
    monkeypatch.setattr(runs.sys, "executable", str(program))
    monkeypatch.setattr(processes, "_POLL_SECONDS", 0.01)
    monkeypatch.setenv("CALLS", str(calls))

    def asked():
        lines = calls.read_text().splitlines()
        calls.write_text("")
        return lines

    return asked
