"""Stores the frames of some tracks, in one process."""

import fcntl
import functools
import os
import pathlib
import pickle
from typing import NamedTuple

import numpy as np

from jaxtrack.data.bank.footprint import REDUCTIONS, Footprint
from jaxtrack.data.frames import Frame
from jaxtrack.data.pairs import visible_times
from jaxtrack.errors import InputError

ENTRY = np.dtype(
    [
        ("offset", np.int64),  # Of the first byte in the file of pixels.
        ("part_hw", np.int32, 2),  # Of the stored part, px of the reduced frame.
        ("corner", np.int32, 2),  # x, y of its first pixel.
        ("hw", np.int32, 2),  # Of the whole reduced frame.
        ("reduced", np.int32),
        ("mean", np.float64, 3),
    ]
)

_CHUNK = 64 * 2**20  # Bytes that a process buffers before it writes.


class Rows(NamedTuple):
    """Frames of some tracks, concatenated.

    Attributes:
      lengths: frames of each track, `[N]`.
      xyxy: boxes, `[R, 4]` float32.
      lookup: `[R, 3]` int64 index of the entry to read at each of `REDUCTIONS`; -1 for
        none.
      entries: `[E]` of `ENTRY`.
      faults: damaged frames, one line each.
    """

    lengths: np.ndarray
    xyxy: np.ndarray
    lookup: np.ndarray
    entries: np.ndarray
    faults: tuple[str, ...]


class Job(NamedTuple):
    """Tracks that a process stores together.

    Attributes:
      source: the pickled source.
      footprint: the part of frames that training can see.
      path: the file of pixels.
      tracks: indices of the tracks.
    """

    source: bytes
    footprint: Footprint
    path: pathlib.Path
    tracks: tuple[int, ...]


def store(job: Job) -> Rows:
    """Decodes the visible frames of some tracks and appends them to the file.

    Args:
      job: what to store, and where.

    Returns:
      The stored frames.
    """
    source = _unpickled(job.source)
    boxes = [source.track_boxes(track) for track in job.tracks]
    xyxy = np.concatenate(boxes).astype(np.float32)
    lengths = np.array([len(track) for track in boxes])
    ids = np.concatenate([source.frame_ids(track) for track in job.tracks])
    tracks = np.repeat(job.tracks, lengths)
    times = np.concatenate([np.arange(length) for length in lengths])
    visible = visible_times(xyxy)
    visible = visible[np.argsort(ids[visible], kind="stable")]
    regions = job.footprint.regions(xyxy[visible])
    asked = job.footprint.reductions(xyxy[visible])
    lookup = np.full((len(xyxy), len(REDUCTIONS)), -1, np.int64)
    writer, reader, faults = _Writer(job.path), _Reader(source), []
    for row, region, wanted in zip(visible, regions, asked, strict=True):
        where = int(tracks[row]), int(times[row])
        try:
            for column in np.flatnonzero(wanted):
                frame = reader.read(int(ids[row]), where, REDUCTIONS[column])
                lookup[row, column] = writer.add(frame, region, int(row))
        except InputError as error:
            lookup[row] = -1
            faults.append(str(error))
    return Rows(lengths, xyxy, lookup, writer.finish(), tuple(dict.fromkeys(faults)))


class _Writer:
    """Buffers parts of frames and appends them to a file shared with others."""

    def __init__(self, path):
        self._path = path
        self._entries = []
        self._pending = []  # Arrays not written yet.
        self._bytes = 0
        self._first = 0  # Index of the first entry not written.
        self._last = (-1, 0, -1)  # Row and reduction of the newest entry, its index.

    def add(self, frame: Frame, region: np.ndarray, row: int) -> int:
        """Adds a region (xyxy px of the full-size frame); returns its entry's index.

        A source that ignores the reduction is read twice and stored once.
        """
        if self._last[:2] == (row, frame.reduced):
            return self._last[2]
        height, width = frame.hw
        limits = np.array([width, height, width, height])
        x0, y0, x1, y1 = np.clip(region // frame.reduced, 0, limits)
        left, top = frame.corner
        part = frame.image[y0 - top : y1 - top, x0 - left : x1 - left]
        self._pending.append(np.ascontiguousarray(part))
        mean = tuple(frame.mean_color)
        entry = (self._bytes, part.shape[:2], (x0, y0), frame.hw, frame.reduced, mean)
        self._entries.append(entry)
        self._bytes += part.size
        self._last = (row, frame.reduced, len(self._entries) - 1)
        if self._bytes > _CHUNK:
            self._flush()
        return self._last[2]

    def finish(self) -> np.ndarray:
        """Writes what is left and returns all entries, `[E]` of `ENTRY`."""
        self._flush()
        return np.array(self._entries, ENTRY)

    def _flush(self):
        """Reserves space at the end of the file under a lock, and fills it."""
        with open(self._path, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            start = os.fstat(file.fileno()).st_size
            os.ftruncate(file.fileno(), start + self._bytes)
            fcntl.flock(file, fcntl.LOCK_UN)
            file.seek(start)
            for part in self._pending:
                file.write(part.data)
        new = self._entries[self._first :]
        self._entries[self._first :] = [(start + e[0], *e[1:]) for e in new]
        self._pending, self._bytes, self._first = [], 0, len(self._entries)


class _Reader:
    """Reads frames; does not decode the last one again for the next track."""

    def __init__(self, source):
        self._source = source
        self._id, self._read = -1, {}

    def read(self, frame_id: int, where: tuple[int, int], reduction: int) -> Frame:
        """Reads the frame with an id at a (track, time)."""
        if frame_id != self._id:
            self._id, self._read = frame_id, {}
        if reduction not in self._read:
            self._read[reduction] = self._source.frame(*where, reduction=reduction)
        return self._read[reduction]


@functools.lru_cache(1)
def _unpickled(data):
    """Opens a source once per process."""
    return pickle.loads(data)
