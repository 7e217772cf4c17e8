"""NfS at 30 frames per second, as released or as converted for public trackers.

Released: `<seq>/30/<seq>/00001.jpg` and `<seq>/30/<seq>.txt`, rows of an identifier,
corners x1 y1 x2 y2 and more; some files hold the annotation of 240 frames per second:
every eighth row counts, and one frame or row may be left over. Converted:
`sequences/<Seq>/00001.jpg` and `anno/nfs_<Seq>.txt` with x, y, w, h.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import files, frame_files, layout, members, numbers
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError

_EXPECTED = (
    "NfS's layout, <seq>/30/<seq>.txt and <seq>/30/<seq>/ as released, or "
    "anno/nfs_<Seq>.txt and sequences/<Seq>/"
)
_RATIO = 8  # 240 over 30.


class _Place(NamedTuple):
    """Where a sequence lies; the released files hold corners."""

    truth: Path
    images: Path
    has_corners: bool


def survey(root: Path, split: str) -> Listing:
    """Lists the sequences.

    Args:
      root: folder of the sequences, or of `anno` and `sequences`.
      split: there is one.

    Returns:
      Names as in `members.NFS`.

    Raises:
      InputError: no sequence is there.
    """
    if not root.is_dir():
        raise layout.wrong_layout(root, _EXPECTED)
    found = {n: place for n in members.NFS if (place := _place(root, n))}
    if not found:
        raise layout.wrong_layout(root, _EXPECTED)
    return Listing(members.NFS, found, len(members.NFS))


def _place(root, name):
    """Returns where a sequence lies, or None."""
    released = root / name / "30"
    for place in (
        _Place(released / f"{name}.txt", released / name, True),
        _Place(root / "anno" / f"nfs_{name}.txt", root / "sequences" / name, False),
    ):
        if place.truth.is_file() and place.images.is_dir():
            return place
    return None


def read(name: str, place: _Place) -> Sequence:
    """Reads one sequence."""
    frames = frame_files.list_frames(place.images)
    if not place.has_corners:
        truth = files.read_xywh(place.truth)
        frame_files.check_lengths(place.images, frames, truth)
        return Sequence(name, frames, xyxy_from_truth(truth, len(frames)), truth=truth)
    corners = _read_corners(place.truth)
    if abs(len(corners) / len(frames) - _RATIO) < 1:
        corners = corners[::_RATIO]
    if abs(len(corners) - len(frames)) == 1:
        count = min(len(corners), len(frames))
        corners, frames = corners[:count], frames[:count]
    frame_files.check_lengths(place.images, frames, corners)
    truth = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    return Sequence(name, frames, xyxy_from_truth(truth, len(frames)), truth=truth)


def _read_corners(path):
    """Returns `[N, 4]` xyxy; the columns after them are words as well as numbers."""
    rows = [numbers.split(line)[1:5] for line in files.read_names(path)]
    corners = numbers.parse(rows, 4)
    if corners is None:
        raise InputError(
            f"{path}: expected rows of an identifier and x1 y1 x2 y2; "
            f"found {' '.join(rows[0])!r} and others"
        )
    return corners
