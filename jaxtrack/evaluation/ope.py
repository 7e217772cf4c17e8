"""One-pass evaluation: overlap and centre error of boxes, as curves and numbers.

Plain numpy in float64. Boxes are xywh (x, y of the top-left corner, width, height,
px) as result files hold them. Rules that toolkits disagree about are in `dialects`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.evaluation.dialects import Dialect, dialect_named
from jaxtrack.evaluation.overlap import bound_xywh, iou_xywh

PRECISION_AT_PX = 20.0
NORM_PRECISION_AT = 0.2


@dataclass(frozen=True)
class SequenceScore:
    """One tracker on one sequence; N' frames are counted.

    Attributes:
      auc: mean of the success curve.
      precision: share of frames whose centre error is at most 20 px.
      norm_precision: share whose normalised centre error is at most 0.2.
      ao: mean IoU (a frame of IoU -1 adds 0).
      sr50: share of frames with IoU > 0.5.
      sr75: share of frames with IoU > 0.75.
      success_curve: share of frames above each IoU threshold.
      precision_curve: share of frames within each centre error.
      norm_precision_curve: share of frames within each normalised centre error.
      frames: indices of the counted frames, `[N']`.
      iou: `[N']`; -1 where the dialect says so.
      center_error: `[N']`, px; -1 where the dialect says so.
      norm_error: `[N']`; -1 where the dialect says so.
      num_unusable: ground-truth rows that the dialect does not accept.
    """

    auc: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float
    success_curve: np.ndarray
    precision_curve: np.ndarray
    norm_precision_curve: np.ndarray
    frames: np.ndarray
    iou: np.ndarray
    center_error: np.ndarray
    norm_error: np.ndarray
    num_unusable: int


@dataclass(frozen=True)
class OpeReport:
    """One tracker on a set of sequences; numbers are as in `SequenceScore`.

    Attributes:
      dialect: the rules that made the numbers.
      auc: mean of the success curve.
      precision: at 20 px.
      norm_precision: at 0.2.
      ao: average overlap.
      sr50: success rate at 0.5.
      sr75: success rate at 0.75.
      success_curve: over `dialect.success_thresholds`.
      precision_curve: over `dialect.precision_thresholds`.
      norm_precision_curve: over `dialect.norm_thresholds`.
      sequences: the same for each sequence.
    """

    dialect: Dialect
    auc: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float
    success_curve: np.ndarray
    precision_curve: np.ndarray
    norm_precision_curve: np.ndarray
    sequences: dict[str, SequenceScore]


def _usable(truth: np.ndarray, visible: np.ndarray | None, rules: Dialect):
    """Which ground-truth rows the dialect accepts, `[N]` bool (NaN compares false)."""
    if rules.usable == "all_positive":
        return np.all(truth > 0, axis=1)
    usable = np.all(np.isfinite(truth), axis=1) & np.all(truth[:, 2:] > 0, axis=1)
    if rules.usable == "visible" and visible is not None:
        usable &= np.asarray(visible, bool)
    return usable


def _errors(truth: np.ndarray, predicted: np.ndarray, size_wh, rules: Dialect):
    """IoU, centre error in px and in true widths and heights of usable rows, `[N]`."""
    offset = (predicted[:, :2] + predicted[:, 2:] / 2) - (
        truth[:, :2] + truth[:, 2:] / 2
    )
    center = np.linalg.norm(offset, axis=1)
    if rules.center_decimals is not None:
        center = np.round(center, rules.center_decimals)
    norm = np.linalg.norm(offset / truth[:, 2:], axis=1)
    if rules.bound_to_image and size_wh is not None:
        truth, predicted = bound_xywh(truth, size_wh), bound_xywh(predicted, size_wh)
    iou = iou_xywh(
        truth,
        predicted,
        inclusive_edges=rules.inclusive_edges,
        epsilon=rules.iou_epsilon,
    )
    return np.clip(iou, 0.0, 1.0) if rules.clip_iou else iou, center, norm


def _summary(iou, center, norm, rules: Dialect) -> dict:
    """Curves and numbers of a set of frames; see `SequenceScore`."""
    success = np.mean(iou[None] > np.array(rules.success_thresholds)[:, None], axis=1)
    pixels = np.array(rules.precision_thresholds)
    norms = np.array(rules.norm_thresholds)
    precision = np.mean(center[None] <= pixels[:, None], axis=1)
    norm_precision = np.mean(norm[None] <= norms[:, None], axis=1)
    return {
        "auc": float(success.mean()),
        "precision": float(precision[np.argmin(abs(pixels - PRECISION_AT_PX))]),
        "norm_precision": float(
            norm_precision[np.argmin(abs(norms - NORM_PRECISION_AT))]
        ),
        "ao": float(np.mean(np.maximum(iou, 0.0))),
        "sr50": float(np.mean(iou > 0.5)),
        "sr75": float(np.mean(iou > 0.75)),
        "success_curve": success,
        "precision_curve": precision,
        "norm_precision_curve": norm_precision,
    }


def _score_sequence(name, truth, predicted, visible, size_wh, rules) -> SequenceScore:
    """Scores one sequence; all arrays have the ground truth's length."""
    predicted = predicted.copy()
    first = 0
    if rules.first_frame == "replaced":
        predicted[0] = truth[0]
    else:
        first = 1
    frames = np.arange(first, len(truth))
    usable = _usable(truth, visible, rules)[frames]
    num_unusable = int(np.sum(~usable))
    iou, center, norm = np.full((3, len(frames)), -1.0)
    kept = frames[usable]
    iou[usable], center[usable], norm[usable] = _errors(
        truth[kept], predicted[kept], size_wh, rules
    )
    if rules.unusable == "removed":
        frames, iou, center, norm = kept, iou[usable], center[usable], norm[usable]
    if not len(frames):
        raise InputError(
            f"sequence {name}: no frame left to score by the rules of {rules.name!r} "
            f"({len(truth)} rows of ground truth, {num_unusable} of them unusable)"
        )
    return SequenceScore(
        **_summary(iou, center, norm, rules),
        frames=frames,
        iou=iou,
        center_error=center,
        norm_error=norm,
        num_unusable=num_unusable,
    )


