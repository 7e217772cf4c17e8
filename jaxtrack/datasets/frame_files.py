"""The images of a folder: listed in their numeric order, found by their numbers."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxtrack.errors import InputError

FRAME_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def list_frames(folder: str | Path) -> list[Path]:
    """Lists the images of a folder by name, numbers in their numeric order.

    Args:
      folder: the folder; it is not searched deeper.

    Returns:
      Image files, `2.jpg` before `10.jpg`.

    Raises:
      InputError: if there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    frames = sorted(_images(folder), key=natural_order)
    if not frames:
        raise InputError(f"{folder}: holds no images ({', '.join(FRAME_SUFFIXES)})")
    return frames


def has_frames(folder: Path) -> bool:
    """Returns whether a folder holds an image.

    Args:
      folder: it may not exist.
    """
    return folder.is_dir() and bool(_images(folder))


def image_folder(folder: Path) -> Path:
    """Returns where the images of a sequence lie.

    Args:
      folder: of the sequence.

    Returns:
      Its `img` if that holds images; the folder itself if it does; its only folder that
      does, such as VOT's `color` and TNL2K's `imgs`; else the folder itself.
    """
    for place in (folder / "img", folder):
        if has_frames(place):
            return place
    inner = folder.iterdir() if folder.is_dir() else ()
    inner = [p for p in inner if p.name[:1] != "." and has_frames(p)]
    return inner[0] if len(inner) == 1 else folder


def _images(folder):
    """Returns a folder's images in any order, hidden ones (`._0001.jpg`) left out."""
    with os.scandir(folder) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.name[:1] != "."
            and entry.name.lower().endswith(FRAME_SUFFIXES)
            and (entry.is_symlink() or not entry.is_dir())
        ]


def natural_order(path: Path) -> list[tuple[int, str]]:
    """A key that sorts `2.jpg` before `10.jpg`.

    Args:
      path: its last part is the name to sort by.
    """
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def numbered_frames(folder: Path) -> dict[int, Path]:
    """Returns the number in its name -> image, of a folder's images, in order.

    Args:
      folder: of the images; however many digits they have.

    Raises:
      InputError: it holds no image, or one's name is not a number.
    """
    frames = {}
    for path in list_frames(folder):
        if not re.fullmatch(r"\d+", path.stem):
            raise InputError(
                f"{folder}: expected images named by numbers; found {path.name}"
            )
        frames[int(path.stem)] = path
    return dict(sorted(frames.items()))


def frames_between(folder: Path, first: int, last: int) -> list[Path]:
    """Returns the images numbered `first` to `last`, both included.

    Args:
      folder: of the images.
      first: number in the first one's name.
      last: number in the last one's.

    Raises:
      InputError: one is not there.
    """
    numbered = numbered_frames(folder)
    absent = [n for n in range(first, last + 1) if n not in numbered]
    if absent:
        raise InputError(
            f"{folder}: expected images {first} to {last}; found {min(numbered)} to "
            f"{max(numbered)}, {len(absent)} of them missing, the first {absent[0]}"
        )
    return [numbered[n] for n in range(first, last + 1)]


def fill_gaps(folder: Path, count: int, *, first: int, digits: int) -> list[Path]:
    """Returns the frames of numbered rows of truth, whether the files exist or not.

    Args:
      folder: of the images, named by numbers.
      count: of the rows.
      first: number in the first one's name.
      digits: that a missing one's name has.

    Returns:
      `count` paths; packing says which of them cannot be read.

    Raises:
      InputError: no image is there, or one whose number has no row.
    """
    numbered = numbered_frames(folder)
    others = [n for n in numbered if not first <= n < first + count]
    if others:
        raise InputError(
            f"{folder}: expected images {first} to {first + count - 1}, one a row of "
            f"ground truth; found {numbered[others[0]].name}"
        )
    missing = {n: folder / f"{n:0{digits}d}.jpg" for n in range(first, first + count)}
    return list((missing | numbered).values())


def check_lengths(folder: Path, frames: Sequence[Path], truth: np.ndarray) -> None:
    """Rejects a sequence without exactly one row of ground truth per frame.

    Args:
      folder: named in the error.
      frames: N of them.
      truth: `[N, ...]`.

    Raises:
      InputError: they differ in number.
    """
    if len(frames) != len(truth):
        raise InputError(
            f"{folder}: expected as many frames as rows of ground truth; found "
            f"{len(frames)} frames, {len(truth)} rows"
        )
