"""Crops on the host, with the geometry of `ops/crop.py`."""

from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.data.frames import Frame

# As in ops/crop.py: bilinear interpolation shrinks by at most this factor.
_LEVEL_CHANGE = 1.61


class View(NamedTuple):
    """The rectangle of a frame that a square crop shows.

    Attributes:
      center_xy: its center, `[2]` float64, px of the full-size frame.
      sides_xy: width and height, `[2]` float64, px of the full-size frame.
    """

    center_xy: np.ndarray
    sides_xy: np.ndarray


def context_side(wh: np.ndarray, *, context: float = 0.5) -> float:
    """Returns the side of the template's square around a box.

        sqrt((w + p) (h + p)),  p = context (w + h)

    Bertinetto et al., SiamFC (arXiv:1606.09549), "Dataset curation".

    Args:
      wh: width and height of the box, `[2]`, px.
      context: factor of the context.

    Returns:
      The side, px.
    """
    pad = context * (wh[0] + wh[1])
    return float(np.sqrt((wh[0] + pad) * (wh[1] + pad)))


def to_crop(xyxy: np.ndarray, view: View, size: int) -> np.ndarray:
    """Converts a box to pixels of a crop.

    Args:
      xyxy: the box, `[4]` xyxy px of the full-size frame.
      view: the rectangle of the crop.
      size: side of the crop, px.

    Returns:
      The box, `[4]` float32 xyxy px of the crop; it is not clipped.
    """
    corners = np.asarray(xyxy, np.float64).reshape(2, 2)
    scaled = ((corners - view.center_xy) / view.sides_xy + 0.5) * size
    return scaled.reshape(4).astype(np.float32)


def reduction(view: View, size: int) -> int:
    """Returns the block size of averaging that a crop needs against aliasing.

    Args:
      view: the rectangle of the crop.
      size: side of the crop, px.

    Returns:
      1, 2 or 4; see `reductions`. For oblong views the geometric mean counts.
    """
    return int(reductions(np.sqrt(view.sides_xy[0] * view.sides_xy[1]) / size))


def reductions(ratio: np.ndarray) -> np.ndarray:
    """Returns the block size of averaging needed against aliasing.

    Args:
      ratio: frame pixels per crop pixel, of any shape.

    Returns:
      1, 2 or 4 each, int64: 2 from 1.61 frame pixels per crop pixel, 4 from 3.22.
    """
    ratio = np.asarray(ratio)
    return 1 + (ratio > _LEVEL_CHANGE) + 2 * (ratio > 2 * _LEVEL_CHANGE)


def cut(frame: Frame, view: View, size: int, fill: np.ndarray) -> np.ndarray:
    """Cuts a view out of a frame and resamples it to a square.

    Crop pixel `[i, j]` is the bilinear interpolation at

        (x, y) = center_xy + ((j + 0.5, i + 0.5) / size - 0.5) * sides_xy

    of the frame, averaged beforehand over blocks of `reduction(view, size)` pixels,
    with `fill` for pixels outside of the frame. The result depends only on the view,
    not on which part of the frame is available.

    Args:
      frame: the frame or a part of it; if it is reduced, only the rest of the averaging
        is done here.
      view: the rectangle to show.
      size: side of the crop, px.
      fill: color outside of the frame, `[3]`.

    Returns:
      `[size, size, 3]` uint8.

    Raises:
      ValueError: if the view shows pixels of the frame that are not available.
    """
    block = max(reduction(view, size) // frame.reduced, 1)
    # In blocks, the pixels of the averaged frame; `origin` is the first available.
    center, sides = (xy / (frame.reduced * block) for xy in view)
    image, origin = _needed(frame, center - sides / 2, center + sides / 2, block, fill)
    if image.size == 0:
        return np.broadcast_to(np.round(fill), (size, size, 3)).astype(np.uint8)
    scale = sides / size
    offset = center - origin - 0.5 * (sides - scale) - 0.5  # Center of the first pixel.
    matrix = np.array([[scale[0], 0.0, offset[0]], [0.0, scale[1], offset[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": fill.tolist()}
    # OpenCV warps four channels in 0.4 of the time it takes for three.
    image = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    crop = cv2.warpAffine(image, matrix, (size, size), flags=flags, **border)
    return cv2.cvtColor(crop, cv2.COLOR_RGBA2RGB)


def is_inside(view: View, size: int, hw: tuple[int, int]) -> bool:
    """Returns whether a crop reads only pixels of the frame, even when averaging.

    Args:
      view: the rectangle of the crop.
      size: side of the crop, px.
      hw: height and width of the full-size frame, px.

    Returns:
      False also for some crops that reach the last pixels of the frame.
    """
    margin = 2 * reduction(view, size)
    low = view.center_xy - view.sides_xy / 2 - margin
    high = view.center_xy + view.sides_xy / 2 + margin
    return bool(low.min() >= 0 and high[0] <= hw[1] and high[1] <= hw[0])


def frame_part(view: View, size: int, hw: tuple[int, int]) -> tuple[slice, slice]:
    """Returns the rows and columns of a crop whose pixel centers are in the frame.

    Args:
      view: the rectangle of the crop.
      size: side of the crop, px.
      hw: height and width of the full-size frame, px.

    Returns:
      Slices of rows and of columns.
    """
    low = (0.5 - view.center_xy / view.sides_xy) * size - 0.5
    high = low + np.array([hw[1], hw[0]]) / view.sides_xy * size
    first = np.clip(np.ceil(low), 0, size).astype(int)
    last = np.clip(np.ceil(high), first, size).astype(int)
    return slice(first[1], last[1]), slice(first[0], last[0])


def _needed(frame, low, high, block, fill):
    """Returns the part that a crop reads, averaged over blocks, and its corner.

    Corners are in blocks; there is one more on each side for the interpolation.
    """
    whole = -(-np.array(frame.hw[::-1]) // block)
    x0, y0 = np.maximum(np.floor(low).astype(int) - 1, 0).tolist()
    x1, y1 = np.minimum(np.ceil(high).astype(int) + 1, whole).tolist()
    if x1 <= x0 or y1 <= y0:
        return frame.image[:0], np.zeros(2)
    left, top = frame.corner
    rows = slice(y0 * block - top, min(y1 * block, frame.hw[0]) - top)
    columns = slice(x0 * block - left, min(x1 * block, frame.hw[1]) - left)
    part = frame.image[
        max(rows.start, 0) : rows.stop, max(columns.start, 0) : columns.stop
    ]
    if part.shape[:2] != (rows.stop - rows.start, columns.stop - columns.start):
        raise ValueError(f"a crop reads {rows}, {columns} of {frame.image.shape}")
    if block == 1:
        return part, np.array([x0, y0])
    missing = (y1 - y0) * block - part.shape[0], (x1 - x0) * block - part.shape[1]
    if any(missing):  # Blocks across the border also average the fill.
        sides, kind = (0, missing[0], 0, missing[1]), cv2.BORDER_CONSTANT
        part = cv2.copyMakeBorder(part, *sides, kind, value=fill.tolist())
    averaged = cv2.resize(part, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return averaged, np.array([x0, y0])