def _check(name: str, truth: np.ndarray, predicted: np.ndarray) -> None:
    """Refuses what cannot be scored."""
    if truth.ndim != 2 or truth.shape[1] != 4 or not len(truth):
        raise InputError(f"sequence {name}: ground truth is {truth.shape}, not [N, 4]")
    if predicted.shape != truth.shape:
        raise InputError(
            f"sequence {name}: results are {predicted.shape}, "
            f"ground truth is {truth.shape}"
        )
    bad = ~np.all(np.isfinite(predicted), axis=1) | np.any(predicted[:, 2:] < 0, axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"sequence {name}: result of frame {row} is {predicted[row].tolist()}; "
            "boxes are finite and sizes not negative"
        )


def score(
    ground_truth: Mapping[str, np.ndarray],
    results: Mapping[str, np.ndarray],
    *,
    dialect: str = "otb",
    visible: Mapping[str, np.ndarray] | None = None,
    image_size: Mapping[str, tuple[float, float]] | None = None,
) -> OpeReport:
    """Scores one tracker's boxes.

    Wu et al., "Object Tracking Benchmark" (success and precision); Huang et al.,
    GOT-10k (AO, SR). What toolkits disagree about is in `dialects.DIALECTS`.

    Args:
      ground_truth: name of a sequence -> `[N, 4]` xywh, px; rows without a target are
        NaN or have no size.
      results: name -> `[N, 4]` xywh, px, of at least the same sequences.
      dialect: key of `dialects.DIALECTS`.
      visible: name -> `[N]` bool, where frames have such a flag ("got10k").
      image_size: name -> (width, height), px, to bound boxes by ("got10k").

    Returns:
      The report; means are over sequences or frames as the dialect says.

    Raises:
      InputError: unknown dialect, nothing to score, a sequence without results or
        with other than N boxes, a box that is not finite or of negative size.
    """
    rules = dialect_named(dialect)
    if not ground_truth:
        raise InputError("no sequences to score")
    missing = sorted(set(ground_truth) - set(results))
    if missing:
        raise InputError(f"no results for {len(missing)} sequences: {missing}")
    sequences = {}
    for name, rows in ground_truth.items():
        truth = np.asarray(rows, np.float64)
        predicted = np.asarray(results[name], np.float64)
        _check(name, truth, predicted)
        sequences[name] = _score_sequence(
            name,
            truth,
            predicted,
            None if visible is None else visible.get(name),
            None if image_size is None else image_size.get(name),
            rules,
        )
    return OpeReport(dialect=rules, **_average(sequences, rules), sequences=sequences)


def _average(sequences: Mapping[str, SequenceScore], rules: Dialect) -> dict:
    """The report's numbers from those of the sequences."""
    scores = list(sequences.values())
    if rules.averaging == "frames":
        return _summary(
            np.concatenate([s.iou for s in scores]),
            np.concatenate([s.center_error for s in scores]),
            np.concatenate([s.norm_error for s in scores]),
            rules,
        )
    curves = {
        key: np.mean([getattr(s, key) for s in scores], axis=0)
        for key in ("success_curve", "precision_curve", "norm_precision_curve")
    }
    numbers = {
        key: float(np.mean([getattr(s, key) for s in scores]))
        for key in ("auc", "precision", "norm_precision", "ao", "sr50", "sr75")
    }
    return numbers | curves
