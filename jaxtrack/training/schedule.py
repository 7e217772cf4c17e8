"""The learning rate by step."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.training.report import Rates

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


def rate_factor(scaling: str, *, batch_size: int, reference: int) -> float:
    """Returns by what a learning rate grows with the batch.

        "none":    1
        "linear":  B / B0          (Goyal et al., arXiv:1706.02677, section 2.1)
        "sqrt":    sqrt(B / B0)    (You et al., arXiv:1904.00962, section 4.3)

    Args:
      scaling: "none", "linear" or "sqrt".
      batch_size: B, pairs of an optimizer step, over all devices.
      reference: B0, the batch that the rate was chosen for.

    Returns:
      The factor of the rate.

    Raises:
      ValueError: for another `scaling`.
    """
    powers = {"none": 0.0, "linear": 1.0, "sqrt": 0.5}
    if scaling not in powers:
        raise ValueError(f"scaling must be none, linear or sqrt, got {scaling!r}")
    return (batch_size / reference) ** powers[scaling]


def of_config(config: ConfigDict) -> Schedule:
    """Returns the head's learning rate by step.

    Args:
      config: the settings.
    """
    factor = rate_factor(
        config.optimizer.lr_scaling,
        batch_size=config.run.batch_size,
        reference=config.optimizer.reference_batch,
    )
    peak = factor * config.optimizer.lr
    return warmup_schedule(
        warmup=min(config.optimizer.lr_warmup, peak),
        peak=peak,
        end=factor * config.optimizer.lr_end,
        warmup_steps=config_lib.epochs_to_steps(config, config.optimizer.warmup_epochs),
        total_steps=config_lib.total_steps(config),
        kind=config.optimizer.schedule,
    )


def backbone_from(config: ConfigDict) -> int:
    """Returns the first step that trains the backbone.

    Args:
      config: the settings.
    """
    return config_lib.epochs_to_steps(config, config.optimizer.backbone_from_epoch)


def rate_jump(saved: ConfigDict, config: ConfigDict, step: int) -> str:
    """Says where the learning rate jumps, since more or fewer epochs bend it; or "".

    Args:
      saved: the settings so far.
      config: the settings from now on.
      step: steps done.
    """
    epochs = saved.run.num_epochs, config.run.num_epochs
    if epochs[0] == epochs[1] or step >= config_lib.total_steps(config):
        return ""
    before, after = float(of_config(saved)(step - 1)), float(of_config(config)(step))
    return (
        f"note: the learning rate goes from {before:.2g} to {after:.2g} here: its "
        f"schedule now ends after {epochs[1]:g} epochs, not {epochs[0]:g}"
    )


def rates(config: ConfigDict) -> Rates:
    """Returns the function from steps done to learning rates.

    Args:
      config: the settings.
    """
    schedule, start = jax.jit(of_config(config)), backbone_from(config)

    def at(number):
        rate = float(schedule(number - 1))
        factor = config.optimizer.backbone_lr_factor * (number > start)
        return {"lr": rate, "lr_backbone": rate * factor}

    return at
