"""TrackingNet: `TEST/frames/<video>/0.jpg` and `TEST/anno/<video>.txt`.

The numbers of frames are not padded and sort as numbers. Of the test set only the
first box is public; the twelve training chunks, `TRAIN_0` to `TRAIN_11`, lie alike.
"""

import os
from pathlib import Path

from jaxtrack.datasets import files, frame_files, layout
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth

_EXPECTED = "TrackingNet's layout, {0}/frames/<video>/0.jpg and {0}/anno/<video>.txt"
_NUM_TEST = 511
_NUM_TRAIN = 30132
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
    names = tuple(
        sorted(n[:-4] for n in os.listdir(anno) if n.endswith(".txt") and n[:2] != "._")
    )
    frames = base / "frames"
    unpacked = set(os.listdir(frames)) if frames.is_dir() else set()
    found = {n: base for n in names if n in unpacked}
    if not found:
        # The zips are unpacked into folders by hand.
        raise layout.wrong_layout(frames if frames.is_dir() else base, expected)
    count = _NUM_TEST if split == "TEST" else len(names)
    return Listing(names, found, max(count, len(names)))


def survey_chunks(root: Path, split: str) -> Listing:
    """Lists the videos of the training set, or of one of its chunks.

    Args:
      root: folder of the splits.
      split: "train", which takes all chunks that are there, or one of `TRAIN_SPLITS`.

    Returns:
      As `survey` does; a note says which chunks are missing.

    Raises:
      InputError: the folders are missing, or no video is there.
    """
    if split != "train":
        return survey(root, split)
    chunks = [chunk for chunk in TRAIN_SPLITS if (root / chunk / "frames").is_dir()]
    if not chunks:
        raise layout.wrong_layout(root, _EXPECTED.format(TRAIN_SPLITS[0]))
    parts = [survey(root, chunk) for chunk in chunks]
    missing = [chunk for chunk in TRAIN_SPLITS if chunk not in chunks]
    return Listing(
        tuple(name for part in parts for name in part.names),
        {name: place for part in parts for name, place in part.found.items()},
        _NUM_TRAIN,
        (f"Without {', '.join(missing)}, which are missing.",) if missing else (),
    )


def read(name: str, place: Path, *, fill_gaps: bool = False) -> Sequence:
    """Reads one video; `fill_gaps` names frames that are missing, too."""
    truth = files.read_xywh(place / "anno" / f"{name}.txt")
    folder = place / "frames" / name
    if fill_gaps:
        frames = frame_files.fill_gaps(folder, len(truth), first=0, digits=1)
    else:
        frames = list(frame_files.numbered_frames(folder).values())
    if place.name != "TEST" or len(truth) != 1:
        frame_files.check_lengths(folder, frames, truth)
    return Sequence(name, frames, xyxy_from_truth(truth, len(frames)), truth=truth)
