"""Measure how trackers handle occlusion and look-alikes, from their results.

Sequences are folders of `experiments.hard_scenes` and `experiments.covered_clips`,
whose `visible.txt` has the visible fraction of the target (without it, all of it is
visible). Results are those of `jaxtrack eval`. Others are compared with the first
tracker. Writes over_time.md and over_time.json.

Example:
  jaxtrack eval --checkpoint=lite --sequences=videos/hard --out=runs/hard
  jaxtrack eval --checkpoint=plain=lite --set=tracking.over_time=False \
      --sequences=videos/hard --out=runs/hard
  python -m experiments.over_time --sequences=videos/hard --out=runs/over_time \
      --results=runs/hard/results/plain --results=runs/hard/results/lite
"""

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments import summary, tables
from jaxtrack import cli, datasets
from jaxtrack.cli import options
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, results
from jaxtrack.metrics import overlap

HIDDEN = 0.1  # The target is hidden if less of it is visible,
SHOWN = 0.5  # and shown again if more of it is.
RIGHT = 0.5  # Smallest IoU of a correct box.
LOST = 0.1  # IoU below which the target is lost.
_SHORTEST = 5  # Smallest number of frames with a hidden target.
_PATIENCE = 30  # Frames in which a target must be recovered.
_THRESHOLDS = np.linspace(0, 1, 21)


class Followed(NamedTuple):
    """How a tracker followed a target; frames with a hidden target do not count.

    Attributes:
      auc: success over 21 thresholds, first frame excluded.
      lost: fraction of the frames with an IoU below 0.1.
      size_error: mean |log| of width and height over the true ones, of boxes not lost.
      recovery: of each time that the target was hidden after it was tracked, frames
        from when half of it can be seen to an IoU of 0.5; None where that is not
        within 30 frames.
    """

    auc: float
    lost: float
    size_error: float | None
    recovery: tuple[int | None, ...]


def follow(xywh: np.ndarray, truth: np.ndarray, visible: np.ndarray) -> Followed:
    """Measures one sequence.

    Args:
      xywh: `[T, 4]` results, px.
      truth: `[T, 4]` xywh, px; NaN where there is none.
      visible: `[T]` visible fraction of the target.
    """
    known = np.isfinite(truth).all(axis=1) & (truth[:, 2:] > 0).all(axis=1)
    iou = np.zeros(len(truth))
    iou[known] = overlap.iou_xywh(xywh[known], truth[known])
    seen = known & (visible >= HIDDEN)
    seen[0] = False
    near = seen & (iou >= LOST)
    errors = np.abs(np.log(xywh[near, 2:] / truth[near, 2:]))
    return Followed(
        auc=float((iou[seen][:, None] > _THRESHOLDS).mean()),
        lost=float((iou[seen] < LOST).mean()),
        size_error=float(errors.mean()) if near.any() else None,
        recovery=tuple(recoveries(iou, visible)),
    )


def recoveries(iou: np.ndarray, visible: np.ndarray) -> list[int | None]:
    """Returns how long it takes to recover a target; see `Followed`.

    Args:
      iou: `[T]`.
      visible: `[T]` visible fraction of the target.
    """
    edges = np.diff(np.concatenate([[0], visible < HIDDEN, [0]]).astype(int))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    found = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        last = starts[number + 1] if number + 1 < len(starts) else len(visible)
        shown = end + np.flatnonzero(visible[end:last] >= SHOWN)
        was_tracked = (iou[max(start - 8, 0) : start] >= RIGHT).any()
        if end - start < _SHORTEST or not shown.size or not was_tracked:
            continue
        right = np.flatnonzero(iou[shown[0] : min(last, shown[0] + _PATIENCE)] >= RIGHT)
        found.append(int(right[0]) if right.size else None)
    return found


def measure(
    folders: Sequence[pathlib.Path], videos: Sequence[Video]
) -> dict[str, dict[str, Followed]]:
    """Measures the results of trackers.

    Args:
      folders: of results, one per tracker, named like it.
      videos: the sequences.

    Returns:
      Tracker -> sequence -> how it followed.

    Raises:
      InputError: a result is missing or damaged, or `visible.txt` does not fit.
    """
    counts = {video.name: len(video.frames) for video in videos}
    measured = {}
    for folder in folders:
        boxes = results.read_results(folder, counts)
        measured[folder.name] = {
            video.name: follow(boxes[video.name], _truth(video), _visible(video))
            for video in videos
        }
    return measured


