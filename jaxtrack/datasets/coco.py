"""COCO 2017: `annotations/instances_train2017.json` and `train2017/000000000009.jpg`.

Boxes are x, y, width, height from the picture's edge. Groups of objects (`iscrowd`) are
no target. The file of annotations has 450 MB: polygons are dropped as they are read.
"""

import array
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.datasets import clips, files, layout
from jaxtrack.datasets.sequence import Clip, Listing, Places
from jaxtrack.errors import InputError

_EXPECTED = "COCO's layout, annotations/instances_{0}2017.json and {0}2017/"


class Instances(NamedTuple):
    """Objects of pictures; those of picture `i` are rows `offsets[i]` to `[i + 1]`.

    Attributes:
      images: file names of the pictures that have objects, N of them.
      offsets: `[N + 1]` int64.
      rows: `[M, 5]` float64: x, y, width, height in px; whether it is a crowd.
    """

    images: list[str]
    offsets: np.ndarray
    rows: np.ndarray


class Place(NamedTuple):
    """Where a picture is, and its objects, `[K, 5]` as `Instances.rows`."""

    image: Path
    rows: np.ndarray


def survey(root: Path, split: str) -> Listing:
    """Lists the pictures that have objects.

    Args:
      root: folder of `annotations/` and of the folders of pictures, which may also be
        in `images/`.
      split: "train" or "val".

    Raises:
      InputError: annotations or pictures are not there, or malformed.
    """
    expected = _EXPECTED.format(split)
    path = root / "annotations" / f"instances_{split}2017.json"
    candidates = [root / f"{split}2017", root / "images" / f"{split}2017"]
    folder = layout.first_folder(candidates, root, expected)
    instances = read_instances(path)
    there = set(os.listdir(folder))
    present = [
        image
        for image in instances.images
        if image in there or ("/" in image and (folder / image).is_file())
    ]
    return listing(instances, folder, present)


def listing(instances: Instances, folder: Path, present: list[str]) -> Listing:
    """Returns pictures as a listing.

    Args:
      instances: of all pictures.
      folder: of the pictures.
      present: file names of the pictures that are there.

    Raises:
      InputError: none is there.
    """
    if not present:
        raise layout.wrong_layout(folder, f"pictures such as {instances.images[0]}")
    stems = [str(Path(image).with_suffix("")) for image in instances.images]
    # Where both a.jpg and a.png are there, names keep their suffixes.
    names = stems if len(set(stems)) == len(stems) else instances.images
    numbers = {name: number for number, name in enumerate(names)}
    is_there = set(present)

    def place(name: str) -> Place:
        number = numbers[name]
        first, last = instances.offsets[number : number + 2]
        return Place(folder / instances.images[number], instances.rows[first:last])

    found = [n for n, i in numbers.items() if instances.images[i] in is_there]
    return Listing(tuple(numbers), Places(found, place), len(numbers))


def read_clip(name: str, place: Place) -> Clip:
    """Reads one picture's objects."""
    xywh = place.rows[:, None, :4]
    return clips.of_objects(
        name,
        [place.image],
        np.concatenate([xywh[..., :2], xywh[..., :2] + xywh[..., 2:]], axis=-1),
        left_out={"a crowd": place.rows[:, 4:] > 0},
    )


def read_instances(path: Path) -> Instances:
    """Reads a file of annotations.

    Args:
      path: of the JSON.

    Raises:
      InputError: it is absent, or is not of COCO's format.
    """
    names: dict[int, str] = {}
    rows = array.array("d")

    def keep(entry: dict[str, Any]) -> None:
        # Called for every object as it is parsed: polygons never pile up.
        if "bbox" in entry:
            rows.append(entry.get("image_id", -1))
            rows.extend(_sides(entry["bbox"]))
            rows.append(entry.get("iscrowd") or 0)
        elif isinstance(name := entry.get("file_name"), str) and Path(name).name:
            names[entry["id"]] = name

    try:
        files.read_json(path, each=keep)
        table = np.array(rows).reshape(-1, 6)
    except (ValueError, TypeError, KeyError) as fault:
        if isinstance(fault, InputError):
            raise
        raise InputError(f"{path}: not of COCO's format ({fault!r})") from None
    table = table[np.isin(table[:, 0], np.fromiter(names, np.float64, len(names)))]
    if not len(table):
        raise InputError(f"{path}: expected COCO's images and annotations; found none")
    table = table[np.argsort(table[:, 0], kind="stable")]
    ids, first = np.unique(table[:, 0], return_index=True)
    return Instances(
        [names[int(number)] for number in ids],
        np.append(first, len(table)),
        table[:, 1:],
    )


def _sides(bbox: Any) -> list[float]:
    """Returns a box's four numbers; a box of no size, which is left out, of others."""
    try:
        sides = [float(side) for side in bbox]
    except (TypeError, ValueError):
        sides = []
    return sides if len(sides) == 4 and np.isfinite(sides).all() else [0.0] * 4
