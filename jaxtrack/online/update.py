"""Online learning of the discriminator: in the first frame, and updates later."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxtrack.online import discriminator, memory, samples
from jaxtrack.online.cond import run_if
from jaxtrack.ops import boxes

# MDNet's limits and spreads (its public code; C12): of positives, of the two halves of
# the first frame's negatives, around the target and anywhere, and of later negatives.
_POSITIVE_IOU = (0.7, 1.0)
_FIRST_NEGATIVE_IOU = (0.0, 0.5)
_NEGATIVE_IOU = (0.0, 0.3)
_NEAR = {"translation": 0.1, "scale": 1.3, "uniform": False}
_FIRST_AROUND = {"translation": 1.0, "scale": 1.6, "uniform": True}
_FIRST_ANYWHERE = {"translation": None, "scale": 1.6, "uniform": True}
_FAR = {"translation": 2.0, "scale": 1.3, "uniform": True}
# Boxes drawn for one that is wanted: half of the near ones overlap enough.
_SPARE = 4

# (xyxy [N, 4] px of the search crop) -> features [N, P, P, C].
Pool = Callable[[jax.Array], jax.Array]


class Rules(NamedTuple):
    """How the discriminator learns; see docs/settings.md."""

    channels: int
    kernel_size: int
    hidden: int
    regularization: tuple[float, float]
    first_positives: int
    first_negatives: int
    first_steps: int
    first_iterations: int
    every: int
    positives: int
    negatives: int
    candidates: int
    iterations: int
    groups: int
    short_frames: int
    success: float
    rate: float
    hard_rate: float
    distractor: float


@struct.dataclass
class OnlineState:
    """State of the discriminator between frames.

    Attributes:
      params: see `jaxtrack.online.discriminator`.
      memory: see `jaxtrack.online.memory`.
      frame: `[]` int32, frames seen.
    """

    params: discriminator.Params
    memory: memory.Memory
    frame: jax.Array


class Result(NamedTuple):
    """The tracking result of a frame, in the search crop.

    Attributes:
      box: `[4]` cxcywh, the tracked box, pixels.
      score: `[]` its refined score.
      proposals: `[N, 4]` xyxy, all refined proposals, pixels.
      scores: `[N]` their scores by the discriminator.
    """

    box: jax.Array
    score: jax.Array
    proposals: jax.Array
    scores: jax.Array


def start(pool: Pool, box: jax.Array, size: int, rules: Rules) -> OnlineState:
    """Learns from the first frame.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.4: 200 positive and 1,000 negative
    samples train all layers. As many of them as a later frame gives, the negatives
    hardest to tell, stay in the memory for good.

    Args:
      pool: of the first frame's search crop.
      box: `[4]` cxcywh, pixels of the search crop.
      size: side of the search crop, pixels.
      rules: options of learning.

    Returns:
      The state after the first frame.
    """
    key = jax.random.key(0)
    keys = jax.random.split(key, 4)
    positive, negative = rules.first_positives, rules.first_negatives
    half, low = negative // 2, _FIRST_NEGATIVE_IOU
    found = [
        _draw(keys[0], box, size, positive, _POSITIVE_IOU, _NEAR),
        _draw(keys[1], box, size, half, low, _FIRST_AROUND),
        _draw(keys[3], box, size, negative - half, low, _FIRST_ANYWHERE),
    ]
    xyxy, valid = map(jnp.concatenate, zip(*found, strict=True))
    labels = _labels(positive, negative)
    features = pool(xyxy)
    params = discriminator.init(
        keys[2],
        in_channels=features.shape[-1],
        size=features.shape[1],
        channels=rules.channels,
        hidden=rules.hidden,
        kernel_size=rules.kernel_size,
    )
    params, _ = discriminator.fit(
        params,
        features,
        labels,
        _halves(labels, valid),
        regularization=rules.regularization,
        num_linearizations=rules.first_steps,
        num_iters=rules.first_iterations,
    )
    # The memory stores the output of the convolution, which does not change.
    embedded = discriminator.embed(params, features)
    hardest, _ = samples.hardest(
        discriminator.classify(params, embedded[positive:]),
        valid[positive:],
        count=rules.negatives,
    )
    kept = jnp.concatenate([jnp.arange(rules.positives), positive + hardest])
    frame = jnp.zeros((), jnp.int32)
    stored = memory.create(
        rules.groups, embedded[kept], labels[kept], valid[kept], frame
    )
    return OnlineState(params, stored, frame)


def scores(params: discriminator.Params, features: jax.Array) -> jax.Array:
    """Scores boxes, clipped to [0, 1] (C1).

    Args:
      params: parameters of the discriminator.
      features: `[N, P, P, C]`.

    Returns:
      `[N]`.
    """
    embedded = discriminator.embed(params, features)
    return jnp.clip(discriminator.classify(params, embedded), 0.0, 1.0)


def learn(
    state: OnlineState,
    result: Result,
    feature_map: jax.Array,
    size: int,
    rules: Rules,
    pool: Callable[[jax.Array, jax.Array], jax.Array],
) -> OnlineState:
    """Updates the discriminator, if an update is due.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.4, where "short-long update" means
    (C13, as MDNet does): a frame tracked well, every `every`-th, gives samples to the
    memory, from all of which the two fully connected layers then learn; a frame tracked
    badly gives none, but they learn at once from what was seen lately. A frame that
    shows a second box almost as good, away from the target, gives samples too, which
    weigh more (ATOM's hard negatives). Of such frames between two multiples of `every`
    the memory holds the last one alone, so that at most every other group is one of
    them and what was seen long ago stays. Of the drawn negatives and of the proposals
    away from the target, those that score highest are taken.

    Args:
      state: the state before this frame.
      result: the tracking result of this frame.
      feature_map: of its search crop, `[H, W, C]`.
      size: side of the search crop, pixels.
      rules: options of learning.
      pool: `(feature_map, xyxy [N, 4]) -> [N, P, P, C]`.

    Returns:
      The state after this frame.
    """
    state = state.replace(frame=state.frame + 1)
    target = boxes.cxcywh_to_xyxy(result.box)
    is_well = result.score >= rules.success
    is_rival = result.scores > rules.distractor * jnp.max(result.scores)
    is_rival &= boxes.iou(result.proposals, target[None]) < _NEGATIVE_IOU[1]
    is_hard = jnp.any(is_rival)
    is_due = state.frame % rules.every == 0
    collects = is_well & (is_due | is_hard)

    def collect(stored, state, result, feature_map, is_hard):
        new = _samples_of(state, result, size, rules, lambda b: pool(feature_map, b))
        rate = jnp.where(is_hard, rules.hard_rate, rules.rate)
        last = stored.frames[stored.previous]
        is_same_period = last // rules.every == state.frame // rules.every
        return memory.insert(
            stored,
            *new,
            frame=state.frame,
            rate=rate,
            replaces_last=is_same_period & (last % rules.every != 0),
        )

    def update(params, stored, since):
        return discriminator.update(
            params,
            stored.samples.reshape(-1, stored.samples.shape[-1]),
            stored.labels.reshape(-1),
            memory.sample_weights(stored, since_frame=since).reshape(-1),
            regularization=rules.regularization[1],
            num_iters=rules.iterations,
        )

    told = state.replace(memory=None), result, feature_map, is_hard
    stored = run_if(collects, collect, state.memory, *told)
    since = jnp.where(is_well, 0, state.frame - rules.short_frames)
    params = run_if(collects | ~is_well, update, state.params, stored, since)
    return state.replace(params=params, memory=stored)


def _samples_of(state, result, size, rules, pool):
    """Returns a frame's samples `[M, D]`, their labels, and which are valid."""
    keys = jax.random.split(jax.random.fold_in(jax.random.key(1), state.frame))
    near, is_near = _draw(
        keys[0], result.box, size, rules.positives, _POSITIVE_IOU, _NEAR
    )
    far, is_far = _draw(
        keys[1], result.box, size, rules.candidates, _NEGATIVE_IOU, _FAR
    )
    overlap = boxes.iou(result.proposals, boxes.cxcywh_to_xyxy(result.box)[None])
    is_far = jnp.concatenate([is_far, overlap < _NEGATIVE_IOU[1]])
    features = pool(jnp.concatenate([near, far, result.proposals]))
    embedded = discriminator.embed(state.params, features)
    tau = discriminator.classify(state.params, embedded[rules.positives :])
    hardest, is_hardest = samples.hardest(tau, is_far, count=rules.negatives)
    kept = jnp.concatenate([jnp.arange(rules.positives), rules.positives + hardest])
    labels = _labels(rules.positives, rules.negatives)
    return embedded[kept], labels, jnp.concatenate([is_near, is_hardest])


def _draw(key, box, size, count, iou_range, spread):
    """Draws boxes, `[count, 4]` xyxy, in the search crop, and which are valid."""
    bounds = jnp.array([0.0, 0.0, size, size])
    drawn, is_valid = samples.draw(
        key,
        box,
        count=count,
        candidates=_SPARE * count,
        iou_range=iou_range,
        bounds=bounds,
        **spread,
    )
    return boxes.cxcywh_to_xyxy(drawn), is_valid


def _labels(positives, negatives):
    """Returns 1 for the first rows, 0 for the others."""
    return (jnp.arange(positives + negatives) < positives).astype(jnp.float32)


def _halves(labels, valid):
    """Weights samples so that positives and negatives sum to a half each."""
    positive = valid & (labels > 0)
    parts = [positive.astype(jnp.float32), (valid & ~positive).astype(jnp.float32)]
    weights = sum(p / jnp.maximum(jnp.sum(p), 1) for p in parts)
    return weights / jnp.maximum(jnp.sum(weights), 1e-6)
