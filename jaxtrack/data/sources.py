"""Tracks: where the frames and boxes of training pairs come from."""

import functools
import hashlib
import pathlib
from typing import Protocol

import numpy as np

from jaxtrack.data import encoding, frames, tracks
from jaxtrack.data.frames import NUM_PICTURES, Frame
from jaxtrack.errors import InputError, require

_PICTURE_REDUCTION = 4  # What only fills the outside need not be sharp.


class TrackSource(Protocol):
    """A numbered set of tracks, each one object followed through some frames.

    A source is picklable (it is sent to loader processes), opens its files at first
    use, and is read by several threads at once. Its methods are pure: equal
    arguments give equal answers in every process.
    """

    @property
    def num_tracks(self) -> int:
        """Number of tracks."""

    def track_boxes(self, track: int) -> np.ndarray:
        """Boxes of a track, `[T, 4]` float32 xyxy px of the full-size frames.

        A row with NaN, or of no width or height, says the object is absent. A still
        photograph is a track with `T = 1`. Must be cheap: every pair asks for it.
        """

    def track_times(self, track: int) -> np.ndarray:
        """When each frame of a track was, `[T]` int, ascending.

        In frames of the video, of which only some may have been packed.
        """

    def frame(self, track: int, time: int, *, reduction: int = 1) -> Frame:
        """Reads one frame.

        Args:
          track: number of the track.
          time: number of the frame, `0 <= time < T`.
          reduction: how many times smaller the image may be on each axis, one of 1,
            2, 4, 8; a source may always ignore it and answer the full size.

        Returns:
          The frame, reduced 1 time or a power of two up to `reduction`; of a part of
          it all that a training pair may show is there.

        Raises:
          InputError: if the frame cannot be decoded (the message names it).
        """

    @property
    def num_pictures(self) -> int:
        """Number of pictures that may fill borders, at most `NUM_PICTURES`."""

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a small picture to show outside of other tracks' frames.

        Args:
          number: which, `0 <= number < num_pictures`.

        Returns:
          The track that it shows (-1 if it shows none), and the picture,
          `[PICTURE_SIDE, PICTURE_SIDE, 3]` uint8 RGB, whatever its shape was.
        """


class StoredSource(TrackSource, Protocol):
    """A source whose frames a bank may keep decoded; see `data/bank`."""

    @property
    def label(self) -> str:
        """Names the source to a user; a file name, too."""

    @property
    def num_frames(self) -> int:
        """Number of frames of all tracks."""

    def frame_ids(self, track: int) -> np.ndarray:
        """Numbers that are equal where tracks share a frame, `[T]` int64."""

    def fingerprint(self) -> str:
        """Says, or hashes, everything that pixels and boxes depend on."""


class RecordSource:
    """Tracks of a folder packed by `jaxtrack pack`.

    Attributes:
      folder: the packed folder.
    """

    def __init__(self, folder: str | pathlib.Path):
        """Reads the index of tracks; records are opened at first use.

        Args:
          folder: the packed folder.

        Raises:
          InputError: if the folder is absent, unfinished or damaged, or
            tensorflow-datasets is not installed.
        """
        require("tensorflow_datasets")
        self.folder = str(folder)
        self._index = tracks.read(folder)
        tracks.check(folder)

    @property
    def num_tracks(self) -> int:
        """Number of tracks."""
        return len(self._index.names)

    @property
    def num_frames(self) -> int:
        """Number of frames of all tracks; see `StoredSource`."""
        return len(self._index.table)

    @property
    def extent(self) -> float:
        """How much is stored around a target; see `tracks.TrackIndex`."""
        return self._index.extent

    @property
    def track_names(self) -> np.ndarray:
        """Names of the tracks, `[N]` str."""
        return self._index.names

    @property
    def track_clips(self) -> np.ndarray:
        """Number of each track's clip, `[N]` int64, from 0, ascending without gaps."""
        return self._index.clips

    def track_boxes(self, track: int) -> np.ndarray:
        """Returns the boxes of a track; see `TrackSource`."""
        return self._index.xyxy[self._index.rows(track)]

    def track_times(self, track: int) -> np.ndarray:
        """Returns the numbers of a track's frames; see `TrackSource`."""
        return self._index.times[self._index.rows(track)]

    def frame(self, track: int, time: int, *, reduction: int = 1) -> Frame:
        """Reads and decodes one frame; see `TrackSource`."""
        name = f"{self.folder}, track {self._index.names[track]}, frame {time}"
        rows = self._index.rows(track)
        row = range(rows.start, rows.stop)[time]
        record = int(self._index.records[row])
        if record < 0:
            raise InputError(f"{name}: shows no object, or was left out when packed")
        from jaxtrack.data import records  # Late: tfds takes a quarter of a second.

        data = records.read_record(self._records, record, name)
        image = encoding.decode(data, name, reduction=reduction)
        frame = frames.whole(image, reduced=reduction)
        if not self.extent:
            return frame
        # What crops show outside of the frame is the mean of all of it.
        return frame._replace(mean=self._index.means[row].astype(np.float64))

    @property
    def num_pictures(self) -> int:
        """Number of pictures that may fill borders; see `TrackSource`."""
        return min(self.num_tracks, NUM_PICTURES)

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a frame of one of some tracks, small; see `TrackSource`."""
        return self._picture(number * self.num_tracks // self.num_pictures)

    @property
    def label(self) -> str:
        """Name of the folder; see `StoredSource`."""
        return pathlib.Path(self.folder).name

    def frame_ids(self, track: int) -> np.ndarray:
        """Returns the records of a track's frames; see `StoredSource`."""
        return self._index.records[self._index.rows(track)]

    def fingerprint(self) -> str:
        """Hashes the index, which knows its rows and shards; see `StoredSource`."""
        index = (pathlib.Path(self.folder) / tracks.FILE_NAME).read_bytes()
        return hashlib.sha256(index).hexdigest()

    @functools.cached_property
    def _picture(self):
        """Keeps the pictures that were read."""
        return functools.lru_cache(NUM_PICTURES)(self._read_picture)

    def _read_picture(self, track):
        """Reads the middle one of a track's frames that are there."""
        records = self._index.records[self._index.rows(track)]
        times = np.flatnonzero(records >= 0)
        time = int(times[len(times) // 2]) if len(times) else 0
        image = self.frame(track, time, reduction=_PICTURE_REDUCTION).image
        return track, frames.picture(image)

    @functools.cached_property
    def _records(self):
        """Opens the records for random access, still encoded."""
        from jaxtrack.data import records  # Late: as above.

        return records.open_split(self.folder, records.FRAMES)

    def __getstate__(self):
        """Sends the folder's name only; each process opens it for itself."""
        return {"folder": self.folder}

    def __setstate__(self, state):
        """Opens the folder again, which who sent its name has checked."""
        self.folder = state["folder"]
        self._index = tracks.read(self.folder)
