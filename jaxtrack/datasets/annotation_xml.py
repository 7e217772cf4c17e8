"""Annotations of a picture in XML, as PASCAL VOC and ImageNet have them."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import layout
from jaxtrack.errors import InputError

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_FAULTS = (ElementTree.ParseError, OSError, TypeError, ValueError, OverflowError)


class Annotation(NamedTuple):
    """Objects of a picture.

    Attributes:
      corners: `[K, 4]` float64 xmin, ymin, xmax, ymax as the file says.
      tracks: K words that name the objects of a video; "" of a photograph's.
      is_difficult: `[K]` bool, VOC's flag.
      size: (width, height), px, where the file states it.
    """

    corners: np.ndarray
    tracks: list[str]
    is_difficult: np.ndarray
    size: tuple[int, int] | None


def read(path: Path) -> Annotation:
    """Reads a file of annotations.

    Args:
      path: of the XML.

    Raises:
      InputError: it is absent, malformed, or an object has no box.
    """
    try:
        tree = ElementTree.parse(path).getroot()
        objects = tree.findall("object")
        corners = [
            [float(entry.findtext(f"bndbox/{side}")) for side in _SIDES]
            for entry in objects
        ]
        sides = (tree.findtext(f"size/{side}", "0") for side in ("width", "height"))
        size = [int(float(side)) for side in sides]
    except FileNotFoundError:
        raise layout.wrong_layout(path.parent, f"a file {path.name}") from None
    except _FAULTS as fault:
        raise InputError(f"{path}: annotations cannot be read ({fault})") from None
    return Annotation(
        corners=np.array(corners, np.float64).reshape(-1, 4),
        tracks=[entry.findtext("trackid", "") for entry in objects],
        is_difficult=np.array(
            [entry.findtext("difficult", "0").strip() == "1" for entry in objects], bool
        ),
        size=(size[0], size[1]) if min(size) > 0 else None,
    )


def xyxy_from_indices(annotation: Annotation, *, origin: int) -> np.ndarray:
    """Converts corners that are pixel indices, both included, to ours.

        x0 = xmin - origin,  x1 = xmax - origin + 1,  and so for y, cut at the picture

    Args:
      annotation: of a picture.
      origin: number of the first pixel: 1 in VOC, 0 in ImageNet.

    Returns:
      `[K, 4]` xyxy, continuous px.
    """
    xyxy = annotation.corners - origin
    xyxy[:, 2:] += 1
    if annotation.size is not None:
        np.minimum(xyxy[:, 2:], annotation.size, out=xyxy[:, 2:])
    return xyxy
