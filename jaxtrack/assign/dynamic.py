"""Dynamic label assignment (DLA): the threshold on IoU follows the target.

SiamDLA, Algorithm 1, after Zhang et al., ATSS (arXiv:1912.02424). Tags such as D7 name
how a gap of the paper is resolved. All functions take ONE example; use vmap for more.
"""

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes

# Anchors of one size have equal IoUs wherever they lie inside the target, or the
# target in them: smaller differences are rounding (D7).
_TOLERANCE = 1e-6

# A point this close to the target's border is not inside, pixels (D8).
_LEAST_DISTANCE = 0.01


def virtual_anchors(points: jax.Array, *, side: float = 64.0) -> jax.Array:
    """Makes a square anchor at every point, for trackers that have no anchors.

    SiamDLA, section 3.2: 64 x 64, like the square anchor of its other tracker.

    Args:
      points: `[H, W, 2]` xy, pixels.
      side: side of the square, pixels.

    Returns:
      `[H, W, 1, 4]` xyxy, pixels.
    """
    return anchor_boxes.tile(points, [(side, side)])


def dynamic_positives(
    anchors: jax.Array,
    xyxy: jax.Array,
    *,
    num_points: int = 9,
    ddof: int = 1,
    empty: str = "clamp",
) -> jax.Array:
    """Selects positive anchors near the target's center by the statistics of IoU.

        C = anchors of the K points nearest to the target's center
        T = mean(IoU of C) + std(IoU of C)
        positive:  in C, IoU >= T, and its center inside the target

    SiamDLA, Algorithm 1, lines 3 to 13. Points at equal distance come in the order of
    row and column, each with all its anchors (D5). Often no IoU reaches T, as IoUs
    saturate (D7); `empty` says what happens then.

    Args:
      anchors: `[H, W, A, 4]` xyxy, pixels; those of a cell have one center.
      xyxy: the target, `[4]` xyxy, pixels of the same image.
      num_points: K, at most the number of points is used.
      ddof: 1 for the sample's standard deviation (D6), 0 for the population's.
      empty: "clamp" lowers T to the best IoU of C inside the target, so that all
        anchors as good as the best are positive; "argmax" takes the single best of them
        where there would be none; both take the best anchor of the nearest point if no
        point of C is inside. "skip" may leave a target without positives.

    Returns:
      `[H, W, A]` bool; all False for a target that is empty or not finite.

    Raises:
      ValueError: for an unknown `empty`, a `ddof` other than 0 or 1, or too few
        candidates for a standard deviation.
    """
    height, width, num_anchors = anchors.shape[:3]
    num_points = min(num_points, height * width)
    _check(num_points, num_anchors, ddof, empty)
    flat = anchors.reshape(height * width, num_anchors, 4)
    nearest = _nearest(flat[:, 0], xyxy, num_points)
    candidates = flat[nearest]
    iou = boxes.iou(candidates, xyxy)
    centers = (candidates[..., :2] + candidates[..., 2:]) / 2
    is_inside = boxes.xyxy_to_ltrb(centers, xyxy).min(axis=-1) > _LEAST_DISTANCE
    threshold = jnp.mean(iou) + jnp.std(iou, ddof=ddof)
    is_positive = is_inside & (iou >= threshold - _TOLERANCE)
    if empty != "skip":
        # Without a candidate inside, use those of the nearest point.
        is_nearest = jnp.zeros_like(is_inside).at[0].set(True)
        has_inside = jnp.any(is_inside)
        stand_in = jnp.where(has_inside, is_inside, is_nearest)
        best = jnp.max(jnp.where(stand_in, iou, -1))
        is_best = stand_in & (iou >= best - _TOLERANCE)
        if empty == "argmax":
            is_best = _first(is_best)
        else:
            is_best = jnp.where(has_inside, is_best, _first(is_best))
        is_positive = jnp.where(jnp.any(is_positive), is_positive, is_best)
    is_positive &= regions.is_box(xyxy)
    placed = jnp.zeros((height * width, num_anchors), bool).at[nearest].set(is_positive)
    return placed.reshape(height, width, num_anchors)


