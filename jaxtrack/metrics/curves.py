"""The curves of one-pass evaluation, and the numbers that are read off them."""

from collections.abc import Mapping

import numpy as np

from jaxtrack.metrics.protocols import OpeProtocol

PRECISION_AT_PX = 20.0
NORM_PRECISION_AT = 0.2


def _within(values: np.ndarray, limits, below: bool = False) -> np.ndarray:
    """Counts the values under each limit, or up to it where not `below`."""
    side = "left" if below else "right"
    return np.searchsorted(np.sort(values), np.array(limits), side=side)


def curves_of(
    iou: np.ndarray,
    center: np.ndarray,
    norm: np.ndarray,
    total: int,
    protocol: OpeProtocol,
) -> dict[str, np.ndarray]:
    """Returns the three curves of a set of frames.

    Args:
      iou: `[N]` of each frame.
      center: `[N]` center error, px.
      norm: `[N]` normalized center error.
      total: number of frames that the shares are of.
      protocol: the thresholds, and how they compare.

    Returns:
      "success_curve", "precision_curve" and "norm_precision_curve".
    """
    p = protocol
    counts = {
        "success_curve": len(iou) - _within(iou, p.success_thresholds, p.at_least),
        "precision_curve": _within(center, p.precision_thresholds),
        "norm_precision_curve": _within(norm, p.norm_thresholds),
    }
    curves = {key: count / total for key, count in counts.items()}
    if protocol.single_precision:
        curves = {k: c.astype(np.float32).astype(float) for k, c in curves.items()}
    return curves


def _value(curve: np.ndarray, thresholds, kind: str, at: float) -> float:
    """The number that a toolkit reads off a curve."""
    if kind == "mean":
        return float(curve.mean())
    if kind == "area":
        return float(np.mean((curve[1:] + curve[:-1]) / 2))
    return float(curve[np.argmin(abs(np.array(thresholds) - at))])


def numbers_of(
    curves: Mapping[str, np.ndarray], protocol: OpeProtocol
) -> dict[str, float]:
    """Reads all numbers but the average overlap off the curves.

    Args:
      curves: from `curves_of`.
      protocol: how it reads them.
    """
    p, success = protocol, curves["success_curve"]
    precise, norm = curves["precision_curve"], curves["norm_precision_curve"]
    grid, px, sizes = p.success_thresholds, p.precision_thresholds, p.norm_thresholds
    return {
        "auc": _value(success, grid, p.auc_is, np.nan),
        "precision": _value(precise, px, p.precision_is, PRECISION_AT_PX),
        "norm_precision": _value(norm, sizes, p.norm_precision_is, NORM_PRECISION_AT),
        "sr50": _value(success, grid, "at", 0.5),
        "sr75": _value(success, grid, "at", 0.75),
    }
