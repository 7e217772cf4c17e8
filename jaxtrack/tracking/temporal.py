"""Tracking over time: where the target moves, whether it is lost, which size to trust.

A tracker with `tracking.over_time` remembers more than its last box. It searches where
the target is expected. Where the score falls far, it holds that place and the last size
that it was sure of, and takes nothing for the target before the score is high again;
but nothing is held of a target that moves far from frame to frame.
All functions see ONE target (vmap for more) and branch on no value.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxtrack.tracking import distractors

_USUAL_RATE = 0.05  # Of the usual score: the share of a frame's.
_GROWTH_RATE = 0.3  # Of the trusted size, where it grows: no occlusion enlarges a box.
_UNSURE = 0.2  # Of the rates of the trusted size, where the tracker is not sure.
_SHRUNK = 0.25  # Logarithm of the trusted side over one that an occlusion may cut off.
_REACH = 0.4  # Where a lost target is found first, in sizes from the expected place.
_FAST = 0.25  # Pace from which where the target was tells little of where it is.
_FIRST_PACE = 0.3  # Before anything is known of it.
_PACE_RATE = 0.2  # Share of a frame's.
_MISSED = 0.8  # Of the usual score: what falls below may hide behind something.
_RELAXED = 0.98  # What is left a frame later of the score at which it is found.


class Rules(NamedTuple):
    """Numbers of tracking over time, the settings of the same names.

    Attributes:
      held_below: the target is lost, and its box held, where the score falls below.
      found_share: a lost one is found where the score reaches this share of the usual.
      sure_share: the tracker is sure where it reaches this share.
      found_reach: a lost one may be so much farther from where it is expected with
        every frame, roots of its area.
      sure_rate: share of the last size in the trusted one, a frame, where it shrinks.
      velocity_rate: share of what the expected place was wrong by that velocity learns.
      lost_decay: what is left of velocity and window a frame later while it is lost.
      search_growth: growth of the search area's side a frame while it is lost.
      search_limit: largest side of the search area over the usual one.
      distractor_share: see `distractors.weights`.
    """

    held_below: float
    found_share: float
    found_reach: float
    sure_share: float
    sure_rate: float
    velocity_rate: float
    lost_decay: float
    search_growth: float
    search_limit: float
    distractor_share: float


@struct.dataclass
class Memory:
    """What is remembered between frames beside the box.

    Attributes:
      expected: `[4]` cxcywh where the target is expected next, pixels of the picture.
      velocity: `[2]` xy, pixels a frame.
      pace: `[]` how far the target moves, sizes a frame, averaged; size is the root of
        its area.
      trusted: `[2]` width and height, pixels of the picture, averaged over frames in
        which the tracker was sure.
      usual: `[]` the score, averaged over frames in which the target was not lost.
      lost: `[]` int32, frames since the target was lost; 0 where it is not.
      distractors: objects that are not the target; None where none are followed.
    """

    expected: jax.Array
    velocity: jax.Array
    pace: jax.Array
    trusted: jax.Array
    usual: jax.Array
    lost: jax.Array
    distractors: distractors.Distractors | None


class Seen(NamedTuple):
    """What a frame shows.

    Attributes:
      box: `[4]` cxcywh that was found, pixels of the picture.
      score: `[]` of it.
      confidence: `[H, W]` of all cells, whosever they are.
      xyxy: `[H, W, 4]` their boxes, pixels of the picture.
    """

    box: jax.Array
    score: jax.Array
    confidence: jax.Array
    xyxy: jax.Array


def start(box: jax.Array, rules: Rules) -> Memory:
    """Returns the memory after the first frame.

    Args:
      box: `[4]` cxcywh of the target, pixels of the picture.
      rules: how to track; static, as they say whether distractors are followed.
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


def search_box(memory: Memory, rules: Rules) -> jax.Array:
    """Returns the box to search around, larger by and by where the target is lost.

        (1 + search_growth * lost, at most search_limit) times as wide and high

    Args:
      memory: of the last frame.
      rules: how to track.

    Returns:
      `[4]` cxcywh, pixels of the picture.
    """
    lost = memory.lost.astype(jnp.float32)
    grown = jnp.minimum(1 + rules.search_growth * lost, rules.search_limit)
    return jnp.concatenate([memory.expected[:2], memory.expected[2:] * grown])


def window(memory: Memory, share: float | jax.Array, rules: Rules) -> jax.Array:
    """Returns the window's share: while the target is lost it fades.

    Args:
      memory: of the last frame.
      share: of the Hann window where it is not lost.
      rules: how to track.

    Returns:
      `share * lost_decay ** lost`, `[]`.
    """
    return share * rules.lost_decay ** memory.lost.astype(jnp.float32)


def weigh(memory: Memory, cls: jax.Array, xyxy: jax.Array, rules: Rules) -> jax.Array:
    """Lowers the classification of cells that seem to be a distractor's.

    While the target is lost, boxes that it cannot have reached count for nothing:

        |c - expected| > (0.4 + found_reach * lost) * sqrt(w h)

    with c the middle of a cell's box, w and h the trusted size.

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
    """Judges what was found in a frame.

    Args:
      memory: of the last frame.
      seen: what was found, with weights of `weigh`.
      rules: how to judge.

    Returns:
      What to remember; the target's box `[4]` cxcywh, pixels of the picture: where it
      is lost, the expected one; and its score `[]`: where it is lost, `held_below` at
      most.
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

    # After a loss the error of the expected place says nothing of the velocity.
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
    # A box that is only expected must not look found.
    most = jnp.where(is_lost, rules.held_below, 1.0)
    return memory, tracked, jnp.minimum(score, most)
