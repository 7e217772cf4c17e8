"""VOT2018 and VOT2019: `<seq>/groundtruth.txt` and `<seq>/color/00000001.jpg`.

Truth has 8 numbers a row (polygons) or 4. The file `sequence` says where the images
are; older copies have them in `color/`, or directly in `<seq>/`. Tags (`*.tag` or
`*.label`) hold one flag a frame and may end early: the rest is 0.
"""

import re
from pathlib import Path

import numpy as np

from jaxtrack.datasets import files, frame_files, layout, members
from jaxtrack.datasets.sequence import Listing, Sequence
from jaxtrack.errors import InputError
from jaxtrack.metrics import regions

_EXPECTED = "VOT's layout, list.txt and <seq>/ with groundtruth.txt and color/"
_NUM_SEQUENCES = 60
TAGS = tuple("camera_motion illum_change occlusion size_change motion_change".split())


def survey(root: Path, split: str, *, edition: str) -> Listing:
    """Lists the sequences.

    Args:
      root: folder of the sequences, or of `sequences/` in a workspace of the toolkit.
      split: there is one.
      edition: "vot2018" or "vot2019"; VOT2018's names are known, of VOT2019
        `list.txt` tells them.

    Returns:
      Places are the folders of the sequences.

    Raises:
      InputError: no sequence is there, or `list.txt` is another edition's.
    """
    base = layout.first_folder([root / "sequences", root], root, _EXPECTED)
    below = layout.subfolders(base).items()
    folders = {n: p for n, p in below if (p / "groundtruth.txt").is_file()}
    if not folders:
        raise layout.wrong_layout(base, _EXPECTED)
    notes = ()
    if (base / "list.txt").is_file():
        names = files.read_names(base / "list.txt")
    elif edition == "vot2018":
        names = members.VOT2018
    else:
        names = tuple(folders)
        notes = ("Names are those on the disk: list.txt was not found.",)
    _check_edition(base, edition, names)
    found = {n: folders[n] for n in names if n in folders}
    if not found:
        raise layout.wrong_layout(base, f"{_EXPECTED}, such as {names[0]}/")
    return Listing(names, found, max(_NUM_SEQUENCES, len(names)), notes)


def _check_edition(base, edition, names):
    """Rejects one edition's folder read as another's; they share many names."""
    others = [n for n in names if n not in members.VOT2018]
    if edition == "vot2018" and others:
        raise InputError(
            f"{base / 'list.txt'}: expected VOT2018's sequences; found {others[0]} and "
            f"{len(others) - 1} more that are none"
        )
    if edition == "vot2019" and set(names) == set(members.VOT2018):
        raise InputError(f"{base}: expected VOT2019's sequences; found VOT2018's")


def read(name: str, place: Path) -> Sequence:
    """Reads one sequence; its truth is the box around each region."""
    region = files.read_rows(place / "groundtruth.txt", 8, 4)
    described = _description(place / "sequence")
    frames = _frames(place, described)
    frame_files.check_lengths(place, frames, region)
    size = None
    if described.get("width", "").isdigit() and described.get("height", "").isdigit():
        size = (int(described["width"]), int(described["height"]))
    tags = {}
    for tag in TAGS:
        for path in (place / f"{tag}.tag", place / f"{tag}.label"):
            if path.is_file():
                flags = files.read_flags(path)[: len(region)] > 0
                tags[tag] = np.pad(flags, (0, len(region) - len(flags)))
                break
    attributes = tuple(tag for tag in TAGS if tag in tags and tags[tag].any())
    return Sequence(
        name,
        frames,
        initial_xyxy(region),
        truth=enclosing_xywh(region),
        region=region,
        tags=tags,
        attributes=attributes,
        image_size=size,
    )


def _description(path):
    """Returns the `sequence` file's keys and values."""
    if not path.is_file():
        return {}
    pairs = [line.partition("=") for line in files.read_names(path)]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _frames(place, described):
    """Returns the images that the description names, or where they used to lie."""
    channel = described.get("channel.default", "color")
    pattern = described.get(f"channels.{channel}", "")
    if re.search(r"%0?\d*d", pattern):
        return frame_files.list_frames((place / pattern).parent)
    color = place / "color"
    return frame_files.list_frames(color if color.is_dir() else place)


def enclosing_xywh(region: np.ndarray) -> np.ndarray:
    """Returns the boxes around polygons; rectangles stay as they are.

    Args:
      region: `[N, 8]` corners x, y, or `[N, 4]` xywh, px.

    Returns:
      `[N, 4]` xywh, px.
    """
    if region.shape[1] == 4:
        return region.copy()
    corners = region.reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def initial_xyxy(region: np.ndarray) -> np.ndarray:
    """Returns the upright boxes that public trackers start on, `regions.init_cxcywh`.

    Args:
      region: `[N, 8]` corners x, y, or `[N, 4]` xywh, pixel indices.

    Returns:
      `[N, 4]` xyxy, px from the picture's edge; NaN where a region has no area.
    """
    extent = enclosing_xywh(region)[:, 2:]
    xyxy = np.full((len(region), 4), np.nan)
    for row in np.flatnonzero((extent > 0).all(axis=1)):
        center, size = np.split(regions.init_cxcywh(region[row]), 2)
        xyxy[row] = np.concatenate([center - size / 2, center + size / 2])
    return xyxy
