"""Proposals: the few best boxes of an anchor-based network's maps."""

import jax
import jax.numpy as jnp

from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops.nms import nms

# No proposal is more than exp(4) = 55 times as wide or high as its anchor.
_MOST_LOG_SCALE = 4.0


def target_probability(logits: jax.Array) -> jax.Array:
    """Computes the softmax probability of the second of two logits.

    Args:
      logits: background and target, `[..., 2]`.

    Returns:
      `[...]` float32.
    """
    return jax.nn.sigmoid((logits[..., 1] - logits[..., 0]).astype(jnp.float32))


def decode_maps(deltas: jax.Array, anchors: jax.Array) -> jax.Array:
    """Lists the boxes of all anchors.

    Args:
      deltas: `[H, W, A, 4]`, see `jaxtrack.ops.anchors.decode`.
      anchors: `[H, W, A, 4]` xyxy, pixels of the search crop.

    Returns:
      `[H W A, 4]` float32 xyxy, pixels of the search crop.
    """
    xyxy = anchor_boxes.decode(
        anchors, deltas.astype(jnp.float32), max_log_scale=_MOST_LOG_SCALE
    )
    return xyxy.reshape(-1, 4)


def best(
    xyxy: jax.Array,
    ranked: jax.Array,
    *,
    count: int = 10,
    iou_threshold: float = 0.5,
    candidates: int = 256,
) -> jax.Array:
    """Picks the best boxes, of those that overlap one another the best alone.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.1; where fewer are left, the next
    best that were suppressed follow (C9).

    Args:
      xyxy: boxes, `[M, 4]` xyxy, pixels.
      ranked: `[M]`, the more the better.
      count: N, how many are picked.
      iou_threshold: of two that overlap more, the better one stays.
      candidates: best boxes that are looked at; at least `count`.

    Returns:
      Places of the N boxes, `[N]` int32, the best first.
    """
    ranked = jnp.where(jnp.isnan(ranked), -jnp.inf, ranked)
    values, places = jax.lax.top_k(ranked, min(candidates, ranked.size))
    kept, _ = nms(xyxy[places], values, count=count, iou_threshold=iou_threshold)
    return places[kept]
