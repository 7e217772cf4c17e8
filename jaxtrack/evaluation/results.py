"""Result files: `<tracker>/<sequence>.txt` with x,y,w,h lines, and frame times.

The layout OTB's toolkits read; times lie in `<tracker>/times/<sequence>_time.txt`, one
number of seconds a line.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxtrack.datasets import files
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


def read_found(
    folder: str | Path, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Reads whatever files belong to sequences, as they are.

    NaN and negative sizes are read too: what to make of them is the protocols' to say.

    Args:
      folder: of the files; see `find_files`.
      names: of the sequences.

    Returns:
      name -> `[N, 4]` xywh, px, of those that have a file, and names of other files.

    Raises:
      InputError: the folder is missing, none of its files is named after a sequence,
        or a file is no table of boxes.
    """
    if not Path(folder).is_dir():
        raise InputError(f"no folder of results {folder}")
    found, others = find_files(folder, names)
    if not found:
        raise InputError(
            f"{folder}: no file is named after a sequence ({names[0]}.txt, ...); it "
            f"holds {', '.join(others[:5]) or 'none'}"
        )
    read = {
        name: files.read_rows(path, 4, allow_infinite=True)
        for name, path in found.items()
    }
    return read, others


def _spelled_alike(stem: str) -> str:
    """Jogging-1, Jogging_1, Jogging.1 and jogging1 alike."""
    return re.sub(r"[-_. ]?(\d+)$", r"-\1", stem.lower())


def _index(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Name of a sequence as the folder spells it -> file."""
    there = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in suffixes:
            there[path.stem] = path
        elif (first := path / f"{path.name}_001.txt").is_file():  # GOT-10k.
            there[path.name] = first
    return there


def find_files(
    folder: str | Path, names: Sequence[str], *, suffixes: Sequence[str] = (".txt",)
) -> tuple[dict[str, Path], list[str]]:
    """Finds each sequence's file, however its name is spelt.

    `<name>.txt`, or `<name>/<name>_001.txt` as GOT-10k has it. Where there is none of
    exactly that name, upper and lower case count as one, and so do the ways to number
    targets: Jogging-1, Jogging_1, Jogging.1, Jogging1.

    Args:
      folder: of the files.
      names: of the sequences.
      suffixes: of the files.

    Returns:
      Name -> file, for those that have one, and names of files that were not asked for.

    Raises:
      InputError: no such folder, or two files fit one name, or one file two names.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {folder}")
    there = _index(folder, suffixes)
    found = {name: there.pop(name) for name in names if name in there}
    taken: dict[str, str] = {}
    for alike in (str.lower, _spelled_alike):
        for name in names:
            fits = [stem for stem in there if alike(stem) == alike(name)]
            if name in found or not fits:
                continue
            if len(fits) > 1 or fits[0] in taken:
                rivals = fits if len(fits) > 1 else [taken[fits[0]], name]
                raise InputError(
                    f"{folder}: no file {name}.txt, and it is unclear which belongs to "
                    f"{name!r} ({', '.join(rivals)}): rename the files"
                )
            found[name] = there[fits[0]]
            taken[fits[0]] = name
    return found, [stem for stem in there if stem not in taken]


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
    seconds = files.read_rows(path, 1, allow_infinite=True)
    if not np.all(np.isfinite(seconds)) or np.any(seconds < 0):
        raise InputError(f"{path}: times are seconds, finite and not negative")
    total = float(seconds.sum())
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
    """Returns a tracker's name that can be that of a file or folder.

    Raises:
      InputError: it has separators.
    """
    if Path(name).name != name or name in ("", ".."):
        raise InputError(f"{name!r} is to name a folder: leave out separators")
    return name
