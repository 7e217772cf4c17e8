"""Boxes on the host, in numpy: their formats, and the check of a first box."""

import math
from collections.abc import Sequence

import numpy as np

from jaxtrack.errors import InputError


def cxcywh_from_xywh(xywh: np.ndarray) -> np.ndarray:
    """Converts corner and size to center and size, `[..., 4]`."""
    return np.concatenate([xywh[..., :2] + xywh[..., 2:] / 2, xywh[..., 2:]], axis=-1)


def cxcywh_from_xyxy(xyxy: np.ndarray) -> np.ndarray:
    """Converts corners to center and size, `[..., 4]`."""
    low, high = xyxy[..., :2], xyxy[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def xywh_from_cxcywh(cxcywh: np.ndarray) -> np.ndarray:
    """Converts center and size to corner and size, `[..., 4]`."""
    center, size = cxcywh[..., :2], cxcywh[..., 2:]
    return np.concatenate([center - size / 2, size], axis=-1)


def check_init_box(
    box: Sequence[float], hw: Sequence[int], *, where: str = "the first box"
) -> None:
    """Checks that tracking can start with a first box; for the host, not for jit.

    Args:
      box: `[4]` cxcywh, pixels.
      hw: height and width of the picture, pixels.
      where: name of the box in messages, such as a path and line.

    Raises:
      InputError: if a number is NaN or infinite, the box is empty, or it is entirely
        outside of the picture.
    """
    cx, cy, width, height = (float(value) for value in box)
    x, y = cx - width / 2, cy - height / 2
    shown = f"{where} is x,y,w,h = {x:g},{y:g},{width:g},{height:g}"
    if not all(map(math.isfinite, (x, y, width, height))):
        raise InputError(f"{shown}: give four finite numbers")
    if width <= 0 or height <= 0:
        raise InputError(f"{shown}: width and height must be positive")
    if x >= hw[1] or y >= hw[0] or x + width <= 0 or y + height <= 0:
        raise InputError(
            f"{shown}, outside of the picture of {hw[1]} x {hw[0]} pixels: "
            "give a box that overlaps it"
        )
