"""Anchor boxes: their sizes and positions, and boxes encoded relative to them.

A map of anchors is `[H, W, A, 4]` xyxy: row, column, anchor.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

# Decoded boxes are at most exp(4) = 55 times as wide and high as their anchors.
MOST_LOG_SCALE = 4.0


def anchor_sizes(
    *,
    stride: int = 8,
    scale: int = 8,
    ratios: Sequence[float] = (0.33, 0.5, 1.0, 2.0, 3.0),
) -> tuple[tuple[float, float], ...]:
    """Returns anchor sizes of about equal area and different aspect ratios.

        w = scale int(sqrt(stride^2 / ratio)),  h = scale int(int(...) ratio)

    Truncated to integers as in SiamRPN++'s public code; the defaults give 104 x 32,
    88 x 40, 64 x 64, 40 x 80 and 32 x 96 pixels.

    Args:
      stride: distance of neighboring anchors, pixels.
      scale: side of the square anchor in strides.
      ratios: heights over widths.

    Returns:
      One (width, height) per ratio, pixels.
    """
    widths = [int(math.sqrt(stride * stride / ratio)) for ratio in ratios]
    return tuple(
        (float(scale * width), float(scale * int(width * ratio)))
        for width, ratio in zip(widths, ratios, strict=True)
    )


def tile(points: jax.Array, sizes: Sequence[tuple[float, float]]) -> jax.Array:
    """Centers an anchor of every size at every point.

    Args:
      points: `[H, W, 2]` xy, pixels.
      sizes: (width, height) of each of the A anchors, pixels.

    Returns:
      `[H, W, A, 4]` xyxy, pixels.
    """
    half = jnp.asarray(sizes, points.dtype)[None, None] / 2
    centers = points[:, :, None]
    return jnp.concatenate([centers - half, centers + half], axis=-1)


def encode(
    anchors: jax.Array, xyxy: jax.Array, *, weights: Sequence[float] = (1, 1, 1, 1)
) -> jax.Array:
    """Encodes boxes relative to their anchors.

        d = weights ((x - x_a) / w_a, (y - y_a) / h_a, ln(w / w_a), ln(h / h_a))

    with x, y the centers. Ren et al., Faster R-CNN (arXiv:1506.01497), Eq. 2. Weights
    above 1, SPM-Tracker's being (5, 5, 10, 10), scale the deltas of boxes that nearly
    agree to about one (C8).

    Args:
      anchors: `[..., 4]` xyxy, pixels.
      xyxy: boxes, `[..., 4]` xyxy, pixels, whose leading axes broadcast with those of
        `anchors`.
      weights: of x, y, width and height.

    Returns:
      `[..., 4]`: 0 (with gradient 0) where box or anchor is empty or not finite.
    """
    anchors, xyxy = jnp.broadcast_arrays(anchors, xyxy)
    has_both = (_has_size(anchors) & _has_size(xyxy))[..., None]
    # Relative to itself, a box is all zeros.
    unit = jnp.broadcast_to(jnp.array([0, 0, 1, 1], xyxy.dtype), xyxy.shape)
    anchors, xyxy = jnp.where(has_both, anchors, unit), jnp.where(has_both, xyxy, unit)
    shift = (xyxy[..., :2] + xyxy[..., 2:] - anchors[..., :2] - anchors[..., 2:]) / 2
    anchor_size, size = _size(anchors), _size(xyxy)
    deltas = jnp.concatenate(
        [shift / anchor_size, jnp.log(size / anchor_size)], axis=-1
    )
    return deltas * _along_last(weights, deltas)


def decode(
    anchors: jax.Array,
    deltas: jax.Array,
    *,
    weights: Sequence[float] = (1, 1, 1, 1),
    max_log_scale: float = MOST_LOG_SCALE,
) -> jax.Array:
    """Decodes the deltas of `encode` to boxes.

        d = deltas / weights
        (x, y) = (x_a + d_x w_a, y_a + d_y h_a),  (w, h) = (w_a exp(d_w), h_a exp(d_h))

    Ren et al., Faster R-CNN (arXiv:1506.01497), Eq. 2.

    Args:
      anchors: `[..., 4]` xyxy, pixels.
      deltas: `[..., 4]`, whose leading axes broadcast with those of `anchors`.
      weights: the weights that were passed to `encode`.
      max_log_scale: d_w and d_h are clipped to this absolute value.

    Returns:
      Boxes, `[..., 4]` xyxy, pixels.
    """
    anchors, deltas = jnp.broadcast_arrays(anchors, deltas)
    deltas = deltas / _along_last(weights, deltas)
    size = _size(anchors)
    log_scale = jnp.clip(deltas[..., 2:], -max_log_scale, max_log_scale)
    center = (anchors[..., :2] + anchors[..., 2:]) / 2 + deltas[..., :2] * size
    half = size * jnp.exp(log_scale) / 2
    return jnp.concatenate([center - half, center + half], axis=-1)


def _along_last(weights, deltas):
    """Shapes weights so that they multiply the last axis of deltas."""
    weights = jnp.asarray(weights, deltas.dtype)
    return weights.reshape((1,) * (deltas.ndim - 1) + weights.shape)


def _size(xyxy):
    """Measures width and height."""
    return xyxy[..., 2:] - xyxy[..., :2]


def _has_size(xyxy):
    """Returns which boxes are neither empty nor infinite."""
    size = _size(xyxy)
    return jnp.all((size > 0) & jnp.isfinite(size), axis=-1)
