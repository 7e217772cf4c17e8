"""YOLO's layout: `images/train/a.jpg` and `labels/train/a.txt`.

A line is a class and a box, cx cy w h, or a class and the corners of a polygon, all as
shares of the picture's sides. `train/images/` and `train/labels/` are read as well, and
`images/` and `labels/` without splits, which are all of `train`.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import clips, files, frame_files, layout, numbers, pictures
from jaxtrack.datasets.sequence import Clip, Listing, Places
from jaxtrack.errors import InputError

_EXPECTED = "YOLO's layout, images/{0}/ and labels/{0}/ with a .txt a picture"
_SPELLINGS = {"train": ("train",), "val": ("val", "valid")}

_MOST_SHARE = 1.01  # Rounding may lead a little beyond 1.


class Place(NamedTuple):
    """Where a picture and its labels are."""

    image: Path
    labels: Path


def survey(root: Path, split: str) -> Listing:
    """Lists the pictures that have labels.

    Args:
      root: folder of `images/` and `labels/`, or of `train/`.
      split: "train" or "val".

    Returns:
      Names are paths without suffix below the folder of labels.

    Raises:
      InputError: the folders are missing, or no picture with labels is there.
    """
    names = _SPELLINGS[split]
    pairs = [(root / "images" / name, root / "labels" / name) for name in names]
    pairs += [(root / name / "images", root / name / "labels") for name in names]
    if split == "train":
        pairs.append((root / "images", root / "labels"))
    pair = next((pair for pair in pairs if pair[0].is_dir() and pair[1].is_dir()), None)
    if pair is None:
        raise layout.wrong_layout(root, _EXPECTED.format(split))
    images, labels = pair
    labeled = [p.removesuffix(".txt") for p in _walk(labels, (".txt",))]
    beside = {
        os.path.splitext(p)[0]: p for p in _walk(images, frame_files.FRAME_SUFFIXES)
    }
    present = [name for name in labeled if name in beside]
    if not present:
        raise layout.wrong_layout(images, _EXPECTED.format(split))
    found = Places(present, lambda n: Place(images / beside[n], labels / f"{n}.txt"))
    return Listing(tuple(labeled), found, len(labeled))


def _walk(top, suffixes):
    """Returns the files at any depth that end so, as paths below the top, in order."""
    found = []
    for folder, _, entries in os.walk(top):
        inner = Path(folder).relative_to(top)
        ends = (n for n in entries if n.lower().endswith(suffixes) and n[0] != ".")
        found += [(inner / name).as_posix() for name in ends]
    return sorted(found)


def read_clip(name: str, place: Place) -> Clip:
    """Reads one picture's objects; it is opened for its size."""
    width, height = pictures.image_size(place.image)
    xywh = [
        _xywh(line, f"{place.labels}, line {number}")
        for number, line in enumerate(
            files.read_text(place.labels).splitlines(), start=1
        )
        if line.strip()
    ]
    shares = np.array(xywh, np.float64).reshape(-1, 4)
    xyxy = np.concatenate([shares[:, :2], shares[:, :2] + shares[:, 2:]], axis=1)
    xyxy *= [width, height, width, height]
    return clips.of_objects(name, [place.image], xyxy[:, None])


def _xywh(line, where):
    """Returns a line's box as shares: x and y of its corner, width, height."""
    words = numbers.split(line)[1:]
    box = numbers.box(" ".join(words))
    if box is None:
        raise InputError(
            f"{where}: expected a class and cx cy w h, or a class and a polygon; found "
            f"{line.strip()[:60]!r}"
        )
    if (np.abs(box) > _MOST_SHARE).any():
        raise InputError(
            f"{where}: expected shares of the picture's sides, 0 to 1; found "
            f"{line.strip()[:60]!r}"
        )
    if len(words) == 4:
        box[:2] -= box[2:] / 2
    return box
