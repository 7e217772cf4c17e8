"""Raw files of boxes and flags, as trackers and benchmarks publish them.

Unlike `results`, which reads this project's own files strictly, numbers are taken as
they are, NaN and negative sizes too: what to make of them is the scoring's to say.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxtrack.errors import InputError

_BOX_FILES = ("groundtruth_rect.txt", "groundtruth.txt")


def _text(path: Path) -> str:
    """The file's content."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} is unreadable: {fault}") from None


def read_rows(path: str | Path) -> np.ndarray:
    """Reads boxes, one a line, separated by commas, tabs or blanks.

    Args:
      path: text file; blank lines at its end are ignored.

    Returns:
      `[N, 4]` float64 as the file has them: x, y, width, height, px.

    Raises:
      InputError: naming file and line: unreadable, empty, or not four numbers.
    """
    path = Path(path)
    lines = _text(path).rstrip().splitlines()
    if not lines:
        raise InputError(f"{path} is empty: it needs one box a line")
    rows = [line.replace(",", " ").split() for line in lines]
    try:
        if all(len(row) == 4 for row in rows):
            return np.array(rows, np.float64)
    except ValueError:
        pass  # The line is found below.
    for number, row in enumerate(rows, start=1):
        if len(row) != 4 or not all(_is_number(word) for word in row):
            raise InputError(
                f"{path}, line {number}: expected 4 numbers x, y, width, height "
                "separated by comma, tab or blank, got "
                f"{lines[number - 1].strip()[:60]!r}"
            )
    raise InputError(f"{path}: not a table of numbers")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def read_flags(path: str | Path) -> np.ndarray:
    """Reads one number a frame, on one line or many.

    Args:
      path: text file; commas, tabs, blanks and line ends separate.

    Returns:
      `[N]` float64.

    Raises:
      InputError: unreadable, empty, or something is no number.
    """
    path = Path(path)
    words = _text(path).replace(",", " ").split()
    wrong = next((word for word in words if not _is_number(word)), None)
    if wrong is not None or not words:
        what = f"{wrong!r} is no number" if words else "it is empty"
        raise InputError(f"{path}: {what}: it needs one flag a frame")
    return np.array(words, np.float64)


def _plain(stem: str) -> str:
    """Jogging-1, Jogging_1, Jogging.1 and jogging1 alike."""
    return re.sub(r"[-_. ]?(\d+)$", r"-\1", stem.lower())


def _index(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Name of a sequence as the folder spells it -> file."""
    files = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in suffixes:
            files[path.stem] = path
        elif (first := path / f"{path.name}_001.txt").is_file():  # GOT-10k.
            files[path.name] = first
    return files


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
    files = _index(folder, suffixes)
    found = {name: files.pop(name) for name in names if name in files}
    taken: dict[str, str] = {}
    for alike in (str.lower, _plain):
        for name in names:
            fits = [stem for stem in files if alike(stem) == alike(name)]
            if name in found or not fits:
                continue
            if len(fits) > 1 or fits[0] in taken:
                rivals = fits if len(fits) > 1 else [taken[fits[0]], name]
                raise InputError(
                    f"{folder}: no file {name}.txt, and it is unclear which belongs to "
                    f"{name!r} ({', '.join(rivals)}): rename the files"
                )
            found[name] = files[fits[0]]
            taken[fits[0]] = name
    return found, [stem for stem in files if stem not in taken]


def truth_files(sequences: str | Path) -> dict[str, Path]:
    """Finds the ground truth of annotated sequences.

    Args:
      sequences: folder of folders that hold groundtruth_rect.txt or groundtruth.txt.

    Returns:
      Name of a sequence -> file.

    Raises:
      InputError: no such folder, or none in it has such a file.
    """
    sequences = Path(sequences)
    if not sequences.is_dir():
        raise InputError(f"no folder {sequences}")
    files = {
        folder.name: next(folder / n for n in _BOX_FILES if (folder / n).is_file())
        for folder in sorted(sequences.iterdir())
        if any((folder / n).is_file() for n in _BOX_FILES)
    }
    if not files:
        raise InputError(f"{sequences}: no folder in it holds {_BOX_FILES[0]}")
    return files
