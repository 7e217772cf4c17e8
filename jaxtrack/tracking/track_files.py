"""Text files of tracked boxes, written frame by frame."""

import contextlib
import pathlib
import sys
from collections.abc import Callable, Iterable
from typing import IO, NamedTuple

import numpy as np

from jaxtrack.errors import InputError, unwritable

_HEADER = "frame,target,x,y,w,h,score,lost"


class Row(NamedTuple):
    """The results of n targets in one frame.

    Attributes:
      frame: its number, from 0.
      xywh: `[n, 4]` boxes, pixels.
      score: `[n]` in [0, 1].
      lost: `[n]` bool.
    """

    frame: int
    xywh: np.ndarray
    score: np.ndarray
    lost: np.ndarray


class _File(NamedTuple):
    """An open file and its contents."""

    stream: IO[str]
    header: str
    text: Callable[[Row], str]


class TrackFiles:
    """Flushes each frame, so that a killed process keeps its results.

    Use it in a `with` statement.
    """

    def __init__(
        self, *, boxes: str = "", csv: str = "", to_standard_output: bool = False
    ):
        """Creates the files.

        Args:
          boxes: file with one line per frame: x,y,w,h of each target; "" for none.
          csv: file with a header, and one line per frame and target; "" for none.
          to_standard_output: whether the lines of `boxes` are printed.

        Raises:
          InputError: if a file cannot be written.
        """
        self._printed = to_standard_output
        self._files = {}
        with contextlib.ExitStack() as stack:
            for path, header, text in ((boxes, "", _line), (csv, _HEADER, _table)):
                if path:
                    stream = stack.enter_context(_open(path, "w"))
                    self._files[path] = _File(stream, header, text)
                    _write(stream, f"{header}\n" if header else "")
            stack.pop_all()

    def __enter__(self) -> "TrackFiles":
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the files."""
        for file in self._files.values():
            with contextlib.suppress(OSError):  # Of what `write` has raised before.
                file.stream.close()

    def write(self, row: Row) -> None:
        """Adds a frame.

        Args:
          row: of the frame.

        Raises:
          InputError: if a file cannot be written, as on a full disk.
        """
        if self._printed:
            _write(sys.stdout, _line(row))
        for file in self._files.values():
            _write(file.stream, file.text(row))

    def rewrite(self, rows: Iterable[Row]) -> None:
        """Replaces each file as a whole, after boxes were corrected.

        Args:
          rows: of all frames so far.

        Raises:
          InputError: if a file cannot be written; the old one is kept.
        """
        rows = list(rows)
        for path, (stream, header, text) in self._files.items():
            partial = pathlib.Path(path).with_name(
                f".{pathlib.Path(path).name}.partial"
            )
            with _open(str(partial), "w") as file:
                whole = (f"{header}\n" if header else "") + "".join(map(text, rows))
                _write(file, whole)
            stream.close()
            partial.replace(path)
            self._files[path] = _File(_open(path, "a"), header, text)


def check_path(path: str, *, option: str) -> None:
    """Checks that a text file can be written.

    Args:
      path: of the file; "" for none.
      option: its option, for the message.

    Raises:
      InputError: if its folder is missing, or it is a folder itself.
    """
    if path and not pathlib.Path(path).absolute().parent.is_dir():
        raise InputError(f"no folder for {option}={path}: make it first")
    if path and pathlib.Path(path).is_dir():
        raise InputError(f"{option}={path} is a folder: give the name of a file")


def table(rows: Iterable[Row]) -> str:
    """Returns the text of a whole CSV file.

    Args:
      rows: of all frames.
    """
    return f"{_HEADER}\n" + "".join(map(_table, rows))


def _line(row: Row) -> str:
    """Returns a frame's boxes in one line."""
    return ",".join(f"{value:.4f}" for value in row.xywh.reshape(-1)) + "\n"


def _table(row: Row) -> str:
    """Returns one line per target; targets count from 1."""
    lines = []
    columns = zip(row.xywh, row.score, row.lost, strict=True)
    for number, (xywh, score, lost) in enumerate(columns, 1):
        box = ",".join(f"{value:.4f}" for value in xywh)
        lines.append(f"{row.frame},{number},{box},{score:.6f},{int(lost)}\n")
    return "".join(lines)


def _open(path: str, mode: str) -> IO[str]:
    """Opens a file for writing, with line buffering."""
    try:
        return open(path, mode, buffering=1, encoding="utf-8")
    except OSError as fault:
        raise unwritable(path, fault) from fault


def _write(file: IO[str], text: str) -> None:
    """Writes whole lines and flushes them."""
    try:
        file.write(text)
        file.flush()
    except OSError as fault:
        raise unwritable(file.name, fault) from fault
