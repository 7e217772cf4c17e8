"""Train or score one run of an experiment.

RUN/settings.json, which `experiments.runs` writes, says how; RUN/train is the workdir
of the training.
"""

import argparse
import json
import os
import pathlib
import signal
import stat
import sys
import threading
from collections.abc import Sequence

from jaxtrack import cli
from jaxtrack import config as config_lib
from jaxtrack.evaluation import atomic

SETTINGS, SCORES, WORKDIR = "settings.json", "scores.json", "train"
TRACKER = "tracker"  # Name of the folder of result files.
PROTOCOL = "no_first"  # Scores exclude the first frame.


def train(folders: Sequence[pathlib.Path]) -> None:
    """Trains, or resumes, the networks of runs, all on the same batches.

    Args:
      folders: of the runs.
    """
    from experiments import together
    from jaxtrack.training import loop

    trainings = []
    for folder in folders:
        spec = json.loads((folder / SETTINGS).read_text())
        config = config_lib.from_saved(spec["config"], source=str(folder / SETTINGS))
        trainings.append(together.Training(config, folder / WORKDIR))
    if len(trainings) == 1:
        loop.train(*trainings[0])
    else:
        together.train(trainings)


def score(run_folders: Sequence[pathlib.Path]) -> None:
    """Tracks a run's sequences, and writes the `runs.Outcome`.

    Args:
      run_folders: that of the run, with a trained network.
    """
    from jaxtrack.datasets import folders
    from jaxtrack.evaluation import run, scoring
    from jaxtrack.evaluation.analysis import alignment

    (folder,) = run_folders
    spec = json.loads((folder / SETTINGS).read_text())
    videos = [folders.read_sequence(path, allow_absent=True) for path in spec["videos"]]
    # The network may have been trained for a run with other tracking settings.
    tracking = {
        name: value
        for name, value in config_lib.flat(spec["config"]).items()
        if config_lib.is_of_tracking(name)
    }
    options = {"name": TRACKER, "tracking": tracking}
    boxes = run.track_checkpoint(folder / WORKDIR, videos, folder, **options)
    scores = scoring.score_folder(TRACKER, boxes, scoring.truth_xywh(videos))
    sequences = scores.reports[PROTOCOL].sequences
    numbers = {
        "auc": {name: one.auc for name, one in sequences.items()},
        "ao": {name: one.ao for name, one in sequences.items()},
        "frames_per_second": scores.frames_per_second,
    }
    if spec["aligns"]:
        measured = alignment.measure(folder / WORKDIR, videos, folder, **options)
        numbers["alignment"] = {
            name: one["correlation"] for name, one in measured["sequences"].items()
        }
    atomic.write_text(folder / SCORES, json.dumps(numbers, indent=1) + "\n")


def _end_with_parent() -> None:
    """Sends this process SIGTERM when its parent, which holds stdin open, ends."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return  # Started manually.

    def wait():
        # Not sys.stdin: its lock, held here, would be missed when Python ends.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the arguments."""
    parser.add_argument("stage", choices=("train", "score"), help="what to do")
    meaning = "folder of the run, or to train together of several"
    parser.add_argument("folders", type=pathlib.Path, nargs="+", help=meaning)


def run(args: argparse.Namespace) -> None:
    """Does one stage."""
    _end_with_parent()
    {"train": train, "score": score}[args.stage](args.folders)


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="experiments.child")
