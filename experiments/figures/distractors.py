"""Look-alikes: does what a tracker learns online keep its target apart from them?

Run: python -m experiments.figures.distractors --checkpoint=RUN --out=runs/distractors
Composes videos in which copies of the target cross its path (nothing is downloaded),
and tracks them with one CRACT checkpoint: with the discriminator, without it, and by
the RPN's scores alone. Stopped at any moment, the same command goes on. Writes
distractors.md and distractors.json.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from experiments.figures import distractors_table
from jaxtrack import cli
from jaxtrack.data.synthetic import lookalikes
from jaxtrack.datasets.folders import read_sequence
from jaxtrack.errors import InputError
from jaxtrack.evaluation import compare, lock, results, runner
from jaxtrack.metrics import statistics

# Name -> what is changed in tracking.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "discriminator": {"online.learns": True},
    "without": {"online.learns": False},
    "rpn": {"online.learns": False, "refine.weight": 0.0},
}
BASELINE = "without"
LAST_FRAMES = 10
CONFIDENCE = 0.95
_PROTOCOL = "no_first"


class Recipe(NamedTuple):
    """What is to be tracked.

    Attributes:
      checkpoint: of a network that refines proposals.
      out: everything is written here.
      num: videos.
      length: frames of each.
      seed: of the videos.
      photos: folder of photographs; None takes scikit-image's.
      difference: how much look-alikes may differ, see `lookalikes.write`.
    """

    checkpoint: pathlib.Path
    out: pathlib.Path
    num: int = 24
    length: int = 120
    seed: int = 0
    photos: str | None = None
    difference: float = 0.5


def score(name: str, folder: pathlib.Path, truth: Mapping) -> dict[str, Any]:
    """Scores one way of tracking.

    Args:
      name: of it.
      folder: of its result files.
      truth: sequence -> `[T, 4]` xywh, px.

    Returns:
      "auc", the mean over sequences; "lost", the share of sequences whose last 10
      frames all have IoU 0; "frames_per_second"; "sequences": name -> "auc", "lost".
    """
    scores = compare.score_folder(name, folder, truth)
    sequences = {
        sequence: {"auc": one.auc, "lost": bool(np.all(one.iou[-LAST_FRAMES:] <= 0))}
        for sequence, one in scores.reports[_PROTOCOL].sequences.items()
    }
    return {
        "auc": float(np.mean([one["auc"] for one in sequences.values()])),
        "lost": float(np.mean([one["lost"] for one in sequences.values()])),
        "frames_per_second": scores.frames_per_second,
        "sequences": sequences,
    }


def against(baseline: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Compares two ways of tracking, paired by sequence.

    Args:
      baseline: see `score`.
      other: of the same sequences.

    Returns:
      "difference" of the AUC, other minus baseline, its "interval" and the
      "share_above" 0 of the resamples.
    """
    names = list(baseline["sequences"])
    a, b = (
        np.array([w["sequences"][n]["auc"] for n in names]) for w in (baseline, other)
    )
    found = statistics.paired_bootstrap(a, b, confidence=CONFIDENCE)
    return {
        "difference": found.difference,
        "interval": [found.low, found.high],
        "share_above": found.share_above,
    }


def run(recipe: Recipe) -> dict[str, Any]:
    """Composes, tracks and scores, as far as that is not done, and writes it down.

    Args:
      recipe: what to track.

    Returns:
      What `distractors.json` holds: "checkpoint", "step", "videos" (how they were
      composed), "baseline", "confidence", "last_frames", and "settings": name -> see
      `score`, with what was changed as "tracking" and "change" against the baseline
      (see `against`; None for itself).

    Raises:
      InputError: the checkpoint is missing or has no discriminator to leave out, or a
        video cannot be composed.
    """
    step = _check(recipe.checkpoint)
    videos = recipe._asdict()
    del videos["checkpoint"], videos["out"]
    with lock.locked(recipe.out):
        folders = lookalikes.write(recipe.out / "sequences", **videos)
        sequences = [read_sequence(folder) for folder in folders]
        truth = compare.truth_xywh(sequences)
        ways = {}
        for name, changed in SETTINGS.items():
            made = runner.run(
                recipe.checkpoint, sequences, recipe.out, name=name, tracking=changed
            )
            ways[name] = {"tracking": dict(changed), **score(name, made, truth)}
        for name, way in ways.items():
            is_other = name != BASELINE
            way["change"] = against(ways[BASELINE], way) if is_other else None
        found = {
            "checkpoint": str(recipe.checkpoint),
            "step": step,
            "videos": videos,
            "baseline": BASELINE,
            "confidence": CONFIDENCE,
            "last_frames": LAST_FRAMES,
            "settings": ways,
        }
        text = json.dumps(found, indent=1, allow_nan=False)
        results.write_text(recipe.out / "distractors.json", text + "\n")
        results.write_text(
            recipe.out / "distractors.md", distractors_table.markdown(found)
        )
        return found


def _check(checkpoint):
    """Refuses a checkpoint that says nothing here; returns its step."""
    opened = runner.open_checkpoint(checkpoint)
    if not hasattr(opened.model, "refiner"):
        raise InputError(
            f"--checkpoint={checkpoint}: {opened.config.model} refines no proposals; "
            "name a training of a CRACT config, such as configs/cract_lite0.py"
        )
    if opened.config.refine.identifier == 1:
        raise InputError(
            f"--checkpoint={checkpoint}: its refine.identifier is 1, which leaves the "
            "discriminator no say; train with less"
        )
    return opened.identity["step"]


def _main() -> None:
    given = flags.FLAGS
    if not given.checkpoint:
        raise InputError("--checkpoint is missing: name the workdir of a training")
    recipe = Recipe(
        checkpoint=pathlib.Path(given.checkpoint),
        out=pathlib.Path(given.out),
        num=given.num,
        length=given.length,
        seed=given.seed,
        photos=given.photos,
        difference=given.difference,
    )
    print(distractors_table.markdown(run(recipe)))
    print(f"written: {recipe.out / 'distractors.md'}")


if __name__ == "__main__":
    flags.DEFINE_string("checkpoint", "", "Workdir of a training of a CRACT config.")
    flags.DEFINE_string("out", "runs/distractors", "Everything is written here.")
    flags.DEFINE_integer("num", 24, "Videos.", lower_bound=1)
    flags.DEFINE_integer("length", 120, "Frames of each.")
    flags.DEFINE_integer("seed", 0, "Of the videos.", lower_bound=0)
    flags.DEFINE_string("photos", None, "Folder of photographs; one of four is used.")
    flags.DEFINE_float("difference", 0.5, "0: look-alikes are identical; up to 1.")
    cli.run(_main)
