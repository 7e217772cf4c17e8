"""Boxes: their formats, overlaps, and the distances from points to their sides.

Coordinates are continuous pixels with the origin at the image's top-left edge: pixel i
covers [i, i + 1), its center is i + 0.5, and a width is x1 - x0, not x1 - x0 + 1.
Formats, along the last axis:

    xyxy    left, top, right, bottom
    cxcywh  center x, center y, width, height
    xywh    left, top, width, height (files only)
    ltrb    distances from a point to the left, top, right and bottom side

Functions of two arrays broadcast their leading axes. A box whose right side is not
right of its left side, or whose bottom is not below its top, is empty: its area is 0.
"""

import jax
import jax.numpy as jnp


def xyxy_to_cxcywh(xyxy: jax.Array) -> jax.Array:
    """Converts corners to center and size.

    Args:
      xyxy: boxes, `[..., 4]` xyxy, pixels.

    Returns:
      The same boxes, `[..., 4]` cxcywh, pixels.
    """
    low, high = xyxy[..., :2], xyxy[..., 2:]
    return jnp.concatenate([(low + high) / 2, high - low], axis=-1)


def cxcywh_to_xyxy(cxcywh: jax.Array) -> jax.Array:
    """Converts center and size to corners.

    Args:
      cxcywh: boxes, `[..., 4]` cxcywh, pixels.

    Returns:
      The same boxes, `[..., 4]` xyxy, pixels.
    """
    center, half = cxcywh[..., :2], cxcywh[..., 2:] / 2
    return jnp.concatenate([center - half, center + half], axis=-1)


def area(xyxy: jax.Array) -> jax.Array:
    """Computes the area of boxes; an empty box has area 0 (and gradient 0).

    Args:
      xyxy: boxes, `[..., 4]` xyxy, pixels.

    Returns:
      Areas, `[...]`, square pixels.
    """
    size = jnp.maximum(xyxy[..., 2:] - xyxy[..., :2], 0)
    return size[..., 0] * size[..., 1]


def iou(a: jax.Array, b: jax.Array) -> jax.Array:
    """Computes the IoU of boxes.

        IoU = |A n B| / |A u B|,  0 where both boxes are empty

    Args:
      a: boxes, `[..., 4]` xyxy, pixels.
      b: boxes, `[..., 4]` xyxy, pixels, whose leading axes broadcast with those of `a`.

    Returns:
      IoU in [0, 1], `[...]`. Value and gradient are finite for empty boxes too.
    """
    a, b = _broadcast(a, b)
    return _ratio(*_intersection_union(a, b))


def giou(a: jax.Array, b: jax.Array) -> jax.Array:
    """Computes the generalized IoU, whose gradient is not 0 for disjoint boxes.

        GIoU = IoU - (|C| - |A u B|) / |C|,  C the smallest box around both

    Rezatofighi et al., Generalized Intersection over Union (arXiv:1902.09630), Alg. 1.

    Args:
      a: boxes, `[..., 4]` xyxy, pixels.
      b: boxes, `[..., 4]` xyxy, pixels, whose leading axes broadcast with those of `a`.

    Returns:
      GIoU in [-1, 1], `[...]`. Value and gradient are finite for empty boxes too.
    """
    a, b = _broadcast(a, b)
    intersection, union = _intersection_union(a, b)
    low = jnp.minimum(a[..., :2], b[..., :2])
    high = jnp.maximum(a[..., 2:], b[..., 2:])
    hull = area(jnp.concatenate([low, high], axis=-1))
    return _ratio(intersection, union) - _ratio(hull - union, hull)


def ltrb_to_xyxy(points: jax.Array, ltrb: jax.Array) -> jax.Array:
    """Converts distances from points to the sides of boxes into boxes.

        xyxy = (x - l, y - t, x + r, y + b)

    Args:
      points: `[..., 2]` xy, pixels.
      ltrb: distances, `[..., 4]` ltrb, pixels; leading axes broadcast with `points`.

    Returns:
      Boxes, `[..., 4]` xyxy, pixels.
    """
    points, ltrb = _broadcast(points, ltrb)
    low = points - ltrb[..., :2]
    return jnp.concatenate([low, points + ltrb[..., 2:]], axis=-1)


def xyxy_to_ltrb(points: jax.Array, xyxy: jax.Array) -> jax.Array:
    """Measures the distances from points to a box's sides; negative if outside.

        ltrb = (x - x0, y - y0, x1 - x, y1 - y)

    Args:
      points: `[..., 2]` xy, pixels.
      xyxy: boxes, `[..., 4]` xyxy, pixels; leading axes broadcast with `points`.

    Returns:
      Distances, `[..., 4]` ltrb, pixels.
    """
    points, xyxy = _broadcast(points, xyxy)
    low = points - xyxy[..., :2]
    return jnp.concatenate([low, xyxy[..., 2:] - points], axis=-1)


def clip(xyxy: jax.Array, hw: jax.Array) -> jax.Array:
    """Clips boxes to the image; a box entirely outside becomes empty.

    Args:
      xyxy: boxes, `[..., 4]` xyxy, pixels.
      hw: image height and width, `[2]`, pixels.

    Returns:
      Boxes inside [0, width] x [0, height], `[..., 4]` xyxy, pixels.
    """
    height, width = jnp.asarray(hw).astype(xyxy.dtype)
    high = jnp.stack([width, height, width, height])
    return jnp.clip(xyxy, 0, jnp.broadcast_to(high, xyxy.shape))


def context_side(wh: jax.Array, *, context: float = 0.5) -> jax.Array:
    """Computes the side of the square that shows a target with context.

        side = sqrt((w + p) (h + p)),  p = context (w + h)

    Bertinetto et al., SiamFC (arXiv:1606.09549), section "Dataset curation", with
    context = 1/2.

    Args:
      wh: target's width and height, `[..., 2]`, pixels.
      context: share of width plus height that is added to both.

    Returns:
      Sides, `[...]`, pixels; 0 (and gradient 0) for a target of size 0.
    """
    width, height = wh[..., 0], wh[..., 1]
    padding = context * (width + height)
    square = (width + padding) * (height + padding)
    has_size = square > 0
    return jnp.where(has_size, jnp.sqrt(jnp.where(has_size, square, 1)), 0)


def _broadcast(a, b):
    """Broadcasts the leading axes of two arrays against each other."""
    leading = jnp.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    return (
        jnp.broadcast_to(a, (*leading, a.shape[-1])),
        jnp.broadcast_to(b, (*leading, b.shape[-1])),
    )


def _intersection_union(a, b):
    """Returns the areas of intersection and union of boxes of equal shape."""
    low = jnp.maximum(a[..., :2], b[..., :2])
    high = jnp.minimum(a[..., 2:], b[..., 2:])
    intersection = area(jnp.concatenate([low, high], axis=-1))
    return intersection, area(a) + area(b) - intersection


def _ratio(part, whole):
    """Divides; 0 where the denominator is not positive."""
    is_positive = whole > 0
    return jnp.where(is_positive, part / jnp.where(is_positive, whole, 1), 0)
