"""Labels and regression targets of response points."""

import jax
import jax.numpy as jnp

from jaxtrack.ops import boxes

POSITIVE = 1
NEGATIVE = 0
IGNORE = -1


def is_box(xyxy: jax.Array) -> jax.Array:
    """Returns whether a target is finite and not empty, so that it can be labeled.

    Args:
      xyxy: the target, `[4]` xyxy, pixels.

    Returns:
      `[]` bool.
    """
    size = xyxy[2:] - xyxy[:2]
    return jnp.all((size > 0) & jnp.isfinite(size))


def center_region(
    points: jax.Array,
    xyxy: jax.Array,
    *,
    size: float = 0.4,
    min_half: float = 0.0,
    ignore_inside: bool = False,
) -> jax.Array:
    """Labels the points of a concentric box POSITIVE and the others NEGATIVE.

        positive:  |x - cx| < max(size * w / 2, min_half)  and the same for y, h

    With the defaults this is the released SiamCAR code (its paper, arXiv:1911.07241,
    does not state the size): a box of 0.4 w by 0.4 h, without its border.

    Args:
      points: `[H, W, 2]` xy, pixels.
      xyxy: the target, `[4]` xyxy, pixels of the same image.
      size: side of the positive box as a share of the target's side.
      min_half: least half side of the positive box, pixels; it may then extend beyond
        the target, where distances to a side are negative.
      ignore_inside: whether points strictly inside the target but outside the positive
        box become IGNORE rather than NEGATIVE.

    Returns:
      `[H, W]` int32 of POSITIVE, NEGATIVE and IGNORE. A target that is empty or not
      finite has only NEGATIVE points.
    """
    center, half = (xyxy[:2] + xyxy[2:]) / 2, (xyxy[2:] - xyxy[:2]) / 2
    has_box = is_box(xyxy)
    distance = jnp.abs(points - center[None, None])
    reach = jnp.maximum(size * half, min_half)
    is_positive = jnp.all(distance < reach[None, None], axis=-1) & has_box
    labels = jnp.where(is_positive, POSITIVE, NEGATIVE)
    if ignore_inside:
        is_inside = jnp.all(distance < half[None, None], axis=-1) & has_box
        labels = jnp.where(is_inside & ~is_positive, IGNORE, labels)
    return labels.astype(jnp.int32)


def circle(
    points: jax.Array,
    xyxy: jax.Array,
    *,
    radius: float = 16.0,
    ignore_radius: float | None = None,
) -> jax.Array:
    """Labels the points of a disc around the target's center POSITIVE.

        R <= radius: positive;  radius < R <= ignore_radius: ignored;  else negative

    with R the distance of point and center: the labels of Bertinetto et al., SiamFC
    (arXiv:1606.09549), as described in SiamDLA, section 2.2.

    Args:
      points: `[H, W, 2]` xy, pixels.
      xyxy: the target, `[4]` xyxy, pixels of the same image.
      radius: radius of the disc, pixels.
      ignore_radius: outer radius of the ring around it, pixels; None for no ring.

    Returns:
      `[H, W]` int32 of POSITIVE, NEGATIVE and IGNORE. A target that is empty or not
      finite has only NEGATIVE points.
    """
    distance = points - ((xyxy[:2] + xyxy[2:]) / 2)[None, None]
    square, has_box = jnp.sum(distance * distance, axis=-1), is_box(xyxy)
    labels = jnp.where(square <= radius * radius, POSITIVE, NEGATIVE)
    if ignore_radius is not None:
        in_ring = (square > radius * radius) & (square <= ignore_radius * ignore_radius)
        labels = jnp.where(in_ring, IGNORE, labels)
    return jnp.where(has_box, labels, NEGATIVE).astype(jnp.int32)


def ellipse(
    points: jax.Array, xyxy: jax.Array, *, inner: float = 0.5, outer: float = 1.0
) -> jax.Array:
    """Labels the points of an ellipse of the target's shape POSITIVE.

        e(s) = ((x - cx) / (s w / 2))^2 + ((y - cy) / (s h / 2))^2
        e(inner) < 1: positive;  e(outer) > 1: negative;  else ignored

    Chen et al., SiamBAN (arXiv:2003.06761), with its public code's sizes.

    Args:
      points: `[H, W, 2]` xy, pixels.
      xyxy: the target, `[4]` xyxy, pixels of the same image.
      inner: axes of the positive ellipse as a share of the target's sides.
      outer: likewise, of an ellipse outside which points are negative.

    Returns:
      `[H, W]` int32 of POSITIVE, NEGATIVE and IGNORE. A target that is empty or not
      finite has only NEGATIVE points.
    """
    has_box = is_box(xyxy)
    center, half = (xyxy[:2] + xyxy[2:]) / 2, (xyxy[2:] - xyxy[:2]) / 2
    half = jnp.where(has_box, half, 1)
    share = (points - center[None, None]) / half[None, None]
    square = jnp.sum(share * share, axis=-1)  # e(1); e(s) is e(1) / s^2.
    labels = jnp.where(square > outer * outer, NEGATIVE, IGNORE)
    labels = jnp.where(square < inner * inner, POSITIVE, labels)
    return jnp.where(has_box, labels, NEGATIVE).astype(jnp.int32)


def ltrb_targets(points: jax.Array, xyxy: jax.Array) -> jax.Array:
    """Measures the distances from every point to the target's four sides.

    Args:
      points: `[H, W, 2]` xy, pixels.
      xyxy: the target, `[4]` xyxy, pixels of the same image.

    Returns:
      `[H, W, 4]` ltrb, pixels; negative where a point lies beyond a side.
    """
    return boxes.xyxy_to_ltrb(points, xyxy)


def centerness_targets(ltrb: jax.Array) -> jax.Array:
    """Computes the centerness of points in their boxes.

        c = sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b))

    Tian et al., FCOS (arXiv:1904.01355), Eq. 3; SiamCAR (arXiv:1911.07241), Eq. 6.

    Args:
      ltrb: distances to the sides, `[..., 4]` ltrb, pixels.

    Returns:
      `[...]`: 1 at the box's center, 0 on its border and outside it.
    """
    low = jnp.minimum(ltrb[..., :2], ltrb[..., 2:])
    high = jnp.maximum(ltrb[..., :2], ltrb[..., 2:])
    is_inside = jnp.all(low > 0, axis=-1)
    # The gradient of the root is infinite at 0: outside, use a positive number's.
    share = jnp.where(is_inside[..., None], low, 1) / jnp.where(high > 0, high, 1)
    return jnp.where(is_inside, jnp.sqrt(share[..., 0] * share[..., 1]), 0)
