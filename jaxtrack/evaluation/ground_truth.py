"""Files of ground truth alone, without pictures: enough to score result files."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxtrack.datasets import (
    Benchmark,
    Read,
    choose,
    files,
    folders,
    frame_files,
    pictures,
    pysot_json,
    read_sequences,
)
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError
from jaxtrack.evaluation import result_files

NAME = "ground_truth"


def load(
    root: str | Path,
    *,
    patterns: Iterable[str] = (),
    absent: str | Path = "",
    cover: str | Path = "",
    strict: bool = True,
) -> Benchmark:
    """Reads the truth of sequences, and flags that belong to it.

    Args:
      root: holds `<sequence>.txt`, or folders with a box file, see `folders`, where
        pictures, if there are any, are found too; or is a JSON, see `pysot_json`.
      patterns: names of sequences, or patterns of them; none takes all.
      absent: folder of `<sequence>.txt`, 1 where the target is absent; "" of none.
      cover: folder of `<sequence>.label`, its visible share in eighths; "" of none.
      strict: see `datasets.load`.

    Returns:
      The sequences, as a dataset of no protocol but OTB's.

    Raises:
      InputError: no file of truth, or a file is missing or malformed.
    """
    root = Path(root)
    read, listing = _survey(root)
    names = choose(listing, patterns, where=str(root))
    places = {name: listing.found[name] for name in names}
    videos, skipped = read_sequences(read, places, strict=strict)
    for field, folder in (("absent", absent), ("cover", cover)):
        flags = _flags(folder, [v.name for v in videos], field) if folder else None
        if flags is not None:
            videos = [replace(v, **{field: flags.get(v.name)}) for v in videos]
    return Benchmark(
        name=NAME,
        root=root,
        split="all",
        videos=videos,
        protocol="otb",
        is_scored=True,
        num_expected=len(listing.names),
        notes=listing.notes,
        skipped=skipped,
    )


def _survey(root: Path) -> tuple[Read, Listing]:
    """Finds each sequence's truth; returns what reads it, too."""
    if root.suffix == ".json" and root.is_file():
        return pysot_json.read, pysot_json.survey(root)
    if not root.is_dir():
        raise InputError(f"--ground_truth: no folder {root}, nor a JSON of that name")
    paths = {path.stem: path for path in sorted(root.glob("[!.]*.txt"))}
    if paths and not folders.box_file(root):
        return _read_file, Listing(tuple(paths), paths, len(paths))
    try:
        return _read_folder, folders.survey(root, "all")
    except InputError:
        raise InputError(
            f"--ground_truth: {root} holds no <sequence>.txt, nor a folder with "
            f"{folders.BOX_FILES[0]}"
        ) from None


def _read_file(name: str, path: Path) -> Sequence:
    """Reads one sequence of a file alone."""
    truth = files.read_xywh(path, allow_infinite=True)
    return Sequence(name, [], xyxy_from_truth(truth, len(truth)), truth=truth)


def _read_folder(name: str, place: tuple[Path, Path]) -> Sequence:
    """Reads one sequence of a folder, with its pictures where they are there."""
    folder, path = place
    truth = files.read_xywh(path, allow_infinite=True)
    truth, absent = folders.without_absent(folder, truth)
    images = frame_files.image_folder(folder)
    frames = frame_files.list_frames(images) if frame_files.has_frames(images) else []
    return Sequence(
        name,
        frames if len(frames) == len(truth) else [],
        xyxy_from_truth(truth, len(truth)),
        truth=truth,
        absent=absent,
        image_size=pictures.first_size(frames),
    )


def _flags(folder: str | Path, names: list[str], what: str) -> dict[str, np.ndarray]:
    """Reads the flags of all sequences."""
    flag_files = result_files.find_files(folder, names, suffixes=(".txt", ".label"))
    if flag_files.faults:
        missing = ", ".join(sorted(flag_files.faults)[:5])
        raise InputError(f"--{what}={folder}: no file for {missing}")
    return {
        name: files.read_flags(paths[0]) for name, paths in flag_files.paths.items()
    }
