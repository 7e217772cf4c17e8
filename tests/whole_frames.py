"""Makes trackers without crops, which tests compute by hand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp

from jaxtrack.tracking.state import Probe, Tracker, TrackerOutput


def of_whole_frames(
    init: Callable[..., Any],
    step: Callable[..., tuple[Any, TrackerOutput]],
    *,
    probe: Callable[..., Probe] | None = None,
    settings: Any = None,
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> Tracker:
    """Makes a tracker from functions of whole frames.

    They are recompiled for every canvas.

    Args:
      init: `(variables, frame, box [4] cxcywh px) -> state`.
      step: `(variables, state, frame, settings) -> (state, TrackerOutput)`.
      probe: `(variables, state, frame) -> Probe`, or None.
      settings: see `Tracker`.
      ranges: see `Tracker`.

    Returns:
      The tracker, whose crops are the frames themselves.
    """

    def start(variables, crops, fill):
        del fill
        return init(variables, crops[0].pixels, crops[0].aim)

    def update(variables, state, crop, values=settings):
        if values is None:
            return step(variables, state, crop.pixels)
        return step(variables, state, crop.pixels, values)

    def show(variables, state, crop):
        return probe(variables, state, crop.pixels)

    return Tracker(
        aim_first=lambda box, hw: (box,),
        aim=lambda state, hw: jnp.zeros([]),
        cut=lambda frame, aim: frame,
        fill=lambda frame: jnp.zeros([]),
        start=start,
        update=update,
        probe=show if probe else None,
        settings=settings,
        ranges=ranges,
    )
