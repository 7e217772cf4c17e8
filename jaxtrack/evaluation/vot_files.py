"""Result files of VOT: `<tracker>/baseline/<sequence>/<sequence>_001.txt`.

A line is a region (x, y, width, height or x1, y1, ..., x4, y4, separated by commas, in
pixel indices) or one code: 1 where the tracker was started, 2 where it had failed, 0
where it was not asked.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxtrack.datasets import files, numbers
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.metrics.vot_input import fault_of_row

EXPERIMENT = "baseline"

# Name of a sequence -> repetitions, of rows as `read_run` gives them.
Runs = dict[str, list[list[np.ndarray]]]


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
    paths = where.iterdir() if where.is_dir() else ()
    found = {path: pattern.fullmatch(path.name) for path in paths}
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
    path, rows = Path(path), []
    if not path.is_file():
        raise InputError(f"no result file {path}: run the tracker first")
    try:
        lines = files.read_text(path).splitlines()
    except InputError as fault:
        raise InputError(
            f"{fault}: expected a text file, such as vot-toolkit writes with "
            "VOT_RESULTS_BINARY=0"
        ) from None
    while lines and not numbers.split(lines[-1]):
        lines.pop()
    for number, line in enumerate(lines, start=1):
        words = numbers.split(line)
        row = numbers.parse([words], len(words), allow_infinite=True)
        row = np.empty(0) if row is None else row[0]
        fault = fault_of_row(row)
        if fault:
            raise InputError(f"{path}, line {number}: {line.strip()[:60]!r} {fault}")
        rows.append(row)
    return rows


def read_runs(folder: str | Path, names: Iterable[str]) -> Runs:
    """Reads all repetitions of a tracker on sequences.

    Args:
      folder: of the tracker; holds `baseline/`.
      names: of the sequences.

    Returns:
      name -> repetitions, each as `read_run` gives it; what `vot.score` takes.

    Raises:
      InputError: a sequence has no file, or a file is damaged.
    """
    runs, faults = find_runs(folder, names)
    if faults:
        raise InputError(
            f"{next(iter(faults.values()))} ({len(faults)} of "
            f"{len(runs) + len(faults)} sequences)"
        )
    return runs


def find_runs(folder: str | Path, names: Iterable[str]) -> tuple[Runs, dict[str, str]]:
    """Reads a tracker's repetitions on the sequences that have any.

    Args:
      folder: of the tracker; holds `baseline/`.
      names: of the sequences.

    Returns:
      Repetitions, and name -> why there are none.
    """
    runs, faults = {}, {}
    for name in names:
        paths = run_paths(folder, name)
        if not paths:
            expected = sequence_folder(folder, name) / f"{name}_001.txt"
            faults[name] = f"no result file {expected}: run the tracker on it"
            continue
        try:
            runs[name] = [read_run(path) for path in paths]
        except InputError as fault:
            faults[name] = str(fault)
    return runs, faults


def write_runs(
    folder: str | Path,
    name: str,
    runs: Sequence[Sequence[np.ndarray]],
    seconds: np.ndarray,
) -> None:
    """Writes a sequence's repetitions and their times, each file whole or not at all.

    Regions have four decimals. `<name>_time.txt` has a line per frame, a column per
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
    """The texts of the files of a sequence's repetitions.

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
