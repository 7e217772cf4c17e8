"""Text files of what `jaxtrack track` finds, written frame by frame."""

import contextlib
import pathlib
import sys
from types import TracebackType
from typing import IO

import numpy as np

from jaxtrack.errors import InputError

_HEADER = "frame,x,y,w,h,score,lost"


class TrackFiles:
    """Writes a line a frame, at once, so that a killed process leaves what it had.

    Use it in a `with` statement.
    """

    def __init__(
        self, *, boxes: str = "", csv: str = "", to_standard_output: bool = False
    ):
        """Opens the files, which are empty then.

        Args:
          boxes: file of lines x,y,w,h; "" for none.
          csv: file of lines frame,x,y,w,h,score,lost under a header; "" for none.
          to_standard_output: whether lines x,y,w,h are printed.

        Raises:
          InputError: if a file cannot be written.
        """
        self._stack = contextlib.ExitStack()
        self._boxes = [sys.stdout] if to_standard_output else []
        self._csv = []
        with contextlib.ExitStack() as stack:
            if boxes:
                self._boxes.append(stack.enter_context(_open(boxes)))
            if csv:
                self._csv.append(stack.enter_context(_open(csv)))
                _write(self._csv[0], _HEADER)
            self._stack = stack.pop_all()
        self._count = 0

    def __enter__(self) -> "TrackFiles":
        """Returns itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the files."""
        self._stack.close()

    def write(self, xywh: np.ndarray, score: float, *, lost: bool) -> None:
        """Adds a frame.

        Args:
          xywh: `[4]` the box, pixels.
          score: in [0, 1].
          lost: whether the target counts as lost.

        Raises:
          InputError: if a file cannot be written, as on a full disk.
        """
        box = ",".join(f"{value:.4f}" for value in xywh)
        for file in self._boxes:
            _write(file, box)
        for file in self._csv:
            _write(file, f"{self._count},{box},{score:.6f},{int(lost)}")
        self._count += 1


def check_path(path: str, *, option: str) -> None:
    """Refuses a name under which no text file can be written.

    Args:
      path: of the file; "" is none.
      option: that gave it, for the message.

    Raises:
      InputError: if its folder is missing, or it is a folder itself.
    """
    if path and not pathlib.Path(path).absolute().parent.is_dir():
        raise InputError(f"no folder for {option}={path}: make it first")
    if path and pathlib.Path(path).is_dir():
        raise InputError(f"{option}={path} is a folder: give the name of a file")


def _open(path: str) -> IO[str]:
    """Opens a file to write lines, each of which is on the disk's way at once."""
    try:
        return open(path, "w", buffering=1, encoding="utf-8")
    except OSError as fault:
        raise _failure(path, fault) from fault


def _write(file: IO[str], line: str) -> None:
    """Writes a line and passes it on to the system."""
    try:
        file.write(line + "\n")
        file.flush()
    except OSError as fault:
        raise _failure(file.name, fault) from fault


def _failure(path: str, fault: OSError) -> InputError:
    """Words why a file could not be written."""
    return InputError(f"{path} could not be written: {fault.strerror}")
