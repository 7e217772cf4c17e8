"""Sampling and labels of the proposals that train the refinement of one example."""

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.ops import boxes

# A jittered box: shift in sizes of the target, logarithm of the size's change. 98 % of
# such boxes have an IoU above one half with the target; their mean IoU is 0.64.
_SHIFT = 0.2
_LOG_SCALE = 0.3


def jittered_boxes(key: jax.Array, xyxy: jax.Array, *, count: int) -> jax.Array:
    """Draws jittered copies of a box.

        center + U(-0.2, 0.2) (w, h),  (w, h) exp(U(-0.3, 0.3))

    Args:
      key: random key.
      xyxy: `[4]` xyxy, pixels.
      count: number of boxes.

    Returns:
      `[count, 4]` xyxy, pixels.
    """
    noise = jax.random.uniform(key, (count, 4), minval=-1.0)
    center, wh = jnp.split(boxes.xyxy_to_cxcywh(xyxy), 2)
    moved = center[None] + _SHIFT * noise[:, :2] * wh[None]
    return boxes.cxcywh_to_xyxy(
        jnp.concatenate([moved, wh[None] * jnp.exp(_LOG_SCALE * noise[:, 2:])], axis=1)
    )


def sample_proposals(
    key: jax.Array,
    proposals: jax.Array,
    xyxy: jax.Array,
    is_positive: jax.Array,
    *,
    count: int = 32,
    num_positives: int = 16,
    iou_threshold: float = 0.5,
    num_jittered: int = 8,
) -> jax.Array:
    """Samples positive and negative proposals to refine.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.4: up to 16 for the regression, 32
    for the identifier, positive above an IoU of 0.5. Boxes jittered around the target
    join the network's own, which are poor at first (C4). If there are too few positives
    or negatives, more of the others take their place, so that the shape is fixed; label
    the returned proposals by `refinement_labels`.

    Args:
      key: random key.
      proposals: of the network, `[M, 4]` xyxy, pixels; `M + num_jittered >= count`.
      xyxy: the target, `[4]` xyxy, pixels; of another object where `is_positive` is
        False, when all proposals are negative.
      is_positive: `[]` bool, whether the search crop shows the target.
      count: N, number of proposals drawn.
      num_positives: largest number of positives drawn, as long as there are others.
      iou_threshold: a proposal is positive above.
      num_jittered: boxes drawn around the target.

    Returns:
      `[N, 4]` xyxy, pixels, without gradient.

    Raises:
      ValueError: if there are fewer than `count` boxes.
    """
    if len(proposals) + num_jittered < count:
        total = f"{len(proposals)} + {num_jittered}"
        raise ValueError(f"{total} proposals are too few to draw {count}")
    key_jitter, key_draw = jax.random.split(key)
    is_shown = is_positive & regions.is_box(xyxy)
    around = jittered_boxes(key_jitter, xyxy, count=num_jittered)
    # Where no target is shown, proposals are repeated instead of empty boxes.
    again = jnp.resize(proposals, (num_jittered, 4))
    found = jnp.concatenate([proposals, jnp.where(is_shown, around, again)])
    found = lax.stop_gradient(found)
    positive = is_shown & (boxes.iou(found, xyxy[None]) > iou_threshold)
    # In a random order, the first positives come first, then negatives, then the rest.
    noise = jax.random.uniform(key_draw, positive.shape)
    order = jnp.argsort(noise)
    rank = jnp.zeros_like(order).at[order].set(jnp.cumsum(positive[order]))
    is_drawn = positive & (rank <= num_positives)
    priority = jnp.where(is_drawn, 2.0, jnp.where(positive, 0.0, 1.0))
    return found[lax.top_k(priority + 0.5 * noise, count)[1]]


def refinement_labels(
    xyxy: jax.Array,
    target: jax.Array,
    is_positive: jax.Array,
    *,
    iou_threshold: float = 0.5,
    num_positives: int = 16,
) -> jax.Array:
    """Labels boxes by their overlap with the target.

    Args:
      xyxy: proposals, or the boxes regressed from them (C4), `[N, 4]` xyxy, pixels.
      target: `[4]` xyxy, pixels.
      is_positive: `[]` bool, whether the search crop shows the target.
      iou_threshold: positive above, negative otherwise.
      num_positives: positives beyond the first so many are ignored.

    Returns:
      `[N]` int32 of POSITIVE, NEGATIVE and IGNORE.
    """
    is_shown = is_positive & regions.is_box(target)
    overlap = boxes.iou(lax.stop_gradient(xyxy), target[None])
    positive = is_shown & (overlap > iou_threshold)
    is_kept = jnp.cumsum(positive) <= num_positives
    labels = jnp.where(is_kept, regions.POSITIVE, regions.IGNORE)
    return jnp.where(positive, labels, regions.NEGATIVE).astype(jnp.int32)
