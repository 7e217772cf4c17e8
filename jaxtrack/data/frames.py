"""A frame as it was read: whole or in part, full-size or reduced."""

from typing import NamedTuple

import cv2
import numpy as np

PICTURE_SIDE = 128  # Of a picture for padding, px.
NUM_PICTURES = 256  # Largest number of pictures of a source: 12 MB.


class Frame(NamedTuple):
    """Pixels of one frame, and their position in it.

    Pixel `i` of a frame reduced `r` times covers `[r i, r (i + 1))` of the full-size
    one.

    Attributes:
      image: `[h, w, 3]` uint8 RGB, the reduced frame or a part of it.
      reduced: how many times smaller the frame is on each axis.
      corner: x and y of the part's first pixel, px of the reduced frame.
      hw: height and width of the whole reduced frame, px.
      mean: mean color of the whole reduced frame, `[3]` float64; None if not known
        beforehand.
    """

    image: np.ndarray
    reduced: int
    corner: tuple[int, int]
    hw: tuple[int, int]
    mean: np.ndarray | None = None

    @property
    def mean_color(self) -> np.ndarray:
        """Mean color of the whole frame, `[3]` float64."""
        if self.mean is not None:
            return self.mean
        return np.array(cv2.mean(self.image)[:3])


def whole(image: np.ndarray, *, reduced: int = 1) -> Frame:
    """Returns a complete frame.

    Args:
      image: `[H, W, 3]` uint8 RGB.
      reduced: how many times smaller than the full-size frame it is.
    """
    return Frame(image, reduced, (0, 0), image.shape[:2])


def picture(image: np.ndarray) -> np.ndarray:
    """Resizes an image of any shape to a small square picture.

    Args:
      image: `[H, W, 3]` uint8 RGB.

    Returns:
      `[PICTURE_SIDE, PICTURE_SIDE, 3]` uint8 RGB.
    """
    return square(image, PICTURE_SIDE)


def square(image: np.ndarray, side: int) -> np.ndarray:
    """Resizes an image of any shape to a square.

    Args:
      image: `[H, W, 3]` uint8.
      side: of the square, px.
    """
    # INTER_AREA would enlarge to visible blocks, which give away the padding.
    is_larger = side > min(image.shape[:2])
    how = cv2.INTER_LINEAR if is_larger else cv2.INTER_AREA
    return cv2.resize(image, (side, side), interpolation=how)
