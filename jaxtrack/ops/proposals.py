"""Proposals: the best boxes of an anchor-based network's maps."""

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes


def target_probability(logits: jax.Array) -> jax.Array:
    """Computes the softmax probability of the second of two logits.

    Args:
      logits: background and target, `[..., 2]`.

    Returns:
      `[...]` float32.
    """
    return jax.nn.sigmoid((logits[..., 1] - logits[..., 0]).astype(jnp.float32))


def decode_maps(deltas: jax.Array, anchors: jax.Array) -> jax.Array:
    """Decodes the boxes of all anchors.

    Args:
      deltas: `[H, W, A, 4]`, see `jaxtrack.ops.anchors.decode`.
      anchors: `[H, W, A, 4]` xyxy, pixels of the search crop.

    Returns:
      `[H W A, 4]` float32 xyxy, pixels of the search crop.
    """
    return anchor_boxes.decode(anchors, deltas.astype(jnp.float32)).reshape(-1, 4)


def best(
    xyxy: jax.Array,
    ranked: jax.Array,
    *,
    count: int = 10,
    iou_threshold: float = 0.5,
    candidates: int = 256,
) -> jax.Array:
    """Selects the best boxes by non-maximum suppression.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.1; where fewer are left, the next
    best that were suppressed follow (C9).

    Args:
      xyxy: boxes, `[M, 4]` xyxy, pixels.
      ranked: scores, `[M]`, larger is better.
      count: N, number of boxes selected.
      iou_threshold: of two that overlap more, the better one stays.
      candidates: number of best boxes that are considered, at least `count`.

    Returns:
      Indices of the N boxes, `[N]` int32, the best first.
    """
    ranked = jnp.where(jnp.isnan(ranked), -jnp.inf, ranked)
    values, places = lax.top_k(ranked, min(candidates, ranked.size))
    kept, _ = nms(xyxy[places], values, count=count, iou_threshold=iou_threshold)
    return places[kept]


def nms(
    xyxy: jax.Array,
    scores: jax.Array,
    *,
    count: int,
    iou_threshold: float,
) -> tuple[jax.Array, jax.Array]:
    """Selects the best boxes that do not overlap better ones too much.

    Greedy: the best box left is kept, and suppresses those whose IoU with it is above
    the threshold. Of equal scores the lower index is better; NaN is the worst score.
    If no box is left before `count` are kept, the best suppressed ones follow (C9), so
    that there are always `count` different boxes. An empty box overlaps none.

    Needs O(M log M + count M) time and O(M) memory.

    Args:
      xyxy: boxes, `[M, 4]` xyxy.
      scores: `[M]`, larger is better.
      count: number of boxes to select, at most M.
      iou_threshold: largest IoU that two kept boxes may have.

    Returns:
      Indices, `[count]` int32, best first, the kept ones before the others; and which
      were kept, `[count]` bool.

    Raises:
      ValueError: for shapes that disagree, or a count that is not in 1 to M.
    """
    if xyxy.ndim != 2 or xyxy.shape[1] != 4 or scores.shape != xyxy.shape[:1]:
        shapes = f"{xyxy.shape} and {scores.shape}"
        raise ValueError(f"xyxy and scores must be [M, 4] and [M], not {shapes}")
    total = scores.shape[0]
    if not 1 <= count <= total:
        raise ValueError(f"cannot select count={count} of {total} boxes")
    xyxy, scores = (lax.stop_gradient(jnp.asarray(v)) for v in (xyxy, scores))
    order = jnp.argsort(-scores, stable=True)  # NaN comes last.
    rank = jnp.zeros(total, jnp.int32).at[order].set(jnp.arange(total, dtype=jnp.int32))

    def select(place, state):
        indices, is_kept, priority = state
        best = jnp.argmin(priority).astype(jnp.int32)
        is_free = priority[best] < total
        overlap = boxes.iou(xyxy[best][None], xyxy)
        # Every suppressed box ranks behind every free one, and those taken come last.
        # Where the best is not free none is, so that it suppresses nothing.
        is_suppressed = (overlap > iou_threshold) & (priority < total)
        priority = jnp.where(is_suppressed, priority + total, priority)
        priority = priority.at[best].set(2 * total)
        return indices.at[place].set(best), is_kept.at[place].set(is_free), priority

    start = jnp.zeros(count, jnp.int32), jnp.zeros(count, bool), rank
    return lax.fori_loop(0, count, select, start)[:2]
