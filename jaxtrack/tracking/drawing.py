"""Draws tracked boxes on a frame."""

import cv2
import numpy as np

from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.track_files import Row

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Colors of several targets, distinct with color blindness too (Okabe, Ito 2008).
COLORS = ((86, 180, 233), (230, 159, 0), (0, 200, 140), (240, 228, 66), (204, 121, 167))


def draw_boxes(frame: Frame, row: Row, *, fps: float = float("nan")) -> np.ndarray:
    """Draws boxes and their scores.

    The box of a single target is green for high and red for low scores; of several
    targets each has a color and number.

    Args:
      frame: in numpy.
      row: its boxes.
      fps: frames per second, shown for a single target; NaN is not shown.

    Returns:
      `[H, W, 3]` uint8 RGB, the picture without the rest of the canvas.
    """
    height, width = (int(side) for side in frame.hw)
    picture = np.array(frame.image[:height, :width])
    targets = list(zip(row.xywh, row.score, row.lost, strict=True))
    for number, (xywh, score, lost) in enumerate(targets):
        words = f"{score:.2f}" + ("  lost" if lost else "")
        if len(targets) == 1:
            color = (int(255 * min(1, 2 - 2 * score)), int(255 * min(1, 2 * score)), 40)
            words = f"score {words}" + (f"  {fps:.0f} frames/s" if fps == fps else "")
            _draw_box(picture, xywh, color)
            _draw_words(picture, words, (0, 0))
        else:
            color = COLORS[number % len(COLORS)]
            corner = _draw_box(picture, xywh, color)
            _draw_words(picture, f"{number + 1}: {words}", corner, color=color)
    return picture


def _draw_box(picture, xywh, color):
    """Draws a rectangle; returns its top-left corner."""
    low, high = (
        tuple(int(v) for v in np.clip(np.round(corner), -1e4, 1e4))
        for corner in (xywh[:2], xywh[:2] + xywh[2:])
    )
    thick = max(2, round(2 * _scale(picture)))
    cv2.rectangle(picture, low, (high[0] - 1, high[1] - 1), color, thick)
    return low


def _draw_words(picture, words, corner, *, color=(255, 255, 255)):
    """Writes on black, as close to a corner as the picture allows."""
    scale = _scale(picture)
    thick = max(1, round(2 * scale))
    (width, height), below = cv2.getTextSize(words, _FONT, scale, thick)
    room = (picture.shape[1] - width - 12, picture.shape[0] - height - below - 8)
    x, y = (max(0, min(at, most)) for at, most in zip(corner, room, strict=True))
    end = (x + width + 12, y + height + below + 8)
    cv2.rectangle(picture, (x, y), end, (0, 0, 0), -1)
    at = (x + 6, y + height + 6)
    cv2.putText(picture, words, at, _FONT, scale, color, thick, cv2.LINE_AA)


def _scale(picture):
    """Returns the font scale for a picture."""
    return max(0.5, min(picture.shape[:2]) / 900)
