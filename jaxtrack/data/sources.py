"""Sources of tracks: the frames and boxes of training pairs."""

import functools
import hashlib
import pathlib
from typing import Protocol

import numpy as np

from jaxtrack.data import encoding, frames, tracks
from jaxtrack.data.frames import NUM_PICTURES, Frame
from jaxtrack.errors import InputError, require

_PICTURE_REDUCTION = 4  # Pictures for padding need not be sharp.


class TrackSource(Protocol):
    """A numbered set of tracks, each of one object over some frames.

    A source can be pickled (it is sent to loader processes), opens its files at first
    use, and is read by several threads at once. Its methods are pure: equal
    arguments give equal results in every process.
    """

    @property
    def num_tracks(self) -> int:
        """Number of tracks."""

    def track_boxes(self, track: int) -> np.ndarray:
        """Boxes of a track, `[T, 4]` float32 xyxy px of the full-size frames.

        A row with NaN, or without width or height, means that the object is absent. A
        still image is a track with `T = 1`. Must be cheap: every pair calls it.
        """

    def track_times(self, track: int) -> np.ndarray:
        """Frame numbers of a track, `[T]` int, ascending.

        They count frames of the video, even if only some were packed.
        """

    def frame(self, track: int, time: int, *, reduction: int = 1) -> Frame:
        """Reads one frame.

        Args:
          track: number of the track.
          time: number of the frame, `0 <= time < T`.
          reduction: how many times smaller the image may be on each axis, one of 1,
            2, 4, 8; a source may ignore it and return the full size.

        Returns:
          The frame, reduced by a power of two up to `reduction`; possibly only the part
          that a training pair can show.

        Raises:
          InputError: if the frame cannot be decoded; names the frame.
        """

    @property
    def num_pictures(self) -> int:
        """Number of pictures for padding, at most `NUM_PICTURES`."""

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a small picture to pad the crops of other tracks.

        Args:
          number: of the picture, `0 <= number < num_pictures`.

        Returns:
          The track that it shows (-1 for none), and the picture, resized to
          `[PICTURE_SIDE, PICTURE_SIDE, 3]` uint8 RGB.
        """


class StoredSource(TrackSource, Protocol):
    """A source whose decoded frames can be kept in a bank; see `data/bank`."""

    @property
    def label(self) -> str:
        """Name of the source, for messages and file names."""

    @property
    def num_frames(self) -> int:
        """Number of frames of all tracks."""

    def frame_ids(self, track: int) -> np.ndarray:
        """Frame ids, `[T]` int64, equal if tracks share a frame."""

    def fingerprint(self) -> str:
        """Identifies everything that pixels and boxes depend on."""


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
          InputError: if the folder is missing, unfinished or damaged, or
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
        """Extent of the stored pictures around a target; see `tracks.TrackIndex`."""
        return self._index.extent

    @property
    def track_names(self) -> np.ndarray:
        """Names of the tracks, `[N]` str."""
        return self._index.names

    @property
    def track_clips(self) -> np.ndarray:
        """Index of each track's clip, `[N]` int64, from 0, ascending without gaps."""
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
            raise InputError(f"{name}: shows no object or was left out when packed")
        from jaxtrack.data import records  # Late: tfds takes a quarter of a second.

        data = records.read_record(self._records, record, name)
        image = encoding.decode(data, name, reduction=reduction)
        frame = frames.whole(image, reduced=reduction)
        if not self.extent:
            return frame
        # Crops are padded with the mean of the whole frame.
        return frame._replace(mean=self._index.means[row].astype(np.float64))

    @property
    def num_pictures(self) -> int:
        """Number of pictures for padding; see `TrackSource`."""
        return min(self.num_tracks, NUM_PICTURES)

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a small frame of one of the tracks; see `TrackSource`."""
        return self._picture(number * self.num_tracks // self.num_pictures)

    @property
    def label(self) -> str:
        """Name of the folder; see `StoredSource`."""
        return pathlib.Path(self.folder).name

    def frame_ids(self, track: int) -> np.ndarray:
        """Returns the records of a track's frames; see `StoredSource`."""
        return self._index.records[self._index.rows(track)]

    def fingerprint(self) -> str:
        """Hashes the index, with its rows and shards; see `StoredSource`."""
        index = (pathlib.Path(self.folder) / tracks.FILE_NAME).read_bytes()
        return hashlib.sha256(index).hexdigest()

    @functools.cached_property
    def _picture(self):
        """Caches the pictures that were read."""
        return functools.lru_cache(NUM_PICTURES)(self._read_picture)

    def _read_picture(self, track):
        """Reads the middle one of a track's available frames."""
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
        """Sends only the folder's name; each process opens it itself."""
        return {"folder": self.folder}

    def __setstate__(self, state):
        """Opens the folder again, without the checks of the first process."""
        self.folder = state["folder"]
        self._index = tracks.read(self.folder)
