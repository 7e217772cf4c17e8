"""Result files: `<tracker>/<sequence>.txt` with x,y,w,h lines, and frame times.

The layout OTB's toolkits read; times lie in `<tracker>/times/<sequence>_time.txt`, one
number of seconds a line.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxtrack.datasets import files, numbers
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic


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
    boxes = files.read_rows(path, 4, allow_infinite=True)
    for bad, what in (
        (~np.isfinite(boxes).all(axis=1), "is not finite"),
        (np.any(boxes[:, 2:] < 0, axis=1), "has a negative size"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{path}, line {row + 1}: {boxes[row].tolist()} {what}")
    if len(boxes) != num_frames:
        at = min(len(boxes), num_frames) + 1
        raise InputError(
            f"{path}, line {at}: the file has {len(boxes)} boxes, "
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


def read_speed(paths: Sequence[Path]) -> float | None:
    """Frames per second of one sequence: timed frames over the sum of their times.

    A time of 0 means that the frame was not timed, as in the GOT-10k toolkit.

    Args:
      paths: of the sequence's repetitions; times lie in `times/<name>_time.txt`, or in
        `<name>_time.txt` beside them.

    Returns:
      None where there is no file of times, or no frame was timed.

    Raises:
      InputError: a line is not of seconds.
    """
    seconds = [_read_times(place) for place in _time_paths(paths)]
    timed = np.concatenate([s[s > 0] for s in seconds]) if seconds else np.zeros(0)
    return len(timed) / float(timed.sum()) if len(timed) else None


def _time_paths(paths: Sequence[Path]) -> list[Path]:
    """The files of times that there are; GOT-10k's have no number of a repetition."""
    found = {}
    for path in paths:
        for name in (path.stem, re.sub(r"_\d{3}$", "", path.stem)):
            beside = path.parent / f"{name}_time.txt"
            for place in (time_path(path.parent, name), beside):
                if place.is_file():
                    found[place] = None
    return list(found)


def _read_times(path: Path) -> np.ndarray:
    """Seconds of all frames and repetitions, which are columns."""
    words = numbers.split(files.read_text(path))
    seconds = numbers.parse([words], len(words))
    if seconds is None or not np.all(seconds >= 0):
        raise InputError(f"{path}: times are seconds, finite and not negative")
    return seconds[0]


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
    atomic.write_text(time_path(folder, name), times)
    atomic.write_text(Path(folder) / f"{name}.txt", format_boxes(xywh))


def format_boxes(xywh: np.ndarray, *, decimals: int = 4) -> str:
    """The text of a result file, a line `x,y,w,h` a box.

    Args:
      xywh: `[N, 4]`, px.
      decimals: of the numbers.
    """
    return "".join(",".join(f"{v:.{decimals}f}" for v in box) + "\n" for box in xywh)


def tracker_name(checkpoint: str | Path) -> str:
    """Names a checkpoint by its run's folder or file.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.

    Returns:
      Last part of the path that is neither `checkpoints` nor a step, without the suffix
      of a file.
    """
    path = Path(checkpoint)
    if path.suffix == ".safetensors" or path.is_file():
        return path.stem
    parts = path.absolute().parts[1:]
    named = [p for p in parts if p != "checkpoints" and not p.isdigit()]
    return named[-1] if named else "checkpoint"


def checked_name(name: str) -> str:
    """Returns a tracker's name as a file or folder may be named.

    Raises:
      InputError: it has separators.
    """
    if Path(name).name != name or name in ("", ".."):
        raise InputError(f"{name!r} is to name a folder: leave out separators")
    return name
