"""Learning rates and phases of a training, by how far it has come."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from ml_collections import ConfigDict

from jaxtrack import config as config_lib

# From steps done, of which a clock makes fractions, to the learning rate.
Curve = Callable[[float], float]
# "lr" and "lr_backbone", float32.
Rates = Mapping[str, np.float32]


def warmup_schedule(
    *,
    warmup: float,
    peak: float,
    end: float,
    warmup_steps: int,
    total_steps: int,
    kind: str = "log",
) -> Curve:
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
      The schedule.

    Raises:
      ValueError: for another `kind`, or rates that are not positive.
    """
    if kind not in ("log", "cosine"):
        raise ValueError(f"kind must be log or cosine, got {kind!r}")
    if min(warmup, peak, end) <= 0:
        raise ValueError(f"rates must be positive: {warmup}, {peak}, {end}")

    def curve(step: float) -> float:
        if step < warmup_steps:
            return warmup * (peak / warmup) ** (step / warmup_steps)
        length = max(total_steps - 1 - warmup_steps, 1)
        fall = min((step - warmup_steps) / length, 1.0)
        if kind == "log":
            return peak * (end / peak) ** fall
        return end + (peak - end) * (1 + math.cos(math.pi * fall)) / 2

    return curve


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


class Schedule:
    """The learning rates of a training, and when its backbone joins.

    Both follow the steps done. Where `run.minutes` limits the training they follow

        place = max(step, total seconds / (60 minutes))

    so that the whole schedule, warm-up included, fits into that time.

    Attributes:
      total: steps of the training, if no clock ends it.
      peak: the head's learning rate after warm-up, scaled to the batch.
      end: the head's learning rate at the end.
    """

    def __init__(self, config: ConfigDict):
        """Reads the settings.

        Args:
          config: the settings.
        """
        opt, steps = config.optimizer, config_lib.epochs_to_steps
        factor = rate_factor(
            opt.lr_scaling,
            batch_size=config.run.batch_size,
            reference=opt.reference_batch,
        )
        self.total = config_lib.total_steps(config)
        self.peak, self.end = factor * opt.lr, factor * opt.lr_end
        self._seconds = 60 * config.run.minutes
        self._join = steps(config, opt.backbone_from_epoch)
        self._backbone_factor = opt.backbone_lr_factor
        self._curve = warmup_schedule(
            warmup=min(opt.lr_warmup, self.peak),
            peak=self.peak,
            end=self.end,
            warmup_steps=steps(config, opt.warmup_epochs),
            total_steps=self.total,
            kind=opt.schedule,
        )

    @property
    def has_clock(self) -> bool:
        """Whether time limits the training."""
        return self._seconds > 0

    def place(self, step: int, seconds: float) -> float:
        """Returns how far the training has come, in steps; the end is `total`.

        Args:
          step: steps done.
          seconds: of training, those before it was resumed included.
        """
        if not self.has_clock:
            return step
        return max(step, self.total * seconds / self._seconds)

    def seconds_left(self, seconds: float) -> float:
        """Returns the time until the clock ends the training, or infinity.

        Args:
          seconds: of training so far.
        """
        return max(self._seconds - seconds, 0) if self.has_clock else math.inf

    def trains_backbone(self, place: float) -> bool:
        """Returns whether the backbone has joined.

        Args:
          place: of the step to come.
        """
        return place >= self._join

    def rates(self, place: float) -> Rates:
        """Returns the learning rates of a step.

        Args:
          place: before the step.
        """
        rate = self._curve(place)
        factor = self._backbone_factor * self.trains_backbone(place)
        return {"lr": np.float32(rate), "lr_backbone": np.float32(rate * factor)}


def rate_jump(saved: ConfigDict, config: ConfigDict, step: int, seconds: float) -> str:
    """Describes where other settings make the learning rate jump, or "".

    Args:
      saved: the settings so far.
      config: the settings from now on.
      step: steps done.
      seconds: of training so far.
    """
    old, new = Schedule(saved), Schedule(config)
    place = new.place(step, seconds)
    before, after = (
        schedule.rates(schedule.place(step, seconds))["lr"] for schedule in (old, new)
    )
    if place >= new.total or abs(after / before - 1) < 0.01:
        return ""
    was, now = config_lib.flat(saved), config_lib.flat(config)
    changes = [
        f"config.{name} is {now[name]}, not {was[name]}"
        for name in now
        if name.startswith(("run.", "optimizer.")) and now[name] != was[name]
    ]
    return (
        f"note: the learning rate goes from {before:.2g} to {after:.2g} here: "
        + "; ".join(changes)
    )
