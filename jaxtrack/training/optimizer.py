"""The optimizer: one tree of states from the first step to the last."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

Schedule = Callable[[jax.Array], jax.Array]


def warmup_schedule(
    *,
    warmup: float,
    peak: float,
    end: float,
    warmup_steps: int,
    total_steps: int,
    kind: str = "log",
) -> Schedule:
    """Returns the learning rate as a function of the step.

        step < s0:  warmup (peak / warmup)^(step / s0)
        "log":      peak (end / peak)^u,   u = (step - s0) / (total - 1 - s0)
        "cosine":   end + (peak - end) (1 + cos(pi u)) / 2

    pysot (STVIR/pysot, `lr_scheduler.py`) steps both log-space lines once an epoch;
    here they are followed at every step.

    Args:
      warmup: rate at step 0.
      peak: rate when warm-up ends, at step `s0 = warmup_steps`.
      end: rate at the last step, `total_steps - 1`, and after it.
      warmup_steps: may be 0.
      total_steps: optimizer steps of the training.
      kind: "log" or "cosine".

    Returns:
      The schedule: int step to float32 rate.

    Raises:
      ValueError: for another `kind`, or rates that are not positive.
    """
    if kind not in ("log", "cosine"):
        raise ValueError(f"kind must be log or cosine, got {kind!r}")
    if min(warmup, peak, end) <= 0:
        raise ValueError(f"rates must be positive: {warmup}, {peak}, {end}")

    def schedule(step: jax.Array) -> jax.Array:
        step = jnp.asarray(step).astype(jnp.float32)
        rise = jnp.clip(step / max(warmup_steps, 1), 0, 1)
        fall = jnp.clip(
            (step - warmup_steps) / max(total_steps - 1 - warmup_steps, 1), 0, 1
        )
        if kind == "log":
            falling = peak * (end / peak) ** fall
        else:
            falling = end + (peak - end) * (1 + jnp.cos(jnp.pi * fall)) / 2
        rising = warmup * (peak / warmup) ** rise
        return jnp.where(step < warmup_steps, rising, falling)

    return schedule


def make_optimizer(
    *,
    kind: str,
    schedule: Schedule,
    group: Callable[[tuple[str, ...]], str],
    backbone_from_step: int,
    backbone_factor: float,
    momentum: float,
    adam_b2: float = 0.999,
    weight_decay: float,
    clip_norm: float,
) -> optax.GradientTransformation:
    """Builds an optimizer with a backbone that joins later.

    The gradient is clipped to `clip_norm` over all parameters. "sgd" adds
    `weight_decay * parameter` to it before the momentum (as torch does, and so pysot);
    "adamw" decays apart from the moments. Until `backbone_from_step` the backbone's
    parameters and moments do not move; the tree of states is the same before and
    after, so that a checkpoint of either time is read at any time.

    Args:
      kind: "sgd" or "adamw".
      schedule: learning rate of the head by step.
      group: path of a parameter to "head", "backbone" or "frozen" (never moved).
      backbone_from_step: first step that moves the backbone.
      backbone_factor: the backbone's learning rate over the head's.
      momentum: of SGD, or Adam's b1.
      adam_b2: Adam's b2.
      weight_decay: of all moving parameters.
      clip_norm: largest norm of the whole gradient.

    Returns:
      An optax transformation.

    Raises:
      ValueError: for another `kind`.
    """
    if kind not in ("sgd", "adamw"):
        raise ValueError(f"kind must be sgd or adamw, got {kind!r}")

    def rule(rate: Schedule) -> optax.GradientTransformation:
        scale = optax.scale_by_learning_rate(rate)
        decay = optax.add_decayed_weights(weight_decay)
        if kind == "sgd":
            return optax.chain(decay, optax.trace(momentum), scale)
        return optax.chain(optax.scale_by_adam(momentum, adam_b2), decay, scale)

    # The inner rule counts only the steps it takes.
    late = optax.transforms.conditionally_mask(
        rule(lambda count: backbone_factor * schedule(count + backbone_from_step)),
        lambda step, **_: step >= backbone_from_step,
    )
    rules = {"head": rule(schedule), "backbone": late, "frozen": optax.set_to_zero()}
    return optax.chain(
        optax.clip_by_global_norm(clip_norm),
        optax.partition(rules, lambda params: _labels(params, group)),
    )


def _labels(params: Any, group: Callable[[tuple[str, ...]], str]) -> Any:
    """Names the group of every leaf."""

    def label(path, _):
        return group(tuple(str(key.key) for key in path))

    return jax.tree_util.tree_map_with_path(label, params)
