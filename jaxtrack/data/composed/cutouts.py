"""Real objects with masks, cut out of video."""

import fnmatch
import functools
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.data import memory
from jaxtrack.data.composed import packed, photos
from jaxtrack.data.composed.packed import PackedSequence, Picture
from jaxtrack.errors import InputError

_LEAST_AREA = 100  # Smaller masks are left out, px.
_LEAST_PIECE = 0.03  # Smaller pieces are left out, fraction of the mask's area.
_MARGIN = 6  # Kept around the mask, px of the video.
_MAX_SIDE = 192  # Of a kept cut-out, px.
_KEPT = memory.number_kept(0.2e6, 0.1)  # Pictures cached per process.
_LEAST_OVERLAP = 0.6  # IoU of boxes below which the mask has jumped.
_SMOOTHING = 9  # Frames over which the object's size is averaged.


# A folder with `img` and `mask`, or a track of a packed folder.
MaskedSequence = pathlib.Path | PackedSequence


def find_cutouts(
    cutouts: str | os.PathLike | Sequence[str | os.PathLike | PackedSequence] | None,
    *,
    patterns: Sequence[str] = ("*",),
) -> list[MaskedSequence]:
    """Lists the sequences whose objects can be cut out.

    Args:
      cutouts: a folder of sequences, from which those with a `mask` folder are taken; a
        packed folder, from which the tracks with masks are taken; a list of sequence
        folders with masks, or of packed sequences; or None.
      patterns: glob patterns of a folder's sequences.

    Returns:
      Folders `<sequence>` with `img` and `mask`, or packed sequences; those of a folder
      are sorted by name.

    Raises:
      InputError: if a folder is missing or there are no masks.
    """
    if isinstance(cutouts, (str, os.PathLike)):
        return _choose(pathlib.Path(cutouts), patterns)
    sequences = [
        p if isinstance(p, PackedSequence) else pathlib.Path(p) for p in cutouts or ()
    ]
    folders = [p for p in sequences if isinstance(p, pathlib.Path)]
    for part in (folder / name for folder in folders for name in ("img", "mask")):
        if not part.is_dir():
            raise InputError(f"no folder {part}: cut-outs need img and mask")
    return sequences


def _choose(root, patterns):
    """Lists the sequences with masks in a folder whose names match a pattern."""
    if not root.is_dir():
        raise InputError(f"no folder of cut-outs at {root}")
    if packed.is_packed(root):
        sequences = packed.find_sequences(root)
    else:
        sequences = sorted(p for p in root.iterdir() if (p / "mask").is_dir())
    if not sequences:
        raise InputError(
            f"no masks under {root}: it needs sequences with img/0001.jpg and "
            "mask/0001.png"
        )
    fit = [
        s for s in sequences if any(fnmatch.fnmatchcase(s.name, p) for p in patterns)
    ]
    if not fit:
        raise InputError(
            f"no sequence {', '.join(patterns)} with masks in {root}: they are "
            f"{', '.join(s.name for s in sequences[:5])} ..."
        )
    return fit


class Cutout(NamedTuple):
    """One object of one video, frame by frame.

    In rest coordinates the mask's centroid is the origin and the object has a size of
    about one: `px = origin[f] + unit[f] * rest`, in pixels of video frame `f`.

    Attributes:
      images: the `F` frames of the video.
      outlines: for each frame the closed curves of its mask, tuple of `[N, 2]` rest
        coordinates; even-odd, so a curve within another is a hole.
      origin: `[F, 2]` px.
      unit: `[F]` px.
      window: the part of each frame that is kept, `[F, 4]` int xyxy px.
    """

    images: tuple[Picture, ...]
    outlines: tuple[tuple[np.ndarray, ...], ...]
    origin: np.ndarray
    unit: np.ndarray
    window: np.ndarray

    def texture(self, frame: int):
        """Returns pyramid levels, scale and offset, `[2]` each, of a video frame.

        A rest point is at `scale * rest + offset`, px of level 0.
        """
        x0, y0, x1, y1 = map(int, self.window[frame])
        levels = _read_pyramid(self.images[frame], (x0, y0, x1, y1))
        height, width = levels[0].shape[:2]
        shrunk = np.array([width / (x1 - x0), height / (y1 - y0)])
        offset = (self.origin[frame] - (x0, y0)) * shrunk
        return levels, self.unit[frame] * shrunk, offset


@functools.lru_cache(_KEPT)
def _read_pyramid(path, window):
    """Decodes a window `xyxy` of a picture, and caches it."""
    x0, y0, x1, y1 = window
    return photos.pyramid(
        photos.shrink(packed.read_picture(path)[y0:y1, x0:x1], _MAX_SIDE)
    )


