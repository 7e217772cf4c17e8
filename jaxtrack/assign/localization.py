"""Localization-aware labels: SiamLA's dynamic labels and label smoothing.

Nie et al., Learning Localization-aware Target Confidence for Siamese Visual Tracking
(SiamLA), sections III-B and III-C. Tags such as S3 name how a misprint or gap of the
paper is resolved. All functions take ONE example; use vmap for more.
"""

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.ops.random_subset import random_subset

# Labels with a smaller range are equal: there is nothing to normalize (S6).
_LEAST_SPREAD = 1e-6


def smoothing_map(labels: jax.Array, *, smoothing: float = 0.2) -> jax.Array:
    """Assigns LALS's lambda to every point, as in Fig. 4 (a).

        lambda = 1 in the center (red), `smoothing` at the boundary (green), else 0

    The center is the positive region and the boundary the rest of the box (S10).
    Without dynamic labels, lambda is itself the label ("smooth their labels as
    lambda", section III-C; Table III's row of LALS alone).

    Args:
      labels: `[H, W]` POSITIVE in the center, IGNORE at the boundary, else NEGATIVE, as
        returned by `regions.center_region(..., ignore_inside=True)`.
      smoothing: lambda of the boundary, in (0, 1]; 0 disables LALS.

    Returns:
      `[H, W]` float32; the positive points of LALS are those above 0.
    """
    boundary = jnp.where(labels == regions.IGNORE, smoothing, 0.0)
    return jnp.where(labels == regions.POSITIVE, 1.0, boundary)


def dynamic_labels(
    iou: jax.Array,
    smoothing: jax.Array,
    *,
    alpha: float = 0.5,
    beta: float = 10.0,
    curve: str = "logistic",
    normalize: bool = True,
) -> jax.Array:
    """Computes classification labels from IoUs of predicted boxes (LADL with LALS).

        y = (1 / (1 + exp(-(IoU - alpha) beta))) ^ (1 / lambda)       Eqs. 5 and 7
        y <- (y - min y) / (max y - min y)   over positive points     Eq. 6

    SiamLA, Eqs. 5 to 7. Printed without the minus, the logistic would fall with the IoU
    (S3). The exponent 1 / lambda lowers boundary labels below center labels of the same
    IoU (S4). Smoothing comes before normalizing, which is over all positive points,
    center and boundary (S5), and is skipped where the labels differ by less than 1e-6,
    as those of a single positive point do (S6). Labels have no gradient (S7).

    Args:
      iou: `[H, W]` in [0, 1], of the predicted boxes with the target.
      smoothing: `[H, W]` lambda: 1 in the center, less at the boundary, 0 elsewhere.
      alpha: IoU at which the label is one half.
      beta: steepness.
      curve: "logistic", or "linear" for y = IoU ^ (1 / lambda) (Table IV).
      normalize: whether Eq. 6 is applied.

    Returns:
      `[H, W]` in [0, 1], 0 where lambda is 0.

    Raises:
      ValueError: for an unknown `curve`, or shapes that differ.
    """
    if curve not in ("logistic", "linear"):
        raise ValueError(f"curve must be logistic or linear, got {curve!r}")
    if iou.shape != smoothing.shape:
        raise ValueError(f"iou {iou.shape} and smoothing {smoothing.shape} differ")
    iou = lax.stop_gradient(iou).astype(jnp.float32)
    if curve == "logistic":
        label = jax.nn.sigmoid((iou - alpha) * beta)
    else:
        label = iou
    is_positive = smoothing > 0
    label = label ** (1 / jnp.where(is_positive, smoothing, 1))
    if normalize:
        low = jnp.min(jnp.where(is_positive, label, jnp.inf))
        high = jnp.max(jnp.where(is_positive, label, -jnp.inf))
        # Without a positive point the range is -inf.
        can = high - low >= _LEAST_SPREAD
        low, spread = jnp.where(can, low, 0), jnp.where(can, high - low, 1)
        label = (label - low) / spread
    return jnp.where(is_positive, label, 0)


def add_boundary(
    labels: jax.Array, xyxy: jax.Array, points: jax.Array, *, smoothing: float
) -> tuple[jax.Array, jax.Array]:
    """Makes LALS's boundary positive: the rest of the box around the positive points.

    Nie et al., SiamLA, section III-C.

    Args:
      labels: `[H, W]` of any assigner; POSITIVE is the center.
      xyxy: the target, `[4]` xyxy, pixels of the search crop.
      points: `[H, W, 2]` xy, pixels of the search crop.
      smoothing: lambda of the boundary; 0 leaves its labels unchanged.

    Returns:
      `smoothing_map`'s lambda, and labels with the boundary POSITIVE too, `[H, W]`.
    """
    center = labels == regions.POSITIVE
    if smoothing > 0:
        inside = regions.center_region(points, xyxy, size=1.0)
        boundary = (inside == regions.POSITIVE) & ~center
    else:
        boundary = jnp.zeros(labels.shape, bool)
    outside = jnp.where(boundary, regions.IGNORE, regions.NEGATIVE)
    zones = jnp.where(center, regions.POSITIVE, outside)
    labels = jnp.where(boundary, regions.POSITIVE, labels)
    return smoothing_map(zones, smoothing=smoothing), labels


def draw_negatives(key: jax.Array, labels: jax.Array) -> jax.Array:
    """Draws one negative point for each positive one (L_loc; S13).

    Args:
      key: random key.
      labels: `[H, W]` of POSITIVE, NEGATIVE, IGNORE.

    Returns:
      `[H, W]` bool, some of the NEGATIVE points.
    """
    count = jnp.sum(labels == regions.POSITIVE)
    return random_subset(key, labels == regions.NEGATIVE, count)
