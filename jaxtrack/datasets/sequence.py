"""Annotated videos, stills and clips, as readers return them, and listings of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Skipped(NamedTuple):
    """A sequence that was left out.

    Attributes:
      name: of the sequence.
      reason: what is wrong with it.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Sequence:
    """A video of one annotated object, `T` frames.

    Attributes:
      name: of the sequence.
      frames: image files in order of time, `T` of them.
      xyxy: boxes, `[T, 4]` float64 xyxy, continuous px from the image's top-left edge;
        a row of NaN says the object is absent, or its box is not public.
      truth: `[T, 4]` xywh exactly as the dataset's files say, or `[1, 4]` where they
        hold the first box alone. Of VOT's polygons the boxes around them. None of a
        video that no dataset's files describe.
      origin: what is added to our x and y to get the files' coordinates.
      absent: `[T]` bool of the dataset's own flags; None where no file says so.
      cover: `[T]` int, visible share of the object in eighths (GOT-10k), or None.
      attributes: of the sequence.
      region: `[T, 8]` polygons or `[T, 4]` xywh of VOT, as the files say; else None.
      tags: of VOT, name of a tag -> `[T]` bool.
      image_size: (width, height), px, where a file states it.
    """

    name: str
    frames: list[Path]
    xyxy: np.ndarray
    truth: np.ndarray | None = None
    origin: float = 0.0
    absent: np.ndarray | None = None
    cover: np.ndarray | None = None
    attributes: tuple[str, ...] = ()
    region: np.ndarray | None = None
    tags: Mapping[str, np.ndarray] | None = None
    image_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Clip:
    """Frames with the boxes of every object in them, to train on.

    Attributes:
      name: names its tracks.
      frames: image files in order of time, `T` of them; one of a photograph.
      xyxy: boxes, `[K, T, 4]` float64 xyxy px, a row of NaN where an object is absent.
      skipped: why boxes or objects were left out, one line each.
    """

    name: str
    frames: tuple[Path, ...]
    xyxy: np.ndarray
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What a split of a dataset holds, and what of it is on the disk.

    Attributes:
      names: of its sequences, as far as they are known, in its order.
      found: name -> what the reader's `read` takes, of those that are there.
      num_expected: sequences of the whole; more than `names` where some names are not
        known.
      notes: sentences that a report must carry.
    """

    names: tuple[str, ...]
    found: Mapping[str, Any]
    num_expected: int
    notes: tuple[str, ...] = ()


class Places(Mapping[str, Any]):
    """Name -> place, made when it is asked for: all of them would fill the memory."""

    def __init__(self, names: Iterable[str], place: Callable[[str], Any]):
        """Keeps the names.

        Args:
          names: in their order.
          place: makes the place of one of them.
        """
        self._names = dict.fromkeys(names)
        self._place = place

    def __getitem__(self, name: str) -> Any:
        """Returns the place of a name."""
        if name not in self._names:
            raise KeyError(name)
        return self._place(name)

    def __iter__(self) -> Iterator[str]:
        """Yields the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Returns their number."""
        return len(self._names)


def xyxy_from_truth(
    truth: np.ndarray, num_frames: int, *, origin: float = 0.0
) -> np.ndarray:
    """Converts a file's boxes to ours.

        x0 = x - origin,  y0 = y - origin,  x1 = x0 + w,  y1 = y0 + h

    Args:
      truth: `[N, 4]` xywh in the file's coordinates, px.
      num_frames: T >= N.
      origin: what the file counts the first pixel's edge as.

    Returns:
      `[T, 4]` xyxy, continuous px; NaN where the truth is NaN, of no size, or ended.
    """
    low = truth[:, :2] - origin
    xyxy = np.concatenate([low, low + truth[:, 2:]], axis=1)
    is_box = np.isfinite(xyxy).all(axis=1) & (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    xyxy[~is_box] = np.nan
    missing = np.full((num_frames - len(truth), 4), np.nan)
    return np.concatenate([xyxy, missing])
