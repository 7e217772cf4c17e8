"""A memory of samples in which weights of old frames decay, except the first.

The positive and negative boxes of a frame are a group; groups are in slots of equal
shape. A weight belongs to a slot, and a new group replaces the group with the
least weight, never the first. Danelljan et al., ATOM (arXiv:1811.07628), store single
samples this way; groups of a whole frame are our choice.
"""

import jax
import jax.numpy as jnp
from flax import struct


@struct.dataclass
class Memory:
    """Groups of samples in slots; slot 0 is the first frame's.

    Attributes:
      samples: `[G, M, D]`, M samples of every group.
      labels: `[G, M]`, 1 target and 0 background.
      valid: `[G, M]` bool, which rows are samples; none of an empty slot.
      weights: `[G]`, which sum to 1; 0 for an empty slot.
      frames: `[G]` int32, frame number of a group; for an empty slot, the first's.
      previous: `[]` int32, the slot last written.
    """

    samples: jax.Array
    labels: jax.Array
    valid: jax.Array
    weights: jax.Array
    frames: jax.Array
    previous: jax.Array


def create(
    num_groups: int,
    samples: jax.Array,
    labels: jax.Array,
    valid: jax.Array,
    frame: jax.Array | int,
) -> Memory:
    """Makes a memory that holds only the first frame's group.

    Args:
      num_groups: G, number of slots, at least 2.
      samples: samples of the first frame, `[M, D]`.
      labels: `[M]`, 1 target and 0 background.
      valid: `[M]` bool, which rows are samples.
      frame: `[]` the first frame's number.

    Returns:
      The memory; the first group has weight 1.

    Raises:
      ValueError: fewer than 2 slots, or shapes that do not match.
    """
    if num_groups < 2:
        raise ValueError(f"num_groups is {num_groups}, but slot 0 is never written")
    _check(samples, labels, valid, samples.shape)

    def first(row):
        empty = jnp.zeros((num_groups, *row.shape), row.dtype)
        return empty.at[0].set(row)

    return Memory(
        samples=first(samples),
        labels=first(labels),
        valid=first(valid),
        weights=first(jnp.ones((), samples.dtype)),
        frames=jnp.full((num_groups,), frame, jnp.int32),
        previous=jnp.int32(0),
    )


def insert(
    memory: Memory,
    samples: jax.Array,
    labels: jax.Array,
    valid: jax.Array,
    *,
    frame: jax.Array | int,
    rate: jax.Array | float = 0.01,
    min_first_weight: float = 0.25,
    replaces_last: jax.Array | bool = False,
) -> Memory:
    """Replaces the group with the least weight, never the first, or the last one.

        first insertion  w = w / (1 - rate),  w[slot] = rate
        later ones       w[slot] = w[previous] / (1 - rate)
        then             w = w / sum(w)
        if w[0] < m      w[0] = m,  and the others share 1 - m as they did

    The rule of ATOM's released code (arXiv:1811.07628, section 3.3). With a constant
    rate a group weighs 1 - rate of the one after it. In the last line ATOM divides the
    others by m + (their sum), which leaves a sum slightly above 1; here it is 1.

    Args:
      memory: the memory.
      samples: samples of this frame, `[M, D]`.
      labels: `[M]`, 1 target and 0 background.
      valid: `[M]` bool, which rows are samples.
      frame: `[]` this frame's number.
      rate: `[]` how fast old groups fade, in [0, 1); it may be traced: 0.01 as a rule
        and 0.02 where a distractor was seen.
      min_first_weight: m, least weight of the first group.
      replaces_last: `[]` bool, it may be traced: whether the group takes slot and
        weight of the one that was written last, so that no other is lost.

    Returns:
      The memory with the group in it.

    Raises:
      ValueError: shapes that do not fit the memory's.
    """
    _check(samples, labels, valid, memory.samples.shape[1:])
    replaces = jnp.asarray(replaces_last) & (memory.previous > 0)
    lightest = 1 + jnp.argmin(memory.weights[1:]).astype(jnp.int32)
    slot = jnp.where(replaces, memory.previous, lightest)
    rate = jnp.asarray(rate, memory.weights.dtype)
    is_first = memory.previous == 0
    weight = jnp.where(is_first, rate, memory.weights[memory.previous] / (1 - rate))
    weights = memory.weights / jnp.where(is_first, 1 - rate, 1)
    weights = weights.at[slot].set(weight)
    weights = _keep_first(weights / jnp.sum(weights), min_first_weight)
    return Memory(
        samples=memory.samples.at[slot].set(samples),
        labels=memory.labels.at[slot].set(labels),
        valid=memory.valid.at[slot].set(valid),
        weights=jnp.where(replaces, memory.weights, weights),
        frames=memory.frames.at[slot].set(frame),
        previous=slot,
    )


def sample_weights(
    memory: Memory, *, since_frame: jax.Array | int | None = None
) -> jax.Array:
    """Divides the groups' weights among their samples, half for each label.

    A group that lacks one label gives all its weight to the other, and one without
    samples is ignored.

    Args:
      memory: the memory.
      since_frame: `[]` oldest frame that counts besides the first, which always does;
        it may be traced. None counts all: MDNet's long-term update, and its short-term
        one with the number of a recent frame (C13).

    Returns:
      `[G, M]`, which sums to 1 (to 0 where there is no sample at all).
    """
    weights = memory.weights
    if since_frame is not None:
        is_recent = (memory.frames >= since_frame).at[0].set(True)
        weights = jnp.where(is_recent, weights, 0)
    dtype = weights.dtype
    kinds = jnp.stack([memory.labels > 0.5, memory.labels <= 0.5])
    kinds = (kinds & memory.valid[None]).astype(dtype)
    counts = jnp.sum(kinds, axis=-1)
    num_kinds = jnp.sum((counts > 0).astype(dtype), axis=0)
    shares = weights[None] / jnp.maximum(num_kinds[None] * counts, 1)
    each = jnp.sum(kinds * shares[..., None], axis=0)
    total = jnp.sum(each)
    return each / jnp.where(total > 0, total, 1)


def _keep_first(weights, least):
    """Raises the first of weights that sum to 1 to a minimum."""
    others = weights.at[0].set(0)
    total = jnp.sum(others)
    lifted = (others * ((1 - least) / jnp.where(total > 0, total, 1))).at[0].set(least)
    return jnp.where(weights[0] < least, lifted, weights)


def _check(samples, labels, valid, shape):
    """Raises if a group does not have the memory's shape."""
    shapes = (samples.shape, labels.shape, valid.shape)
    if shapes != (shape, shape[:1], shape[:1]) or len(shape) != 2:
        raise ValueError(f"samples, labels, valid of {shapes}, groups of {shape}")
