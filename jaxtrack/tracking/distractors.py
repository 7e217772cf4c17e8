"""Distractors: objects similar to the target, followed to avoid confusion.

Peaks of the last score map away from the target are remembered with their motion. Cells
nearer to a distractor's expected position than to the target's get lower scores.
Nothing is learned. All functions take ONE target (vmap for more).
"""

from functools import partial

import jax
import jax.numpy as jnp
from flax import struct

COUNT = 3
_LIFE = 24  # Frames after which an unseen distractor is forgotten.
_SHORT_LIFE = 3  # The same while the position of the target is certain.
_LEAST = 0.8  # Smallest score of a peak, relative to the map's highest.
_SAME = 0.5  # Nearer cells show the same object, in its width and height.
_DECAY = 0.9  # Factor per frame on the velocity of an unseen distractor.
_NEAR = 0.7  # Largest distance of a peak that continues a track, in target sizes.


@struct.dataclass
class Distractors:
    """Objects that are not the target.

    Attributes:
      center: `[K, 2]` xy, pixels of the picture.
      velocity: `[K, 2]` xy, pixels per frame.
      life: `[K]` int32, frames for which each is still remembered; 0 for empty slots.
    """

    center: jax.Array
    velocity: jax.Array
    life: jax.Array


def none() -> Distractors:
    """Returns an empty memory."""
    return Distractors(
        center=jnp.zeros((COUNT, 2)),
        velocity=jnp.zeros((COUNT, 2)),
        life=jnp.zeros(COUNT, jnp.int32),
    )


def weights(
    tracks: Distractors,
    center: jax.Array,
    target: jax.Array,
    *,
    penalty: float | jax.Array,
) -> jax.Array:
    """Returns weights for the scores of cells that may show a distractor.

        1 - penalty * max_k clip((|c - t| - |c - d_k|) / size, 0, 1)

    with c the center of the cell's box, t and d_k the expected positions of the target
    and distractor k, and size the root of the target's area.

    Args:
      tracks: the distractors, from `follow`.
      center: `[H, W, 2]` xy, center of each cell's box, pixels of the picture.
      target: `[4]` cxcywh, the expected box of the target, pixels of the picture.
      penalty: reduction of a distractor's scores, in [0, 1].

    Returns:
      `[H, W]` in [1 - penalty, 1].
    """
    own = distance(center, target[:2])
    expected = tracks.center + tracks.velocity
    other = jax.vmap(partial(distance, center))(expected)
    nearer = jnp.clip((own[None] - other) / _size(target), 0.0, 1.0)
    is_known = tracks.life[:, None, None] > 0
    return 1 - penalty * jnp.max(jnp.where(is_known, nearer, 0.0), axis=0)


def follow(
    tracks: Distractors,
    score: jax.Array,
    center: jax.Array,
    target: jax.Array,
    is_confident: jax.Array,
    *,
    velocity_rate: float,
) -> Distractors:
    """Updates the tracks of distractors with a new score map.

    Tracks and peaks that are near each other are paired greedily, the nearest first.
    Tracks without a peak continue for some frames, slowing down. Peaks without a track
    start one at rest in an empty slot, but only while the position of the target is
    certain: otherwise the peak may be the target.

    Args:
      tracks: of the last frame.
      score: `[H, W]` of cells, without window and penalty.
      center: `[H, W, 2]` xy, center of each cell's box, pixels of the picture.
      target: `[4]` cxcywh of the target, pixels of the picture.
      is_confident: `[]` whether that position is certain.
      velocity_rate: weight of the last prediction error in the velocity.

    Returns:
      The distractors of this frame.
    """
    peak, is_peak = find_peaks(score, center, target)
    expected = tracks.center + tracks.velocity
    is_alive = tracks.life > 0
    gap = jax.vmap(partial(distance, peak))(expected) / _size(target)
    gap = jnp.where(is_alive[:, None] & is_peak[None], gap, jnp.inf)
    pairs = _pairs(gap)
    is_seen = jnp.any(pairs, axis=1)
    velocity = tracks.velocity * jnp.where(is_seen, 1.0, _DECAY)[:, None]
    peaks = _picked(pairs, peak)
    error = jnp.where(is_seen[:, None], peaks - expected, 0.0)
    life_limit = jnp.where(is_confident, _SHORT_LIFE, _LIFE)
    remaining = jnp.maximum(jnp.minimum(tracks.life, life_limit) - 1, 0)
    life = jnp.where(is_seen, _LIFE, remaining)

    is_new = is_peak & ~jnp.any(pairs, axis=0) & is_confident
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
    """Finds the highest-scored boxes away from the target and from each other.

    Args:
      score: `[H, W]`.
      center: `[H, W, 2]` xy of boxes, pixels of the picture.
      target: `[4]` cxcywh, pixels of the picture.

    Returns:
      `[COUNT, 2]` xy, best first, and `[COUNT]` whether it exists.
    """
    is_sound = jnp.all(jnp.isfinite(center), axis=-1) & jnp.isfinite(score)
    score = jnp.where(is_sound, score, 0.0).reshape(-1)
    center = center.reshape(-1, 2)
    least = _LEAST * jnp.max(score)

    def is_same(place):
        apart = jnp.abs(center - place[None]) / target[None, 2:]
        return jnp.max(apart, axis=-1) < _SAME

    remaining = jnp.where(is_same(target[:2]), 0.0, score)
    peaks, are_peaks = [], []
    for _ in range(COUNT):
        best = jnp.argmax(remaining)
        peaks.append(center[best])
        are_peaks.append((remaining[best] >= least) & (remaining[best] > 0))
        remaining = jnp.where(is_same(center[best]), 0.0, remaining)
    return jnp.stack(peaks), jnp.stack(are_peaks)


def _pairs(gap):
    """Pairs tracks and peaks greedily by distance, `[K, P]` bool."""
    pairs = jnp.zeros(gap.shape, bool)
    rows, columns = jnp.indices(gap.shape)
    for _ in range(COUNT):
        row, column = jnp.unravel_index(jnp.argmin(gap), gap.shape)
        is_pair = (rows == row) & (columns == column) & (gap < _NEAR)
        pairs |= is_pair
        gap = jnp.where((rows == row) | (columns == column), jnp.inf, gap)
    return pairs


def _picked(pairs, peak):
    """Returns the peak paired with each row, or 0."""
    return jnp.sum(jnp.where(pairs[..., None], peak[None], 0.0), axis=1)


def distance(center: jax.Array, place: jax.Array) -> jax.Array:
    """Returns the distances of points from a position.

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
