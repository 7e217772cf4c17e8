"""Protocols of one-pass evaluation: the rules of each toolkit, as data."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from jaxtrack.errors import InputError, suggest

_STEPS_20 = tuple((np.arange(21) / 20).tolist())
_ARANGE_21 = tuple(np.arange(0, 1.05, 0.05).tolist())
_LINSPACE_21 = tuple(np.linspace(0, 1, 21).tolist())
_LINSPACE_101 = tuple(np.linspace(0, 1, 101).tolist())
_PIXELS_51 = tuple(np.arange(0, 51, dtype=np.float64).tolist())
_NORM_51 = tuple((np.arange(0, 51, dtype=np.float64) / 100).tolist())


@dataclass(frozen=True, kw_only=True)
class OpeProtocol:
    """The rules one toolkit scores by; `ope.score` reads nothing else.

    Attributes:
      name: key in `protocols.PROTOCOLS`.
      summary: one sentence for reports.
      success_thresholds: of the IoU; a frame counts where `iou > t`.
      precision_thresholds: of the center error, px; counts where `error <= t`.
      norm_thresholds: of the center error in units of the true width and height.
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
      judges_centers: whether, instead of `usable`, the true center decides for the
        errors: both of its coordinates (in px, or in widths and heights) above 0.
      unusable_center_error: of an unusable frame; -1 counts as precise, inf does not.
      inclusive_edges: right edge computed as x + width - 1, areas alike: the same
        number in exact arithmetic, another rounding.
      iou_epsilon: added to the union.
      clip_iou: IoU clipped to [0, 1].
      bound_to_image: both boxes moved into the image first, the way the GOT-10k
        toolkit does, where the caller gives image sizes.
      whole_pixels: all numbers of all boxes rounded to integers first.
      center_shift: centers are x + (width + shift) / 2; cancels but for rounding.
      center_decimals: decimals the center error is rounded to; None keeps all.
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
      not_finite: what a row of results with NaN or infinity is: "refused", or "lost",
        a frame that never succeeds and is never precise.
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
    success_thresholds: tuple[float, ...] = _ARANGE_21
    precision_thresholds: tuple[float, ...] = _PIXELS_51
    norm_thresholds: tuple[float, ...] = _NORM_51
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
    not_finite: Literal["refused", "lost"] = "refused"
    surplus_cut: tuple[str, ...] = ()
    missing_rows: Literal["refused", "zeros", "lost", "cut"] = "refused"
    missing_sequence: Literal["refused", "zeros"] = "refused"
    accepts_nan_truth: bool = True
    both_empty: Literal["zero", "refused", "missed"] = "zero"


