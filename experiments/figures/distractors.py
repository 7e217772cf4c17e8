"""Measure whether online learning distinguishes a target from distractors.

Composes videos in which copies of the target cross its path (nothing is downloaded),
and tracks them with one CRACT checkpoint: with the discriminator, without it, and with
only the RPN's scores. Run the same command again to resume. Writes distractors.md and
distractors.json.

Example:
  python -m experiments.figures.distractors --checkpoint=RUN --out=runs/distractors
"""

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments import summary, tables
from jaxtrack import cli, locks, trackers
from jaxtrack.cli import options
from jaxtrack.data.composed import lookalikes
from jaxtrack.datasets.folders import read_sequence
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, loading, scoring
from jaxtrack.evaluation import run as evaluation_run

# Name -> what is changed in tracking.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "discriminator": {"online.learns": True},
    "without": {"online.learns": False},
    "rpn": {"online.learns": False, "tracking.refined_weight": 0.0},
}
BASELINE = "without"
LAST_FRAMES = 10
_PROTOCOL = "no_first"


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
    scores = scoring.score_folder(name, folder, truth)
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
      See `summary.change_of`.
    """
    ways = [way["sequences"] for way in (baseline, other)]
    return summary.change_of(
        {name: np.array([[way[name]["auc"]] for way in ways]) for name in ways[0]}
    )


def measure(
    checkpoint: pathlib.Path,
    out: pathlib.Path,
    *,
    num: int = 24,
    length: int = 120,
    seed: int = 0,
    photos: str | None = None,
    difference: float = 0.5,
) -> dict[str, Any]:
    """Composes, tracks and scores, as far as that is not done, and writes it down.

    Args:
      checkpoint: of a network that refines proposals.
      out: output folder.
      num: videos.
      length: frames of each.
      seed: of the videos.
      photos: folder of photographs; None takes scikit-image's.
      difference: how much look-alikes may differ, see `lookalikes.write`.

    Returns:
      What `distractors.json` holds: "checkpoint", "step", "videos" (how they were
      composed), "baseline", "confidence", "last_frames", and "settings": name -> see
      `score`, with what was changed as "tracking" and "change" against the baseline
      (see `against`; None for itself).

    Raises:
      InputError: the checkpoint is missing or has no discriminator to leave out, or a
        video cannot be composed.
    """
    step = _check(checkpoint)
    videos = {"num": num, "length": length, "seed": seed}
    videos |= {"photos": photos, "difference": difference}
    with locks.locked(out, "experiment"):
        folders = lookalikes.write(out / "sequences", **videos)
        sequences = [read_sequence(folder) for folder in folders]
        truth = scoring.truth_xywh(sequences)
        ways = {}
        for name, changed in SETTINGS.items():
            boxes = evaluation_run.track_checkpoint(
                checkpoint, sequences, out, name=name, tracking=changed
            )
            ways[name] = {"tracking": dict(changed), **score(name, boxes, truth)}
        for name, way in ways.items():
            is_other = name != BASELINE
            way["change"] = against(ways[BASELINE], way) if is_other else None
        result = {
            "checkpoint": str(checkpoint),
            "step": step,
            "videos": videos,
            "baseline": BASELINE,
            "confidence": summary.CONFIDENCE,
            "last_frames": LAST_FRAMES,
            "settings": ways,
        }
        text = json.dumps(result, indent=1, allow_nan=False)
        atomic.write_text(out / "distractors.json", text + "\n")
        atomic.write_text(out / "distractors.md", markdown(result))
        return result


def _check(checkpoint):
    """Rejects a checkpoint that shows nothing here; returns its step."""
    opened = loading.open_checkpoint(checkpoint)
    if "refined_weight" not in opened.tracker.ranges:
        name = trackers.describe(opened.config)
        raise InputError(
            f"--checkpoint={checkpoint}: {name} refines no proposals; "
            "name a training of a CRACT config, such as cract_lite0"
        )
    if opened.config.tracking.identifier_weight == 1:
        raise InputError(
            f"--checkpoint={checkpoint}: its refine.identifier is 1, which leaves the "
            "discriminator no say; train with less"
        )
    return opened.identity["step"]


def markdown(result: Mapping[str, Any]) -> str:
    """Returns ways of tracking look-alikes as a Markdown document.

    Args:
      result: see `measure`.
    """
    ways, videos = result["settings"], result["videos"]
    rows = [[name, *_row(way)] for name, way in ways.items()]
    change = f"change to {result['baseline']}"
    head = ["tracked by", "AUC", change, "lost", "frames/s"]
    cells = [
        [name, *(_cell(way["sequences"][name]) for way in ways.values())]
        for name in ways[result["baseline"]]["sequences"]
    ]
    photos = "scikit-image's" if videos["photos"] is None else "the given"
    return "\n".join(
        [
            "# Look-alikes\n",
            tables.table(head, rows),
            f"One network ({result['step']} steps of training) on {videos['num']} "
            f"videos of {videos['length']} frames, composed of {photos} photographs, "
            "in which look-alikes cross the target's path (difference "
            f'{videos["difference"]:g}, seed {videos["seed"]}). "without" leaves the '
            'discriminator out; "rpn" leaves the identifier out, too: the RPN\'s '
            "scores choose among the refined boxes. A change has the "
            f"{result['confidence']:.0%} interval of a paired bootstrap over videos. "
            f"Lost are videos whose last {result['last_frames']} frames have IoU 0. "
            "AUC is over 21 thresholds without the first frame.\n",
            "## Videos\n",
            tables.table(["video", *ways], cells),
        ]
    )


def _row(way):
    """Returns the cells of one way on all videos."""
    change = tables.with_interval(way["change"]) if way["change"] else "-"
    speed = tables.number(way["frames_per_second"], form=".1f")
    return f"{way['auc']:.3f}", change, f"{way['lost']:.0%}", speed


def _cell(one):
    """Returns the cell of one way on one video."""
    return f"{one['auc']:.3f}" + (" (lost)" if one["lost"] else "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, count, number = options.add, options.count, options.whole_number
    add(parser, "--checkpoint", "DIR", "workdir of a CRACT config", required=True)
    add(parser, "--out", "DIR", "output folder", default="runs/distractors")
    add(parser, "--num", "N", "videos", type=count, default=24)
    add(parser, "--length", "N", "frames of each", type=count, default=120)
    add(parser, "--seed", "N", "of the videos", type=number, default=0)
    meaning = "photographs, of which one of four is used"
    add(parser, "--photos", "DIR", meaning, default=None)
    meaning = "0: identical look-alikes; to 1"
    add(parser, "--difference", "X", meaning, type=float, default=0.5)


def run(args: argparse.Namespace) -> None:
    """Tracks, scores and prints."""
    out = pathlib.Path(args.out)
    result = measure(
        pathlib.Path(args.checkpoint),
        out,
        num=args.num,
        length=args.length,
        seed=args.seed,
        photos=args.photos,
        difference=args.difference,
    )
    print(markdown(result))
    print(f"written: {out / 'distractors.md'}")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="distractors")
