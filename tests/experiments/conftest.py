"""Fixtures shared by the tests of experiments."""

import json
import pathlib

import pytest

from experiments import folds as folds_lib
from experiments import plan
from experiments.runs import Outcome

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
NAMES = ("davis_a", "davis_b", "otb_c")


def outcome(auc, alignment=None, **changes):
    numbers = {"frames_per_second": 40.0, "cpu_seconds": 60.0, "wall_seconds": 90.0}
    return Outcome(auc=auc, ao=auc, alignment=alignment, **{**numbers, **changes})


@pytest.fixture
def make_outcome():
    """Makes what a run has come to."""
    return outcome


@pytest.fixture
def study():
    """What study.json of two folds and two seeds holds."""
    return {
        "a": "old",
        "b": "new",
        "configs": ["old.py", "new.py"],
        "overrides": {"lr": 0.1},
        "num_seeds": 2,
        "pairs": 320,
        "batch_size": 32,
        "folds": [
            {"train": ["davis_b"], "test": ["davis_a", "otb_c"]},
            {"train": ["davis_a"], "test": ["davis_b", "otb_c"]},
        ],
        "always_held_out": ["otb_c"],
        "differences": {"loss": ["siamcar", "siamla"]},
    }


@pytest.fixture
def outcomes():
    """Runs of two trackers, seeds, folds; `new` is better by 0.1 on each sequence."""
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
        folder.mkdir(parents=True, exist_ok=True)
        scores = {"auc": one.auc, "ao": one.ao}
        scores["frames_per_second"] = one.frames_per_second
        (folder / "scores.json").write_text(json.dumps(scores))
        if one.alignment is not None:
            (folder / "alignment.json").write_text(json.dumps(one.alignment))
        attempt = {"cpu_seconds": one.cpu_seconds, "wall_seconds": one.wall_seconds}
        usage = {"attempts": [{**attempt, "exit_code": 0}]}
        (folder / "train_usage.json").write_text(json.dumps(usage))

    return write


@pytest.fixture
def root(tmp_path):
    """A folder of sequences without any picture; enough for a plan."""
    for name in NAMES:
        folder = tmp_path / "data" / "sequences" / name
        (folder / "img").mkdir(parents=True)
        (folder / "groundtruth_rect.txt").write_text("1,2,3,4\n")
    (tmp_path / "data" / "sequences" / "davis_a" / "mask").mkdir()
    return tmp_path / "data"


@pytest.fixture
def recipe(root, tmp_path):
    """A comparison of two configs on that folder."""
    return plan.Recipe(
        a=str(CONFIGS / "siamcar_lite0.py"),
        b=str(CONFIGS / "siamcar_r18.py"),
        root=root,
        out=tmp_path / "out",
        num_seeds=2,
        pairs=320,
    )


@pytest.fixture
def folds():
    """The division of that folder."""
    return folds_lib.split(NAMES)
