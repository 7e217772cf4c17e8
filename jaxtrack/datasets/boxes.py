"""Your own boxes: a table (CSV, TSV) or a JSON file beside the images.

A table has a line of column names, in any order, and a line a box; commas, tabs or
semicolons separate:

  image           the picture's path, from the table's folder, or from the folder `NAME`
                  beside `NAME.csv` or `NAME_boxes.csv`
  x, y, w, h      the box, px from the picture's edge; or x1, y1, x2, y2; or polygon,
                  numbers x y x y ..., which the box around it stands for
  video           that the picture is a frame of; without it, it is a photograph
  frame           number that orders a video's pictures; without it, their names do
  object          which of the video's objects it is; without it, there is one

A box that is empty, NaN, all zero or of sides -1 means that the object is absent.
Without column names the columns are image, x, y, w, h.

A JSON is a list of videos, `{"name": "street", "frames": "street/img", "objects":
[{"boxes": [[x, y, w, h], null, ...]}]}`; `frames` is a folder, or a list of pictures. A
JSON of COCO's format is read too.
"""

import csv
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.datasets import clips, coco, files, frame_files, layout, numbers
from jaxtrack.datasets.sequence import Clip, Listing, Places
from jaxtrack.errors import InputError

_EXPECTED = "a table, boxes.csv or boxes.tsv, or boxes.json"
_NAMES = ("boxes.csv", "boxes.tsv", "boxes.json")
_XYWH, _CORNERS = ("x", "y", "w", "h"), ("x1", "y1", "x2", "y2")
_WITHOUT_NAMES = ("image", *_XYWH)
_VIDEO = "name, frames and objects, each with a box or null a frame"
_TRIED = 100  # Images looked for to find their folder.


class Place(NamedTuple):
    """A video or photograph: T pictures, boxes `[K, T, 4]` xyxy px, and faults."""

    frames: tuple[Path, ...]
    xyxy: np.ndarray
    skipped: tuple[str, ...] = ()


@dataclass
class _Video:
    """A video of a table: image -> its order; object -> image -> box."""

    order: dict[str, float] = field(default_factory=dict)
    objects: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def survey(root: Path, split: str) -> Listing:
    """Lists the videos and photographs of a table or a JSON.

    Args:
      root: the file, or the folder it is in by the name `boxes`.
      split: there is one.

    Returns:
      Names are those of videos, or photographs' paths.

    Raises:
      InputError: the file is missing or malformed: it names the line.
    """
    paths = [root] if root.is_file() else [root / name for name in _NAMES]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise layout.wrong_layout(root, _EXPECTED)
    if path.suffix.lower() != ".json":
        return _of_table(path)
    content = files.read_json(path)
    if isinstance(content, dict) and "annotations" in content:
        return _of_coco(path)
    return _of_videos(path, content)


def read_clip(name: str, place: Place | coco.Place) -> Clip:
    """Makes the clip of a video or a photograph."""
    if isinstance(place, coco.Place):
        return coco.read_clip(name, place)
    return clips.of_objects(name, place.frames, place.xyxy, skipped=place.skipped)


def _of_table(path: Path) -> Listing:
    """Lists the videos and photographs of a table."""
    lines = files.read_text(path).splitlines()
    separator = next((s for s in "\t;" if lines and s in lines[0]), ",")
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error as fault:
        raise InputError(f"{path}: cannot be read as a table ({fault})") from None
    columns = [word.strip().lower() for word in rows[0]] if rows else []
    first = 1
    if (
        len(columns) == len(_WITHOUT_NAMES)
        and numbers.parse([columns[1:]], 4) is not None
    ):
        columns, first = list(_WITHOUT_NAMES), 0
    has_boxes = any({*names} <= {*columns} for names in (_XYWH, _CORNERS, ("polygon",)))
    if "image" not in columns or not has_boxes:
        raise InputError(
            f"{path}, line 1: expected names of columns, image and x, y, w, h (or x1, "
            f"y1, x2, y2, or polygon); found {', '.join(columns)[:80]!r}"
        )
    videos: dict[str, _Video] = {}
    faults: list[str] = []
    for number, row in enumerate(rows[first:], start=first + 1):
        if not any(word.strip() for word in row):
            continue
        where = f"{path}, line {number}"
        if len(row) != len(columns):
            faults.append(f"{where}: expected {len(columns)} columns; found {len(row)}")
            continue
        words = dict(zip(columns, (word.strip() for word in row), strict=True))
        _add(videos, words, _box(words, where), where)
    if not any(_has_box(video) for video in videos.values()):
        faults += [fault for video in videos.values() for fault in video.faults]
        raise InputError(faults[0] if faults else f"{path}: the table is empty")
    folder = _image_folder(
        path, itertools.chain.from_iterable(v.order for v in videos.values())
    )
    found = Places(videos, lambda name: _place(videos[name], folder))
    notes = tuple(f"{fault}: left out" for fault in faults)
    return Listing(tuple(videos), found, len(videos), notes)


def _has_box(video: _Video) -> bool:
    """Returns whether a video has a box."""
    boxes = (box for found in video.objects.values() for box in found.values())
    return any(np.isfinite(box).all() for box in boxes)


