"""Overlap and distance of xywh boxes in numpy float64."""

import numpy as np


def iou_xywh(
    a: np.ndarray, b: np.ndarray, *, inclusive_edges: bool = False, epsilon: float = 0.0
) -> np.ndarray:
    """Intersection over union of boxes, row by row.

    With e = 1 for inclusive edges, else 0, and right = x + w - e:

        I = max(0, min(right_a, right_b) - max(x_a, x_b) + e) * (the same in y)
        iou = I / (w_a h_a + w_b h_b - I + epsilon),  0 where the union is empty

    Args:
      a: `[N, 4]` xywh.
      b: `[N, 4]` xywh.
      inclusive_edges: which rounding to use; equal in exact arithmetic.
      epsilon: added to the union.

    Returns:
      `[N]`.
    """
    edge = float(inclusive_edges)
    top_left = np.maximum(a[:, :2], b[:, :2])
    right_bottom = np.minimum(a[:, :2] + a[:, 2:] - edge, b[:, :2] + b[:, 2:] - edge)
    sides = np.maximum(0.0, right_bottom - top_left + edge)
    intersection = sides[:, 0] * sides[:, 1]
    union = a[:, 2] * a[:, 3] + b[:, 2] * b[:, 3] - intersection + epsilon
    return np.where(union > 0, intersection / np.where(union > 0, union, 1.0), 0.0)


def bound_xywh(xywh: np.ndarray, size_wh: tuple[float, float]) -> np.ndarray:
    """Moves boxes into the image the way the GOT-10k toolkit does.

    The corner is clipped to the image, then width and height to what is left of it;
    a corner left of the image moves in *without* narrowing the box.

    Args:
      xywh: `[N, 4]`.
      size_wh: width and height of the image, px.

    Returns:
      `[N, 4]` xywh.
    """
    size = np.asarray(size_wh, np.float64)
    corner = np.clip(xywh[:, :2], 0.0, size)
    return np.concatenate([corner, np.clip(xywh[:, 2:], 0.0, size - corner)], axis=1)


def centers_xywh(xywh: np.ndarray, *, shift: float = 0.0) -> np.ndarray:
    """Centers x + (w + shift) / 2, y + (h + shift) / 2.

    Args:
      xywh: `[N, 4]`.
      shift: -1 for boxes that count pixels from their first to their last.

    Returns:
      `[N, 2]`.
    """
    return xywh[:, :2] + (xywh[:, 2:] + shift) / 2


def center_error_xywh(
    truth: np.ndarray, predicted: np.ndarray, *, shift: float = 0.0
) -> np.ndarray:
    """Distance between the centers of boxes, row by row.

    Args:
      truth: `[N, 4]` xywh.
      predicted: `[N, 4]` xywh.
      shift: see `centers_xywh`; cancels but for rounding.

    Returns:
      `[N]`.
    """
    offset = centers_xywh(predicted, shift=shift) - centers_xywh(truth, shift=shift)
    return np.sqrt(offset[:, 0] ** 2 + offset[:, 1] ** 2)


def norm_error_xywh(
    truth: np.ndarray, predicted: np.ndarray, *, kind: str, shift: float = 0.0
) -> np.ndarray:
    """Distance between centers p and t in units of the true width and height s.

    Each kind is one toolkit's arithmetic; with sizes of 1 and more they differ by
    rounding alone, which decides whether an error lies on a threshold or above it:

        "centers":   |p / (s + 1e-16) - t / (s + 1e-16)|
        "floored":   |(p - t) / max(1, s)|
        "stepwise":  sqrt(sum over x and y of ((t - p) / s) (t - p) / s)

    Args:
      truth: `[N, 4]` xywh.
      predicted: `[N, 4]` xywh.
      kind: "centers", "floored" or "stepwise".
      shift: see `centers_xywh`.

    Returns:
      `[N]`; inf or NaN where "stepwise" divides by a size of 0.
    """
    t, p = (centers_xywh(boxes, shift=shift) for boxes in (truth, predicted))
    size = truth[:, 2:]
    if kind == "stepwise":
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = (t - p) / size * (t - p) / size
            return np.sqrt(squares[:, 0] + squares[:, 1])
    if kind == "floored":
        scaled = (p - t) / np.maximum(1.0, size)
    else:
        scaled = p / (size + 1e-16) - t / (size + 1e-16)
    return np.sqrt(scaled[:, 0] ** 2 + scaled[:, 1] ** 2)