OTB = OpeProtocol(
    name="otb",
    summary=(
        "The OTB benchmark's Python toolkit: 21 thresholds, the first frame counts, "
        "and a frame whose true x, y, width or height is not above 0 never succeeds "
        "and is always precise."
    ),
    success_thresholds=_STEPS_20,
    first_frame="replaced",
    usable="all_positive",
    inclusive_edges=True,
    center_decimals=4,
    not_finite="lost",
    both_empty="refused",
)
LASOT = OpeProtocol(
    name="lasot",
    summary=(
        "The Matlab toolkit of LaSOT and TNL2K: OTB's rules; absent frames count for "
        "nothing but length, and damaged boxes are replaced by the one before."
    ),
    first_frame="replaced",
    usable="all_positive",
    absent="removed",
    inclusive_edges=True,
    drops_zero_curves=True,
    repeats="not_positive",
    surplus_cut=("*",),
)
PYSOT = OpeProtocol(
    name="pysot",
    summary=(
        "pysot: the first frame counts as answered; a frame without a true size never "
        "succeeds, one whose true center is not above 0 is always precise."
    ),
    first_frame="counted",
    usable="positive_size",
    judges_centers=True,
    clip_iou=True,
    not_finite="lost",
)
PYSOT_LASOT = replace(
    PYSOT,
    name="pysot_lasot",
    summary="pysot on LaSOT: absent frames count for nothing but length.",
    absent="removed",
    surplus_cut=("monkey-17",),
)
PYTRACKING_OTB = OpeProtocol(
    name="pytracking_otb",
    summary=(
        "pytracking on OTB, NfS and others: a frame without a true size never succeeds "
        "and is never precise, but is in normalized precision; curves are float32."
    ),
    first_frame="replaced",
    usable="positive_size",
    unusable_center_error=float("inf"),
    inclusive_edges=True,
    ao_over="usable",
    single_precision=True,
    repeats="zero_size",
    surplus_cut=("*",),
    missing_rows="zeros",
    accepts_nan_truth=False,
)
PYTRACKING_UAV = replace(
    PYTRACKING_OTB,
    name="pytracking_uav",
    summary=(
        "pytracking on UAV123: a frame without a true size never succeeds and is "
        "always precise; curves are float32."
    ),
    unusable_center_error=-1.0,
    accepts_nan_truth=True,
)
PYTRACKING_LASOT = replace(
    PYTRACKING_OTB,
    name="pytracking_lasot",
    summary=(
        "pytracking on LaSOT: absent frames never succeed and are never precise; "
        "curves are float32."
    ),
    absent="missed",
    missing_rows="refused",
)
GOT10K_OTB = OpeProtocol(
    name="got10k_otb",
    summary=(
        "The GOT-10k toolkit on OTB and NfS: the first frame counts as right, every "
        "frame is scored, one with NaN in the truth as a miss."
    ),
    success_thresholds=_LINSPACE_21,
    norm_thresholds=tuple(np.linspace(0, 0.5, 51).tolist()),
    first_frame="replaced",
    usable="any",
    iou_epsilon=float(np.finfo(np.float64).eps),
    clip_iou=True,
    norm_error="floored",
    norm_precision_is="mean",
    not_finite="lost",
    surplus_cut=("*",),
    missing_rows="cut",
)
GOT10K_UAV123 = replace(
    GOT10K_OTB,
    name="got10k_uav123",
    summary="The GOT-10k toolkit on UAV123: frames with NaN in the truth are left out.",
    usable="annotated",
    unusable="removed",
)
GOT10K_LASOT = replace(
    GOT10K_UAV123,
    name="got10k_lasot",
    summary=(
        "The GOT-10k toolkit on LaSOT: frames with NaN in the truth are left out, "
        "absent ones are not."
    ),
)
GOT10K = replace(
    GOT10K_OTB,
    name="got10k",
    summary=(
        "The GOT-10k toolkit on its validation set: visible frames of all sequences "
        "pooled, the first of each left out, 101 thresholds."
    ),
    success_thresholds=_LINSPACE_101,
    first_frame="dropped",
    usable="positive_size",
    unusable="removed",
    averaging="frames",
    reads_cover=True,
    bound_to_image=True,
    not_finite="refused",
    surplus_cut=(),
    missing_rows="refused",
)
TRACKINGNET = OpeProtocol(
    name="trackingnet",
    summary=(
        "TrackingNet's devkit: boxes rounded to whole pixels, success at thresholds "
        "reached, not passed, and all three numbers areas under 21-point curves."
    ),
    success_thresholds=_LINSPACE_21,
    precision_thresholds=tuple(np.linspace(0, 50, 21).tolist()),
    norm_thresholds=tuple(np.linspace(0, 0.5, 21).tolist()),
    first_frame="replaced",
    usable="any",
    at_least=True,
    inclusive_edges=True,
    whole_pixels=True,
    center_shift=1.0,
    norm_error="stepwise",
    auc_is="area",
    precision_is="area",
    norm_precision_is="area",
    not_finite="lost",
    surplus_cut=("*",),
    missing_rows="lost",
    missing_sequence="zeros",
    both_empty="missed",
)
NO_FIRST = OpeProtocol(
    name="no_first",
    summary=(
        "This project's own: OTB's thresholds and averaging without the first frame, "
        "which every tracker is given; boxes touching x = 0 or y = 0 count like any."
    ),
    first_frame="dropped",
    usable="positive_size",
    unusable="removed",
    center_shift=0.0,
    not_finite="lost",
)

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        OTB,
        LASOT,
        PYSOT,
        PYSOT_LASOT,
        PYTRACKING_OTB,
        PYTRACKING_UAV,
        PYTRACKING_LASOT,
        GOT10K_OTB,
        GOT10K_UAV123,
        GOT10K_LASOT,
        GOT10K,
        TRACKINGNET,
        NO_FIRST,
    )
}


def protocol_named(name: str) -> OpeProtocol:
    """Returns the protocol of that name.

    Raises:
      InputError: there is none.
    """
    if name not in PROTOCOLS:
        raise InputError(
            f"unknown scoring protocol {name!r}: {suggest(name, PROTOCOLS)}"
        )
    return PROTOCOLS[name]
