"""Images of more than eight bits: thermal cameras, raw sensors, measurements."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.datasets.pictures import to_rgb
from jaxtrack.errors import InputError

# Formats that may hold them, and pictures looked at for a sequence's range.
_DEEP_SUFFIXES = (".png", ".tif", ".tiff")
_SAMPLES = 16
_KIND = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


class Range(NamedTuple):
    """The levels that a sequence spans.

    Attributes:
      low: level that becomes 0.
      high: level that becomes 255.
      bits: of a level, 16 or more.
    """

    low: float
    high: float
    bits: int


def sequence_range(paths: Sequence[Path]) -> Range | None:
    """Finds the levels that the pictures of a sequence span.

    A camera of 12 bits fills a sixteenth of 16: cut to the upper 8 bits its pictures
    would be black. One range for all, so that brightness does not flicker.

    Args:
      paths: of the pictures; 16 are looked at.

    Returns:
      The range, or None where the first picture has eight bits.
    """
    first = _decode(paths[0])
    if first is None or first.dtype == np.uint8:
        return None
    places = np.linspace(0, len(paths) - 1, min(len(paths), _SAMPLES)).astype(int)
    pictures = [first, *(_decode(paths[place]) for place in places[1:])]
    levels = [p[np.isfinite(p)] for p in pictures if p is not None and p.size]
    levels = [level for level in levels if level.size]
    low = min((float(level.min()) for level in levels), default=0.0)
    high = max((float(level.max()) for level in levels), default=0.0)
    return Range(low, high, 8 * first.dtype.itemsize)


def told(name: str, span: Range) -> str:
    """Describes what is done to the pictures of a sequence.

    Args:
      name: of the sequence.
      span: its levels.
    """
    return (
        f"{name}: {span.bits}-bit pictures; levels {span.low:g} to {span.high:g}, the "
        "sequence's own range, are stretched to 0 to 255"
    )


def read_stretched(
    path: Path, span: Range, *, canvas: np.ndarray | None = None
) -> np.ndarray:
    """Decodes a picture and maps the range on 0 ... 255; levels outside are clipped.

    Args:
      path: of the file.
      span: of its sequence.
      canvas: see `jaxtrack.datasets.pictures.to_rgb`.

    Returns:
      `[H, W, 3]` uint8 RGB.

    Raises:
      InputError: if it does not decode.
    """
    image = _decode(path)
    if image is None:
        raise InputError(f"{path} is no image: restore the file")
    scale = 255.0 / max(span.high - span.low, 1e-9)
    levels = np.nan_to_num((image.astype(np.float32) - span.low) * scale)
    levels = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    return to_rgb(levels, canvas=canvas)


def _decode(path):
    """Decodes a picture with all its bits, BGR; None where that fails."""
    if Path(path).suffix.lower() not in _DEEP_SUFFIXES:
        return None
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    return cv2.imdecode(data, _KIND) if data.size else None
