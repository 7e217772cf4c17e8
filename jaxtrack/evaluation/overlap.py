"""Overlap of xywh boxes in numpy float64."""

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
    intersection = np.prod(np.maximum(0.0, right_bottom - top_left + edge), axis=1)
    union = np.prod(a[:, 2:], axis=1) + np.prod(b[:, 2:], axis=1) - intersection
    union = union + epsilon
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
