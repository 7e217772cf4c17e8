"""Toolkits for one-pass evaluation, each as the rules that it scores by."""

from dataclasses import replace

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics.rules import Dialect

_STEPS_20 = tuple((np.arange(21) / 20).tolist())
_ARANGE_21 = tuple(np.arange(0, 1.05, 0.05).tolist())
_LINSPACE_21 = tuple(np.linspace(0, 1, 21).tolist())
_LINSPACE_101 = tuple(np.linspace(0, 1, 101).tolist())
_PIXELS_51 = tuple(np.arange(0, 51, dtype=np.float64).tolist())
_NORM_51 = tuple((np.arange(0, 51, dtype=np.float64) / 100).tolist())

OTB = Dialect(
    name="otb",
    summary=(
        "The OTB benchmark's Python toolkit: 21 thresholds, the first frame counts, "
        "and a frame whose true x, y, width or height is not above 0 never succeeds "
        "and is always precise."
    ),
    success_thresholds=_STEPS_20,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="replaced",
    usable="all_positive",
    inclusive_edges=True,
    center_decimals=4,
    both_empty="refused",
)
LASOT = Dialect(
    name="lasot",
    summary=(
        "The Matlab toolkit of LaSOT and TNL2K: OTB's rules; absent frames count for "
        "nothing but length, and damaged boxes are replaced by the one before."
    ),
    success_thresholds=_ARANGE_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="replaced",
    usable="all_positive",
    absent="removed",
    inclusive_edges=True,
    drops_zero_curves=True,
    repeats="not_positive",
    surplus_cut=("*",),
)
PYSOT = Dialect(
    name="pysot",
    summary=(
        "pysot: the first frame counts as answered; a frame without a true size never "
        "succeeds, one whose true centre is not above 0 is always precise."
    ),
    success_thresholds=_ARANGE_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="counted",
    usable="positive_size",
    judges_centers=True,
    clip_iou=True,
)
PYSOT_LASOT = replace(
    PYSOT,
    name="pysot_lasot",
    summary="pysot on LaSOT: absent frames count for nothing but length.",
    absent="removed",
    surplus_cut=("monkey-17",),
)
PYTRACKING_OTB = Dialect(
    name="pytracking_otb",
    summary=(
        "pytracking on OTB, NfS and others: a frame without a true size never succeeds "
        "and is never precise, but is in normalised precision; curves are float32."
    ),
    success_thresholds=_ARANGE_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
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
GOT10K_OTB = Dialect(
    name="got10k_otb",
    summary=(
        "The GOT-10k toolkit on OTB and NfS: the first frame counts as right, every "
        "frame is scored, one with NaN in the truth as a miss."
    ),
    success_thresholds=_LINSPACE_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=tuple(np.linspace(0, 0.5, 51).tolist()),
    first_frame="replaced",
    usable="any",
    iou_epsilon=float(np.finfo(np.float64).eps),
    clip_iou=True,
    norm_error="floored",
    norm_precision_is="mean",
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
    surplus_cut=(),
    missing_rows="refused",
)
TRACKINGNET = Dialect(
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
    surplus_cut=("*",),
    missing_rows="lost",
    missing_sequence="zeros",
    both_empty="missed",
)
NO_FIRST = Dialect(
    name="no_first",
    summary=(
        "This project's own: OTB's thresholds and averaging without the first frame, "
        "which every tracker is given; boxes touching x = 0 or y = 0 count like any."
    ),
    success_thresholds=_ARANGE_21,
    precision_thresholds=_PIXELS_51,
    norm_thresholds=_NORM_51,
    first_frame="dropped",
    usable="positive_size",
    unusable="removed",
    center_shift=0.0,
)

_ALL = (
    *(OTB, LASOT, PYSOT, PYSOT_LASOT),
    *(PYTRACKING_OTB, PYTRACKING_UAV, PYTRACKING_LASOT),
    *(GOT10K_OTB, GOT10K_UAV123, GOT10K_LASOT, GOT10K),
    *(TRACKINGNET, NO_FIRST),
)
DIALECTS = {dialect.name: dialect for dialect in _ALL}


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
