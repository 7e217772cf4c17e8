"""Measure what a tracker's score says about its box.

Tracks annotated sequences and compares each frame's score with the IoU of its box: how
well a low score detects a lost target (area under the ROC curve), the expected IoU for
a score, and what a threshold detects. Run the same command again to resume. Writes
confidence.md, confidence.json and reliability.png.

Example:
  python -m experiments.figures.confidence --checkpoint=lite --sequences=videos/ \
      --exclude='otb_*' --out=runs/confidence
"""

import argparse
import dataclasses
import fnmatch
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tqdm import tqdm

from experiments import tables
from jaxtrack import cli, datasets, locks, session
from jaxtrack.cli import options
from jaxtrack.datasets.pictures import read_image
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.metrics import calibration, overlap
from jaxtrack.report.plots.style import color_of, png_of

LOST = 0.1  # IoU below which the target is lost.
RIGHT = 0.5
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))

# Of the table of thresholds: name of a share -> title.
_COLUMNS = {
    "recall": "of lost",
    "false_alarms": "of others",
    "right": "of IoU >= 0.5",
    "precision": "lost among them",
}


@dataclasses.dataclass(frozen=True)
class Frames:
    """A tracker's output for frames with ground truth, without the first.

    Attributes:
      score: `[T]` in [0, 1].
      iou: `[T]` of box and truth.
      xywh: `[T, 4]` the boxes, px.
      number: `[T]` int, of the frames, from 1.
    """

    score: np.ndarray
    iou: np.ndarray
    xywh: np.ndarray
    number: np.ndarray


def track(follower: session.Session, video: Video) -> Frames:
    """Tracks through a sequence.

    Args:
      follower: is started on the first frame.
      video: with `xyxy`, px; frames without a truth are tracked and not compared.

    Raises:
      InputError: a frame is missing or damaged, or the first box is unusable.
    """
    truth = np.concatenate([video.xyxy[:, :2], video.xyxy[:, 2:]], axis=1)
    truth[:, 2:] -= truth[:, :2]
    follower.init(read_image(video.frames[0]), truth[0])
    found = [follower.update(read_image(path)) for path in video.frames[1:]]
    xywh = np.array([box for box, _ in found]).reshape(-1, 4)
    score = np.array([score for _, score in found])
    known = np.isfinite(truth[1:]).all(axis=1) & (truth[1:, 2:] > 0).all(axis=1)
    iou = overlap.iou_xywh(xywh[known], truth[1:][known])
    return Frames(score[known], iou, xywh[known], 1 + np.flatnonzero(known))


def track_all(
    checkpoint: str, videos: Sequence[Video], out: pathlib.Path
) -> dict[str, Frames]:
    """Tracks through the sequences that are not done yet.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      videos: the sequences.
      out: a file a sequence is kept in `<out>/frames`; remove it for another tracker.

    Returns:
      Name -> its frames.

    Raises:
      InputError: the tracker or a frame is missing or damaged.
    """
    folder, follower, frames = out / "frames", None, {}
    for video in tqdm(videos, unit="sequence"):
        path = folder / f"{video.name}.json"
        if not path.exists():
            follower = follower or session.load(checkpoint)
            found = dataclasses.asdict(track(follower, video))
            kept = {name: array.tolist() for name, array in found.items()}
            atomic.write_text(path, json.dumps(kept) + "\n")
        kept = json.loads(path.read_text())
        arrays = {name: np.array(values) for name, values in kept.items()}
        frames[video.name] = Frames(**arrays)
    return frames


def measure(frames: Mapping[str, Frames]) -> dict[str, Any]:
    """Compares scores with the IoU over all frames of all sequences.

    Args:
      frames: name of a sequence -> its frames.

    Returns:
      "num_frames", "num_sequences", "lost" (share of frames), "roc_auc" of the score
      as a sign of a lost target, "groups" (`calibration.Reliability` of the IoU, and
      "right", the share of boxes with IoU >= 0.5), "error", "curve" (slope and middle
      of the logistic curve through score and IoU; None where there is none), and
      "thresholds", of which each has "threshold", `calibration.Alarm` and "right", the
      share of the boxes with IoU >= 0.5 whose score is below.

    Raises:
      InputError: there is no frame to compare.
    """
    score = np.concatenate([one.score for one in frames.values()])
    iou = np.concatenate([one.iou for one in frames.values()])
    if not len(score):
        raise InputError("no frame but the first has ground truth to compare with")
    is_lost = iou < LOST
    is_right = iou >= RIGHT
    alarms = {t: _alarm(score, is_lost, is_right, t) for t in THRESHOLDS}
    found = calibration.reliability(score, iou)
    right = calibration.reliability(score, is_right.astype(float))
    try:
        curve = calibration.fit_logistic(score, iou)
    except ValueError:
        curve = None
    groups = zip(found.score, found.value, right.value, found.count, strict=True)
    names = ("score", "iou", "right", "count")
    return {
        "num_frames": len(score),
        "num_sequences": len(frames),
        "lost": float(is_lost.mean()),
        "roc_auc": _known(calibration.roc_auc(score, is_lost)),
        "error": found.error,
        "curve": curve,
        "groups": [dict(zip(names, map(float, g), strict=True)) for g in groups],
        "thresholds": [
            {"threshold": threshold}
            | {name: _known(share) for name, share in told.items()}
            for threshold, told in alarms.items()
        ],
    }


