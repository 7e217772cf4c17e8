"""Encoded pictures: checked when packed, decoded fast when read.

`simplejpeg` decodes to the same values as OpenCV in two thirds of its time, and rejects
truncated files, whose rest OpenCV fills with gray.
"""

import pathlib
from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg

from jaxtrack.datasets import depth, pictures
from jaxtrack.errors import InputError

FORMATS = ("jpeg", "webp")
REDUCTIONS = (1, 2, 4, 8)
_MOST_PIXELS = 1 << 30  # As OpenCV's limit; a header may promise 65,500 x 65,500.
QUALITY = 90  # Of pictures that are encoded again; see docs/performance.md.


class Picture(NamedTuple):
    """A valid picture file.

    Attributes:
      data: its bytes, if they are a JPEG that `decode` reads upright; otherwise None.
      image: `[H, W, 3]` uint8 RGB, upright.
    """

    data: bytes | None
    image: np.ndarray


def decode(data: bytes, name: str, *, reduction: int = 1) -> np.ndarray:
    """Decodes a JPEG or WebP picture, optionally at reduced size.

    A reduced JPEG is made from the low frequencies of each 8 x 8 block, so its pixels
    are averages: it has no aliasing, and takes less time than the whole image. A WebP
    picture is decoded as a whole, then averaged.

    Args:
      data: the encoded picture.
      name: for the error message.
      reduction: 1, 2, 4 or 8 times smaller on each axis (rounded up).

    Returns:
      `[H, W, 3]` uint8 RGB.

    Raises:
      InputError: if the bytes are damaged.
      ValueError: if the reduction is not one of these.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction {reduction} is not one of {REDUCTIONS}")
    if data[:4] == b"RIFF":
        return _decode_webp(data, name, reduction)
    try:
        hw = simplejpeg.decode_jpeg_header(data)[:2]
        if hw[0] * hw[1] > _MOST_PIXELS:
            raise InputError(f"{name}: JPEG of {hw[1]} x {hw[0]} pixels: too large")
        if reduction == 1:
            return simplejpeg.decode_jpeg(data)
        height, width = (-(-side // reduction) for side in hw)
        return simplejpeg.decode_jpeg(data, min_height=height, min_width=width)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
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
      subsampling: of a JPEG's colors: "420" is half resolution, as from cameras, "444"
        is full resolution.

    Returns:
      Bytes that `decode` reads.
    """
    if format == "webp":
        options = [cv2.IMWRITE_WEBP_QUALITY, quality]
        return cv2.imencode(".webp", image[:, :, ::-1], options)[1].tobytes()
    image = np.ascontiguousarray(image)
    return simplejpeg.encode_jpeg(image, quality=quality, colorsubsampling=subsampling)


def encode_mask(mask: np.ndarray) -> bytes:
    """Encodes a mask, `[H, W]` bool, as a PNG with one bit per pixel."""
    options = [cv2.IMWRITE_PNG_BILEVEL, 1]
    return cv2.imencode(".png", np.uint8(mask) * 255, options)[1].tobytes()


def decode_mask(data: bytes, name: str) -> np.ndarray:
    """Decodes a mask.

    Args:
      data: the encoded mask; every value but 0 is the object.
      name: for the error message.

    Returns:
      `[H, W]` bool.

    Raises:
      InputError: if the bytes are damaged.
    """
    mask = pictures.decode(data, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise InputError(f"{name}: cannot read the mask: damaged or not an image")
    return mask > 0


def read(path: str | pathlib.Path, *, span: depth.Range | None = None) -> Picture:
    """Reads a picture file, and decodes it to check that it is valid.

    Args:
      path: in any format that OpenCV reads; Exif rotation is applied.
      span: range of levels of its sequence, if they have more than eight bits.

    Returns:
      The picture.

    Raises:
      InputError: if the file is missing, unreadable or damaged; names the file.
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
    image = pictures.decode(data, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"{path}: not an image")
    return Picture(None, image)


def _decode_webp(data, name, reduction):
    """Decodes a WebP picture; see `decode`."""
    image = pictures.decode(data, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"{name}: damaged WebP")
    if reduction == 1:
        return image
    height, width = (-(-side // reduction) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _upright(data):
    """Returns the image if the file must be encoded again, otherwise None."""
    try:
        is_cmyk = simplejpeg.decode_jpeg_header(data)[2] in ("CMYK", "YCCK")
    except ValueError:
        return None  # `decode` gives the error.
    if not is_cmyk and not pictures.has_exif(data):
        return None
    turned = pictures.decode(data, cv2.IMREAD_COLOR)
    stored = pictures.decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if turned is None or (not is_cmyk and np.array_equal(turned, stored)):
        return None
    return turned[:, :, ::-1]
