"""Converts the images and boxes of calling programs, with errors for wrong ones."""

from typing import Any

import numpy as np

from jaxtrack.errors import InputError

# Resampling slightly overshoots [0, 1].
_OVERSHOOT = 1e-3
# Modes of PIL's images whose array is the picture, unlike a palette's or CMYK's.
_PLAIN_MODES = ("RGB", "I;16", "I", "F")


def to_rgb(image: Any, *, where: str = "the picture") -> np.ndarray:
    """Converts an image to the format of trackers.

    Gray becomes three equal channels, a fourth channel (alpha) is dropped, 16 bits are
    cut to 8 unless 8 hold all levels, floats in [0, 1] are multiplied by 255, and PIL
    converts its palettes, CMYK and other modes. The order RGB cannot be checked:
    reverse the channels of images read by OpenCV (`image[..., ::-1]`).

    Args:
      image: `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]`, uint8, uint16 or floats:
        an array, or anything that numpy converts (PIL, jax, torch on the host).
      where: name of the image in messages.

    Returns:
      `[H, W, 3]` uint8 RGB; the same array if it already was.

    Raises:
      InputError: if it is anything else.
    """
    image = _as_array(image, where)
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
        if not image.size:
            raise InputError(f"{where} is empty: its shape is {image.shape}")
        return image
    pixels = _eight_bits(_with_channels(image, where), where)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])


def to_boxes(xywh: Any, *, where: str = "the first box") -> np.ndarray:
    """Reads one box, or several.

    Args:
      xywh: `[4]` or `[1, 4]`, x, y, width and height in pixels, or `[n, 4]` of n boxes.
      where: name of the box in messages.

    Returns:
      `[4]` float64 for one box, `[n, 4]` for n > 1.

    Raises:
      InputError: if it is anything else.
    """
    try:
        boxes = np.asarray(xywh, np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{where} is {xywh!r}: give four numbers x, y, width, height, or n rows of "
            "four"
        ) from None
    if boxes.shape == (4,):
        return boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not len(boxes):
        raise InputError(
            f"{where} has the shape {boxes.shape}: give four numbers x, y, width, "
            "height, or n rows of four"
        )
    return boxes[0] if len(boxes) == 1 else boxes


def _as_array(image, where):
    """Returns an image as an array."""
    try:
        # A memmap has a mode, too: of its file.
        is_array = isinstance(image, np.ndarray)
        if not is_array and getattr(image, "mode", "RGB") not in _PLAIN_MODES:
            image = image.convert("RGB")
        return np.asarray(image)
    except (AttributeError, TypeError, ValueError, RuntimeError) as fault:
        raise InputError(
            f"{where} is no array, and numpy cannot make one of it: {fault}"
        ) from fault


def _with_channels(image, where):
    """Returns an image as `[H, W, 1, 3 or 4]`."""
    if image.ndim == 2:
        image = image[..., None]
    shape = image.shape
    if image.ndim == 3 and shape[2] not in (1, 3, 4) and shape[0] in (1, 3, 4):
        raise InputError(
            f"{where} has its channels first, {shape}: give [H, W, 3], such as "
            "image.transpose(1, 2, 0)"
        )
    if image.ndim == 4:
        raise InputError(f"{where} is a batch, {shape}: give one image after another")
    if image.ndim != 3 or shape[2] not in (1, 3, 4):
        raise InputError(
            f"{where} has the shape {shape}: give [H, W, 3] RGB, [H, W] gray or "
            "[H, W, 4] RGBA"
        )
    if not image.size:
        raise InputError(f"{where} is empty: its shape is {shape}")
    return image


def _eight_bits(image, where):
    """Returns an image as uint8."""
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return (image >> 8 * (image.max() > 255)).astype(np.uint8)
    if not np.issubdtype(image.dtype, np.floating):
        raise InputError(
            f"{where} is of {image.dtype}: give uint8, such as "
            "image.clip(0, 255).astype(np.uint8)"
        )
    low, high = float(np.min(image)), float(np.max(image))
    if np.isnan(low) or np.isnan(high):
        raise InputError(f"{where} has NaN among its pixels: replace them first")
    if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
        raise InputError(
            f"{where} has floats from {low:g} to {high:g}: scale them to [0, 1], or "
            "give uint8 of 0 to 255"
        )
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
