"""The parts of a frame that training pairs can show, and their resolution."""

import dataclasses
from typing import NamedTuple

import numpy as np

from jaxtrack.data import crops
from jaxtrack.data.settings import Augmentation, PairSettings

REDUCTIONS = (1, 2, 4)  # That crops may need; see `crops.reduction`.

_ALIGNMENT = 8  # Corners are multiples of it, whole pixels when reduced, px.
_MARGIN = 8  # Two blocks of the strongest averaging on each side, px.
_SLACK = 1e-6  # Relative; views are drawn in float64.


class Crop(NamedTuple):
    """How the views of one of a pair's two crops are drawn.

    Attributes:
      size: side of the crop, px.
      shift: its largest shift along each axis, px of the unscaled crop.
      smallest: smallest factor of its sides.
      largest: largest factor of its sides.
      aspect: largest log-aspect.
    """

    size: int
    shift: float
    smallest: float
    largest: float
    aspect: float


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Bounds of `transforms.draw_views`: any frame may be used for either crop.

    Attributes:
      template: bounds of the template crop.
      search: bounds of the search crop.
      context: factor of the context around a box.
    """

    template: Crop
    search: Crop
    context: float

    def regions(self, xyxy: np.ndarray) -> np.ndarray:
        """Returns the regions that crops around boxes may read.

        Args:
          xyxy: boxes, `[N, 4]` px of the full-size frame, none of them NaN.

        Returns:
          `[N, 4]` int64 xyxy px of the full-size frame, not clipped to it.
        """
        per_pixel = self._per_pixel(xyxy)
        reach = max(
            crop.shift + crop.size * crop.largest * np.exp(crop.aspect / 2) / 2
            for crop in (self.template, self.search)
        )
        half = (per_pixel * (reach * (1 + _SLACK)) + _MARGIN)[:, None]
        centers = (xyxy[:, :2].astype(np.float64) + xyxy[:, 2:]) / 2
        low, high = (centers - half) / _ALIGNMENT, (centers + half) / _ALIGNMENT
        aligned = np.concatenate([np.floor(low), np.ceil(high)], axis=1)
        return aligned.astype(np.int64) * _ALIGNMENT

    def reductions(self, xyxy: np.ndarray) -> np.ndarray:
        """Returns how much frames may be reduced for crops around boxes.

        Args:
          xyxy: boxes, `[N, 4]` px of the full-size frame, none of them NaN.

        Returns:
          `[N, 3]` bool: whether some crop needs each of `REDUCTIONS`.
        """
        per_pixel = self._per_pixel(xyxy)
        asked = np.zeros((len(xyxy), len(REDUCTIONS)), bool)
        for crop in (self.template, self.search):
            low = per_pixel * crop.smallest * (1 - _SLACK)
            high = per_pixel * crop.largest * (1 + _SLACK)
            first, last = (crops.reductions(ratio) for ratio in (low, high))
            for column, reduction in enumerate(REDUCTIONS):
                asked[:, column] |= (first <= reduction) & (reduction <= last)
        return asked

    def _per_pixel(self, xyxy):
        """Returns frame pixels per unscaled crop pixel for each box."""
        wh = xyxy[:, 2:].astype(np.float64) - xyxy[:, :2]
        pad = self.context * wh.sum(axis=1, keepdims=True)
        return np.sqrt(np.prod(wh + pad, axis=1)) / self.template.size


def of_pairs(settings: PairSettings, augmentation: Augmentation) -> Footprint:
    """Returns the bounds of pairs drawn with these settings."""
    a = augmentation

    def crop(size, shift, scale, aspect):
        if a.jitter == "pysot":
            return Crop(size, shift, max(1 - scale, 0.0), 1 + scale, aspect)
        return Crop(size, shift * (1 + scale), 1 / (1 + scale), 1 + scale, aspect)

    z = crop(settings.template_size, a.template_shift, a.template_scale, 0.0)
    x = crop(settings.search_size, a.search_shift, a.search_scale, a.aspect)
    return Footprint(z, x, settings.context)