def _box(words: dict[str, str], where: str) -> np.ndarray | str:
    """Returns a line's box, `[4]` xyxy, NaN of an absent object; or its fault."""
    if "polygon" in words:
        given = words["polygon"]
        box = numbers.box(given) if given else np.full(4, np.nan)
        box = None if 0 < len(numbers.split(given)) < 6 else box
    else:
        names = _XYWH if "x" in words else _CORNERS
        # A column has one number, so that its comma is a decimal one.
        given = " ".join(words[name].replace(",", ".") for name in names)
        box = numbers.box(given) if given.strip() else np.full(4, np.nan)
    if box is None:
        return f"{where}: expected numbers of a box; found {given[:60]!r}"
    if "x1" in words and "polygon" not in words:
        box = np.concatenate([box[:2], box[2:] - box[:2]])
    is_absent = not box.any() or (box[2:] == -1).all()
    return np.full(4, np.nan) if is_absent else np.append(box[:2], box[:2] + box[2:])


def _add(
    videos: dict[str, _Video],
    words: dict[str, str],
    box: np.ndarray | str,
    where: str,
) -> None:
    """Adds a line's box, or its fault, to its video or photograph."""
    image, name = words["image"], words.get("video", "")
    video = videos.setdefault(name or image, _Video())
    if isinstance(box, str):
        video.faults.append(box)
        box = np.full(4, np.nan)
    order = numbers.parse([[words.get("frame") or "0"]], 1)
    if order is None:
        raise InputError(
            f"{where}: expected a frame's number; found {words['frame']!r}"
        )
    video.order[image] = float(order[0, 0])
    which = words.get("object", "") if name else str(len(video.objects))
    boxes = video.objects.setdefault(which, {})
    if image in boxes:
        raise InputError(f"{where}: a second box of object {which!r} in {image}")
    boxes[image] = box


def _place(video: _Video, folder: Path) -> Place:
    """Arranges a video's boxes by object and image."""
    images = sorted(
        video.order,
        key=lambda i: (video.order[i], frame_files.natural_order(Path(i)), i),
    )
    columns = {image: number for number, image in enumerate(images)}
    xyxy = np.full((len(video.objects), len(images), 4), np.nan)
    for number, boxes in enumerate(video.objects.values()):
        for image, box in boxes.items():
            xyxy[number, columns[image]] = box
    frames = tuple(folder / image for image in images)
    return Place(frames, xyxy, tuple(video.faults))


def _image_folder(path: Path, images: Iterable[str]) -> Path:
    """Returns the folder that pictures' paths start from: one that has any of them."""
    images = list(itertools.islice(images, _TRIED))
    beside = path.parent / path.stem.removesuffix("_boxes")
    for image in images:
        for folder in (beside, path.parent):
            if (folder / image).is_file():
                return folder
    raise InputError(f"{path}: no such image: {path.parent / images[0]}")


def _of_coco(path: Path) -> Listing:
    """Lists the images of a JSON file in COCO's format."""
    instances = coco.read_instances(path)
    tops = (path.parent, path.parent / "images", path.parent.parent / "images")
    first = instances.images[0]
    folder = next((top for top in tops if (top / first).is_file()), path.parent)
    present = [name for name in instances.images if (folder / name).is_file()]
    return coco.listing(instances, folder, present)


def _of_videos(path: Path, content: Any) -> Listing:
    """Lists the videos of a JSON file."""
    found, faults = {}, []
    for number, video in enumerate(content if isinstance(content, list) else ()):
        try:
            frames = _frames(path.parent, video["frames"])
            tracks = [_track(o["boxes"], len(frames)) for o in video["objects"]]
            found[str(video["name"])] = Place(frames, np.stack(tracks))
        except InputError as fault:
            faults.append(f"{path}, video {number + 1}: {fault}")
        except (TypeError, KeyError, ValueError):
            faults.append(f"{path}, video {number + 1}: expected {_VIDEO}")
    if not found:
        none = f"{path}: expected a list of videos with {_VIDEO}"
        raise InputError(faults[0] if faults else none)
    notes = tuple(f"{fault}: left out" for fault in faults)
    return Listing(tuple(found), found, len(content), notes)


def _frames(folder: Path, frames: str | Iterable[str]) -> tuple[Path, ...]:
    """Returns the pictures of a folder, or those that are listed."""
    if isinstance(frames, str):
        return tuple(frame_files.list_frames(folder / frames))
    return tuple(folder / image for image in frames)


def _track(boxes: list, count: int) -> np.ndarray:
    """Returns an object's boxes, `[count, 4]` xyxy; NaN where it is absent."""
    if len(boxes) != count:
        raise InputError(f"{count} frames, but {len(boxes)} boxes of an object")
    rows = [[np.nan] * 4 if box is None else box for box in boxes]
    xywh = np.array(rows, np.float64).reshape(count, 4)
    xywh[(xywh == 0).all(axis=1) | (xywh[:, 2:] == -1).all(axis=1)] = np.nan
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
