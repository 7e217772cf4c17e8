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

from jaxtrack import cli
from jaxtrack import config as config_lib
from jaxtrack.evaluation import atomic

SETTINGS, SCORES, WORKDIR = "settings.json", "scores.json", "train"
TRACKER = "tracker"  # Name of the folder of result files.
PROTOCOL = "no_first"  # Of the scores: the first frame is left out.


def train(folder: pathlib.Path) -> None:
    """Trains, or goes on training, the network of a run.

    Args:
      folder: of the run.
    """
    from jaxtrack.training import loop

    spec = json.loads((folder / SETTINGS).read_text())
    config = config_lib.from_saved(spec["config"], source=str(folder / SETTINGS))
    loop.train(config, folder / WORKDIR)


def score(folder: pathlib.Path) -> None:
    """Tracks a run's sequences, and writes what `runs.Outcome` holds of them.

    Args:
      folder: of the run, with a trained network.
    """
    from jaxtrack.datasets import folders
    from jaxtrack.evaluation import run, scoring
    from jaxtrack.evaluation.analysis import alignment

    spec = json.loads((folder / SETTINGS).read_text())
    videos = [folders.read_sequence(path, allow_absent=True) for path in spec["videos"]]
    # The network may have been trained for another run, which tracks otherwise.
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
    """Sends this process SIGTERM when its parent, who holds stdin open, is gone."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return  # Started by hand.

    def wait():
        # Not sys.stdin: its lock, held here, would be missed when Python ends.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the arguments."""
    parser.add_argument("stage", choices=("train", "score"), help="what to do")
    parser.add_argument("folder", type=pathlib.Path, help="folder of the run")


def run(args: argparse.Namespace) -> None:
    """Does one stage."""
    _end_with_parent()
    {"train": train, "score": score}[args.stage](args.folder)


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="experiments.child")
