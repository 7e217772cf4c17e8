"""The index of tracks: the records and boxes of each track.

Rows are in `rows.npy` and names in `names.npy`, which are memory-mapped: processes
that read a folder share them, and opening fourteen million frames takes no time.
The rest is in `tracks.npz`, which is written last.
"""

import dataclasses
import io
import pathlib
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxtrack.errors import InputError

FILE_NAME = "tracks.npz"
ROWS_NAME, NAMES_NAME = "rows.npy", "names.npy"
ROW = np.dtype(
    [
        ("record", "<i4"),
        ("mask", "<i4"),
        ("time", "<i4"),
        ("xyxy", "<f4", (4,)),
        ("mean", "u1", (4,)),
    ]
)
_MAPPED = (ROWS_NAME, NAMES_NAME)
_ARRAYS = ("clips", "offsets", "photos")
_ROWS_AT_ONCE = 1 << 18


class ShardFile(NamedTuple):
    """A file of records that a packed folder must have.

    Attributes:
      name: of the file.
      size: bytes.
    """

    name: str
    size: int


@dataclasses.dataclass(frozen=True)
class TrackIndex:
    """Tracks laid end to end; track `i` owns rows `offsets[i]` to `offsets[i + 1]`.

    Attributes:
      names: name of each track, `[N]` str.
      clips: index of each track's clip (video or photograph), `[N]` int64.
      offsets: `[N + 1]` int64, from 0 to the number `M` of rows.
      table: `[M]` of `ROW`: record of the frame, -1 if the object is absent or the
        file was damaged; record of its mask, or -1; number of the frame in its
        sequence; box, xyxy px of the stored picture, NaN if the object is absent;
        mean color of the whole frame, RGB and padding.
      photos: names of the photographs, `[P]` str, in the order of their records.
      shards: files in the folder.
      extent: side of the pictures around a target, as a multiple of the template's
        side; 0 for whole frames.
    """

    names: np.ndarray
    clips: np.ndarray
    offsets: np.ndarray
    table: np.ndarray
    photos: np.ndarray
    shards: tuple[ShardFile, ...] = ()
    extent: float = 0.0

    @property
    def records(self) -> np.ndarray:
        """Record of the frame of each row, `[M]` int32."""
        return self.table["record"]

    @property
    def masks(self) -> np.ndarray:
        """Record of the mask of each row, `[M]` int32, -1 without one."""
        return self.table["mask"]

    @property
    def times(self) -> np.ndarray:
        """Number of each row's frame in its sequence, `[M]` int32."""
        return self.table["time"]

    @property
    def xyxy(self) -> np.ndarray:
        """Boxes, `[M, 4]` float32 xyxy px; NaN if the object is absent."""
        return self.table["xyxy"]

    @property
    def means(self) -> np.ndarray:
        """Mean color of each row's whole frame, `[M, 3]` uint8."""
        return self.table["mean"][:, :3]

    def rows(self, track: int) -> slice:
        """Returns the rows of a track."""
        return slice(int(self.offsets[track]), int(self.offsets[track + 1]))


def make(
    names: Sequence[str],
    tables: Sequence[np.ndarray],
    *,
    clips: Sequence[int] = (),
    photos: Sequence[str] = (),
    extent: float = 0.0,
) -> TrackIndex:
    """Makes an index of tracks.

    Args:
      names: of the tracks.
      tables: rows of each, `[T]` of `ROW`.
      clips: index of each track's clip, ascending; () if each has its own.
      photos: names of the photographs.
      extent: see `TrackIndex`.

    Returns:
      The index.
    """
    return TrackIndex(
        names=np.array(names, np.str_),
        clips=np.array(clips if len(clips) else range(len(names)), np.int64),
        offsets=np.cumsum([0, *map(len, tables)]),
        table=np.concatenate(tables) if tables else np.zeros(0, ROW),
        photos=np.array(photos, np.str_),
        extent=extent,
    )


def join(
    parts: Sequence[TrackIndex],
    num_frames: Sequence[int],
    num_masks: Sequence[int],
    folder: str | pathlib.Path,
) -> TrackIndex:
    """Concatenates indices; the rows are written to disk part by part.

    Args:
      parts: indices, each with records counted from 0.
      num_frames: number of frame records in each part.
      num_masks: number of mask records in each part.
      folder: receives the rows.

    Returns:
      The index of all tracks, to be written to `folder`.
    """
    total = sum(len(part.table) for part in parts)
    path = pathlib.Path(folder) / ROWS_NAME
    # An empty array cannot be mapped.
    table = np.zeros(0, ROW)
    if total:
        table = np.lib.format.open_memmap(path, "w+", ROW, (total,))
    row = frames = masks = 0
    for part, frames_of_part, masks_of_part in zip(
        parts, num_frames, num_masks, strict=True
    ):
        own = np.array(part.table)
        own["record"] = np.where(own["record"] < 0, -1, own["record"] + frames)
        own["mask"] = np.where(own["mask"] < 0, -1, own["mask"] + masks)
        table[row : row + len(own)] = own
        row, frames, masks = (
            row + len(own),
            frames + frames_of_part,
            masks + masks_of_part,
        )
    if total:
        table.flush()
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return TrackIndex(
        names=np.concatenate([part.names for part in parts]),
        clips=_joined_clips(parts),
        offsets=np.cumsum([0, *lengths]),
        table=table,
        photos=np.concatenate([part.photos for part in parts]),
        extent=max(part.extent for part in parts),
    )


