"""Clips to train on, without boxes that are too small or empty."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.datasets import sequence
from jaxtrack.datasets.sequence import Clip

# A target of less than this, px, is a few blurred pixels in a crop.
MIN_SIDE = 4.0

ReadTrack = Callable[[str, Any], sequence.Sequence]


def read_track(read: ReadTrack, name: str, place: Any) -> Clip:
    """Reads a sequence of one object as a clip; flagged frames have no box.

    Args:
      read: of the dataset's reader.
      name: of the sequence.
      place: of the sequence.

    Returns:
      A clip of one object.

    Raises:
      InputError: as `read` does.
    """
    video = read(name, place)
    xyxy = video.xyxy.copy()
    if video.absent is not None:
        xyxy[video.absent] = np.nan
    if video.cover is not None:
        xyxy[video.cover == 0] = np.nan
    return of_objects(name, video.frames, xyxy[None])


def of_objects(
    name: str,
    frames: Sequence[Path],
    xyxy: np.ndarray,
    *,
    left_out: Mapping[str, np.ndarray] | None = None,
    skipped: Sequence[str] = (),
) -> Clip:
    """Makes a clip; boxes that cannot be trained on are left out.

    Args:
      name: of the clip.
      frames: T of them.
      xyxy: boxes, `[K, T, 4]` px; NaN where an object is absent.
      left_out: reason -> `[K, T]` bool, boxes that are none of an object.
      skipped: what was left out before, one line each.

    Returns:
      The clip of the objects that have a box left: there may be none.
    """
    xyxy = np.asarray(xyxy, np.float64).reshape(-1, len(frames), 4).copy()
    sides = xyxy[..., 2:] - xyxy[..., :2]
    with np.errstate(invalid="ignore"):
        reasons = {
            **(left_out or {}),
            "a box of no size": (sides <= 0).any(axis=-1),
            f"a side below {MIN_SIDE:g} px": (sides < MIN_SIDE).any(axis=-1),
        }
    lines = list(skipped)
    for reason, flags in reasons.items():
        for number, frame in np.argwhere(flags & ~np.isnan(xyxy[..., 0])):
            lines.append(f"{frames[frame]}: object {number}: {reason}")
        xyxy[flags] = np.nan
    has_box = np.isfinite(xyxy).all(axis=2).any(axis=1)
    return Clip(name, tuple(frames), xyxy[has_box], tuple(lines))
