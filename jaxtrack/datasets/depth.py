"""Images of more than eight bits: thermal cameras, raw sensors, measurements."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.datasets.pictures import decode, read_image, to_rgb

_SAMPLES = 16  # Pictures looked at for a sequence's range.
# OpenCV 5 turns no floats of one channel into three, so gray stays gray.
_KIND = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH


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
      The range, or None where they all have eight bits.
    """
    places = np.linspace(0, len(paths) - 1, min(len(paths), _SAMPLES)).astype(int)
    found = (_decode(paths[place]) for place in places)
    deep = [picture for picture in found if picture is not None]
    if not deep:
        return None
    levels = [p[np.isfinite(p)] for p in deep if np.isfinite(p).any()]
    low = min((float(level.min()) for level in levels), default=0.0)
    high = max((float(level.max()) for level in levels), default=0.0)
    return Range(low, high, 8 * deep[0].dtype.itemsize)


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
      path: of the file; one of eight bits stays as it is.
      span: of its sequence.
      canvas: see `jaxtrack.datasets.pictures.to_rgb`.

    Returns:
      `[H, W, 3]` uint8 RGB.

    Raises:
      InputError: if it does not decode.
    """
    image = _decode(path)
    if image is None:
        return read_image(path, canvas=canvas)
    scale = 255.0 / max(span.high - span.low, 1e-9)
    levels = np.nan_to_num((image.astype(np.float32) - span.low) * scale)
    levels = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    if levels.ndim == 2:
        levels = cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR)
    return to_rgb(levels, canvas=canvas)


def _decode(path):
    """Decodes a picture with all its bits, BGR or gray; None if these are eight."""
    path = Path(path)
    if path.suffix.lower() not in (".png", ".tif", ".tiff"):
        return None
    try:
        with path.open("rb") as file:
            start = file.read(25)
            if start[:4] == b"\x89PNG" and start[24:] != b"\x10":
                return None  # The header of a PNG says that it has fewer than 16.
            image = decode(start + file.read(), _KIND)
    except OSError:
        return None
    return None if image is None or image.dtype == np.uint8 else image
