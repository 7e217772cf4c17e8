"""Overlap and errors of single frames under a protocol."""

from dataclasses import dataclass

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics import overlap
from jaxtrack.metrics.protocols import OpeProtocol


@dataclass(frozen=True)
class Frames:
    """Overlaps and errors of one sequence's counted frames.

    Attributes:
      frames: their indices, `[N']`.
      iou: `[N']`; -1 never succeeds.
      center_error: `[N']`, px; -1 is always precise, inf never.
      norm_error: `[N']`; the same.
      total: the denominator of every share.
      num_unusable: ground-truth rows that the protocol does not accept.
      first_unusable: index of the first of them; None where there is none.
    """

    frames: np.ndarray
    iou: np.ndarray
    center_error: np.ndarray
    norm_error: np.ndarray
    total: int
    num_unusable: int
    first_unusable: int | None


def _usable(truth: np.ndarray, protocol: OpeProtocol) -> np.ndarray:
    """Which ground-truth rows the protocol accepts, `[N]` bool (NaN compares false)."""
    if protocol.usable == "all_positive":
        return np.all(truth > 0, axis=1)
    if protocol.usable == "any":
        return np.ones(len(truth), bool)
    usable = np.isfinite(truth).all(axis=1)
    if protocol.usable == "positive_size":
        usable &= np.all(truth[:, 2:] > 0, axis=1)
    return usable


def _usable_centers(truth, usable, protocol) -> tuple[np.ndarray, np.ndarray]:
    """Which rows the protocol accepts for center and normalized error, `[N]` bool."""
    if not protocol.judges_centers:
        return usable, usable
    centers = overlap.centers_xywh(truth, shift=protocol.center_shift)
    scaled = centers / (truth[:, 2:] + 1e-16)
    return np.all(centers > 0, axis=1), np.all(scaled > 0, axis=1)


def _values(truth, predicted, size_wh, protocol):
    """IoU, center error and normalized error of every row, usable or not."""
    shift = protocol.center_shift
    center = overlap.center_error_xywh(truth, predicted, shift=shift)
    if protocol.center_decimals is not None:
        center = np.round(center, protocol.center_decimals)
    kind = protocol.norm_error
    norm = overlap.norm_error_xywh(truth, predicted, kind=kind, shift=shift)
    is_empty = truth[:, 2] * truth[:, 3] == 0
    is_empty &= predicted[:, 2] * predicted[:, 3] == 0
    if is_empty.any() and protocol.both_empty == "refused":
        raise InputError(
            f"in frame {np.argmax(is_empty)} neither the ground truth nor the result "
            f"has an area; the toolkit of {protocol.name!r} divides by zero there: "
            "score by another protocol, or write NaN for an absent target"
        )
    if protocol.bound_to_image and size_wh is not None:
        truth = overlap.bound_xywh(truth, size_wh)
        predicted = overlap.bound_xywh(predicted, size_wh)
    edges, epsilon = protocol.inclusive_edges, protocol.iou_epsilon
    iou = overlap.iou_xywh(truth, predicted, inclusive_edges=edges, epsilon=epsilon)
    if protocol.clip_iou:
        iou = np.clip(iou, 0.0, 1.0)
    if protocol.both_empty == "missed":
        iou = np.where(is_empty, -1.0, iou)
    is_lost = np.isnan(truth).any(axis=1) | np.isnan(predicted).any(axis=1)
    center = np.where(is_lost | np.isnan(center), np.inf, center)
    norm = np.where(is_lost | np.isnan(norm), np.inf, norm)
    return np.where(is_lost, -1.0, iou), center, norm


def _visible(truth, cover, protocol) -> np.ndarray:
    """Frames that the cover labels leave in, `[N]` bool."""
    visible = cover > 0
    bad = visible & np.isnan(truth).any(axis=1)
    bad[0] = False
    if bad.any():
        raise InputError(
            f"frame {np.argmax(bad)} has cover above 0 and no ground truth, which "
            f"makes {protocol.name!r} NaN: set its cover to 0"
        )
    return visible


