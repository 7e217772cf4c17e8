"""The targets' boxes in the first frame: from options, or beside the images."""

import pathlib
import sys
from collections.abc import Sequence

import numpy as np

from jaxtrack.datasets import files, folders, numbers
from jaxtrack.errors import InputError
from jaxtrack.tracking.host_boxes import check_init_box, cxcywh_from_xywh


def first_boxes(video: str, given: Sequence[str]) -> dict[str, np.ndarray]:
    """Finds the targets' first boxes: given, or annotated beside the images.

    Args:
      video: what is tracked.
      given: of each target "x,y,w,h", or a text file whose first line is that.

    Returns:
      Where it was found -> `[4]` float64 xywh, pixels, of each target; empty where
      there is none.

    Raises:
      InputError: if one is no box.
    """
    boxes = {}
    for number, text in enumerate(given, 1):
        where, box = _parse(text)
        if where in boxes:
            where = f"{where} ({number})"
        boxes[where] = np.array(box, np.float64)
    return boxes or _annotated(pathlib.Path(video))


def check(boxes: dict[str, np.ndarray], hw: Sequence[int]) -> np.ndarray:
    """Rejects boxes that cannot be tracked; warns of those that look like corners.

    Args:
      boxes: from `first_boxes`, at least one.
      hw: height and width of the first frame, pixels.

    Returns:
      `[n, 4]` float64 xywh.

    Raises:
      InputError: if a box is empty, not finite or outside of the picture.
    """
    for where, xywh in boxes.items():
        check_init_box(cxcywh_from_xywh(xywh), hw, where=where)
        _notice_corners(xywh, hw, where)
        if xywh.max() <= 1:
            print(
                f"warning: {where} is at most a pixel wide and high; it is in pixels: "
                "were fractions of the picture's sides meant?",
                file=sys.stderr,
            )
    return np.stack(list(boxes.values()))


def _notice_corners(xywh, hw, where):
    """Warns where a box looks as if it were given by two corners."""
    ends = np.minimum(xywh[:2] + xywh[2:], hw[::-1])
    seen = np.prod(np.maximum(ends - np.maximum(xywh[:2], 0), 0))
    if np.prod(xywh[2:]) > 2 * seen:
        print(
            f"warning: {where} lies outside of the picture by more than inside; it is "
            "x,y,width,height: were corners x1,y1,x2,y2 meant?",
            file=sys.stderr,
        )


def _parse(text):
    """Reads "x,y,w,h" or a file's first line; returns where that was, and the box."""
    path = pathlib.Path(text)
    if path.is_file():
        return f"{path}, line 1,", files.read_xywh(path)[0]
    box = numbers.parse([numbers.split(text)], 4, allow_infinite=True)
    if box is None:
        raise InputError(
            f"--box={text} is neither a box nor a file of one: write x,y,width,height "
            "in pixels, such as --box=120,80,40,60"
        )
    return "--box", box[0]


def _annotated(folder):
    """Reads the first line of a folder's annotation, if it has one."""
    for place in (folder, folder.parent) if folder.name == "img" else (folder,):
        path = folders.box_file(place)
        if path is not None:
            box = files.read_xywh(path)[0]
            return {f"{path}, line 1,": box}
    return {}
