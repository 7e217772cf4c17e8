"""Draw where a tracker fails: the worst frames of the worst sequences.

Tracks annotated sequences as `experiments.figures.confidence` does, and shares what it
tracked with it under the same --out. Writes failures.png, a row a stretch (the first
frame, the last one before it, its first, middle and last one, and what follows), and
failures.md, a line each.

Example:
  python -m experiments.figures.failures --checkpoint=lite --sequences=videos/ \
      --exclude='otb_*' --out=runs/confidence
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import patches
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments import tables
from experiments.figures import confidence
from experiments.figures.confidence import Frames
from jaxtrack import cli, locks
from jaxtrack.cli import options
from jaxtrack.datasets.pictures import read_image
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.report.plots.style import color_of, plain, png_of

_LOW = 0.6  # An IoU below this fraction of the previous mean is low.
_COLUMNS = 6


class Stretch(NamedTuple):
    """Frames one after the other in which boxes got worse than before.

    Attributes:
      first: place of its first frame among the compared ones.
      last: place of its last frame.
      before: mean IoU before it.
      iou: mean IoU in it.
      cost: what it takes from the sequence's mean IoU.
      missed: share of its frames whose box does not meet the target.
      score: mean score in it.
    """

    first: int
    last: int
    before: float
    iou: float
    cost: float
    missed: float
    score: float


def worst_stretch(frames: Frames) -> Stretch | None:
    """Finds the range of frames that costs most of a sequence's mean IoU.

    A stretch begins where the IoU falls below 0.6 times its mean over all frames before
    (the first frame, whose box is given, counts as 1) and lasts as long as it stays
    below. Its cost is sum(before - IoU) / T over its frames, of T compared ones.

    Args:
      frames: of a sequence.

    Returns:
      The stretch; None where there is none.
    """
    iou, count = frames.iou, len(frames.iou)
    known = np.concatenate([[1.0], iou])
    found, place = [], 0
    while place < count:
        before = float(known[: place + 1].mean())
        low = iou[place:] < _LOW * before
        length = int(np.argmin(low)) if not low.all() else len(low)
        if length:
            part = slice(place, place + length)
            inside = iou[part]
            found.append(
                Stretch(
                    place,
                    place + length - 1,
                    before,
                    float(inside.mean()),
                    float((before - inside).sum() / count),
                    float((inside == 0).mean()),
                    float(frames.score[part].mean()),
                )
            )
        place += max(length, 1)
    return max(found, key=lambda stretch: stretch.cost, default=None)


def worst(frames: Mapping[str, Frames], count: int) -> dict[str, Stretch]:
    """Returns the stretches that cost most, one a sequence, the worst first.

    Args:
      frames: name of a sequence -> its frames.
      count: of stretches, at most.
    """
    found = {name: worst_stretch(one) for name, one in frames.items()}
    failed = {name: stretch for name, stretch in found.items() if stretch}
    order = sorted(failed, key=lambda name: -failed[name].cost)[:count]
    return {name: failed[name] for name in order}


def sheet(
    stretches: Mapping[str, Stretch],
    frames: Mapping[str, Frames],
    videos: Mapping[str, Video],
) -> bytes:
    """Draws a row of frames a stretch: the truth white, boxes orange.

    Args:
      stretches: name of a sequence -> its stretch.
      frames: name of a sequence -> what was tracked.
      videos: name -> the sequence.

    Returns:
      A PNG file's bytes.
    """
    size = (2.1 * _COLUMNS, 2.25 * len(stretches))
    figure = Figure(figsize=size, dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(stretches), _COLUMNS, squeeze=False)
    for row, (name, stretch) in zip(grid, stretches.items(), strict=True):
        for axes in row:
            axes.set_axis_off()
        shown = _places(stretch, len(frames[name].iou))
        for axes, place in zip(row, shown, strict=False):
            _cell(axes, videos[name], frames[name], place)
        row[0].set_title(plain(name), loc="left", fontsize=7)
    return png_of(figure)


def _places(stretch: Stretch, count: int) -> list[int]:
    """Returns which frames to show; -1 is the first one, whose box was given."""
    middle = (stretch.first + stretch.last) // 2
    last = min(stretch.last + 1, count - 1)
    return sorted({-1, stretch.first - 1, stretch.first, middle, stretch.last, last})


def _cell(axes: Axes, video: Video, frames: Frames, place: int) -> None:
    """Draws one frame around the target and the box."""
    number = 0 if place < 0 else int(frames.number[place])
    xyxy = video.xyxy[number]
    truth = np.concatenate([xyxy[:2], xyxy[2:] - xyxy[:2]])
    box, told = truth, "given"
    if place >= 0:
        box = frames.xywh[place]
        told = f"IoU {frames.iou[place]:.2f}, score {frames.score[place]:.2f}"
    axes.imshow(read_image(video.frames[number]))
    for xywh, color in ((truth, "white"), (box, color_of(1))):
        line = {"fill": False, "edgecolor": color, "linewidth": 1.6}
        axes.add_patch(patches.Rectangle(xywh[:2] - 0.5, *xywh[2:], **line))
    low = np.minimum(truth[:2], box[:2])
    high = np.maximum(truth[:2] + truth[2:], box[:2] + box[2:])
    center = (low + high) / 2
    half = max((high - low).max() * 0.75, 1.5 * np.sqrt(truth[2:].prod()))
    axes.set(xlim=(center[0] - half, center[0] + half))
    axes.set(ylim=(center[1] + half, center[1] - half), aspect="equal")
    axes.text(0.5, -0.02, f"{number}: {told}", transform=axes.transAxes, **_TEXT)


_TEXT = {"fontsize": 6.5, "ha": "center", "va": "top"}


def markdown(
    stretches: Mapping[str, Stretch], frames: Mapping[str, Frames], checkpoint: str
) -> str:
    """Returns a table of the stretches, with a line on all of them.

    Args:
      stretches: name of a sequence -> its stretch.
      frames: name of a sequence -> what was tracked, of all sequences.
      checkpoint: the tracker.
    """
    rows = []
    for name, s in stretches.items():
        number = frames[name].number
        rows.append(
            [
                name,
                f"{number[s.first]} to {number[s.last]} of {number[-1]}",
                *(f"{value:.2f}" for value in (s.before, s.iou, s.score)),
                f"{s.missed:.0%}",
                f"{s.cost:.3f}",
            ]
        )
    columns = ["sequence", "frames", "IoU before", "IoU", "score", "missed", "cost"]
    mean = np.mean([one.iou.mean() for one in frames.values()])
    return (
        f"# Where {checkpoint} fails\n\nMean IoU over {len(frames)} sequences: "
        f"{mean:.3f}. The worst stretch of each of the worst sequences; missed: boxes "
        "that do not meet the target; cost: what the stretch takes from the mean IoU "
        f"of its sequence.\n\n{tables.table(columns, rows)}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    confidence.add_arguments(parser)
    meaning = "stretches to draw"
    options.add(parser, "--num", "N", meaning, type=options.count, default=10)


def run(args: argparse.Namespace) -> None:
    """Tracks, draws and prints."""
    out, videos = Path(args.out), confidence.sequences_of(args)
    with locks.locked(out, "experiment"):
        frames = confidence.track_all(args.checkpoint, videos, out)
        frames = {name: one for name, one in frames.items() if len(one.iou)}
        stretches = worst(frames, args.num)
        if not stretches:
            raise InputError("no sequence has a stretch in which boxes got worse")
        page = markdown(stretches, frames, args.checkpoint)
        atomic.write_text(out / "failures.md", page)
        by_name = {video.name: video for video in videos}
        atomic.write_bytes(out / "failures.png", sheet(stretches, frames, by_name))
    print(page)
    print(f"written: {out / 'failures.md'}, {out / 'failures.png'}")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="failures")
