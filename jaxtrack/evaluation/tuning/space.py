"""Settings of tracking that can be tuned: numbers that a compiled tracker takes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.evaluation.analysis.window_sweep import adjustable
from jaxtrack.tracking import Tracker

# Dotted field of the settings -> lowest and highest value to try.
Ranges = dict[str, tuple[float, float]]

_GROUP = "tracking."  # Of the settings that a tracker's `settings` holds.


def ranges(tracker: Tracker, *, names: Sequence[str] = ()) -> Ranges:
    """Describes what can be tuned of a tracker, and how far.

    Args:
      tracker: what to tune; a range is widened to hold the value it has.
      names: fields to tune, with "tracking." or without; empty takes all.

    Returns:
      Field -> lowest and highest value, in a fixed order.

    Raises:
      InputError: a name is not one of them.
    """
    known = {f"{_GROUP}{name}": ends for name, ends in tracker.ranges.items()}
    wanted = [_GROUP + name.removeprefix(_GROUP) for name in names]
    for name, field in zip(names, wanted, strict=True):
        if field not in known:
            raise InputError(
                f"--settings={name}: not tunable in this tracker: give some of "
                f"{', '.join(n.removeprefix(_GROUP) for n in known)}"
            )
    own = values_of(tracker, known)
    return {
        name: (min(low, own[name]), max(high, own[name]))
        for name, (low, high) in known.items()
        if not wanted or name in wanted
    }


def values_of(tracker: Tracker, names: Iterable[str]) -> dict[str, float]:
    """The values that a tracker's settings have.

    Args:
      tracker: whose settings.
      names: dotted fields of the configuration.
    """
    own = tracker.settings._asdict()
    return {name: float(own[name.removeprefix(_GROUP)]) for name in names}


def stacked(settings: Sequence[Mapping[str, float]], count: int) -> dict[str, Any]:
    """Puts settings into arrays, the last repeated up to `count`.

    Args:
      settings: K of them, 1 <= K <= `count`, with the same fields.
      count: B.

    Returns:
      Field -> `[B]` float32.
    """
    rows = [*settings, *[settings[-1]] * (count - len(settings))]
    return {name: np.array([r[name] for r in rows], np.float32) for name in rows[0]}


def over_settings(tracker: Tracker, count: int) -> Tracker:
    """Makes a tracker that follows one target by B settings at once.

    The settings are traced, so all of them, B a time, share one compilation. The frame
    is shared: it is decoded and put on the device once for all B.

    Args:
      tracker: with the values of what is not tuned.
      count: B.

    Returns:
      The tracker, for `variables = {"network": ..., "settings": field -> [B]}`. Its
      `init` takes one box; its states and outputs have a leading axis B.
    """
    traced = adjustable(tracker)
    own = jax.tree.map(np.float32, tracker.settings)

    def repeated(tree):
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (count, *a.shape)), tree)

    def start(variables, crops, fill):
        first = jax.tree.map(lambda a: a[0], crops)
        return repeated(tracker.start(variables["network"], first, fill))

    def update_one(network, values, state, crop):
        tried = {name.removeprefix(_GROUP): v for name, v in values.items()}
        variables = {"network": network, "settings": own._replace(**tried)}
        return traced.update(variables, state, crop)

    def update(variables, state, crop):
        over = jax.vmap(update_one, (None, 0, 0, 0))
        return over(variables["network"], variables["settings"], state, crop)

    return tracker._replace(
        aim_first=lambda box, hw: repeated(tracker.aim_first(box, hw)),
        aim=jax.vmap(tracker.aim, (0, None)),
        cut=jax.vmap(tracker.cut, (None, 0)),
        start=start,
        update=update,
        probe=None,
    )
