"""Settings of tracking that can be tuned: numbers that a compiled tracker takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.evaluation.analysis.window_sweep import adjustable
from jaxtrack.tracking import Tracker, make_tracker
from jaxtrack.tracking.siamese import Settings

# Dotted field of the settings -> lowest and highest value to try.
Ranges = dict[str, tuple[float, float]]

# Around what pysot's search tries (0.001 to 0.6, 0.05 to 0.65 and 0.1 to 0.8), with
# room for a tracker that needs no window.
_SIAMESE = {"penalty": (0.0, 0.6), "window": (0.0, 0.8), "size_rate": (0.05, 1.0)}
_QUALITY = {"quality_power": (0.0, 2.0)}
# Not "identifier": its value says whether there is a discriminator at all. Nor
# "online": what the discriminator learns by is compiled into it.
_PROPOSALS = {
    "refine.weight": (0.0, 1.0),
    "refine.window": (0.0, 0.8),
    "refine.nms_iou": (0.3, 0.9),
}


def ranges(
    model: nn.Module, config: ConfigDict, *, names: Sequence[str] = ()
) -> Ranges:
    """Says what can be tuned of a tracker, and how far.

    Args:
      model: its network.
      config: its settings; a range is widened to hold the value they have.
      names: fields to tune; all that the tracker has where empty.

    Returns:
      Field -> lowest and highest value, in a fixed order.

    Raises:
      InputError: a name is not one of them.
    """
    found = dict(_SIAMESE)
    # Networks with anchors predict no quality; the release's selection has no power.
    if config.selection != "released" and not getattr(model, "anchors", None):
        found |= _QUALITY
    if hasattr(model, "refiner"):
        found |= _PROPOSALS
    for name in names:
        if name not in found:
            raise InputError(
                f"--settings={name}: it is none of what this tracker can be tuned by: "
                f"{', '.join(found)}"
            )
    own = values_of(config, found)
    return {
        name: (min(low, own[name]), max(high, own[name]))
        for name, (low, high) in found.items()
        if not names or name in names
    }


def values_of(config: ConfigDict, names: Sequence[str]) -> dict[str, float]:
    """The values that settings have.

    Args:
      config: the settings.
      names: dotted fields.
    """
    return {name: float(_part(config, name)[name.split(".")[-1]]) for name in names}


def stacked(settings: Sequence[Mapping[str, float]], count: int) -> dict[str, Any]:
    """Puts settings into arrays, the last repeated up to `count`.

    Args:
      settings: K of them, 1 <= K <= `count`, with the same fields.
      count: B.

    Returns:
      Field -> `[B]` float32.

    Raises:
      ValueError: there are none, or more than `count`.
    """
    if not 1 <= len(settings) <= count:
        raise ValueError(f"{len(settings)} settings for a batch of {count}")
    rows = [*settings, *[settings[-1]] * (count - len(settings))]
    return {name: np.array([r[name] for r in rows], np.float32) for name in rows[0]}


def over_settings(model: nn.Module, config: ConfigDict) -> Tracker:
    """Makes a tracker that follows one target by B settings at once.

    The settings are traced, so all of them, B a time, share one compilation. The frame
    is shared: it is decoded and put on the device once for all B.

    Args:
      model: the network.
      config: of what is not tuned.

    Returns:
      The tracker, for `variables = {"network": ..., "settings": field -> [B]}`. Its
      `init` takes one box; its states and outputs have a leading axis B.
    """
    plain = make_tracker(model, config)

    def init(variables, frame, box):
        state = plain.init(variables["network"], frame, box)
        (count, *_), *_ = (v.shape for v in variables["settings"].values())
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (count, *a.shape)), state)

    def step_one(network, values, state, frame):
        tracker, settings = _with_values(model, config, values)
        variables = {"network": network, "settings": settings}
        return adjustable(tracker).step(variables, state, frame)

    def step(variables, state, frame):
        over = jax.vmap(step_one, (None, 0, 0, None))
        return over(variables["network"], variables["settings"], state, frame)

    return Tracker(init=init, step=step)


def _with_values(
    model: nn.Module, config: ConfigDict, values: Mapping[str, jax.Array]
) -> tuple[Tracker, Settings]:
    """Makes a tracker whose settings have these values, traced ones too."""
    config = config.copy_and_resolve_references()
    numbers = {name: np.float32(config[name]) for name in Settings._fields}
    with config.unlocked(), config.ignore_type():
        for name, value in values.items():
            if name in numbers:
                numbers[name] = value
            else:
                _part(config, name)[name.split(".")[-1]] = value
    return make_tracker(model, config), Settings(**numbers)


def _part(config: ConfigDict, name: str) -> ConfigDict:
    """Returns the part of the settings that holds a dotted field."""
    for key in name.split(".")[:-1]:
        config = config[key]
    return config
