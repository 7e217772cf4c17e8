"""Frames of the worst sequences, with the ground truth and the trackers' boxes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.datasets import depth
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError
from jaxtrack.evaluation import compare
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.report.plots import style

# With more trackers than this, lines must be thin to leave the target visible.
_MANY = 5


class Shot(NamedTuple):
    """A frame with its boxes drawn.

    Attributes:
      frame: its index.
      iou: of the first tracker.
      jpeg: the picture.
    """

    frame: int
    iou: float
    jpeg: bytes


def worst(evaluation: Evaluation, *, count: int = 4) -> dict[str, list[Shot]]:
    """Draws frames of the sequences with the lowest AUC of the first tracker.

    Args:
      evaluation: of one pass.
      count: sequences to show.

    Returns:
      Sequence -> frames in order of time, worst sequence first. Unreadable frames are
      left out; a dataset without images has no frames.
    """
    scores, truth = evaluation.scores, evaluation.benchmark.truth
    first = scores[0]
    paths = {video.name: video.frames for video in evaluation.benchmark.videos}
    offset = np.array([1.0, 1.0, 0.0, 0.0]) * evaluation.benchmark.origin
    shots = {}
    for name in compare.worst_sequences(first, count=count, primary=evaluation.primary):
        score = first.reports[evaluation.primary].sequences[name]
        counted, overlaps = score.first_repetition()
        iou = dict(zip(counted.tolist(), overlaps.tolist(), strict=True))
        shots[name] = []
        span = depth.sequence_range(paths[name]) if paths[name] else None
        for frame in compare.telling_frames(counted, overlaps) if paths[name] else ():
            boxes = [
                (style.color_of(place), scores[place].predicted[name][frame] - offset)
                # The first tracker is drawn last, on top.
                for place in (*range(1, len(scores)), 0)
            ]
            try:
                at = paths[name][frame], truth[name][frame] - offset, boxes
                jpeg = draw(*at, span=span)
            except InputError:
                continue  # Only files were scored: the image is not needed.
            shots[name].append(Shot(frame, max(0.0, iou.get(frame, 0.0)), jpeg))
    return shots


def _to_pixels(box: np.ndarray, scale: float) -> tuple[tuple[int, int], ...] | None:
    """Returns the corners in pixels of the scaled image; None if there is no box."""
    if not np.all(np.isfinite(box)) or np.any(box[2:] <= 0):
        return None
    corners = np.concatenate([box[:2], box[:2] + box[2:]]) * scale
    x0, y0, x1, y1 = np.clip(np.round(corners), -10_000, 10_000).astype(int)
    return (int(x0), int(y0)), (int(x1) - 1, int(y1) - 1)


def _rgb(color: str) -> tuple[int, int, int]:
    """Returns the channels of `#rrggbb`."""
    return tuple(bytes.fromhex(color.removeprefix("#")))


def draw(
    path: str | Path,
    truth: np.ndarray,
    predicted: Sequence[tuple[str, np.ndarray]],
    *,
    width: int = 400,
    span: depth.Range | None = None,
) -> bytes:
    """Draws boxes on a scaled frame: ground truth white, trackers in their colors.

    Args:
      path: image file.
      truth: `[4]` xywh, px; not drawn if it is empty or NaN.
      predicted: colors `#rrggbb` and boxes `[4]` xywh, px; the last is on top, and
        if there are many the others are thin.
      width: of the picture, px; frames are enlarged at most twice.
      span: range of levels of the sequence, if its frames have more than eight bits.

    Returns:
      A JPEG file's bytes.

    Raises:
      InputError: the frame cannot be read.
    """
    image = depth.read_stretched(Path(path), span) if span else read_image(path)
    scale = min(width / image.shape[1], 2.0)
    size = (round(image.shape[1] * scale), max(1, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(image, size, interpolation=how)
    boxes = [((255, 255, 255), truth), *((_rgb(c), b) for c, b in predicted)]
    for place, (color, box) in enumerate(boxes):
        corners = _to_pixels(np.asarray(box, np.float64), scale)
        if corners is not None:
            is_thin = len(predicted) > _MANY and 0 < place < len(predicted)
            inner, outer = (1, 2) if is_thin else (3, 5)
            cv2.rectangle(image, *corners, (0, 0, 0), outer, cv2.LINE_AA)
            cv2.rectangle(image, *corners, color, inner, cv2.LINE_AA)
    _, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82]
    )
    return jpeg.tobytes()
