"""What a study's child process does: train one network, or score it.

Run: python -m experiments.work --stage=train --folder=RUN
RUN/settings.json says how; `runs` writes it.
"""

import json
import os
import pathlib
import signal
import stat
import threading

from absl import flags

from experiments import settings
from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results

SETTINGS = "settings.json"
STAGES = ("train", "score")
TRACKER = "tracker"  # Name of the folder of result files.
PRIMARY = "no_first"  # Protocol of the scores.


def train(folder: str | pathlib.Path) -> None:
    """Trains, or goes on training, the network of a run.

    Args:
      folder: of the run; the network goes to its folder `train`.
    """
    from jaxtrack.training import loop

    spec = json.loads((pathlib.Path(folder) / SETTINGS).read_text())
    loop.train(settings.revive(spec["config"]), pathlib.Path(folder) / "train")


def score(folder: str | pathlib.Path) -> None:
    """Tracks a run's sequences; writes `scores.json`, and `alignment.json` if asked.

    Args:
      folder: of the run, with a trained network.
    """
    from jaxtrack import config as config_lib
    from jaxtrack.datasets import annotations
    from jaxtrack.evaluation import compare, runner

    folder = pathlib.Path(folder)
    spec = json.loads((folder / SETTINGS).read_text())
    videos = [
        annotations.read_sequence(path, allow_absent=True) for path in spec["videos"]
    ]
    # A network of its own tracks by what it was trained with; one trained for another
    # run, by this one's settings.
    is_lent = (folder / "train").is_symlink()
    tracking = {
        name: value
        for name, value in settings.flat(spec["config"]).items()
        if is_lent and config_lib.is_of_tracking(name)
    }
    made = runner.run(folder / "train", videos, folder, name=TRACKER, tracking=tracking)
    scores = compare.score_folder(TRACKER, made, compare.truth_xywh(videos))
    sequences = scores.reports[PRIMARY].sequences
    numbers = {
        "auc": {name: one.auc for name, one in sequences.items()},
        "ao": {name: one.ao for name, one in sequences.items()},
        "frames_per_second": scores.frames_per_second,
    }
    results.write_text(folder / "scores.json", json.dumps(numbers, indent=1) + "\n")
    if spec.get("aligns", True):
        align(folder, videos)


def align(folder: pathlib.Path, videos: list) -> None:
    """Measures how well confidence ranks overlap.

    Args:
      folder: of the run, with a trained network.
      videos: the sequences.
    """
    from jaxtrack.evaluation import alignment

    measured = alignment.measure(folder / "train", videos, folder, name=TRACKER)
    # JSON knows no NaN: the correlation of a constant is None.
    plain = {k: None if v != v else float(v) for k, v in measured.items()}
    results.write_text(folder / "alignment.json", json.dumps(plain, indent=1) + "\n")


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


def _main() -> None:
    _end_with_parent()
    folder = flags.FLAGS.folder
    if not folder:
        raise InputError("--folder is missing: name the folder of a run")
    {"train": train, "score": score}[flags.FLAGS.stage](folder)


if __name__ == "__main__":
    flags.DEFINE_enum("stage", "train", STAGES, "What to do.")
    flags.DEFINE_string("folder", "", "Folder of the run.")
    cli.run(_main)
