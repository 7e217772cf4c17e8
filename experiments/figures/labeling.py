"""Measure `jaxtrack annotate` on sequences with known boxes.

Labels each sequence from its first box, and from its first and last one, and reports
how many boxes are kept by agreement and score, and how many of these are correct.
Writes labeling.md.

Example:
  python -m experiments.figures.labeling --checkpoint=lite --sequences=videos/ \
      --exclude='otb_*' --out=runs/labeling
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from experiments import tables
from experiments.figures import confidence
from jaxtrack import annotation, cli, locks, session
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.metrics import overlap

# Least agreement and score of the boxes that are kept.
LEAST = ((0.0, 0.0), (0.0, 0.5), (0.5, 0.0), (0.5, 0.5), (0.6, 0.5), (0.7, 0.6))
KNOWN = ("the first box", "the first and last box")


class Labeled(NamedTuple):
    """Boxes that were found of n frames whose truth is known, and was not given.

    Attributes:
      agreement: `[n]`; see `annotation.Labels`.
      score: `[n]`.
      iou: `[n]` of box and truth.
    """

    agreement: np.ndarray
    score: np.ndarray
    iou: np.ndarray


def measure(
    videos: Sequence[Video], follower: annotation.Follower
) -> dict[str, Labeled]:
    """Labels sequences and compares with their boxes.

    Args:
      videos: with a box in the first frame.
      follower: that tracks.

    Returns:
      For each of `KNOWN` the frames of all sequences.

    Raises:
      InputError: no sequence has a box to compare with, or a frame cannot be read.
    """
    found = {told: [] for told in KNOWN}
    for video in tqdm(videos, unit="sequence"):
        truth = np.concatenate(
            [video.xyxy[:, :2], video.xyxy[:, 2:] - video.xyxy[:, :2]], axis=1
        )
        there = np.flatnonzero(np.isfinite(truth).all(axis=1))
        for told, given in zip(KNOWN, ([0], [0, int(there[-1])]), strict=True):
            known = {number: truth[number] for number in given}
            labels = annotation.label(video.frames, known, follower)
            others = np.setdiff1d(there, given)
            iou = overlap.iou_xywh(labels.xywh[others], truth[others])
            parts = (labels.agreement[others], labels.score[others], iou)
            found[told].append(Labeled(*parts))
    if not any(len(one.iou) for one in found[KNOWN[1]]):
        raise InputError("no sequence has a box between its first and its last one")
    return {
        told: Labeled(*map(np.concatenate, zip(*parts, strict=True)))
        for told, parts in found.items()
    }


def markdown(found: Mapping[str, Labeled], checkpoint: str, count: int) -> str:
    """Returns the measurement as a Markdown document.

    Args:
      found: see `measure`.
      checkpoint: the tracker.
      count: of sequences.
    """
    rows = []
    for told, labeled in found.items():
        for agreement, score in LEAST:
            kept = labeled.agreement >= agreement
            kept &= labeled.score >= score
            iou = labeled.iou[kept]
            numbers = ["", "", ""]
            if len(iou):
                values = ((iou >= 0.5).mean(), (iou >= 0.7).mean(), iou.mean())
                numbers = [f"{value:.2f}" for value in values]
            least = [f"{agreement:g}", f"{score:g}"]
            rows.append([told, *least, f"{kept.mean():.0%}", *numbers])
    columns = ["known", "agreement", "score", "kept"]
    columns += ["of them IoU >= 0.5", "IoU >= 0.7", "mean IoU"]
    return (
        f"# Labels of {checkpoint}\n\n{len(found[KNOWN[0]].iou)} frames of {count} "
        f"sequences.\n\n{tables.table(columns, rows)}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    confidence.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Labels, compares and prints."""
    out, videos = Path(args.out), confidence.sequences_of(args)
    with locks.locked(out, "experiment"):
        found = measure(videos, session.load(args.checkpoint))
        page = markdown(found, args.checkpoint, len(videos))
        atomic.write_text(out / "labeling.md", page)
    print(page)
    print(f"written: {out / 'labeling.md'}")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="labeling")
