"""A track source with decoded frames in a memory-mapped file."""

import json
import math
import pathlib
import time
from typing import NamedTuple

import numpy as np
from absl import logging

from jaxtrack.data.bank.build import PIXELS, SUMMARY
from jaxtrack.data.frames import Frame
from jaxtrack.data.sources import StoredSource

_SECONDS_BETWEEN_LOOKS = 1.0
_COLUMN = {1: 0, 2: 1, 4: 2, 8: 2}  # Of `lookup`, by reduction.


class Arrays(NamedTuple):
    """The files of a bank, mapped into memory; see `bank.build`."""

    offsets: np.ndarray
    xyxy: np.ndarray
    lookup: np.ndarray
    entries: np.ndarray
    pictures: np.ndarray
    picture_tracks: np.ndarray
    pixels: np.ndarray


class BankedSource:
    """A source read from its bank; equal to the source pixel by pixel.

    Frames that the bank lacks come from the source: damaged ones, and all of them if
    its folder is gone.

    Attributes:
      folder: of the bank.
    """

    def __init__(
        self, source: StoredSource, folder: pathlib.Path, *, is_awaited: bool = False
    ):
        """Remembers the folder; each process maps it at first use.

        Args:
          source: the stored source.
          folder: made by `bank.build.build`.
          is_awaited: whether it may be made later, so that it is looked for again.
        """
        self.folder = folder
        self._source = source
        self._is_awaited = is_awaited
        self._forget()

    def _forget(self):
        self._mapped: Arrays | None = None
        self._next_look = 0.0  # By the monotonic clock; infinity: never again.

    @property
    def num_tracks(self) -> int:
        """Number of tracks."""
        return self._source.num_tracks

    @property
    def num_pictures(self) -> int:
        """Number of pictures for padding."""
        return self._source.num_pictures

    def track_boxes(self, track: int) -> np.ndarray:
        """Returns the boxes of a track; see `TrackSource`."""
        arrays = self._arrays
        if arrays is None:
            return self._source.track_boxes(track)
        return np.array(arrays.xyxy[arrays.offsets[track] : arrays.offsets[track + 1]])

    def track_times(self, track: int) -> np.ndarray:
        """Returns the numbers of a track's frames; see `TrackSource`."""
        return self._source.track_times(track)

    def frame(self, track: int, time: int, *, reduction: int = 1) -> Frame:
        """Returns the visible part of a frame without copying; see `TrackSource`."""
        arrays = self._arrays
        number = -1
        if arrays is not None:
            row = int(arrays.offsets[track]) + time
            number = int(arrays.lookup[row, _COLUMN[reduction]])
        if number < 0:
            return self._source.frame(track, time, reduction=reduction)
        offset, part_hw, corner, hw, reduced, mean = arrays.entries[number]
        height, width = part_hw.tolist()
        pixels = arrays.pixels[offset : offset + 3 * height * width]
        image = pixels.reshape(height, width, 3)
        return Frame(
            image, int(reduced), tuple(corner.tolist()), tuple(hw.tolist()), mean
        )

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a small picture; see `TrackSource`."""
        arrays = self._arrays
        if arrays is None or arrays.picture_tracks[number] < -1:
            return self._source.picture(number)
        return int(arrays.picture_tracks[number]), np.asarray(arrays.pictures[number])

    @property
    def _arrays(self) -> Arrays | None:
        """The mapped files, or None if they are incomplete."""
        if self._mapped is None and time.monotonic() >= self._next_look:
            self._mapped = _map(self.folder)
            if self._is_awaited:
                self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
            elif self._mapped is None:
                self._next_look = math.inf
                logging.warning(
                    "%s: the bank is gone, continuing without it", self.folder
                )
        return self._mapped

    def __getstate__(self):
        """Sends only names; each process maps the files itself."""
        return {
            "folder": self.folder,
            "_source": self._source,
            "_is_awaited": self._is_awaited,
        }

    def __setstate__(self, state):
        """Restores the source without mapped files."""
        self.__dict__.update(state)
        self._forget()


def _map(folder):
    """Maps the files of a bank; None if they are incomplete."""
    if (size := stored_bytes(folder)) is None:
        return None
    names = [name for name in Arrays._fields if name != "pixels"]
    try:
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]
        pixels = np.zeros(0, np.uint8)
        if size:
            pixels = np.memmap(folder / PIXELS, np.uint8, mode="r")
    except (OSError, ValueError):  # It was deleted meanwhile, or is damaged.
        return None
    # Plain views: slicing a memmap takes several microseconds.
    return Arrays(*(np.asarray(array) for array in arrays), pixels=np.asarray(pixels))


def stored_bytes(folder: pathlib.Path) -> int | None:
    """Returns the size of a bank's pixels, bytes; None if it is incomplete.

    Args:
      folder: made by `bank.build.build`.
    """
    try:
        size = int(json.loads((folder / SUMMARY).read_text())["bytes"])
        return size if (folder / PIXELS).stat().st_size == size else None
    except (OSError, ValueError, KeyError):
        return None
