"""Files that benchmarks are made of: tables of numbers, flags, numbered frames."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.datasets import annotations
from jaxtrack.errors import InputError

_SHOWN = 6


@dataclass(frozen=True)
class Entry:
    """One sequence, as a benchmark's files say it.

    Attributes:
      name: of the sequence.
      frames: image files in order of time, N of them.
      truth: `[N, 4]` xywh in the files' coordinates, or `[1, 4]` where a server keeps
        the others.
      region: `[N, 4]` or `[N, 8]` where the truth is not a box, else None.
      absent: `[N]` bool, the target is not to be seen, or None where no file says so.
      cover: `[N]` int, visible share of the target in eighths, or None.
      attributes: of the sequence.
      tags: name of a tag -> `[N]` bool, of single frames.
      image_size: (width, height), px, where a file states it.
    """

    name: str
    frames: list[Path]
    truth: np.ndarray
    region: np.ndarray | None = None
    absent: np.ndarray | None = None
    cover: np.ndarray | None = None
    attributes: tuple[str, ...] = ()
    tags: Mapping[str, np.ndarray] | None = None
    image_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Listing:
    """What a benchmark holds, and what of it is on the disk.

    Attributes:
      names: of its sequences, as far as they are known, in its order.
      found: name -> what `read` takes, of those that are there.
      num_expected: sequences of the whole; more than `names` where some names are not
        known.
      notes: sentences that a report must carry.
    """

    names: tuple[str, ...]
    found: Mapping[str, Any]
    num_expected: int
    notes: tuple[str, ...] = ()


def wrong_layout(where: Path, expected: str) -> InputError:
    """Returns the error that says what was expected, and what is there.

    Args:
      where: the folder that was searched.
      expected: of the layout, in words.
    """
    return InputError(f"{where}: expected {expected}; found {contents(where)}")


def contents(folder: Path) -> str:
    """Returns in a few words what a folder holds.

    Args:
      folder: it may be absent, or a file.
    """
    if not folder.is_dir():
        return "a file" if folder.exists() else "no such folder"
    names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    if not names:
        return "an empty folder"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def first_folder(candidates: Iterable[Path], where: Path, expected: str) -> Path:
    """Returns the first candidate that is a folder.

    Args:
      candidates: in order of preference.
      where: the folder an error speaks of.
      expected: of the layout, in words.

    Raises:
      InputError: none of them is.
    """
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise wrong_layout(where, expected)


def subfolders(folder: Path) -> dict[str, Path]:
    """Returns name -> folder of those directly below; hidden ones are left out.

    Args:
      folder: an existing folder.
    """
    return {
        p.name: p
        for p in sorted(folder.iterdir())
        if p.is_dir() and not p.name.startswith(".")
    }


def _text(path: Path) -> str:
    """Returns a file's text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise wrong_layout(path.parent, f"a file {path.name}") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: cannot be read ({fault})") from None


def read_names(path: Path) -> tuple[str, ...]:
    """Returns a file's lines without blanks around them, empty ones left out.

    Args:
      path: of the text file.

    Raises:
      InputError: it is absent, unreadable or empty.
    """
    names = tuple(line.strip() for line in _text(path).splitlines() if line.strip())
    if not names:
        raise InputError(f"{path}: expected one name a line; found an empty file")
    return names


def read_rows(path: Path, *columns: int) -> np.ndarray:
    """Reads a table of numbers separated by commas, tabs or blanks, even mixed.

    Args:
      path: of the text file; blank lines at its end are ignored.
      *columns: numbers that a row may have; all rows have the same.

    Returns:
      `[N, columns]` float64; NaN is allowed, infinity is not.

    Raises:
      InputError: naming the line: not numbers, or not so many.
    """
    lines = _text(path).rstrip().splitlines()
    rows = [line.replace(",", " ").split() for line in lines]
    count = len(rows[0]) if rows else 0
    if count in columns and all(len(row) == count for row in rows):
        try:
            table = np.array(rows, np.float64)
        except ValueError:
            pass
        else:
            if not np.isinf(table).any():
                return table
    wanted = " or ".join(map(str, columns))
    if not rows:
        raise InputError(f"{path}: expected rows of {wanted} numbers; found none")
    count = count if count in columns else columns[0]
    line = next(
        line
        for line, row in enumerate(rows, start=1)
        if len(row) != count or not all(map(_is_finite_or_nan, row))
    )
    raise InputError(
        f"{path}, line {line}: expected {wanted} numbers; "
        f"found {lines[line - 1].strip()[:60]!r}"
    )


def _is_finite_or_nan(word: str) -> bool:
    """Tells whether a word is a number other than infinity."""
    try:
        return not np.isinf(float(word))
    except ValueError:
        return False


def read_flags(path: Path, count: int | None = None) -> np.ndarray:
    """Reads integers separated by commas, blanks or line ends.

    Args:
      path: of the text file.
      count: how many there are; None takes what is there.

    Returns:
      `[count]` int64.

    Raises:
      InputError: not integers, or not so many.
    """
    words = _text(path).replace(",", " ").split()
    try:
        flags = np.array([float(word) for word in words])
    except ValueError:
        flags = np.array([np.nan])
    if not np.array_equal(flags, np.round(flags)):
        raise InputError(f"{path}: expected integers; found {' '.join(words)[:60]!r}")
    if count is not None and len(flags) != count:
        raise InputError(f"{path}: expected {count} values; found {len(flags)}")
    return flags.astype(np.int64)


def named_flags(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names whose flag is set; none where there is no file.

    Args:
      path: of the flags, one a name.
      names: in the flags' order.

    Raises:
      InputError: the file holds another number of flags.
    """
    if not path.is_file():
        return ()
    flags = read_flags(path, len(names))
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag > 0)


def numbered_frames(folder: Path) -> dict[int, Path]:
    """Returns the number in its name -> image, of a folder's images, in order.

    Args:
      folder: of the images; however many digits they have.

    Raises:
      InputError: it holds no image, or one's name is not a number.
    """
    frames = {}
    for path in annotations.list_frames(folder):
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


def check_lengths(folder: Path, frames: list[Path], truth: np.ndarray) -> None:
    """Refuses a sequence whose frames and rows of truth do not go together.

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