def _alarm(score, is_lost, is_right, threshold):
    """Returns what a threshold detects; NaN if there is nothing to detect."""
    found = calibration.alarm(score, is_lost, threshold)._asdict()
    return found | {"right": calibration.alarm(score, is_right, threshold).recall}


def _known(value):
    """Turns NaN into None, which JSON holds."""
    return None if np.isnan(value) else value


def markdown(result: Mapping[str, Any], checkpoint: str) -> str:
    """Returns the measurement as a Markdown document.

    Args:
      result: see `measure`.
      checkpoint: the tracker.
    """
    groups = [
        [f"{g['score']:.3f}", f"{g['iou']:.3f}", f"{g['right']:.0%}", f"{g['count']:g}"]
        for g in result["groups"]
    ]
    alarms = [
        [f"{a['threshold']:g}"]
        + [tables.number(a[name], form=".1%") for name in _COLUMNS]
        for a in result["thresholds"]
    ]
    curve = ""
    if result["curve"]:
        slope, middle = result["curve"]
        curve = f" Expected IoU: sigmoid({slope:.1f} (score - {middle:.3f}))."
    return "\n".join(
        [
            f"# What the score of {checkpoint} tells\n",
            f"{result['num_frames']} frames of {result['num_sequences']} sequences, "
            f"the first of each left out; {result['lost']:.1%} of the boxes are lost "
            f"(IoU < {LOST:g}). Area under the ROC curve of a low score as a sign of "
            f"that: {tables.number(result['roc_auc'])}. Mean |score - IoU| over ten "
            f"groups of like score: {result['error']:.3f}.{curve}\n",
            tables.table(["mean score", "mean IoU", "IoU >= 0.5", "frames"], groups),
            tables.table(["score below", *_COLUMNS.values()], alarms),
        ]
    )


def reliability_plot(result: Mapping[str, Any], title: str) -> bytes:
    """Draws the expected IoU for each score.

    Args:
      result: see `measure`.
      title: of the figure.

    Returns:
      A PNG file's bytes.
    """
    figure = Figure(figsize=(5.2, 4.2), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    score = [group["score"] for group in result["groups"]]
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="score = IoU")
    for place, (name, told) in enumerate((("iou", "mean IoU"), ("right", "IoU ≥ 0.5"))):
        values = [group[name] for group in result["groups"]]
        axes.plot(score, values, "o-", color=color_of(place), label=told, markersize=4)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", title=title)
    axes.set_ylabel("mean IoU, share of boxes")
    axes.legend(loc="upper left")
    return png_of(figure)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    add(parser, "--checkpoint", "TRACKER", options.TRACKER, required=True)
    add(parser, "--sequences", "DIR", "folder of annotated sequences", required=True)
    options.add_list(parser, "--pattern", "GLOB", "names of sequences to take")
    options.add_list(parser, "--exclude", "GLOB", "names of sequences to leave out")
    add(parser, "--out", "DIR", "output folder", default="runs/confidence")


def sequences_of(args: argparse.Namespace) -> list[Video]:
    """Returns the sequences named by the options."""
    found = datasets.load("folders", args.sequences, sequences=tuple(args.pattern))
    excluded = args.exclude
    return [
        video
        for video in found.videos
        if not any(fnmatch.fnmatch(video.name, glob) for glob in excluded)
    ]


def run(args: argparse.Namespace) -> None:
    """Tracks, compares and prints."""
    out, videos = pathlib.Path(args.out), sequences_of(args)
    with locks.locked(out, "experiment"):
        result = measure(track_all(args.checkpoint, videos, out))
        text = json.dumps(result, indent=1, allow_nan=False)
        atomic.write_text(out / "confidence.json", text + "\n")
        page = markdown(result, args.checkpoint)
        atomic.write_text(out / "confidence.md", page)
        atomic.write_bytes(
            out / "reliability.png", reliability_plot(result, args.checkpoint)
        )
    print(page)
    print(f"written: {out / 'confidence.md'}")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="confidence")
