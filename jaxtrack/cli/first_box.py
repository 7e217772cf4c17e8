"""Where the target is in the first frame."""

import pathlib
import sys

import cv2
import numpy as np

from jaxtrack.datasets import files, folders
from jaxtrack.errors import InputError
from jaxtrack.tracking import check_init_box
from jaxtrack.tracking.state import Frame


def first_box(
    video: str, frame: Frame, *, box: str = "", window: str | None = None
) -> np.ndarray:
    """Finds the target's first box: given, drawn with the mouse, or annotated.

    Args:
      video: a file, a folder or a camera's number.
      frame: the first one.
      box: "x,y,w,h" or "".
      window: open, in which the mouse may draw it; None if there is none.

    Returns:
      `[4]` float64 xywh, pixels.

    Raises:
      InputError: if there is none, or it cannot be tracked.
    """
    if box:
        xywh, where = _parse_box(box), "--box"
    elif window:
        xywh, where = _draw_with_mouse(frame, window), "the box drawn"
    else:
        xywh, where = _annotated_box(pathlib.Path(video))
    xywh = np.array(xywh, np.float64)
    center = xywh[:2] + xywh[2:] / 2
    check_init_box([*center, *xywh[2:]], frame.hw, where=where)
    _notice_corners(xywh, frame.hw, where)
    return xywh


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


def _parse_box(text):
    """Reads "x,y,w,h"."""
    try:
        x, y, width, height = (float(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--box={text} is not a box: write x,y,width,height in pixels, such as "
            "--box=120,80,40,60"
        ) from None
    return x, y, width, height


def _annotated_box(folder):
    """Reads the first line of a folder's annotation; returns xywh and where it was."""
    for place in (folder, folder.parent) if folder.name == "img" else (folder,):
        path = folders.box_file(place)
        if path is not None:
            return files.read_xywh(path, allow_absent=True)[0], f"{path}, line 1,"
    raise InputError(
        f"no first box: give --box=x,y,w,h, or put {folders.BOX_FILES[0]} into {folder}"
    )


def _draw_with_mouse(frame, window):
    """Lets the user draw the first box; returns xywh."""
    height, width = frame.hw
    picture = cv2.cvtColor(frame.image[:height, :width], cv2.COLOR_RGB2BGR)
    return cv2.selectROI(window, picture, showCrosshair=False)
