"""Plain folders: `<name>/img/*.jpg`, or images beside `groundtruth_rect.txt`.

Numbers count from 0 and a row of NaN or of no size says that the target is absent.
"""

from pathlib import Path

from jaxtrack.datasets import annotations, files


def survey(root: Path, edition: str, split: str) -> files.Listing:
    """Lists the folders that hold a file of boxes.

    Args:
      root: folder of the sequences.
      edition: not used; there is one.
      split: not used; there is one.

    Returns:
      Places are the folders.

    Raises:
      InputError: there is none.
    """
    del edition, split
    found = {folder.name: folder for folder in annotations.list_sequences(root)}
    return files.Listing(tuple(found), found, len(found))


def read(name: str, place: Path) -> files.Entry:
    """Reads one sequence.

    Args:
      name: as `survey` lists it.
      place: likewise.

    Raises:
      InputError: frames or boxes are missing, malformed or not equally many.
    """
    video = annotations.read_sequence(place, allow_absent=True)
    paths = (place / "groundtruth_rect.txt", place / "groundtruth.txt")
    truth = files.read_rows(next(p for p in paths if p.is_file()), 4)
    return files.Entry(name, video.frames, truth)
