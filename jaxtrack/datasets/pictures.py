"""The reader of pictures that training, evaluation and live tracking share."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from jaxtrack.errors import InputError

_END, _SCAN = b"\xff\xd9", b"\xda"  # Markers of a JPEG.


def read_image(path: str | Path, *, canvas: np.ndarray | None = None) -> np.ndarray:
    """Decodes an image file.

    Args:
      path: of the file; one that says it must be turned (Exif) is turned.
      canvas: see `to_rgb`.

    Returns:
      `[H, W, 3]` uint8 RGB; a gray picture has three equal channels.

    Raises:
      InputError: if the file is missing, empty, no image or cut off.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from fault
    is_cut = is_cut_off(data)
    image = None if is_cut else decode(data, cv2.IMREAD_COLOR)
    if image is None:
        what = "empty" if not data else "cut off" if is_cut else "no image for OpenCV"
        raise InputError(f"{path} is {what}: restore the file")
    return to_rgb(image, canvas=canvas)


def decode(data: bytes, flags: int) -> np.ndarray | None:
    """Decodes a picture with OpenCV.

    Args:
      data: of the file.
      flags: of `cv2.imdecode`.

    Returns:
      The picture; None if it is damaged, none, or larger than OpenCV takes.
    """
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:  # Raised for a size beyond its limit.
        return None


def to_rgb(bgr: np.ndarray, *, canvas: np.ndarray | None = None) -> np.ndarray:
    """Reverses the channels of a picture that OpenCV decoded.

    Args:
      bgr: `[H, W, 3]` uint8.
      canvas: `[Hc, Wc, 3]` uint8, into whose top-left corner the picture is written if
        it fits; the rest of it is left as it is.

    Returns:
      `[H, W, 3]` uint8, that corner or a new array.
    """
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, corner(canvas, bgr.shape))


def corner(canvas: np.ndarray | None, hw: Sequence[int]) -> np.ndarray | None:
    """Returns the top-left part of a canvas that a picture of a size covers.

    Args:
      canvas: `[Hc, Wc, 3]`, or None.
      hw: height and width of the picture, px, and what else its shape has.

    Returns:
      `[H, W, 3]`, a view; None where there is no canvas or the picture is larger.
    """
    height, width = hw[:2]
    if canvas is None or height > canvas.shape[0] or width > canvas.shape[1]:
        return None
    return canvas[:height, :width]


def is_cut_off(data: bytes) -> bool:
    """Returns whether a JPEG ends before its picture; it still decodes, gray below.

    Args:
      data: of the file; of other formats it is False.
    """
    if data[:2] != b"\xff\xd8":
        return False
    # Phones put a video behind the picture. What lies before the scan may be a smaller
    # picture with an end of its own; in a scan 0xff is no data.
    place = 2
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] != _SCAN:
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return data.rfind(_END, place) < 0


def has_exif(data: bytes) -> bool:
    """Returns whether a JPEG may say how it is turned, which its header does not.

    Args:
      data: of the file; a profile of any length may lie before the Exif segment.
    """
    return b"Exif\0" in data


def image_size(path: str | Path) -> tuple[int, int]:
    """Returns an image's width and height, px.

    Args:
      path: of the file.

    Raises:
      InputError: as `read_image`.
    """
    try:
        data = Path(path).read_bytes()
        if not has_exif(data):
            height, width = simplejpeg.decode_jpeg_header(data)[:2]
            return width, height
    except (OSError, ValueError):
        pass  # Missing, no JPEG, or damaged: `read_image` says so.
    height, width = read_image(path).shape[:2]
    return width, height


def first_size(paths: Sequence[Path]) -> tuple[int, int] | None:
    """Returns width and height, px, of the first picture that can be read, or None.

    Args:
      paths: of a sequence's pictures.
    """
    for path in paths:
        try:
            return image_size(path)
        except InputError:
            continue
    return None
