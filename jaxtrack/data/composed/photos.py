"""Photographs: listing and decoding them, with a cache."""

import functools
import importlib.util
import os
import pathlib
from collections.abc import Sequence

import cv2
import numpy as np

from jaxtrack.data import memory
from jaxtrack.data.composed import packed
from jaxtrack.data.composed.packed import PackedPicture, Picture
from jaxtrack.errors import InputError, missing

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
MAX_SIDE = 640  # Photographs are shrunk to this, px.
_KEPT = memory.number_kept(1.6e6, 0.2)  # Photographs cached per process.
_LEAST_LEVEL = 24  # Shorter side of the smallest pyramid level, px.

# Photographs in scikit-image's wheel; only one image of the stereo pair, so that the
# splits never share a scene.
_SCIKIT_IMAGE = """
astronaut.png brick.png camera.png chelsea.png coffee.png coins.png grass.png gravel.png
hubble_deep_field.jpg ihc.png moon.png motorcycle_left.png retina.jpg rocket.jpg
""".split()

PathLike = str | os.PathLike


def find_photographs(
    photos: PathLike | Sequence[PathLike] | None = None,
) -> list[pathlib.Path] | list[PackedPicture]:
    """Lists photographs without opening them.

    Args:
      photos: a folder (searched recursively), a packed folder with photographs, a list
        of files, or None for the photographs of the installed scikit-image.

    Returns:
      Paths or packed pictures; those of a folder are sorted, a list keeps its order.

    Raises:
      InputError: if a file or folder is missing, or there are no photographs.
    """
    if photos is None:
        return _scikit_image_photographs()
    if not isinstance(photos, (str, os.PathLike)):
        photographs = [pathlib.Path(p) for p in photos]
        if absent := [p for p in photographs if not p.is_file()]:
            raise InputError(f"no photograph {absent[0]} ({len(absent)} are missing)")
        if not photographs:
            raise InputError("the list of photographs is empty: give two or more files")
        return photographs
    folder = pathlib.Path(photos)
    if not folder.is_dir():
        raise InputError(f"no folder of photographs at {folder}")
    if packed.is_packed(folder):
        return packed.find_photographs(folder)
    files = (p for p in folder.rglob("*") if p.is_file())
    if photographs := sorted(p for p in files if p.suffix.lower() in SUFFIXES):
        return photographs
    suffixes = ", ".join(SUFFIXES)
    raise InputError(f"no photographs in {folder}: it needs files ending in {suffixes}")


def _scikit_image_photographs() -> list[pathlib.Path]:
    # find_spec locates the package without importing it.
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"the default photographs come with scikit-image: {missing('skimage')}, or "
            "name a folder of photographs"
        )
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "data"
    if photographs := [folder / n for n in _SCIKIT_IMAGE if (folder / n).is_file()]:
        return photographs
    raise InputError(f"no known photographs in {folder}: name a folder of photographs")


def shrink(image: np.ndarray, max_side: int) -> np.ndarray:
    """Area-averages a picture down so that no side exceeds `max_side` px.

    Args:
      image: `[H, W, 3]` uint8.
      max_side: largest side of the result, px.

    Returns:
      The picture; each side is rounded to a whole pixel.
    """
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def pyramid(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Returns the picture at full, half, quarter size and so on, `[H, W, 4]` uint8.

    The fourth channel is padding: OpenCV warps four channels in 0.4 of the time for
    three.

    Level l is the 2x2 area mean of level l - 1 without an odd last row or column;
    so point `xy` of level 0 is `xy / 2**l` of level l, edge origin.
    """
    levels = [cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)]
    while min(levels[-1].shape[:2]) >= 2 * _LEAST_LEVEL:
        height, width = (side // 2 for side in levels[-1].shape[:2])
        even = levels[-1][: 2 * height, : 2 * width]
        levels.append(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    return tuple(levels)


@functools.lru_cache(_KEPT)
def read_pyramid(photo: Picture) -> tuple[np.ndarray, ...]:
    """Decodes a photograph into a pyramid of at most `MAX_SIDE` px, and caches it."""
    return pyramid(shrink(packed.read_picture(photo), MAX_SIDE))