def _truth(video):
    """Returns the ground truth as xywh."""
    return np.concatenate(
        [video.xyxy[:, :2], video.xyxy[:, 2:] - video.xyxy[:, :2]], axis=1
    )


def _visible(video):
    """Reads the visible fraction of the target."""
    path = pathlib.Path(video.frames[0]).parents[1] / "visible.txt"
    if not path.exists():
        return np.ones(len(video.frames))
    visible = np.loadtxt(path, ndmin=1)
    if len(visible) != len(video.frames):
        raise InputError(
            f"{path} has {len(visible)} lines for {len(video.frames)} frames: write "
            "the sequence again"
        )
    return visible


def summarize(measured: Mapping[str, Mapping[str, Followed]]) -> list[dict[str, Any]]:
    """Summarizes trackers, each compared with the first.

    Args:
      measured: see `measure`.

    Returns:
      A dict a tracker: "tracker", "auc", "change" (see `summary.change_of`; None of the
      first), "lost", "size_error", "occlusions", "recovered" (their share), "frames"
      (mean of the recovered).
    """
    first, rows = next(iter(measured.values())), []
    for name, followed in measured.items():
        times = [time for one in followed.values() for time in one.recovery]
        back = [time for time in times if time is not None]
        errors = [one.size_error for one in followed.values() if one.size_error]
        pairs = {
            n: np.array([[first[n].auc], [one.auc]]) for n, one in followed.items()
        }
        rows.append(
            {
                "tracker": name,
                "auc": float(np.mean([one.auc for one in followed.values()])),
                "change": summary.change_of(pairs) if rows else None,
                "lost": float(np.mean([one.lost for one in followed.values()])),
                "size_error": float(np.mean(errors)) if errors else None,
                "occlusions": len(times),
                "recovered": len(back) / len(times) if times else None,
                "frames": float(np.mean(back)) if back else None,
            }
        )
    return rows


def markdown(rows: Sequence[Mapping[str, Any]], count: int) -> str:
    """Returns a table of trackers.

    Args:
      rows: see `summarize`.
      count: of the sequences.
    """
    head = ["", "AUC", "change", "lost", "size error", "recovered", "after frames"]
    cells = [
        [
            row["tracker"],
            tables.number(row["auc"]),
            tables.with_interval(row["change"]) if row["change"] else "",
            tables.number(row["lost"], form=".1%"),
            tables.number(row["size_error"]),
            f"{tables.number(row['recovered'], form='.0%')} of {row['occlusions']}",
            tables.number(row["frames"], form=".1f"),
        ]
        for row in rows
    ]
    return (
        f"{count} sequences; frames in which less than {HIDDEN:.0%} of the target can "
        "be seen do not count. Change: of the AUC, with the 95 % interval of a paired "
        "bootstrap over sequences.\n\n" + tables.table(head, cells)
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    add(parser, "--sequences", "DIR", "folder of annotated sequences", required=True)
    options.add_list(parser, "--pattern", "GLOB", "names of sequences to take")
    options.add_list(parser, "--results", "DIR", "result files of a tracker")
    add(parser, "--out", "DIR", "output folder", default="runs/over_time")


def run(args: argparse.Namespace) -> None:
    """Measures and prints."""
    patterns, out = tuple(args.pattern), pathlib.Path(args.out)
    if not args.results:
        raise InputError("no results: name a folder of them with --results=DIR")
    videos = datasets.load("folders", args.sequences, sequences=patterns).videos
    rows = summarize(measure(list(map(pathlib.Path, args.results)), videos))
    out.mkdir(parents=True, exist_ok=True)
    atomic.write_text(out / "over_time.json", json.dumps(rows, indent=1) + "\n")
    page = markdown(rows, len(videos))
    atomic.write_text(out / "over_time.md", page)
    print(page)


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="over_time")
