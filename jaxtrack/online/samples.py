"""Samples around a target, of a fixed number.

Nam and Han, MDNet (arXiv:1510.07945), section 4.3, as in its released Python
code (C12).
"""

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes

MIN_SIZE = 10.0  # Pixels; MDNet's. A target that is smaller has its own side.


def jitter(
    key: jax.Array,
    box: jax.Array,
    *,
    count: int,
    translation: float,
    scale: float,
    uniform: bool = False,
) -> jax.Array:
    """Draws boxes of a target's shape around it.

        center' = center + translation mean(w, h) u,  u two draws
        size'   = size scale^v,                       v one draw for both sides

    A draw is N(0, 1/4) clipped to [-1, 1], or U(-1, 1).

    Args:
      key: random key.
      box: the target, `[4]` cxcywh, pixels.
      count: number of boxes.
      translation: largest shift of the center, in mean sides of the target.
      scale: largest factor of the size; 1 keeps it.
      uniform: U(-1, 1) in place of the Gaussian.

    Returns:
      Boxes, `[count, 4]` cxcywh, pixels.
    """
    if uniform:
        noise = jax.random.uniform(key, (count, 3), box.dtype, minval=-1, maxval=1)
    else:
        noise = jnp.clip(0.5 * jax.random.normal(key, (count, 3), box.dtype), -1, 1)
    shift = translation * jnp.mean(box[2:]) * noise[:, :2]
    size = box[None, 2:] * jnp.power(jnp.asarray(scale, box.dtype), noise[:, 2:])
    return jnp.concatenate([box[None, :2] + shift, size], axis=1)


def draw(
    key: jax.Array,
    box: jax.Array,
    *,
    count: int,
    candidates: int,
    iou_range: tuple[float, float],
    translation: float | None,
    scale: float,
    uniform: bool = False,
    bounds: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """Draws boxes whose IoU with the target lies in a range.

    MDNet draws until it has enough; here the number of candidates is fixed, and the
    first that fit are taken. No side is less than `MIN_SIZE` or the target's, whichever
    is less. Its positives have IoU in [0.7, 1], translation 0.1 and
    scale 1.3. Its negatives are uniform: in the first frame IoU in [0, 0.5], scale 1.6
    and translation 1 for one half, anywhere in the picture for the other; later IoU in
    [0, 0.3], translation 2 and scale 1.3 (C12).

    Args:
      key: random key.
      box: the target, `[4]` cxcywh, pixels.
      count: number of boxes to return.
      candidates: number of boxes to draw, at least `count`.
      iou_range: least and greatest IoU, both included.
      translation: see `jitter`; None puts centers anywhere in the bounds, evenly.
      scale: see `jitter`.
      uniform: see `jitter`.
      bounds: `[4]` xyxy, pixels: where centers must lie, and what no box may exceed in
        size; None sets no limit but the least size.

    Returns:
      Boxes, `[count, 4]` cxcywh, pixels; and `[count]` bool, those that fit. The rest
      are candidates that do not fit.

    Raises:
      ValueError: `candidates` is less than `count`, or there are no bounds to put
        centers anywhere in.
    """
    if translation is None and bounds is None:
        raise ValueError("translation None needs bounds")
    if candidates < count:
        raise ValueError(f"{candidates} candidates for {count} boxes")
    drawn = jitter(
        key,
        box,
        count=candidates,
        translation=translation or 0.0,
        scale=scale,
        uniform=uniform,
    )
    if translation is None:
        low, high = jnp.broadcast_to(bounds.reshape(2, 1, 2), (2, candidates, 2))
        share = jax.random.uniform(jax.random.fold_in(key, 1), (candidates, 2))
        drawn = drawn.at[:, :2].set(low + share * (high - low))
    # Boxes of MDNet's least size would overlap a target that is less high too little.
    least = jnp.clip(box[None, 2:], 1.0, MIN_SIZE)
    drawn = _limit(drawn, least, bounds)
    iou = boxes.iou(boxes.cxcywh_to_xyxy(drawn), boxes.cxcywh_to_xyxy(box[None]))
    low, high = iou_range
    fits = (iou >= low) & (iou <= high)
    _, places = lax.top_k(fits.astype(jnp.int32), count)  # The first of equals first.
    return drawn[places], fits[places]


def hardest(
    scores: jax.Array, is_valid: jax.Array, *, count: int
) -> tuple[jax.Array, jax.Array]:
    """Selects the samples with the highest scores, for hard negatives.

    Args:
      scores: `[M]`, in any order; infinite or missing ones (nan) come last.
      is_valid: `[M]` bool, which are samples.
      count: number of samples to select, at most M.

    Returns:
      Their indices, `[count]` int32, the highest score first; and `[count]` bool, which
      of them are samples.
    """
    is_valid = is_valid & jnp.isfinite(scores)
    _, places = lax.top_k(jnp.where(is_valid, scores, -jnp.inf), count)
    return places, is_valid[places]


def _limit(cxcywh, least, bounds):
    """Keeps sizes from `least`, `[1, 2]`, to the bounds', and centers inside them."""
    center, size = cxcywh[:, :2], jnp.maximum(cxcywh[:, 2:], least)
    if bounds is not None:
        low, high = jnp.broadcast_to(bounds.reshape(2, 1, 2), (2, *center.shape))
        size = jnp.minimum(size, jnp.maximum(high - low - MIN_SIZE, least))
        center = jnp.clip(center, low, high)
    return jnp.concatenate([center, size], axis=1)
