"""What toolkits for one-pass evaluation disagree about, as data."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from jaxtrack.errors import InputError


@dataclass(frozen=True)
class Dialect:
    """The rules one toolkit scores by; `ope.score` reads nothing else.

    Every threshold counts `iou > t`, `center error <= t`, `normalised error <= t`.

    Attributes:
      name: key in `DIALECTS`.
      summary: one sentence for reports.
      success_thresholds: of the IoU.
      precision_thresholds: of the centre error, px.
      norm_thresholds: of the centre error in units of the true width and height.
      first_frame: "replaced" counts row 0 as if the tracker had answered the ground
        truth; "dropped" leaves it out.
      usable: which ground-truth rows count as annotated. "all_positive": x, y, width
        and height are above 0 (coordinates from 1); "positive_size": width and height
        are above 0 and nothing is NaN; "visible": that, and the caller's visibility
        flag where there is one.
      unusable: "minus_one" gives such frames IoU -1 and errors -1 (never a success,
        always precise, in the denominator); "removed" takes them out.
      averaging: "sequences" means over sequences' values; "frames" over all frames.
      inclusive_edges: right edge computed as x + width - 1, areas alike: the same
        number in exact arithmetic, another rounding.
      iou_epsilon: added to the union.
      clip_iou: IoU clipped to [0, 1].
      bound_to_image: both boxes moved into the image first, the way the GOT-10k
        toolkit does, where the caller gives image sizes.
      center_decimals: decimals the centre error is rounded to; None keeps all.
    """

    name: str
    summary: str
    success_thresholds: tuple[float, ...]
    precision_thresholds: tuple[float, ...]
    norm_thresholds: tuple[float, ...]
    first_frame: Literal["replaced", "dropped"]
    usable: Literal["all_positive", "positive_size", "visible"]
    unusable: Literal["minus_one", "removed"]
    averaging: Literal["sequences", "frames"]
    inclusive_edges: bool = False
    iou_epsilon: float = 0.0
    clip_iou: bool = False
    bound_to_image: bool = False
    center_decimals: int | None = None


_SUCCESS_21 = tuple(np.arange(0, 1.05, 0.05).tolist())
_SUCCESS_101 = tuple(np.linspace(0, 1, 101).tolist())
_PIXELS_51 = tuple(np.arange(0, 51, dtype=np.float64).tolist())
_NORM_51 = tuple((np.arange(0, 51, dtype=np.float64) / 100).tolist())

OTB = Dialect(
    name="otb",
    summary=(
        "The OTB benchmark's Python toolkit: 21 thresholds, the first frame counts, "
        "and a frame whose true x, y, width or height is not above 0 never succeeds."
    ),
    success_thresholds=_SUCCESS_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="replaced",
    usable="all_positive",
    unusable="minus_one",
    averaging="sequences",
    inclusive_edges=True,
    center_decimals=4,
)
NO_FIRST = Dialect(
    name="no_first",
    summary=(
        "This project's own: OTB's thresholds and averaging without the first frame, "
        "which every tracker is given; boxes touching x = 0 or y = 0 count like any."
    ),
    success_thresholds=_SUCCESS_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="dropped",
    usable="positive_size",
    unusable="removed",
    averaging="sequences",
)
GOT10K = Dialect(
    name="got10k",
    summary=(
        "The GOT-10k toolkit on its validation set: visible frames of all sequences "
        "pooled, the first of each left out, 101 thresholds."
    ),
    success_thresholds=_SUCCESS_101,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="dropped",
    usable="visible",
    unusable="removed",
    averaging="frames",
    iou_epsilon=float(np.finfo(np.float64).eps),
    clip_iou=True,
    bound_to_image=True,
)

DIALECTS = {"otb": OTB, "no_first": NO_FIRST, "got10k": GOT10K}


def dialect_named(name: str) -> Dialect:
    """Returns the dialect of that name.

    Raises:
      InputError: there is none.
    """
    if name not in DIALECTS:
        raise InputError(
            f"unknown scoring dialect {name!r}: choose from {', '.join(DIALECTS)}"
        )
    return DIALECTS[name]