def write(index: TrackIndex, folder: str | pathlib.Path) -> None:
    """Writes an index to a folder; rows written there by `join` are kept."""
    folder = pathlib.Path(folder)
    _save(folder / ROWS_NAME, index.table)
    _save(folder / NAMES_NAME, index.names)
    np.savez_compressed(
        folder / FILE_NAME,
        clips=index.clips,
        offsets=index.offsets,
        photos=index.photos,
        shard_names=np.array([shard.name for shard in index.shards], np.str_),
        shard_sizes=np.array([shard.size for shard in index.shards], np.int64),
        extent=index.extent,
        crc32=[_crc32(folder / name) for name in _MAPPED],
    )


def read(folder: str | pathlib.Path) -> TrackIndex:
    """Reads the index of a packed folder, and checks that its shards exist.

    Args:
      folder: made by `jaxtrack pack`.

    Returns:
      The index; rows and names are mapped, not read.

    Raises:
      InputError: if the folder is missing or unfinished, its index is damaged, or a
        shard is missing or truncated; names the file.
    """
    folder = pathlib.Path(folder)
    path = folder / FILE_NAME
    if not path.is_file():
        raise InputError(
            f"{folder}: no packed data ({FILE_NAME} is missing); make it with "
            "`jaxtrack pack`"
        )
    try:
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            fields = {name: arrays[name] for name in _ARRAYS}
            extent = float(arrays["extent"])
            shards = arrays["shard_names"].tolist(), arrays["shard_sizes"].tolist()
    except Exception as error:  # numpy raises many types for a damaged archive.
        raise InputError(f"{path}: damaged index ({error}); pack again") from error
    shards = tuple(map(ShardFile, *shards))
    for shard in shards:
        _look_for(folder, shard)
    if fault := _fault_of_tracks(fields["offsets"], fields["clips"]):
        raise InputError(f"{path}: damaged index ({fault}); pack again")
    table = _map(folder / ROWS_NAME, int(fields["offsets"][-1]))
    names = _map(folder / NAMES_NAME, len(fields["clips"]))
    return TrackIndex(names, table=table, shards=shards, extent=extent, **fields)


def check(folder: str | pathlib.Path) -> None:
    """Checks the mapped files of an index: their checksums, and the rows.

    Args:
      folder: a packed folder.

    Raises:
      InputError: a file is damaged, or a row is impossible; names it.
    """
    folder = pathlib.Path(folder)
    with np.load(folder / FILE_NAME) as arrays:
        expected = arrays["crc32"].tolist()
    for name, crc32 in zip(_MAPPED, expected, strict=True):
        if _crc32(folder / name) != crc32:
            raise InputError(f"{folder / name}: damaged index; pack again")
    index = read(folder)
    if (np.diff(index.clips, prepend=-1) > 1).any():
        raise InputError(f"{folder / FILE_NAME}: clips have gaps; pack again")
    table = index.table
    for start in range(0, len(table), _ROWS_AT_ONCE):
        fault = _fault_of_rows(table[start : start + _ROWS_AT_ONCE], start)
        if fault:
            raise InputError(
                f"{folder / ROWS_NAME}: {fault}: fix its writer, or pack again"
            )


def _fault_of_tracks(offsets, clips):
    """Describes a fault of tracks' offsets or clips; or ""."""
    arrays = {"offsets": offsets, "clips": clips}
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in "iu":
            return f"{name} are {array.dtype} of shape {array.shape}"
    if len(offsets) != len(clips) + 1:
        return f"{len(offsets)} offsets for {len(clips)} tracks"
    if offsets[0] != 0 or (np.diff(offsets) < 0).any():
        return "offsets are not ascending from 0"
    if (np.diff(clips, prepend=0) < 0).any():
        return "clips are not ascending"
    return ""


def _fault_of_rows(table, start):
    """Describes a fault of some rows, counted from `start`; or ""."""
    xyxy = table["xyxy"]
    is_nan = np.isnan(xyxy)
    is_absent = is_nan.all(axis=1)
    faults = {
        "a box that is partly NaN": is_nan.any(axis=1) & ~is_absent,
        "an infinite box": np.isinf(xyxy).any(axis=1),
        "a picture, but no box": is_absent & (table["record"] >= 0),
        "a negative record": np.minimum(table["record"], table["mask"]) < -1,
    }
    for fault, rows in faults.items():
        if rows.any():
            return f"row {start + int(rows.argmax())} has {fault}"
    return ""


def _joined_clips(parts):
    """Renumbers the clips of all parts, from 0 and without gaps."""
    count, joined = 0, []
    for part in parts:
        _, numbers = np.unique(part.clips, return_inverse=True)
        joined.append(numbers + count)
        count += int(numbers.max(initial=-1)) + 1
    return np.concatenate(joined).astype(np.int64)


def _look_for(folder, shard):
    """Raises for a shard that is missing or has another size."""
    path = folder / shard.name
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(
            f"{path}: shard is missing ({error.strerror}): restore it, or pack again"
        ) from error
    if size != shard.size:
        raise InputError(
            f"{path}: shard has {size} bytes, not {shard.size}: it was truncated "
            "or changed; restore it, or pack again"
        )


def _save(path, array):
    """Writes an array, unless it is mapped from that file."""
    own = isinstance(array, np.memmap) and pathlib.Path(array.filename)
    if not own or own.resolve() != path.resolve():
        np.save(path, array)


def _map(path, count):
    """Maps an array of an index into memory, read-only."""
    try:
        array = np.load(path, mmap_mode="r" if count else None)
    except Exception as error:  # As above.
        raise InputError(f"{path}: damaged index ({error}); pack again") from error
    if len(array) != count:
        raise InputError(
            f"{path}: damaged index ({len(array)} entries, not {count}); pack again"
        )
    if path.name == ROWS_NAME and array.dtype != ROW:
        raise InputError(f"{path}: index from another version of jaxtrack; pack again")
    return array


def _crc32(path):
    """Returns the checksum of a file."""
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value
