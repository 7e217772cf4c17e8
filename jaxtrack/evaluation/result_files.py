"""Finds result files in the layouts that trackers are published in.

| layout | of |
|---|---|
| `<sequence>.txt` | OTB, LaSOT, UAV123, pysot and others |
| `<sequence>/<sequence>_001.txt`, `_002.txt` ... | GOT-10k: repetitions |
| `<tracker>_000/<sequence>.txt`, `<tracker>_001/...` | pytracking: runs |
| a JSON, `{"<sequence>": [[x, y, width, height], ...]}` | |

`datasets.names.match` says which names belong together.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import files, layout, pysot_json
from jaxtrack.datasets.names import match, named
from jaxtrack.errors import InputError

_RUN = re.compile(r"(.+)_(\d{3})")


class FoundFiles(NamedTuple):
    """The files of each sequence.

    Attributes:
      paths: name of a sequence -> files of its repetitions.
      faults: name -> why no file belongs to it.
      others: names of files that belong to no sequence.
    """

    paths: dict[str, list[Path]]
    faults: dict[str, str]
    others: tuple[str, ...]


class FoundBoxes(NamedTuple):
    """The boxes in result files.

    Attributes:
      boxes: name of a sequence -> repetitions, each `[M, 4]` xywh, px, as the file
        says; NaN where width and height are -1.
      faults: name -> why it has none.
      others: names of files that belong to no sequence.
      paths: name -> files of its repetitions; none of a JSON.
    """

    boxes: dict[str, list[np.ndarray]]
    faults: dict[str, str]
    others: tuple[str, ...]
    paths: dict[str, list[Path]]


def read_boxes(place: str | Path, names: Sequence[str]) -> FoundBoxes:
    """Reads the results of sequences without changing them.

    NaN and negative sizes are read too: protocols decide how to score them.

    Args:
      place: a folder, the beginning of pytracking's run folders, or a JSON.
      names: of the sequences.

    Returns:
      Boxes, and what is wrong with files that have none.

    Raises:
      InputError: nothing is there, or nothing is named after a sequence.
    """
    place = Path(place)
    if place.suffix == ".json" and place.is_file():
        return _of_json(place, names)
    found = find_files(place, names)
    boxes, faults = {}, dict(found.faults)
    for name, paths in found.paths.items():
        try:
            boxes[name] = [files.read_xywh(p, allow_infinite=True) for p in paths]
        except InputError as fault:
            faults[name] = str(fault)
    return FoundBoxes(boxes, faults, found.others, found.paths)


def find_files(
    place: str | Path, names: Sequence[str], *, suffixes: Sequence[str] = (".txt",)
) -> FoundFiles:
    """Finds the files of each sequence, however its name is written.

    Args:
      place: a folder; it may be the beginning of run folders' names, or hold them.
      names: of the sequences.
      suffixes: of the files.

    Returns:
      Files; `faults` names the sequences without one.

    Raises:
      InputError: no such folder, or none of its files is named after a sequence.
    """
    folders = _run_folders(Path(place), suffixes)
    there: dict[str, list[Path]] = {}
    for folder in folders:
        for stem, paths in _index(folder, suffixes).items():
            there.setdefault(stem, []).extend(paths)
    matches = match(names, there)
    if not matches.found and not matches.unclear:
        raise InputError(
            f"{place}: no file is named after a sequence ({names[0]}{suffixes[0]}, "
            f"...); found {named(sorted(there)) or layout.contents(folders[0])}"
        )
    faults = {}
    for name in names:
        if name in matches.unclear:
            rivals = ", ".join(matches.unclear[name])
            faults[name] = (
                f"{place}: no file {name}{suffixes[0]}, and it is unclear which "
                f"belongs to {name!r} ({rivals}): rename the files"
            )
        elif name not in matches.found:
            faults[name] = f"{place}: no file {name}{suffixes[0]}"
    paths = {name: there[other] for name, other in matches.found.items()}
    return FoundFiles(paths, faults, matches.others)


def _run_folders(place: Path, suffixes: Sequence[str]) -> list[Path]:
    """Returns the folders of a tracker's runs: one, but of pytracking."""
    if place.is_dir():
        if _index(place, suffixes):
            return [place]
        runs = _runs(place.iterdir())
        if len(runs) > 1:
            raise InputError(
                f"{place}: holds results of {len(runs)} trackers ({named(sorted(runs))}"
                f"): name one, such as {place / sorted(runs)[0]}"
            )
        return next(iter(runs.values()), [place])
    runs = _runs(place.parent.iterdir()) if place.parent.is_dir() else {}
    if place.name not in runs:
        is_file = "; this is a file: unpack it, or name its folder" * place.is_file()
        raise InputError(f"no folder of results {place}{is_file}")
    return runs[place.name]


def _runs(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Tracker -> folders `<tracker>_000` and so on."""
    found: dict[str, list[Path]] = {}
    for path in sorted(paths):
        if (run := _RUN.fullmatch(path.name)) and path.is_dir():
            found.setdefault(run[1], []).append(path)
    return found


def _index(folder: Path, suffixes: Sequence[str]) -> dict[str, list[Path]]:
    """Name of a sequence as the folder spells it -> files of its repetitions."""
    there = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            pattern = re.compile(rf"{re.escape(path.name)}_\d{{3}}\.txt")
            repetitions = [p for p in path.iterdir() if pattern.fullmatch(p.name)]
            if repetitions:
                there[path.name] = sorted(repetitions)
        elif path.suffix.lower() in suffixes and not path.stem.endswith("_time"):
            there[path.stem] = [path]
    return there


def _of_json(path: Path, names: Sequence[str]) -> FoundBoxes:
    """Reads a JSON of all sequences' rows."""
    content = pysot_json.read_json(path)
    matches = match(names, content)
    if not matches.found:
        raise InputError(
            f"{path}: nothing is named after a sequence ({names[0]}, ...); it holds "
            f"{named(sorted(content)[:5]) or 'none'}"
        )
    boxes, faults = {}, {}
    for name in names:
        if name not in matches.found:
            faults[name] = f"{path}: no boxes of {name}"
            continue
        try:
            boxes[name] = [pysot_json.read_boxes(content[matches.found[name]])]
        except InputError as fault:
            faults[name] = f"{path}: {matches.found[name]}: {fault}"
    return FoundBoxes(boxes, faults, matches.others, {})
