"""Distractors: objects like the target, followed so that none is taken for it.

The peaks of the last score map away from the target are remembered with their motion.
What lies nearer to where one of them is expected than to where the target is expected
counts for less. Nothing is learnt. All functions see ONE target (vmap for more).
"""

from functools import partial

import jax
import jax.numpy as jnp
from flax import struct

COUNT = 3
_LIFE = 24  # Frames after which one that is not seen again is forgotten.
_SHORT_LIFE = 3  # The same while the target is surely where it seems.
_LEAST = 0.8  # Score of a peak over the map's highest.
_SAME = 0.5  # Half an object: nearer cells show the same one; in its width and height.
_DECAY = 0.9  # What is left of the velocity of one that is not seen.
_NEAR = 0.7  # A peak continues a track that is expected nearer, in sizes of the target.


@struct.dataclass
class Distractors:
    """Objects that are not the target.

    Attributes:
      center: `[K, 2]` xy, pixels of the picture.
      velocity: `[K, 2]` xy, pixels a frame.
      life: `[K]` int32, frames for which each is remembered; 0 of an empty slot.
    """

    center: jax.Array
    velocity: jax.Array
    life: jax.Array


def none() -> Distractors:
    """Returns the memory of no distractor."""
    return Distractors(
        center=jnp.zeros((COUNT, 2)),
        velocity=jnp.zeros((COUNT, 2)),
        life=jnp.zeros(COUNT, jnp.int32),
    )


def weights(
    known: Distractors,
    center: jax.Array,
    target: jax.Array,
    *,
    share: float | jax.Array,
) -> jax.Array:
    """Returns what the scores of cells count, by whose they seem to be.

        1 - share * max_k clip((|c - t| - |c - d_k|) / size, 0, 1)

    with c the middle of the cell's box, t and d_k where the target and distractor k are
    expected, and size the root of the target's area.

    Args:
      known: the distractors, from `follow`.
      center: `[H, W, 2]` xy of the middle of each cell's box, pixels of the picture.
      target: `[4]` cxcywh where the target is expected, pixels of the picture.
      share: how much less a distractor counts, in [0, 1].

    Returns:
      `[H, W]` in [1 - share, 1].
    """
    own = distance(center, target[:2])
    expected = known.center + known.velocity
    other = jax.vmap(partial(distance, center))(expected)
    nearer = jnp.clip((own[None] - other) / _size(target), 0.0, 1.0)
    is_known = known.life[:, None, None] > 0
    return 1 - share * jnp.max(jnp.where(is_known, nearer, 0.0), axis=0)


def follow(
    known: Distractors,
    score: jax.Array,
    center: jax.Array,
    target: jax.Array,
    is_sure: jax.Array,
    *,
    velocity_rate: float,
) -> Distractors:
    """Goes on with the tracks of distractors in a new score map.

    A peak continues the track whose expected place is nearest, if that is near, pair by
    pair from the nearest on. Tracks without a peak go on ever slower for some frames.
    Peaks without a track start one, at rest, where a slot is empty, but only while the
    target is surely where it seems: else the peak may be the target.

    Args:
      known: of the last frame.
      score: `[H, W]` of cells, without window and penalty.
      center: `[H, W, 2]` xy of the middle of each cell's box, pixels of the picture.
      target: `[4]` cxcywh where the target is, pixels of the picture.
      is_sure: `[]` whether that is sure.
      velocity_rate: share of what a velocity was wrong by that it learns a frame.

    Returns:
      The distractors of this frame.
    """
    peak, is_peak = find_peaks(score, center, target)
    expected = known.center + known.velocity
    is_alive = known.life > 0
    gap = jax.vmap(partial(distance, peak))(expected) / _size(target)
    gap = jnp.where(is_alive[:, None] & is_peak[None], gap, jnp.inf)
    pairs = _pairs(gap)
    is_seen = jnp.any(pairs, axis=1)
    velocity = known.velocity * jnp.where(is_seen, 1.0, _DECAY)[:, None]
    seen = _picked(pairs, peak)
    error = jnp.where(is_seen[:, None], seen - expected, 0.0)
    most = jnp.where(is_sure, _SHORT_LIFE, _LIFE)
    left = jnp.maximum(jnp.minimum(known.life, most) - 1, 0)
    life = jnp.where(is_seen, _LIFE, left)

    is_new = is_peak & ~jnp.any(pairs, axis=0) & is_sure
    is_empty = life == 0
    is_next = jnp.cumsum(is_empty)[:, None] == jnp.cumsum(is_new)[None]
    starts = is_next & is_empty[:, None] & is_new[None]
    is_started = jnp.any(starts, axis=1)
    return Distractors(
        center=jnp.where(is_started[:, None], _picked(starts, peak), expected + error),
        velocity=jnp.where(is_empty[:, None], 0.0, velocity + velocity_rate * error),
        life=jnp.where(is_started, _LIFE, life),
    )


def find_peaks(
    score: jax.Array, center: jax.Array, target: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Finds the best-scored boxes away from the target and from each other.

    Args:
      score: `[H, W]`.
      center: `[H, W, 2]` xy of boxes, pixels of the picture.
      target: `[4]` cxcywh, pixels of the picture.

    Returns:
      `[COUNT, 2]` xy, best first, and `[COUNT]` whether there is one.
    """
    is_sound = jnp.all(jnp.isfinite(center), axis=-1) & jnp.isfinite(score)
    score = jnp.where(is_sound, score, 0.0).reshape(-1)
    center = center.reshape(-1, 2)
    least = _LEAST * jnp.max(score)

    def is_same(place):
        apart = jnp.abs(center - place[None]) / target[None, 2:]
        return jnp.max(apart, axis=-1) < _SAME

    left = jnp.where(is_same(target[:2]), 0.0, score)
    peaks, are_peaks = [], []
    for _ in range(COUNT):
        best = jnp.argmax(left)
        peaks.append(center[best])
        are_peaks.append((left[best] >= least) & (left[best] > 0))
        left = jnp.where(is_same(center[best]), 0.0, left)
    return jnp.stack(peaks), jnp.stack(are_peaks)


def _pairs(gap):
    """Pairs tracks and peaks from the nearest on, `[K, P]` of bool."""
    pairs = jnp.zeros(gap.shape, bool)
    rows, columns = jnp.indices(gap.shape)
    for _ in range(COUNT):
        row, column = jnp.unravel_index(jnp.argmin(gap), gap.shape)
        is_pair = (rows == row) & (columns == column) & (gap < _NEAR)
        pairs |= is_pair
        gap = jnp.where((rows == row) | (columns == column), jnp.inf, gap)
    return pairs


def _picked(pairs, peak):
    """Returns the peak that each row picks, or 0."""
    return jnp.sum(jnp.where(pairs[..., None], peak[None], 0.0), axis=1)


def distance(center: jax.Array, place: jax.Array) -> jax.Array:
    """Returns how far points are from a place.

    Args:
      center: `[..., 2]` xy.
      place: `[2]` xy.

    Returns:
      `[...]`.
    """
    shape = (1,) * (center.ndim - 1) + (2,)
    return jnp.linalg.norm(center - place.reshape(shape), axis=-1)


def _size(box):
    """Returns the root of a box's area, at least a pixel."""
    return jnp.maximum(jnp.sqrt(box[2] * box[3]), 1.0)
