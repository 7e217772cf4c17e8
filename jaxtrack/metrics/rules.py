"""The choices that make one toolkit's scores differ from another's."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Dialect:
    """The rules one toolkit scores by; `ope.score` reads nothing else.

    Attributes:
      name: key in `dialects.DIALECTS`.
      summary: one sentence for reports.
      success_thresholds: of the IoU; a frame counts where `iou > t`.
      precision_thresholds: of the centre error, px; counts where `error <= t`.
      norm_thresholds: of the centre error in units of the true width and height.
      first_frame: "replaced" counts row 0 as if the tracker had answered the ground
        truth; "counted" as it is; "dropped" leaves it out.
      usable: which ground-truth rows count as annotated. "all_positive": x, y, width
        and height are above 0; "positive_size": width and height are; "annotated":
        no number is NaN; "any": every row.
      unusable: "missed" gives such frames IoU -1 and the errors below and leaves them
        in the denominator; "removed" takes them out.
      averaging: "sequences" means over sequences' curves; "frames" over all frames.
      at_least: whether success is `iou >= t` instead.
      absent: what the caller's flags of absence do. "ignored": nothing; "removed":
        such frames count for nothing, yet stay in the denominator; "missed": they
        never succeed and are never precise.
      reads_cover: whether frames of cover 0 are taken out, and no others, where the
        caller gives covers.
      judges_centers: whether, instead of `usable`, the true centre decides for the
        errors: both of its coordinates (in px, or in widths and heights) above 0.
      unusable_center_error: of an unusable frame; -1 counts as precise, inf does not.
      inclusive_edges: right edge computed as x + width - 1, areas alike: the same
        number in exact arithmetic, another rounding.
      iou_epsilon: added to the union.
      clip_iou: IoU clipped to [0, 1].
      bound_to_image: both boxes moved into the image first, the way the GOT-10k
        toolkit does, where the caller gives image sizes.
      whole_pixels: all numbers of all boxes rounded to integers first.
      center_shift: centres are x + (width + shift) / 2; cancels but for rounding.
      center_decimals: decimals the centre error is rounded to; None keeps all.
      norm_error: see `overlap.norm_error_xywh`.
      auc_is: "mean" of the success curve or "area" under it (trapezoids).
      precision_is: "at" 20 px or "area" under the curve.
      norm_precision_is: "at" 0.2, "mean" of the curve or "area" under it.
      ao_over: "counted" averages the overlap over the frames of the shares; "usable"
        over those with an overlap.
      single_precision: whether a sequence's curves are rounded to float32.
      drops_zero_curves: whether a sequence whose whole curve is 0 is left out of the
        mean of these curves.
      repeats: which of a tracker's boxes are replaced by the one before: "none";
        "not_positive": NaN, or of no positive size; "zero_size".
      surplus_cut: patterns of the names of sequences whose surplus results are cut
        off; in others they are refused.
      missing_rows: what too few results become: "refused"; "zeros": boxes of 0;
        "lost": frames that never succeed and are never precise; "cut": the frames
        without results are not scored.
      missing_sequence: "refused" or "zeros", boxes of 0.
      accepts_nan_truth: whether ground truth may have rows with NaN.
      both_empty: what a frame is whose two boxes have no area: "zero" overlap,
        "refused", or "missed", also at the threshold 0.
    """

    name: str
    summary: str
    success_thresholds: tuple[float, ...]
    precision_thresholds: tuple[float, ...]
    norm_thresholds: tuple[float, ...]
    first_frame: Literal["replaced", "counted", "dropped"]
    usable: Literal["all_positive", "positive_size", "annotated", "any"]
    unusable: Literal["missed", "removed"] = "missed"
    averaging: Literal["sequences", "frames"] = "sequences"
    at_least: bool = False
    absent: Literal["ignored", "removed", "missed"] = "ignored"
    reads_cover: bool = False
    judges_centers: bool = False
    unusable_center_error: float = -1.0
    inclusive_edges: bool = False
    iou_epsilon: float = 0.0
    clip_iou: bool = False
    bound_to_image: bool = False
    whole_pixels: bool = False
    center_shift: float = -1.0
    center_decimals: int | None = None
    norm_error: Literal["centers", "floored", "stepwise"] = "centers"
    auc_is: Literal["mean", "area"] = "mean"
    precision_is: Literal["at", "area"] = "at"
    norm_precision_is: Literal["at", "mean", "area"] = "at"
    ao_over: Literal["counted", "usable"] = "counted"
    single_precision: bool = False
    drops_zero_curves: bool = False
    repeats: Literal["none", "not_positive", "zero_size"] = "none"
    surplus_cut: tuple[str, ...] = ()
    missing_rows: Literal["refused", "zeros", "lost", "cut"] = "refused"
    missing_sequence: Literal["refused", "zeros"] = "refused"
    accepts_nan_truth: bool = True
    both_empty: Literal["zero", "refused", "missed"] = "zero"
