"""Draws what a tracker found on a frame."""

import cv2
import numpy as np

from jaxtrack.tracking.state import Frame


def draw_box(
    frame: Frame, xywh: np.ndarray, score: float, *, fps: float, lost: bool = False
) -> np.ndarray:
    """Draws a box, its score and the speed.

    Args:
      frame: in numpy.
      xywh: `[4]` the box, pixels.
      score: in [0, 1].
      fps: frames a second; NaN is left out.
      lost: whether the target counts as lost, which is said.

    Returns:
      `[H, W, 3]` uint8 RGB, the picture without the rest of the canvas.
    """
    height, width = (int(side) for side in frame.hw)
    picture = np.ascontiguousarray(frame.image[:height, :width])
    # Green when sure, red when not.
    color = (int(255 * min(1, 2 - 2 * score)), int(255 * min(1, 2 * score)), 40)
    scale = max(0.5, min(height, width) / 900)
    thick = max(1, round(2 * scale))
    low, high = (
        tuple(int(v) for v in np.clip(np.round(corner), -1e4, 1e4))
        for corner in (xywh[:2], xywh[:2] + xywh[2:])
    )
    cv2.rectangle(picture, low, (high[0] - 1, high[1] - 1), color, max(2, thick))
    words = f"score {score:.2f}" + ("  lost" if lost else "")
    words += f"  {fps:.0f} frames/s" if fps == fps else ""
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, height), below = cv2.getTextSize(words, font, scale, thick)
    cv2.rectangle(picture, (0, 0), (width + 12, height + below + 8), (0, 0, 0), -1)
    at = (6, height + 6)
    cv2.putText(picture, words, at, font, scale, (255, 255, 255), thick, cv2.LINE_AA)
    return picture
