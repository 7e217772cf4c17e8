"""The index of tracks: which records, with which boxes, make up each track."""

import dataclasses
import io
import pathlib
from collections.abc import Sequence

import numpy as np

from jaxtrack.errors import InputError

FILE_NAME = "tracks.npz"


@dataclasses.dataclass(frozen=True)
class TrackIndex:
    """Tracks laid end to end; track `i` owns rows `offsets[i]` to `offsets[i + 1]`.

    Attributes:
      names: name of each track, `[N]` str.
      offsets: `[N + 1]` int64, from 0 to the number `M` of rows.
      records: record of the frame of each row, `[M]` int64; -1 where it was damaged.
      xyxy: boxes, `[M, 4]` float32 xyxy px; a row of NaN says the object is absent.
      faults: what was left out, and why, one line each.
      fingerprint: hash of the files the records were made of.
    """

    names: np.ndarray
    offsets: np.ndarray
    records: np.ndarray
    xyxy: np.ndarray
    faults: tuple[str, ...] = ()
    fingerprint: str = ""

    def rows(self, track: int) -> slice:
        """Returns the rows of a track."""
        return slice(int(self.offsets[track]), int(self.offsets[track + 1]))


def join(parts: Sequence[TrackIndex], num_records: Sequence[int]) -> TrackIndex:
    """Lays indices end to end, as their records are.

    Args:
      parts: indices, each with records counted from 0.
      num_records: number of records of each part.

    Returns:
      The index of all tracks.
    """
    first = np.repeat(
        np.cumsum(num_records) - num_records, [len(part.records) for part in parts]
    )
    records = np.concatenate([part.records for part in parts])
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return TrackIndex(
        names=np.concatenate([part.names for part in parts]),
        offsets=np.cumsum([0, *lengths]),
        records=np.where(records < 0, -1, records + first),
        xyxy=np.concatenate([part.xyxy for part in parts]),
        faults=tuple(fault for part in parts for fault in part.faults),
    )


def write(index: TrackIndex, folder: str | pathlib.Path) -> None:
    """Writes an index into a folder."""
    arrays = {
        name: np.asarray(value, np.str_ if name == "faults" else None)
        for name, value in vars(index).items()
    }
    np.savez_compressed(pathlib.Path(folder) / FILE_NAME, **arrays)


def read(folder: str | pathlib.Path) -> TrackIndex:
    """Reads the index of a packed folder.

    Args:
      folder: as `jaxtrack pack` made it.

    Returns:
      The index.

    Raises:
      InputError: if the folder is absent, unfinished, or its index is damaged.
    """
    path = pathlib.Path(folder) / FILE_NAME
    if not path.is_file():
        raise InputError(
            f"{folder}: no packed data ({FILE_NAME} is absent); make it by "
            "`jaxtrack pack`"
        )
    try:
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            fields = {f.name: arrays[f.name] for f in dataclasses.fields(TrackIndex)}
    except Exception as error:  # numpy raises many kinds on a damaged archive.
        raise InputError(f"{path}: damaged index ({error}); build again") from error
    fields["faults"] = tuple(str(fault) for fault in fields["faults"])
    fields["fingerprint"] = str(fields["fingerprint"])
    return TrackIndex(**fields)