def frame_values(
    truth: np.ndarray,
    predicted: np.ndarray,
    protocol: OpeProtocol,
    *,
    absent: np.ndarray | None = None,
    cover: np.ndarray | None = None,
    size_wh: tuple[float, float] | None = None,
) -> Frames:
    """Measures every counted frame of a sequence.

    Args:
      truth: `[N, 4]` xywh, px.
      predicted: `[N, 4]` xywh, px; rows of NaN are lost.
      protocol: says which frames count, and how.
      absent: `[N]`, nonzero where the target is absent.
      cover: `[N]`, 0 where the target cannot be seen.
      size_wh: of the image, px.

    Returns:
      The frames and their values.

    Raises:
      InputError: the toolkit would divide by zero, or no frame is left.
    """
    if protocol.whole_pixels:
        truth, predicted = np.round(truth), np.round(predicted)
    if protocol.first_frame == "replaced":
        predicted = np.concatenate([truth[:1], predicted[1:]])
    usable = _usable(truth, protocol)
    if protocol.reads_cover and cover is not None:
        usable = _visible(truth, cover, protocol)
    is_absent = np.zeros(len(truth), bool)
    if protocol.absent != "ignored" and absent is not None:
        is_absent = absent != 0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        iou, center, norm = _values(truth, predicted, size_wh, protocol)
        by_center, by_norm = _usable_centers(truth, usable, protocol)
    center = np.where(by_center, center, protocol.unusable_center_error)
    norm = np.where(by_norm, norm, -1.0)
    iou = np.where(usable, iou, -1.0)
    if protocol.absent == "missed":
        iou = np.where(is_absent, -1.0, iou)
        center, norm = (np.where(is_absent, np.inf, error) for error in (center, norm))
    counted = np.arange(len(truth)) >= int(protocol.first_frame == "dropped")
    unusable = np.flatnonzero(counted & ~usable & ~is_absent)
    total = int(counted.sum())
    if protocol.absent == "removed":
        counted &= ~is_absent
    if protocol.unusable == "removed":
        counted &= usable
        total = int(counted.sum())
    if not counted.any():
        raise InputError(
            f"no frame left to score by the rules of {protocol.name!r} ({len(truth)} "
            f"rows of ground truth, {len(unusable)} of them unusable): leave the "
            "sequence out"
        )
    frames = np.flatnonzero(counted)
    return Frames(
        frames=frames,
        iou=iou[frames],
        center_error=center[frames],
        norm_error=norm[frames],
        total=total,
        num_unusable=len(unusable),
        first_unusable=int(unusable[0]) if len(unusable) else None,
    )


def truth_warnings(
    truth: np.ndarray, values: Frames, protocol: OpeProtocol
) -> list[str]:
    """Describes how ground truth that the protocol does not accept is handled.

    Args:
      truth: `[N, 4]` xywh, px.
      values: of its frames, from `frame_values`.
      protocol: says which frames count, and how.

    Returns:
      Sentences.
    """
    if values.num_unusable:
        return [
            f"{values.num_unusable} frames of the ground truth (the first is "
            f"frame {values.first_unusable}) {_fate(protocol)} ({_reason(protocol)})"
        ]
    if protocol.usable not in ("any", "annotated"):
        return []
    warnings = []
    is_nan = np.isnan(truth).any(axis=1)
    if is_nan.any() and protocol.usable == "any":
        warnings.append(
            f"{is_nan.sum()} frames without ground truth (NaN; the first is "
            f"frame {np.argmax(is_nan)}) never succeed and are never precise"
        )
    is_empty = np.any(truth[:, 2:] <= 0, axis=1)
    if is_empty.any():
        warnings.append(
            f"{is_empty.sum()} frames of the ground truth (the first is frame "
            f"{np.argmax(is_empty)}) have no size and are scored like any other"
        )
    return warnings


def _reason(protocol: OpeProtocol) -> str:
    """Why a row is not accepted."""
    reason = {
        "all_positive": "x, y, width or height is not above 0",
        "positive_size": "width or height is not above 0",
        "annotated": "a number is NaN",
    }[protocol.usable]
    return f"cover is 0 or {reason}" if protocol.reads_cover else reason


def _fate(protocol: OpeProtocol) -> str:
    """How a row that is not accepted is handled."""
    if protocol.unusable == "removed":
        return "are left out"
    if protocol.judges_centers:
        return "never succeed, and are precise where the center is not above 0"
    if protocol.unusable_center_error == np.inf:
        return "never succeed; they count in normalized precision, not in precision"
    return "never succeed and count as precise"
