"""Result files: `<tracker>/<sequence>.txt` with x,y,w,h lines, and frame times.

The layout OTB's toolkits read; times lie in `<tracker>/times/<sequence>_time.txt`, one
number of seconds a line.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxtrack.errors import InputError


def write_text(path: str | Path, text: str) -> None:
    """Writes a file whole or not at all: a temporary file beside it, then renamed."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes a file whole or not at all: a temporary file beside it, then renamed.

    Raises:
      InputError: the folder cannot be made or written to.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = file.name
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as fault:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {fault.strerror}") from None


def _lines(path: Path, what: str) -> list[str]:
    """The file's lines, without the blank ones at its end."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"no {what} {path}") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{what} {path} is unreadable: {fault}") from None
    return text.rstrip().splitlines()


def _numbers(line: str, count: int, where: str) -> list[float]:
    """Parses numbers separated by commas, tabs or blanks."""
    fields = line.split(",") if "," in line else line.split()
    try:
        values = [float(field) for field in fields]
    except ValueError:
        values = []
    if len(values) != count:
        raise InputError(
            f"{where}: expected {count} numbers separated by comma, tab or blank, "
            f"got {line.strip()[:60]!r}"
        )
    return values


def read_boxes_xywh(path: str | Path, num_frames: int) -> np.ndarray:
    """Reads one sequence's result.

    Args:
      path: text file, one box a line: x, y, width, height, px, separated by comma,
        tab or blank.
      num_frames: frames of the sequence.

    Returns:
      `[num_frames, 4]` float64 xywh.

    Raises:
      InputError: naming file and line: unreadable, not four numbers, NaN or infinite,
        negative size, fewer or more lines than frames.
    """
    path = Path(path)
    lines = _lines(path, "result file")
    boxes = np.empty((len(lines), 4))
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        box = _numbers(line, 4, where)
        if not np.all(np.isfinite(box)):
            raise InputError(f"{where}: box {line.strip()!r} is not finite")
        if box[2] < 0 or box[3] < 0:
            raise InputError(f"{where}: box {line.strip()!r} has a negative size")
        boxes[number - 1] = box
    if len(lines) != num_frames:
        at = min(len(lines), num_frames) + 1
        raise InputError(
            f"{path}, line {at}: the file has {len(lines)} boxes, "
            f"the sequence {num_frames} frames"
        )
    return boxes


def read_results(
    folder: str | Path, num_frames: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Reads a tracker's results of all the sequences asked for.

    Args:
      folder: holds `<sequence>.txt` files; others than those asked for are ignored.
      num_frames: name of a sequence -> its number of frames.

    Returns:
      name -> `[N, 4]` xywh, px.

    Raises:
      InputError: the folder or a file is missing, or a file is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder of results {folder}")
    missing = [n for n in num_frames if not (folder / f"{n}.txt").is_file()]
    if missing:
        raise InputError(
            f"no result file {folder / missing[0]}.txt ({len(missing)} of "
            f"{len(num_frames)} sequences have none): run the tracker on them, or "
            "choose sequences by --pattern"
        )
    return {n: read_boxes_xywh(folder / f"{n}.txt", k) for n, k in num_frames.items()}


def time_path(folder: str | Path, name: str) -> Path:
    """Where the frame times of a sequence lie."""
    return Path(folder) / "times" / f"{name}_time.txt"


def read_speed(folder: str | Path, name: str) -> float | None:
    """Frames per second of one sequence: frames over the sum of their times.

    Args:
      folder: of the tracker's results.
      name: of the sequence.

    Returns:
      None where there is no file of times or their sum is 0.

    Raises:
      InputError: a line is not one number of seconds.
    """
    path = time_path(folder, name)
    if not path.is_file():
        return None
    lines = _lines(path, "file of times")
    seconds = [
        _numbers(line, 1, f"{path}, line {number}")[0]
        for number, line in enumerate(lines, start=1)
    ]
    total = float(np.sum(seconds))
    if not np.isfinite(total) or any(s < 0 for s in seconds):
        raise InputError(f"{path}: times are seconds, finite and not negative")
    return len(seconds) / total if total > 0 else None


def write_result(
    folder: str | Path, name: str, xywh: np.ndarray, seconds: np.ndarray
) -> None:
    """Writes one sequence's boxes and frame times, each file whole or not at all.

    Args:
      folder: of the tracker's results.
      name: of the sequence.
      xywh: `[N, 4]`, px; written with four decimals.
      seconds: `[N]`.

    Raises:
      InputError: the folder cannot be written to.
    """
    times = "".join(f"{s:.6f}\n" for s in seconds)
    write_text(time_path(folder, name), times)
    boxes = "".join(",".join(f"{v:.4f}" for v in box) + "\n" for box in xywh)
    write_text(Path(folder) / f"{name}.txt", boxes)
