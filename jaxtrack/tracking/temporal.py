"""Tracking over time: velocity, lost targets, and a trusted size.

A tracker with `tracking.over_time` remembers more than its last box. It searches where
the target is expected. If the score falls far, it holds that position and the last
trusted size until the score is high again, except for targets that move far between
frames. All functions take ONE target (vmap for more) and never branch on values.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxtrack.tracking import distractors

_USUAL_RATE = 0.05  # Weight of a new score in the usual score.
_GROWTH_RATE = 0.3  # Weight of a larger size in the trusted one.
_UNSURE = 0.2  # Factor on the rates of the trusted size if the tracker is not sure.
_SHRUNK = 0.25  # Log of the ratio of trusted and new side that suggests occlusion.
_REACH = 0.4  # Initial distance at which a lost target may be found, in sizes.
_FAST = 0.25  # Pace from which the last position says little about the next one.
_FIRST_PACE = 0.3  # Initial pace.
_PACE_RATE = 0.2  # Weight of a new step in the pace.
_MISSED = 0.8  # Fraction of the usual score below which a target may be hidden.
_RELAXED = 0.98  # Factor per frame on the score at which a lost target is found.


class Rules(NamedTuple):
    """Numbers of tracking over time: the settings of the same names.

    Attributes:
      held_below: the target is lost, and its box held, if the score falls below this.
      found_share: a lost target is found again if its score reaches this fraction of
        the usual score.
      sure_share: the tracker is sure if the score reaches this fraction.
      found_reach: growth per frame of the distance at which a lost target may be found,
        in roots of its area.
      sure_rate: weight of a smaller size in the trusted size, per frame.
      velocity_rate: weight of the last prediction error in the velocity.
      lost_decay: factor on velocity and window per frame while the target is lost.
      distractor_share: see `distractors.weights`.
    """

    held_below: float
    found_share: float
    found_reach: float
    sure_share: float
    sure_rate: float
    velocity_rate: float
    lost_decay: float
    distractor_share: float


@struct.dataclass
class Memory:
    """The memory between frames, in addition to the box.

    Attributes:
      expected: `[4]` cxcywh, the predicted box, pixels of the picture.
      velocity: `[2]` xy, pixels per frame.
      pace: `[]` average motion, sizes per frame; the size is the root of the area.
      trusted: `[2]` width and height, pixels of the picture, averaged over frames in
        which the tracker was sure.
      usual: `[]` the score, averaged over frames in which the target was not lost.
      lost: `[]` int32, frames since the target was lost; 0 if it is not.
      distractors: objects that are not the target; None if they are not followed.
    """

    expected: jax.Array
    velocity: jax.Array
    pace: jax.Array
    trusted: jax.Array
    usual: jax.Array
    lost: jax.Array
    distractors: distractors.Distractors | None


class Seen(NamedTuple):
    """The result of a frame.

    Attributes:
      box: `[4]` cxcywh, the selected box, pixels of the picture.
      score: `[]` of the box.
      confidence: `[H, W]` of all cells.
      xyxy: `[H, W, 4]` boxes of all cells, pixels of the picture.
    """

    box: jax.Array
    score: jax.Array
    confidence: jax.Array
    xyxy: jax.Array


def start(box: jax.Array, rules: Rules) -> Memory:
    """Returns the memory after the first frame.

    Args:
      box: `[4]` cxcywh of the target, pixels of the picture.
      rules: how to track; static, since they enable distractors.
    """
    return Memory(
        expected=box,
        velocity=jnp.zeros(2),
        pace=jnp.full([], _FIRST_PACE),
        trusted=box[2:],
        usual=jnp.zeros([]),
        lost=jnp.zeros([], jnp.int32),
        distractors=distractors.none() if rules.distractor_share else None,
    )


def window(memory: Memory, share: float | jax.Array, rules: Rules) -> jax.Array:
    """Returns the window's weight, which fades while the target is lost.

    Args:
      memory: of the last frame.
      share: weight of the Hann window if the target is not lost.
      rules: how to track.

    Returns:
      `share * lost_decay ** lost`, `[]`.
    """
    return share * rules.lost_decay ** memory.lost.astype(jnp.float32)


def weigh(memory: Memory, cls: jax.Array, xyxy: jax.Array, rules: Rules) -> jax.Array:
    """Lowers the classification of cells that seem to show a distractor.

    While the target is lost, boxes that it cannot have reached get 0:

        |c - expected| > (0.4 + found_reach * lost) * sqrt(w h)

    with c the center of a cell's box, w and h the trusted size.

    Args:
      memory: of the last frame.
      cls: `[H, W]`, or `[H, W, A]` of A anchors.
      xyxy: `[H, W, 4]` boxes of the cells, pixels of the picture.
      rules: how to track.

    Returns:
      As `cls`.
    """
    center = (xyxy[..., :2] + xyxy[..., 2:]) / 2
    away = distractors.distance(center, memory.expected[:2])
    lost = memory.lost.astype(jnp.float32)
    reach = (_REACH + rules.found_reach * lost) * jnp.sqrt(jnp.prod(memory.trusted))
    weights = jnp.where((lost > 0) & (away > reach), 0.0, 1.0)
    if memory.distractors is not None:
        share = jnp.where(memory.pace < _FAST, rules.distractor_share, 0.0)
        weights *= distractors.weights(
            memory.distractors, center, memory.expected, share=share
        )
    return cls * weights.reshape(weights.shape + (1,) * (cls.ndim - 2))


def update(
    memory: Memory, seen: Seen, rules: Rules
) -> tuple[Memory, jax.Array, jax.Array]:
    """Updates the memory, and decides whether the target is lost.

    Args:
      memory: of the last frame.
      seen: the result of the frame, with the weights of `weigh`.
      rules: how to decide.

    Returns:
      The new memory; the target's box `[4]` cxcywh, pixels of the picture, which is the
      expected one if it is lost; and its score `[]`, at most `held_below` if it is
      lost.
    """
    box, score = seen.box, seen.score
    lost = memory.lost.astype(jnp.float32)
    was_lost = lost > 0
    found_at = jnp.where(was_lost, rules.found_share * _RELAXED**lost, 0.0)
    is_low = score < jnp.maximum(found_at * memory.usual, rules.held_below)
    is_lost = is_low & (was_lost | (memory.pace < _FAST))
    change = jnp.log(box[2:] / memory.trusted)
    is_sure = ~is_low & (score >= rules.sure_share * memory.usual)
    is_sure &= jnp.min(change) > -_SHRUNK
    held = jnp.concatenate([memory.expected[:2], memory.trusted])
    tracked = jnp.where(is_lost, held, box)

    # After a loss the error of the prediction says nothing about the velocity.
    is_moving = is_sure & ~was_lost
    error = jnp.where(is_moving, box[:2] - memory.expected[:2], 0.0)
    velocity = memory.velocity + rules.velocity_rate * error
    velocity = velocity * jnp.where(is_lost, rules.lost_decay, 1.0)
    velocity = jnp.where(was_lost & ~is_lost, 0.0, velocity)
    rate = jnp.where(is_sure, 1.0, jnp.where(is_lost, 0.0, _UNSURE))
    rate = rate * jnp.where(change > 0, _GROWTH_RATE, rules.sure_rate)
    rise = jnp.where(memory.usual > 0, _USUAL_RATE, 1.0)
    usual = memory.usual + rise * (score - memory.usual)
    moved = tracked[:2] - (memory.expected[:2] - memory.velocity)
    step = jnp.linalg.norm(moved) / jnp.sqrt(jnp.prod(memory.trusted)) - memory.pace
    others = memory.distractors
    if others is not None:
        others = distractors.follow(
            others,
            seen.confidence,
            (seen.xyxy[..., :2] + seen.xyxy[..., 2:]) / 2,
            tracked,
            ~is_lost & (score >= _MISSED * memory.usual),
            velocity_rate=rules.velocity_rate,
        )
    memory = Memory(
        expected=jnp.concatenate([tracked[:2] + velocity, tracked[2:]]),
        velocity=velocity,
        pace=memory.pace + jnp.where(is_lost | was_lost, 0.0, _PACE_RATE * step),
        trusted=memory.trusted * jnp.exp(rate * change),
        usual=jnp.where(is_lost, memory.usual, usual),
        lost=jnp.where(is_lost, memory.lost + 1, 0),
        distractors=others,
    )
    # An expected box must not have a high score.
    most = jnp.where(is_lost, rules.held_below, 1.0)
    return memory, tracked, jnp.minimum(score, most)
