"""YouTube-BoundingBoxes: Google's tables of boxes, and the frames that tools cut out.

`yt_bb_detection_train.csv` (or `.csv.gz`, as it comes) has a line a second of a video:
youtube_id, timestamp_ms, class_id, class_name, object_id, object_presence, xmin, xmax,
ymin, ymax, the last four as shares of the picture's sides. A segment is one object: an
id, a class and an object together. Its frames are where youtube-bb-utility puts them,
`yt_bb_detection_train/<class_id>/<youtube_id>_<timestamp_ms>_<class_id>_<object_id>.jpg`;
of videos that are gone there is none.
"""

import array
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import clips, layout, pictures
from jaxtrack.datasets.sequence import Clip, Listing, Places
from jaxtrack.errors import InputError

_EXPECTED = (
    "YouTube-BB's layout, {0}.csv and {0}/<class_id>/"
    "<youtube_id>_<timestamp_ms>_<class_id>_<object_id>.jpg"
)
_COLUMNS = 10


class Place(NamedTuple):
    """Where a segment's frames lie.

    Attributes:
      folder: of the frames.
      stem: of their names, before the time.
      end: of their names, behind the time.
      times: `[T]` int64 ms, ascending.
      shares: `[T, 4]` x0, y0, x1, y1 as shares of the picture's sides.
    """

    folder: Path
    stem: str
    end: str
    times: np.ndarray
    shares: np.ndarray


def survey(root: Path, split: str) -> Listing:
    """Lists the segments that have a frame.

    Args:
      root: folder of the tables and of the folders of frames.
      split: "train" or "validation".

    Returns:
      Names are `<youtube_id>+<class_id>+<object_id>`; places are made when asked for.

    Raises:
      InputError: table or frames are missing, or a line is malformed.
    """
    stem = f"yt_bb_detection_{split}"
    expected = _EXPECTED.format(stem)
    tables = [root / f"{stem}.csv", root / f"{stem}.csv.gz"]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise layout.wrong_layout(root, expected)
    folder = layout.first_folder([root / stem], root, expected)
    numbers, offsets, times, shares = _read_table(table)
    present = _present(folder, numbers)
    if not present:
        raise layout.wrong_layout(folder, expected)

    def place(name: str) -> Place:
        first, last = offsets[numbers[name] : numbers[name] + 2]
        youtube_id, class_id, object_id = name.rsplit("+", 2)
        return Place(
            folder / class_id,
            f"{youtube_id}_",
            f"_{class_id}_{object_id}.jpg",
            times[first:last],
            shares[first:last],
        )

    return Listing(tuple(numbers), Places(present, place), len(numbers))


def _read_table(path: Path):
    """Returns name -> number of segments, and times and shares laid end to end."""
    numbers: dict[str, int] = {}
    segments, times = array.array("i"), array.array("i")
    shares = array.array("f")
    for line, row in _rows(path):
        try:
            youtube_id, time, class_id, _, object_id, presence, x0, x1, y0, y1 = row
            if presence != "present":
                continue
            box = (float(x0), float(y0), float(x1), float(y1))
            times.append(int(time))
        except (ValueError, OverflowError):
            raise InputError(
                f"{path}, line {line}: expected {_COLUMNS} columns from youtube_id to "
                f"ymax; found {','.join(row)[:60]!r}"
            ) from None
        name = f"{youtube_id}+{class_id}+{object_id}"
        segments.append(numbers.setdefault(name, len(numbers)))
        shares.extend(box)
    owner, when = np.array(segments), np.array(times, np.int64)
    order = np.lexsort((when, owner))
    offsets = np.cumsum([0, *np.bincount(owner, minlength=len(numbers))])
    return numbers, offsets, when[order], np.array(shares).reshape(-1, 4)[order]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields number and words of a table's lines, a line of column names left out."""
    try:
        opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
        with opened, io.TextIOWrapper(opened, "utf-8-sig", newline="") as text:
            for line, row in enumerate(csv.reader(text), start=1):
                if row and row[0] != "youtube_id":
                    yield line, row
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as fault:
        raise InputError(f"{path}: cannot be read ({fault})") from None


def _present(folder: Path, numbers: dict[str, int]) -> list[str]:
    """Returns the segments that have a frame; no list of all frames is made."""
    is_there = np.zeros(len(numbers), bool)
    for inner in layout.subfolders(folder).values():
        for entry in os.scandir(inner):
            parts = entry.name.removesuffix(".jpg").rsplit("_", 3)
            number = numbers.get("+".join((parts[0], *parts[2:])))
            if number is not None:
                is_there[number] = True
    return [name for name, number in numbers.items() if is_there[number]]


def read_clip(name: str, place: Place) -> Clip:
    """Reads one segment; the first frame that can be read is opened, for its size."""
    paths = [place.folder / f"{place.stem}{t}{place.end}" for t in place.times]
    is_there = np.array([path.is_file() for path in paths])
    frames = [path for path, there in zip(paths, is_there, strict=True) if there]
    if not frames:
        raise InputError(f"{place.folder}: no frame of {name} is there")
    size = pictures.first_size(frames)
    if size is None:
        raise InputError(f"{place.folder}: no frame of {name} can be read")
    width, height = size
    xyxy = place.shares[is_there].astype(np.float64) * [width, height, width, height]
    skipped = [
        f"{path}: no such frame"
        for path, there in zip(paths, is_there, strict=True)
        if not there
    ]
    return clips.of_objects(name, frames, xyxy[None], skipped=skipped)
