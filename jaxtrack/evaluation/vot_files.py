"""Result files of VOT: `<tracker>/baseline/<sequence>/<sequence>_001.txt`.

A line is a region (x, y, width, height or x1, y1, ..., x4, y4, separated by commas, in
pixel indices) or one code: 1 where the tracker was started, 2 where it had failed, 0
where it was not asked.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.metrics.vot_input import fault_of_row

EXPERIMENT = "baseline"


def sequence_folder(folder: str | Path, name: str) -> Path:
    """Where the files of one sequence lie in a tracker's folder."""
    return Path(folder) / EXPERIMENT / name


def run_paths(folder: str | Path, name: str) -> list[Path]:
    """Files of a sequence's repetitions.

    Args:
      folder: of the tracker.
      name: of the sequence.

    Returns:
      `<name>_001.txt` and so on, ordered by number.
    """
    pattern = re.compile(re.escape(name) + r"_(\d+)\.txt")
    where = sequence_folder(folder, name)
    files = where.iterdir() if where.is_dir() else ()
    found = {path: pattern.fullmatch(path.name) for path in files}
    numbered = [(int(m[1]), path) for path, m in found.items() if m]
    return [path for _, path in sorted(numbered)]


def read_run(path: str | Path) -> list[np.ndarray]:
    """Reads one repetition on one sequence.

    Args:
      path: the text file.

    Returns:
      A row a frame: `[1]` a code, `[4]` or `[8]` a region; float64.

    Raises:
      InputError: naming file and line: not 1, 4 or 8 numbers, NaN or infinite, a code
        other than 0, 1 and 2, a rectangle of negative size; or the file is unreadable.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except FileNotFoundError:
        raise InputError(f"no result file {path}: run the tracker first") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(
            f"result file {path} is unreadable ({fault}): give a text file, such as "
            "vot-toolkit writes with VOT_RESULTS_BINARY=0"
        ) from None
    rows = []
    for number, line in enumerate(lines, start=1):
        fields = [word for word in re.split(r"[,\s]+", line.strip()) if word]
        try:
            row = np.array([float(field) for field in fields])
        except ValueError:
            row = np.empty(0)
        fault = fault_of_row(row)
        if fault:
            raise InputError(f"{path}, line {number}: {line.strip()[:60]!r} {fault}")
        rows.append(row)
    return rows


def read_runs(
    folder: str | Path, names: Iterable[str]
) -> dict[str, list[list[np.ndarray]]]:
    """Reads all repetitions of a tracker on sequences.

    Args:
      folder: of the tracker; holds `baseline/`.
      names: of the sequences.

    Returns:
      name -> repetitions, each as `read_run` gives it; what `vot.score` takes.

    Raises:
      InputError: a sequence has no file, or a file is damaged.
    """
    paths = {name: run_paths(folder, name) for name in names}
    missing = [name for name, found in paths.items() if not found]
    if missing:
        expected = sequence_folder(folder, missing[0]) / f"{missing[0]}_001.txt"
        raise InputError(
            f"no result file {expected} ({len(missing)} of {len(paths)} sequences have "
            "none): run the tracker on them"
        )
    return {name: [read_run(p) for p in found] for name, found in paths.items()}


def write_runs(
    folder: str | Path,
    name: str,
    runs: Sequence[Sequence[np.ndarray]],
    seconds: np.ndarray,
) -> None:
    """Writes a sequence's repetitions and their times, each file whole or not at all.

    Regions have four decimals. `<name>_time.txt` has a line a frame with a column a
    repetition. Repetitions of an earlier run beyond these are deleted.

    Args:
      folder: of the tracker.
      name: of the sequence.
      runs: repetitions of `N` rows.
      seconds: `[N, repetitions]`.

    Raises:
      InputError: the folder cannot be written to.
    """
    for path in run_paths(folder, name)[len(runs) :]:
        path.unlink()
    for place, text in texts_of(name, runs, seconds).items():
        atomic.write_text(Path(folder) / place, text)


def texts_of(
    name: str, runs: Sequence[Sequence[np.ndarray]], seconds: np.ndarray
) -> dict[str, str]:
    """What the files of a sequence's repetitions hold.

    Args:
      name: of the sequence.
      runs: repetitions of `N` rows.
      seconds: `[N, repetitions]`.

    Returns:
      Path in the tracker's folder -> text.
    """
    stem = f"{EXPERIMENT}/{name}/{name}"
    texts = {
        f"{stem}_{number:03d}.txt": "".join(format_row(row) + "\n" for row in rows)
        for number, rows in enumerate(runs, start=1)
    }
    times = "".join(",".join(f"{s:.6f}" for s in row) + "\n" for row in seconds)
    return texts | {f"{stem}_time.txt": times}


def format_row(row: np.ndarray) -> str:
    """A line of a result file: a code, or numbers with four decimals."""
    if len(row) == 1:
        return str(int(row[0]))
    return ",".join(f"{value:.4f}" for value in row)
