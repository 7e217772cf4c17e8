"""Box regression losses, unreduced."""

import jax
import jax.numpy as jnp

from jaxtrack.ops import boxes

_LEAST_RATIO = 1e-6  # Bounds the loss (13.8) where there is no overlap.


def iou_loss(
    ltrb: jax.Array, target: jax.Array, *, smoothing: float = 1.0
) -> jax.Array:
    """Computes the negative log of the smoothed IoU of two boxes around one point.

        loss = -ln((I + s) / (U + s))

    with I, U the areas of intersection and union in square pixels. Yu et al., UnitBox
    (arXiv:1608.01471), Eq. 3; the smoothing s = 1 is the released SiamCAR code's.

    Args:
      ltrb: predicted distances, `[..., 4]` ltrb, pixels.
      target: true distances, `[..., 4]` ltrb, pixels.
      smoothing: s, square pixels; 0 is allowed.

    Returns:
      Losses, `[...]`, 0 for a perfect prediction.

    Raises:
      ValueError: if the shapes differ.
    """
    ratio = _smoothed_iou(ltrb, target, smoothing)
    is_overlap = ratio > _LEAST_RATIO
    return -jnp.log(jnp.where(is_overlap, ratio, _LEAST_RATIO))


def linear_iou_loss(
    ltrb: jax.Array, target: jax.Array, *, smoothing: float = 1.0
) -> jax.Array:
    """Computes one minus the smoothed IoU of two boxes around one point.

        loss = 1 - (I + s) / (U + s)

    with I, U the areas of intersection and union in square pixels: the regression of
    SiamBAN's code (Chen et al., arXiv:2003.06761).

    Args:
      ltrb: predicted distances, `[..., 4]` ltrb, pixels.
      target: true distances, `[..., 4]` ltrb, pixels.
      smoothing: s, square pixels; 0 is allowed.

    Returns:
      Losses in [0, 1], `[...]`, 0 for a perfect prediction.

    Raises:
      ValueError: if the shapes differ.
    """
    return 1 - _smoothed_iou(ltrb, target, smoothing)


def giou_loss(xyxy: jax.Array, target: jax.Array) -> jax.Array:
    """Computes one minus the generalized IoU.

        loss = 1 - GIoU

    Rezatofighi et al., Generalized Intersection over Union (arXiv:1902.09630), Alg. 1.

    Args:
      xyxy: predicted boxes, `[..., 4]` xyxy, pixels.
      target: true boxes, `[..., 4]` xyxy, pixels.

    Returns:
      Losses in [0, 2], `[...]`, 0 for a perfect prediction.
    """
    return 1 - boxes.giou(xyxy, target)


def smooth_l1(
    prediction: jax.Array, target: jax.Array, *, beta: float = 1.0
) -> jax.Array:
    """Sums the smooth L1 distances of all coordinates.

        loss = sum_k d_k^2 / (2 beta) if d_k < beta, else d_k - beta / 2;  d = |p - t|

    Girshick, Fast R-CNN (arXiv:1504.08083), Eqs. 2 and 3, with beta = 1.

    Args:
      prediction: `[..., K]`.
      target: `[..., K]`.
      beta: distance at which the parabola ends, positive.

    Returns:
      Losses, `[...]`.

    Raises:
      ValueError: if the shapes differ, or beta is not positive.
    """
    if prediction.shape != target.shape:
        shapes = f"{prediction.shape} and target {target.shape}"
        raise ValueError(f"prediction {shapes} differ")
    if beta <= 0:
        raise ValueError(f"beta must be positive, got {beta}")
    distance = jnp.abs(prediction - target)
    # Each branch is bounded where the other holds, so that gradients stay finite.
    near = jnp.minimum(distance, beta)
    return jnp.sum(near * near / (2 * beta) + (distance - near), axis=-1)


def _smoothed_iou(ltrb, target, smoothing):
    """Returns `(I + s) / (U + s)` of boxes around one point."""
    if ltrb.shape != target.shape:
        raise ValueError(f"prediction {ltrb.shape} and target {target.shape} differ")
    nearest = jnp.minimum(ltrb, target)
    intersection = _area(nearest)
    union = _area(ltrb) + _area(target) - intersection
    whole = union + smoothing
    return (intersection + smoothing) / jnp.where(whole > 0, whole, 1)


def _area(ltrb):
    """Measures boxes given by distances from a point inside or outside them."""
    size = jnp.maximum(ltrb[..., :2] + ltrb[..., 2:], 0)
    return size[..., 0] * size[..., 1]
