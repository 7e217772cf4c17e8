"""Files of ground truth alone, without pictures: enough to score result files."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxtrack.datasets import Benchmark, choose, files, folders, pictures
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results

NAME = "ground_truth"


def load(
    root: str | Path,
    *,
    patterns: Iterable[str] = (),
    absent: str | Path = "",
    cover: str | Path = "",
) -> Benchmark:
    """Reads the truth of sequences, and flags that belong to it.

    Args:
      root: holds `<sequence>.txt`, or folders with a box file, see `folders`, where
        pictures, if there are any, are found too.
      patterns: names of sequences, or patterns of them; none takes all.
      absent: folder of `<sequence>.txt`, 1 where the target is absent; "" of none.
      cover: folder of `<sequence>.label`, its visible share in eighths; "" of none.

    Returns:
      The sequences, as a dataset of no protocol but OTB's.

    Raises:
      InputError: no file of truth, or a file is missing or malformed.
    """
    root = Path(root)
    listing = _survey(root)
    names = choose(listing, patterns, where=str(root))
    videos = [_read(name, listing.found[name]) for name in names]
    for field, folder in (("absent", absent), ("cover", cover)):
        flags = _flags(folder, names, field) if folder else {}
        videos = [replace(v, **{field: flags.get(v.name)}) for v in videos]
    return Benchmark(
        name=NAME,
        root=root,
        split="all",
        videos=videos,
        protocol="otb",
        is_scored=True,
        num_expected=len(listing.names),
    )


def _survey(root: Path) -> Listing:
    """Finds the file of each sequence."""
    if not root.is_dir():
        raise InputError(f"--ground_truth: no folder {root}")
    found = {path.stem: path for path in sorted(root.glob("*.txt"))}
    if not found:
        boxes = {folder: folders.box_file(folder) for folder in sorted(root.iterdir())}
        found = {folder.name: path for folder, path in boxes.items() if path}
    if not found:
        raise InputError(
            f"--ground_truth: {root} holds no <sequence>.txt, nor a folder with "
            f"{folders.BOX_FILES[0]}"
        )
    return Listing(tuple(found), found, len(found))


def _read(name: str, path: Path) -> Sequence:
    """Reads one sequence, with pictures where they are beside its box file."""
    truth = files.read_rows(path, 4, allow_infinite=True)
    frames, size = [], None
    images = folders.image_folder(path.parent)
    if path.name in folders.BOX_FILES and files.has_frames(images):
        frames = files.list_frames(images)
        size = pictures.image_size(frames[0])
    return Sequence(
        name,
        frames if len(frames) == len(truth) else [],
        xyxy_from_truth(truth, len(truth)),
        truth=truth,
        image_size=size,
    )


def _flags(
    folder: str | Path, names: Iterable[str], what: str
) -> dict[str, np.ndarray]:
    """Reads the flags of all sequences."""
    names = list(names)
    found, _ = results.find_files(folder, names, suffixes=(".txt", ".label"))
    missing = sorted(set(names) - set(found))
    if missing:
        raise InputError(f"--{what}={folder}: no file for {', '.join(missing[:5])}")
    return {name: files.read_flags(path) for name, path in found.items()}
