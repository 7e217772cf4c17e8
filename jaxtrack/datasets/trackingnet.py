"""TrackingNet: `TEST/frames/<video>/0.jpg` and `TEST/anno/<video>.txt`.

The numbers of frames are not padded and sort as numbers. Of the test set only the
first box is public; the twelve training chunks, `TRAIN_0` to `TRAIN_11`, lie alike.
"""

from pathlib import Path

from jaxtrack.datasets import files, layout
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth

_EXPECTED = "TrackingNet's layout, {0}/frames/<video>/0.jpg and {0}/anno/<video>.txt"
_NUM_TEST = 511
TRAIN_SPLITS = tuple(f"TRAIN_{chunk}" for chunk in range(12))
SPLITS = ("TEST", *TRAIN_SPLITS)


def survey(root: Path, split: str) -> Listing:
    """Lists the videos of a split.

    Args:
      root: folder of the splits.
      split: one of `SPLITS`.

    Returns:
      Names are those of the annotation files; a place is the folder of the split.

    Raises:
      InputError: the folders are missing, or no video is there.
    """
    expected = _EXPECTED.format(split)
    base = layout.first_folder([root / split], root, expected)
    anno = layout.first_folder([base / "anno"], base, expected)
    names = tuple(sorted(p.stem for p in anno.glob("*.txt")))
    found = {n: base for n in names if (base / "frames" / n).is_dir()}
    if not found:
        # The zips are unpacked into folders by hand.
        raise layout.wrong_layout(
            base / "frames" if (base / "frames").is_dir() else base, expected
        )
    count = _NUM_TEST if split == "TEST" else len(names)
    return Listing(names, found, max(count, len(names)))


def read(name: str, place: Path) -> Sequence:
    """Reads one video."""
    truth = files.read_rows(place / "anno" / f"{name}.txt", 4)
    folder = place / "frames" / name
    frames = list(files.numbered_frames(folder).values())
    if place.name != "TEST" or len(truth) != 1:
        files.check_lengths(folder, frames, truth)
    return Sequence(name, frames, xyxy_from_truth(truth, len(frames)), truth=truth)