def dynamic_labels(
    key: jax.Array,
    anchors: jax.Array,
    xyxy: jax.Array,
    *,
    num_points: int = 9,
    ddof: int = 1,
    empty: str = "clamp",
    negative_ratio: int = 4,
) -> jax.Array:
    """Labels anchors: dynamic positives, random negatives, and the rest ignored.

    SiamDLA, Algorithm 1. The negatives are drawn uniformly from all anchors that
    are not positive, including those with a large IoU (D4).

    Args:
      key: random key.
      anchors: `[H, W, A, 4]` xyxy, pixels; those of a cell have one center.
      xyxy: the target, `[4]` xyxy, pixels of the same image.
      num_points: as in `dynamic_positives`.
      ddof: as in `dynamic_positives`.
      empty: as in `dynamic_positives`.
      negative_ratio: number of negatives drawn per positive.

    Returns:
      `[H, W, A]` int32 of POSITIVE, NEGATIVE and IGNORE; without positives, all are
      IGNORE.

    Raises:
      ValueError: as `dynamic_positives` does.
    """
    is_positive = dynamic_positives(
        anchors, xyxy, num_points=num_points, ddof=ddof, empty=empty
    )
    flat = is_positive.reshape(-1)
    # The count is bounded, so the top few random numbers suffice; no full sort.
    most = min(negative_ratio * num_points * anchors.shape[2], flat.size)
    # Positives come last; if too few others exist, they are overwritten below.
    order = jnp.where(flat, -1, jax.random.uniform(key, flat.shape))
    places = lax.top_k(order, most)[1]
    is_drawn = jnp.arange(most) < negative_ratio * jnp.sum(flat)
    is_negative = jnp.zeros_like(flat).at[places].set(is_drawn)
    labels = jnp.where(is_negative, regions.NEGATIVE, regions.IGNORE)
    labels = jnp.where(flat, regions.POSITIVE, labels).astype(jnp.int32)
    return labels.reshape(is_positive.shape)


def _check(num_points, num_anchors, ddof, empty):
    """Raises for invalid settings."""
    if empty not in ("clamp", "argmax", "skip"):
        raise ValueError(f"empty must be clamp, argmax or skip, got {empty!r}")
    if ddof not in (0, 1):
        raise ValueError(f"ddof must be 0 or 1, got {ddof}")
    if num_points < 1:
        raise ValueError(f"num_points must be at least 1, got {num_points}")
    if num_points * num_anchors <= ddof:
        raise ValueError(
            f"{num_points * num_anchors} candidates are too few for ddof {ddof}"
        )


def _nearest(anchors, xyxy, count):
    """Returns the indices of the anchors `[N, 4]` with the nearest centers.

    In whole steps squares of int32 are exact: ties are ties, in whatever order the
    compiler sums; top_k then takes the first. A step is at most 2^-13 of the last
    one's distance, or 1/1024 px: what float32 makes of the target's corners is less.
    """
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    offset = centers - (xyxy[None, :2] + xyxy[None, 2:]) / 2
    last = -lax.top_k(-jnp.sum(offset * offset, axis=-1), count)[0][-1]
    # last < 2^e, so its root is less than 2^14 steps.
    _, e = jnp.frexp(last)
    step = jnp.ldexp(jnp.float32(1), jnp.maximum((e + 1) // 2 - 14, -10))
    # What is cut here is farther away than the last one, and its square still fits.
    steps = jnp.clip(jnp.round(offset / step), -32767, 32767).astype(jnp.int32)
    return lax.top_k(-jnp.sum(steps * steps, axis=-1), count)[1]


def _first(mask):
    """Keeps the first true entry of a mask: the first anchor of the nearest point."""
    flat = mask.reshape(-1)
    return (flat & (jnp.cumsum(flat) == 1)).reshape(mask.shape)