def read_cutout(sequence: MaskedSequence) -> Cutout:
    """Reads the masks of a sequence; its pictures are decoded when they are drawn.

    Uses the longest run of frames in which the mask is never tiny and never jumps, as
    it does if something passes in front of the object.

    Args:
      sequence: a folder with `img/<frame>.jpg` and `mask/<frame>.png` (zero is
        background), or a packed sequence.

    Returns:
      The object.

    Raises:
      InputError: if a mask has no picture, cannot be read, or all are empty.
    """
    if isinstance(sequence, PackedSequence):
        frames, where = sequence.frames(), f"{sequence.folder}, {sequence.name}"
    else:
        frames, where = _files(sequence), str(sequence / "mask")
    all_shapes = [_read_curves(mask) for _, mask in frames]
    run = _longest_run(all_shapes)
    if not len(run):
        raise InputError(f"every mask in {where} is empty or tiny")
    images = tuple(frames[index][0] for index in run)
    for image in images:
        if isinstance(image, pathlib.Path) and not image.is_file():
            raise InputError(f"no picture {image} for its mask in {where}")
    shapes = [all_shapes[index] for index in run]
    area = np.array([shape.area for shape in shapes])
    box = np.array([shape.xyxy for shape in shapes], np.float64)
    unit = _smooth(np.sqrt(area))
    sides = np.sqrt((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]))
    unit = unit * np.median(sides / np.sqrt(area))
    origin = np.array([shape.centroid for shape in shapes])
    outlines = tuple(
        tuple((curve - o) / u for curve in shape.curves)
        for shape, o, u in zip(shapes, origin, unit, strict=True)
    )
    window = np.array([shape.window for shape in shapes])
    return Cutout(images, outlines, origin, unit, window)


class _Shape(NamedTuple):
    curves: list[np.ndarray]  # [N, 2] px.
    area: float
    centroid: np.ndarray
    xyxy: np.ndarray  # Of the curves, px.
    window: tuple[int, int, int, int]


def _files(folder):
    """Returns picture and mask for each mask in a sequence's folder."""
    masks = sorted((folder / "mask").glob("*.png"))
    if not masks:
        raise InputError(f"no masks in {folder / 'mask'}: it needs 0001.png ...")
    return [(folder / "img" / f"{mask.stem}.jpg", mask) for mask in masks]


def _read_curves(path: Picture) -> _Shape | None:
    """Reads a mask's curves; None if it is tiny."""
    mask = packed.read_mask(path).astype(np.uint8)
    area = cv2.countNonZero(mask)
    if area < _LEAST_AREA:
        return None
    curves, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    # Curves run through the centers of border pixels, half a pixel inside the mask,
    # which excludes the colors of the background.
    curves = [cv2.approxPolyDP(curve, 0.7, True)[:, 0] + 0.5 for curve in curves]
    least = _LEAST_PIECE * area
    areas = [len(c) >= 3 and cv2.contourArea(c.astype(np.float32)) for c in curves]
    large = [c for c, part in zip(curves, areas, strict=True) if part >= least]
    if not large:
        return None
    points = np.concatenate(large)
    xyxy = np.concatenate([points.min(0), points.max(0)])
    height, width = mask.shape
    x0, y0 = np.maximum(np.floor(xyxy[:2]).astype(int) - _MARGIN, 0)
    x1, y1 = np.minimum(np.ceil(xyxy[2:]).astype(int) + _MARGIN, (width, height))
    moments = cv2.moments(mask, binaryImage=True)
    centroid = np.array([moments["m10"], moments["m01"]]) / moments["m00"] + 0.5
    return _Shape(large, float(area), centroid, xyxy, (x0, y0, x1, y1))


def _longest_run(shapes: list[_Shape | None]) -> range:
    """Returns the indices of the longest run of shapes that change smoothly."""
    best = range(0)
    start = 0
    for index, shape in enumerate(shapes):
        if shape is None:
            start = index + 1
            continue
        if index > start and _overlap(shapes[index - 1], shape) < _LEAST_OVERLAP:
            start = index
        if index + 1 - start > len(best):
            best = range(start, index + 1)
    return best


def _overlap(a: _Shape, b: _Shape) -> float:
    """Returns the IoU of two boxes with aligned centroids."""
    low = [shape.xyxy[:2] - shape.centroid for shape in (a, b)]
    high = [shape.xyxy[2:] - shape.centroid for shape in (a, b)]
    shared = np.prod(np.maximum(np.minimum(*high) - np.maximum(*low), 0))
    return shared / (np.prod(high[0] - low[0]) + np.prod(high[1] - low[1]) - shared)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Returns a moving average of `values [F]`, with repeated ends."""
    half = _SMOOTHING // 2
    padded = np.pad(values, half, mode="edge")
    return np.convolve(padded, np.full(_SMOOTHING, 1 / _SMOOTHING), mode="valid")
