"""Plain folders: `<name>/img/*.jpg`, or images beside `groundtruth_rect.txt`.

Numbers count from 0 and a row of NaN or of no size says that the object is absent.
"""

from pathlib import Path

from jaxtrack.datasets import files
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError

BOX_FILES = ("groundtruth_rect.txt", "groundtruth.txt")


def survey(root: Path, split: str) -> Listing:
    """Lists the folders that hold a file of boxes.

    Args:
      root: folder of the sequences.
      split: there is one.

    Returns:
      Places are the folders.

    Raises:
      InputError: there is none.
    """
    found = {folder.name: folder for folder in list_sequences(root)}
    return Listing(tuple(found), found, len(found))


def read(name: str, place: Path) -> Sequence:
    """Reads one sequence."""
    return read_sequence(place, allow_absent=True)


def list_sequences(root: str | Path) -> list[Path]:
    """Lists the folders that hold a box file, directly below a folder, by name.

    Args:
      root: the folder of sequences.

    Raises:
      InputError: if the folder is absent or holds no sequence.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    found = [path for path in root.iterdir() if path.is_dir() and box_file(path)]
    if not found:
        raise InputError(f"{root}: none of its folders holds {BOX_FILES[0]}")
    return sorted(found, key=files.natural_order)


def read_sequence(folder: str | Path, *, allow_absent: bool = False) -> Sequence:
    """Reads the boxes of a sequence and lists its frames.

    Args:
      folder: holds `groundtruth_rect.txt` or `groundtruth.txt`, and the frames in
        `img/` or beside that file.
      allow_absent: whether a box may be NaN or of no size; see `files.read_xywh`.

    Returns:
      The sequence.

    Raises:
      InputError: if frames or boxes are absent, malformed or not equally many.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    path = box_file(folder)
    if path is None:
        raise InputError(f"{folder}: has no {' or '.join(BOX_FILES)}")
    frames = files.list_frames(image_folder(folder))
    truth = files.read_xywh(path, allow_absent=allow_absent)
    files.check_lengths(folder, frames, truth)
    return Sequence(
        folder.name, frames, xyxy_from_truth(truth, len(frames)), truth=truth
    )


def box_file(folder: Path) -> Path | None:
    """Returns the box file of a sequence, or None.

    Args:
      folder: of the sequence.
    """
    paths = (folder / name for name in BOX_FILES)
    return next((path for path in paths if path.is_file()), None)


def image_folder(folder: Path) -> Path:
    """Returns where a sequence's images lie: in `img/` where there is one.

    Args:
      folder: of the sequence.
    """
    return folder / "img" if (folder / "img").is_dir() else folder
