"""The part of a frame that is stored: all of it, or the surroundings of each target.

A template shows a square of side `s = crops.context_side(wh)` at about 127 px, and a
search crop at most `EXTENT` such sides, with the shifts and scales of all configs
(`transforms.reach`). So a picture of that part in which `s` is 127 px, the resolution
that pysot stores, contains everything that training reads.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.data import crops, encoding, frames
from jaxtrack.errors import InputError

CROPS = ("track", "whole", "511")
EXTENT = 4.2
_TEMPLATE = 127  # px.
SIDE = round(EXTENT * _TEMPLATE)  # 533 px.
PYSOT_SIDE = 511


@dataclass(frozen=True)
class Shrink:
    """How frames are stored.

    Attributes:
      crop: "track" cuts out `EXTENT` template sides around each target, up to the
        frame's border; "whole" keeps the frame; "511" resamples to pysot's squares.
      longest_side: of a picture of `EXTENT` sides, or of a whole frame, px; larger ones
        are shrunk. 0 is `SIDE` for tracks, 511 for pysot's squares, and no limit for
        whole frames.
      quality: of encoding, 1 to 100; 0 is 90, but whole frames keep their bytes.
      format: "jpeg" or "webp".
      frames: largest number per track, spread evenly over those with a box; 0 for all.
    """

    crop: str = "track"
    longest_side: int = 0
    quality: int = 0
    format: str = "jpeg"
    frames: int = 0

    @property
    def extent(self) -> float:
        """Side of the part around a target, in template sides; 0 for whole frames."""
        extents = {"track": EXTENT, "whole": 0.0, "511": PYSOT_SIDE / _TEMPLATE}
        return extents[self.crop]


WHOLE = Shrink(crop="whole")  # Unchanged frames.


class Window(NamedTuple):
    """A part of a frame that is stored as one picture.

    Attributes:
      xyxy: the part, `[4]` int px of the frame.
      wh: width and height of the picture, px.
      targets: indices of its targets.
    """

    xyxy: tuple[int, int, int, int]
    wh: tuple[int, int]
    targets: tuple[int, ...]

    def place(self, xyxy: np.ndarray) -> np.ndarray:
        """Converts a box of the frame, `[4]` xyxy px, to px of the picture."""
        x0, y0, x1, y1 = self.xyxy
        scale = np.array(self.wh) / (x1 - x0, y1 - y0)
        return (xyxy - np.tile((x0, y0), 2)) * np.tile(scale, 2)

    def cut(self, image: np.ndarray) -> np.ndarray:
        """Cuts the picture out of a frame or a mask, with area averaging.

        Args:
          image: `[H, W, 3]` or `[H, W]` uint8.

        Returns:
          `[h, w, 3]` or `[h, w]` uint8.
        """
        x0, y0, x1, y1 = self.xyxy
        part = image[y0:y1, x0:x1]
        if self.wh == (x1 - x0, y1 - y0):
            return part
        return cv2.resize(part, self.wh, interpolation=cv2.INTER_AREA)


def check(shrink: Shrink) -> None:
    """Checks the settings.

    Args:
      shrink: how frames are stored.

    Raises:
      InputError: a choice is unknown, or a number is out of range.
    """
    choices = (("crop", CROPS), ("format", encoding.FORMATS))
    for name, known in choices:
        if (value := getattr(shrink, name)) not in known:
            raise InputError(f"--{name}={value}: expected one of {', '.join(known)}")
    if shrink.quality > 100:
        raise InputError(f"--quality={shrink.quality}: expected 1 to 100")


def windows(xyxy: np.ndarray, hw: tuple[int, int], shrink: Shrink) -> list[Window]:
    """Returns which parts of a frame are stored, and their sizes.

    Targets share one picture if it has fewer pixels than their separate windows.

    Args:
      xyxy: boxes of the targets in the frame, `[K, 4]` px.
      hw: height and width of the frame.
      shrink: how frames are stored; its crop is "track" or "whole".

    Returns:
      Windows; each target is in one of them.
    """
    targets = tuple(range(len(xyxy)))
    if shrink.crop == "whole":
        scale = min(1.0, (shrink.longest_side or max(hw)) / max(hw))
        return [_window((0, 0, hw[1], hw[0]), scale, targets)]
    side = shrink.longest_side or SIDE
    own, scales = [], []
    for number, box in enumerate(np.asarray(xyxy, np.float64)):
        wide = EXTENT * crops.context_side(box[2:] - box[:2])
        center = (box[:2] + box[2:]) / 2
        low = np.clip(np.floor(center - wide / 2), 0, (hw[1] - 1, hw[0] - 1))
        high = np.clip(np.ceil(center + wide / 2), low + 1, (hw[1], hw[0]))
        scales.append(min(1.0, side / wide))
        bounds = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        own.append(_window(bounds, scales[-1], (number,)))
    if len(own) < 2:
        return own
    corners = np.array([window.xyxy for window in own])
    bounds = (*corners[:, :2].min(0).tolist(), *corners[:, 2:].max(0).tolist())
    shared = _window(bounds, max(scales), targets)
    pixels = sum(window.wh[0] * window.wh[1] for window in own)
    return own if pixels < shared.wh[0] * shared.wh[1] else [shared]


def pysot_crop(
    image: np.ndarray, xyxy: np.ndarray, shrink: Shrink
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts pysot's square around a target, padded with the frame's mean color.

    Args:
      image: the frame, `[H, W, 3]` uint8.
      xyxy: box of the target, `[4]` px.
      shrink: gives the side.

    Returns:
      The crop, `[S, S, 3]` uint8, and the box in it, `[4]` xyxy px.
    """
    side = shrink.longest_side or PYSOT_SIDE
    wide = shrink.extent * crops.context_side(xyxy[2:] - xyxy[:2])
    view = crops.View((xyxy[:2] + xyxy[2:]) / 2, np.array([wide, wide]))
    fill = np.array(cv2.mean(image)[:3])
    return crops.cut(frames.whole(image), view, side, fill), crops.to_crop(
        xyxy, view, side
    )


def choose_times(xyxy: np.ndarray, shrink: Shrink) -> np.ndarray:
    """Chooses the frames of a track that are stored.

    Args:
      xyxy: boxes, `[T, 4]`, NaN if the object is absent.
      shrink: gives their number.

    Returns:
      Their indices, ascending: all without a limit, otherwise of frames with a box.
    """
    if not shrink.frames:
        return np.arange(len(xyxy))
    seen = np.flatnonzero(~np.isnan(xyxy).any(axis=1))
    if len(seen) <= shrink.frames:
        return seen
    return seen[np.linspace(0, len(seen) - 1, shrink.frames).round().astype(int)]


def _window(bounds, scale, targets):
    """Makes a window whose picture is `scale` times as large, in whole pixels."""
    x0, y0, x1, y1 = bounds
    wh = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    return Window(bounds, wh, targets)
