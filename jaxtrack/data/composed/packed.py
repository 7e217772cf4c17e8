"""Photographs and sequences with masks in a packed folder, for composed scenes."""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxtrack.data import encoding, tracks
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError


@dataclass(frozen=True)
class PackedPicture:
    """A picture in a packed folder.

    Attributes:
      folder: the packed folder.
      split: of its record.
      record: index of the picture in the split.
      name: of the picture.
    """

    folder: str
    split: str
    record: int
    name: str

    def read(self) -> bytes:
        """Reads its encoded bytes.

        Raises:
          InputError: the record is damaged, or its file has vanished.
        """
        from jaxtrack.data import records  # Late: tfds takes a quarter of a second.

        where = f"{self.folder}, {self.split}, {self.name}"
        return records.read_record(
            _records(self.folder, self.split), self.record, where
        )


Picture = str | os.PathLike | PackedPicture


@dataclass(frozen=True)
class PackedSequence:
    """A track of a packed folder whose frames have masks.

    Attributes:
      folder: the packed folder.
      track: index of the track.
      name: of the track.
    """

    folder: str
    track: int
    name: str

    def frames(self) -> list[tuple[PackedPicture, PackedPicture]]:
        """Returns picture and mask of each frame with a mask, in order."""
        index = _index(self.folder)
        rows = index.table[index.rows(self.track)]
        return [
            (
                PackedPicture(self.folder, "train", int(row["record"]), name),
                PackedPicture(self.folder, "masks", int(row["mask"]), name),
            )
            for row in rows[rows["mask"] >= 0]
            for name in [f"{self.name}, frame {row['time']}"]
        ]


def is_packed(folder: str | os.PathLike) -> bool:
    """Returns whether a folder was made by `jaxtrack pack`."""
    return (Path(folder) / tracks.FILE_NAME).is_file()


def find_photographs(folder: str | os.PathLike) -> list[PackedPicture]:
    """Lists the photographs of a packed folder.

    Args:
      folder: the packed folder.

    Raises:
      InputError: it has none, or is damaged.
    """
    names = tracks.read(folder).photos
    if not len(names):
        raise InputError(
            f"{folder}: no photographs: pack some with `jaxtrack pack --photos=DIR`"
        )
    where = os.fspath(folder)
    return [PackedPicture(where, "photos", k, str(n)) for k, n in enumerate(names)]


def find_sequences(folder: str | os.PathLike) -> list[PackedSequence]:
    """Lists the tracks of a packed folder that have masks.

    Args:
      folder: the packed folder.

    Raises:
      InputError: there are none, or the folder is damaged.
    """
    index = tracks.read(folder)
    counts = np.add.reduceat(index.masks >= 0, index.offsets[:-1], dtype=int)
    if not counts.any():
        raise InputError(
            f"{folder}: no packed masks: pack sequences with img/0001.jpg "
            "and mask/0001.png"
        )
    where = os.fspath(folder)
    found = np.flatnonzero(counts)
    return [PackedSequence(where, int(k), str(index.names[k])) for k in found]


def read_picture(picture: Picture) -> np.ndarray:
    """Decodes a picture from a file or a packed folder.

    Args:
      picture: a path, or a packed picture.

    Returns:
      `[H, W, 3]` uint8 RGB.

    Raises:
      InputError: it cannot be read.
    """
    if isinstance(picture, PackedPicture):
        return encoding.decode(picture.read(), f"{picture.folder}, {picture.name}")
    return read_image(picture)


def stamp(item: Picture | PackedSequence) -> str:
    """Identifies a picture or a sequence by its name and the time of its last change.

    Args:
      item: a path, or a packed picture or sequence.
    """
    if isinstance(item, PackedPicture | PackedSequence):
        return f"{item} {_changed(Path(item.folder) / tracks.FILE_NAME)}"
    return f"{item} {_changed(Path(item))}"


def _changed(path):
    """Returns size and modification time of a file or folder."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def read_mask(picture: Picture) -> np.ndarray:
    """Decodes a mask from a file or a packed folder; every value but 0 is the object.

    Args:
      picture: a path, or a packed mask.

    Returns:
      `[H, W]` bool.

    Raises:
      InputError: it cannot be read.
    """
    if isinstance(picture, PackedPicture):
        name = f"{picture.folder}, {picture.name}"
        return encoding.decode_mask(picture.read(), name)
    try:
        return encoding.decode_mask(Path(picture).read_bytes(), os.fspath(picture))
    except OSError as error:
        raise InputError(f"{picture}: cannot read ({error.strerror})") from error


@functools.lru_cache(8)
def _index(folder: str) -> tracks.TrackIndex:
    """Reads the index of a packed folder, once per process."""
    return tracks.read(folder)


@functools.lru_cache(8)
def _records(folder: str, split: str) -> Sequence[dict]:
    """Opens the records of a packed folder, once per process."""
    from jaxtrack.data import records  # Late: as above.

    return records.open_split(folder, split)
