"""Draws what a tracker found on a frame."""

import cv2
import numpy as np

from jaxtrack.tracking.state import Frame, TrackerOutput


def draw_box(frame: Frame, output: TrackerOutput, *, fps: float) -> np.ndarray:
    """Draws a box, its score and the speed.

    Args:
      frame: in numpy.
      output: in numpy.
      fps: frames a second; NaN is left out.

    Returns:
      `[H, W, 3]` uint8 RGB, the picture without the rest of the canvas.
    """
    height, width = (int(side) for side in frame.hw)
    picture = np.ascontiguousarray(frame.image[:height, :width])
    score = float(output.score)
    # Green when sure, red when not.
    color = (int(255 * min(1, 2 - 2 * score)), int(255 * min(1, 2 * score)), 40)
    scale = max(0.5, min(height, width) / 900)
    thick = max(1, round(2 * scale))
    center, half = output.box[:2], output.box[2:] / 2
    low, high = (
        tuple(int(v) for v in np.clip(np.round(corner), -1e4, 1e4))
        for corner in (center - half, center + half)
    )
    cv2.rectangle(picture, low, (high[0] - 1, high[1] - 1), color, max(2, thick))
    words = f"score {score:.2f}" + (f"  {fps:.0f} frames/s" if fps == fps else "")
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, height), below = cv2.getTextSize(words, font, scale, thick)
    cv2.rectangle(picture, (0, 0), (width + 12, height + below + 8), (0, 0, 0), -1)
    at = (6, height + 6)
    cv2.putText(picture, words, at, font, scale, (255, 255, 255), thick, cv2.LINE_AA)
    return picture
