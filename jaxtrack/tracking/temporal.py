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

_SCORE_RATE = 0.05  # Weight of a new score in the usual score.
_GROWTH_RATE = 0.3  # Weight of a larger size in the trusted one.
_UNCERTAIN_FACTOR = 0.2  # On the rates of the trusted size, if not confident.
_OCCLUSION_SHRINK = 0.25  # Log of trusted over new side that suggests occlusion.
_FIRST_REACH = 0.4  # Initial distance at which a lost target may be found, in sizes.
_FAST_PACE = 0.25  # Pace from which the last position says little about the next one.
_FIRST_PACE = 0.3  # Initial pace.
_PACE_RATE = 0.2  # Weight of a new step in the pace.
_HIDDEN_RATIO = 0.8  # Fraction of the usual score below which a target may be hidden.
_RECOVERY_DECAY = 0.98  # Factor per frame on the score at which a lost target is found.


class Rules(NamedTuple):
    """Numbers of tracking over time: the settings of the same names.

    Attributes:
      held_below: the target is lost, and its box held, if the score falls below this.
      recovery_ratio: a lost target is found again if its score reaches this fraction of
        the usual score.
      confident_ratio: the tracker is confident if the score reaches this fraction.
      recovery_reach: growth per frame of the distance at which a lost target may be
        found, in roots of its area.
      shrink_rate: weight of a smaller size in the trusted size, per frame.
      velocity_rate: weight of the last prediction error in the velocity.
      lost_decay: factor on velocity and window per frame while the target is lost.
      distractor_penalty: see `distractors.weights`.
    """

    held_below: float
    recovery_ratio: float
    recovery_reach: float
    confident_ratio: float
    shrink_rate: float
    velocity_rate: float
    lost_decay: float
    distractor_penalty: float


@struct.dataclass
class Memory:
    """The memory between frames, in addition to the box.

    Attributes:
      expected: `[4]` cxcywh, the predicted box, pixels of the picture.
      velocity: `[2]` xy, pixels per frame.
      pace: `[]` average motion, sizes per frame; the size is the root of the area.
      trusted_wh: `[2]` width and height, pixels of the picture, averaged over frames in
        which the tracker was confident.
      usual_score: `[]` the score, averaged over frames with the target not lost.
      lost: `[]` int32, frames since the target was lost; 0 if it is not.
      distractors: objects that are not the target; None if they are not followed.
    """

    expected: jax.Array
    velocity: jax.Array
    pace: jax.Array
    trusted_wh: jax.Array
    usual_score: jax.Array
    lost: jax.Array
    distractors: distractors.Distractors | None


class Result(NamedTuple):
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
        trusted_wh=box[2:],
        usual_score=jnp.zeros([]),
        lost=jnp.zeros([], jnp.int32),
        distractors=distractors.none() if rules.distractor_penalty else None,
    )


def window(memory: Memory, weight: float | jax.Array, rules: Rules) -> jax.Array:
    """Returns the window's weight, which fades while the target is lost.

    Args:
      memory: of the last frame.
      weight: weight of the Hann window if the target is not lost.
      rules: how to track.

    Returns:
      `weight * lost_decay ** lost`, `[]`.
    """
    return weight * rules.lost_decay ** memory.lost.astype(jnp.float32)


def weigh(memory: Memory, cls: jax.Array, xyxy: jax.Array, rules: Rules) -> jax.Array:
    """Lowers the classification of cells that seem to show a distractor.

    While the target is lost, boxes that it cannot have reached get 0:

        |c - expected| > (0.4 + recovery_reach * lost) * sqrt(w h)

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
    reach = (_FIRST_REACH + rules.recovery_reach * lost) * jnp.sqrt(
        jnp.prod(memory.trusted_wh)
    )
    weights = jnp.where((lost > 0) & (away > reach), 0.0, 1.0)
    if memory.distractors is not None:
        penalty = jnp.where(memory.pace < _FAST_PACE, rules.distractor_penalty, 0.0)
        weights *= distractors.weights(
            memory.distractors, center, memory.expected, penalty=penalty
        )
    return cls * weights.reshape(weights.shape + (1,) * (cls.ndim - 2))


def update(
    memory: Memory, result: Result, rules: Rules
) -> tuple[Memory, jax.Array, jax.Array]:
    """Updates the memory, and decides whether the target is lost.

    Args:
      memory: of the last frame.
      result: the result of the frame, with the weights of `weigh`.
      rules: how to decide.

    Returns:
      The new memory; the target's box `[4]` cxcywh, pixels of the picture, which is the
      expected one if it is lost; and its score `[]`, at most `held_below` if it is
      lost.
    """
    box, score = result.box, result.score
    lost = memory.lost.astype(jnp.float32)
    was_lost = lost > 0
    ratio = jnp.where(was_lost, rules.recovery_ratio * _RECOVERY_DECAY**lost, 0.0)
    is_low = score < jnp.maximum(ratio * memory.usual_score, rules.held_below)
    is_lost = is_low & (was_lost | (memory.pace < _FAST_PACE))
    change = jnp.log(box[2:] / memory.trusted_wh)
    is_confident = ~is_low & (score >= rules.confident_ratio * memory.usual_score)
    is_confident &= jnp.min(change) > -_OCCLUSION_SHRINK
    held = jnp.concatenate([memory.expected[:2], memory.trusted_wh])
    tracked = jnp.where(is_lost, held, box)

    # After a loss the error of the prediction says nothing about the velocity.
    is_moving = is_confident & ~was_lost
    error = jnp.where(is_moving, box[:2] - memory.expected[:2], 0.0)
    velocity = memory.velocity + rules.velocity_rate * error
    velocity = velocity * jnp.where(is_lost, rules.lost_decay, 1.0)
    velocity = jnp.where(was_lost & ~is_lost, 0.0, velocity)
    rate = jnp.where(is_confident, 1.0, jnp.where(is_lost, 0.0, _UNCERTAIN_FACTOR))
    rate = rate * jnp.where(change > 0, _GROWTH_RATE, rules.shrink_rate)
    score_rate = jnp.where(memory.usual_score > 0, _SCORE_RATE, 1.0)
    usual_score = memory.usual_score + score_rate * (score - memory.usual_score)
    moved = tracked[:2] - (memory.expected[:2] - memory.velocity)
    step = jnp.linalg.norm(moved) / jnp.sqrt(jnp.prod(memory.trusted_wh)) - memory.pace
    others = memory.distractors
    if others is not None:
        others = distractors.follow(
            others,
            result.confidence,
            (result.xyxy[..., :2] + result.xyxy[..., 2:]) / 2,
            tracked,
            ~is_lost & (score >= _HIDDEN_RATIO * memory.usual_score),
            velocity_rate=rules.velocity_rate,
        )
    memory = Memory(
        expected=jnp.concatenate([tracked[:2] + velocity, tracked[2:]]),
        velocity=velocity,
        pace=memory.pace + jnp.where(is_lost | was_lost, 0.0, _PACE_RATE * step),
        trusted_wh=memory.trusted_wh * jnp.exp(rate * change),
        usual_score=jnp.where(is_lost, memory.usual_score, usual_score),
        lost=jnp.where(is_lost, memory.lost + 1, 0),
        distractors=others,
    )
    # An expected box must not have a high score.
    highest = jnp.where(is_lost, rules.held_below, 1.0)
    return memory, tracked, jnp.minimum(score, highest)
