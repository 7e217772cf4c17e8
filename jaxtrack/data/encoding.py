"""Encoded pictures: checked when packed, decoded fast when read.

`simplejpeg` decodes to the same values as OpenCV in two thirds of its time, and refuses
a truncated file where OpenCV paints the rest grey.
"""

import pathlib
from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg

from jaxtrack.datasets import depth
from jaxtrack.errors import InputError

FORMATS = ("jpeg", "webp")
REDUCTIONS = (1, 2, 4, 8)
QUALITY = 90  # Of pictures that are encoded anew; see docs/performance.md.


class Picture(NamedTuple):
    """A picture file that was found to be sound.

    Attributes:
      data: its bytes, where they are a JPEG that `decode` reads upright; else None.
      image: `[H, W, 3]` uint8 RGB, upright.
    """

    data: bytes | None
    image: np.ndarray


def decode(data: bytes, name: str, *, reduction: int = 1) -> np.ndarray:
    """Decodes a JPEG or WebP picture, at a fraction of its size where that is enough.

    A reduced JPEG is made from the low frequencies of each 8 x 8 block, so its pixels
    are averages: it does not alias, and takes less time than the whole image. A WebP
    picture has to be decoded whole, and is averaged then.

    Args:
      data: the encoded picture.
      name: what the message of an error calls it.
      reduction: 1, 2, 4 or 8 times smaller on each axis (rounded up).

    Returns:
      `[H, W, 3]` uint8 RGB.

    Raises:
      InputError: if the bytes are damaged.
      ValueError: if the reduction is another.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction {reduction} is not one of {REDUCTIONS}")
    if data[:4] == b"RIFF":
        return _decode_webp(data, name, reduction)
    try:
        if reduction == 1:
            return simplejpeg.decode_jpeg(data)
        hw = simplejpeg.decode_jpeg_header(data)[:2]
        height, width = (-(-side // reduction) for side in hw)
        return simplejpeg.decode_jpeg(data, min_height=height, min_width=width)
    except ValueError as error:
        raise InputError(f"{name}: damaged JPEG ({error})") from error


def encode(
    image: np.ndarray,
    *,
    format: str = "jpeg",
    quality: int = QUALITY,
    subsampling: str = "420",
) -> bytes:
    """Encodes an image.

    Args:
      image: `[H, W, 3]` uint8 RGB.
      format: one of `FORMATS`.
      quality: 1 to 100.
      subsampling: of a JPEG's colours: "420" has them at half resolution, as cameras
        store them, "444" at full.

    Returns:
      Bytes that `decode` reads.
    """
    if format == "webp":
        options = [cv2.IMWRITE_WEBP_QUALITY, quality]
        return cv2.imencode(".webp", image[:, :, ::-1], options)[1].tobytes()
    image = np.ascontiguousarray(image)
    return simplejpeg.encode_jpeg(image, quality=quality, colorsubsampling=subsampling)


def encode_mask(mask: np.ndarray) -> bytes:
    """Encodes a mask, `[H, W]` bool, as a PNG of one bit a pixel."""
    options = [cv2.IMWRITE_PNG_BILEVEL, 1]
    return cv2.imencode(".png", np.uint8(mask) * 255, options)[1].tobytes()


def decode_mask(data: bytes, name: str) -> np.ndarray:
    """Decodes a mask.

    Args:
      data: the encoded mask; every value but 0 is the object.
      name: what the message of an error calls it.

    Returns:
      `[H, W]` bool.

    Raises:
      InputError: if the bytes are damaged.
    """
    mask = None
    if data:
        mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise InputError(f"{name}: cannot read the mask: damaged or no image")
    return mask > 0


def read(path: str | pathlib.Path, *, span: depth.Range | None = None) -> Picture:
    """Reads a picture file whole, and decodes it to be sure that it is sound.

    Args:
      path: of any kind that OpenCV reads; one that says it must be turned (Exif) is.
      span: levels of its sequence, if they have more than eight bits.

    Returns:
      The picture.

    Raises:
      InputError: if the file is absent, unreadable or damaged; it names the file.
    """
    if span is not None:
        return Picture(None, depth.read_stretched(pathlib.Path(path), span))
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror})") from error
    if data[:2] == b"\xff\xd8":
        upright = _upright(data)
        if upright is None:
            return Picture(data, decode(data, str(path)))
        return Picture(None, upright)
    if not data:
        raise InputError(f"{path}: empty file")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"{path}: not an image")
    return Picture(None, image)


def _decode_webp(data, name, reduction):
    """Decodes a WebP picture; see `decode`."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"{name}: damaged WebP")
    if reduction == 1:
        return image
    height, width = (-(-side // reduction) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _upright(data):
    """Returns the image if the file must be encoded anew, else None."""
    try:
        is_cmyk = simplejpeg.decode_jpeg_header(data)[2] in ("CMYK", "YCCK")
    except ValueError:
        return None  # `decode` says what is wrong.
    if not is_cmyk and b"Exif\0" not in data[:4096]:
        return None
    buffer, as_stored = np.frombuffer(data, np.uint8), cv2.IMREAD_IGNORE_ORIENTATION
    turned = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    stored = cv2.imdecode(buffer, cv2.IMREAD_COLOR | as_stored)
    if turned is None or (not is_cmyk and np.array_equal(turned, stored)):
        return None
    return turned[:, :, ::-1]
