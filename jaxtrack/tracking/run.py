"""Compiles a tracker for one or many videos, and runs it on one video.

All drivers call the same functions, so they give the same boxes up to the rounding of
float32. In tracking only this module compiles: crops once per canvas, the network once.
The host runs ahead of the device, which therefore never waits for it.
"""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.tracking.compiler import compiler_options
from jaxtrack.tracking.host_boxes import check_init_box
from jaxtrack.tracking.state import (
    Frame,
    Probe,
    Tracker,
    TrackerOutput,
    TrackerState,
)

# Frames sent to the device while one is tracked: enough to hide the host's work, few
# enough to fit into memory.
_AHEAD = 8


class Drivers(NamedTuple):
    """A tracker compiled for one and many videos; make it once for all videos.

    Attributes:
      init: `(variables, frame, box [4])`, one video.
      step: `(variables, state, frame)`, one frame of one video.
      probe: `(variables, state, frame)`, likewise; None if the tracker has none.
      init_many: as `init` for `[B, ...]` videos, `[D, B / D, ...]` on D > 1 devices.
      step_many: as `step` for as many.
      num_devices: devices that share many videos.
    """

    init: Callable[..., TrackerState]
    step: Callable[..., tuple[TrackerState, TrackerOutput]]
    probe: Callable[..., Probe] | None
    init_many: Callable[..., TrackerState]
    step_many: Callable[..., tuple[TrackerState, TrackerOutput]]
    num_devices: int


def compile_tracker(tracker: Tracker, *, num_devices: int = 1) -> Drivers:
    """Wraps a tracker in jit, vmap and pmap; each compiles at its first call.

    Cropping and the network are compiled separately, so that a new canvas only compiles
    the crops.

    Args:
      tracker: the tracker.
      num_devices: local devices that share the videos of the `many` drivers.

    Returns:
      The drivers.

    Raises:
      InputError: if there are fewer devices.
    """
    devices = jax.local_devices()
    if not 1 <= num_devices <= len(devices):
        raise InputError(
            f"{num_devices} devices were requested, but there are {len(devices)}: "
            f"ask for 1 to {len(devices)}"
        )

    def many(function, in_axes):
        mapped = jax.vmap(function, in_axes)
        if num_devices == 1:
            return jax.jit(mapped)
        return jax.pmap(mapped, in_axes=in_axes, devices=devices[:num_devices])

    def one(function, in_axes):
        del in_axes
        return jax.jit(function, compiler_options=compiler_options())

    init, step, probe = _composed(tracker, one)
    init_many, step_many, _ = _composed(tracker, many)
    return Drivers(init, step, probe, init_many, step_many, num_devices)


def over_targets(tracker: Tracker) -> Tracker:
    """Makes a tracker that tracks n targets in one step.

    They share the frame, which is sent to the device once.

    Args:
      tracker: of one target.

    Returns:
      The tracker; boxes, states, crops and outputs have a leading axis n.
    """
    return tracker._replace(
        aim_first=jax.vmap(tracker.aim_first, (0, None)),
        aim=jax.vmap(tracker.aim, (0, None)),
        cut=jax.vmap(tracker.cut, (None, 0)),
        start=jax.vmap(tracker.start, (None, 0, None)),
        update=jax.vmap(tracker.update, (None, 0, 0)),
        probe=None,
    )


def _composed(tracker, transform):
    """Returns init, step and probe, with parts compiled separately by `transform`."""
    compiled = Tracker(
        aim_first=transform(tracker.aim_first, (0, 0)),
        aim=transform(tracker.aim, (0, 0)),
        cut=transform(tracker.cut, (0, 0)),
        fill=transform(tracker.fill, (0,)),
        start=transform(tracker.start, (None, 0, 0)),
        update=transform(tracker.update, (None, 0, 0)),
    )
    show = transform(tracker.probe, (None, 0, 0)) if tracker.probe else None
    probe = compiled._replace(update=show).step if show else None
    return compiled.init, compiled.step, probe


def track_video(
    drivers: Drivers,
    variables: Any,
    frames: Iterable[Frame],
    box: Sequence[float],
    *,
    ahead: int = _AHEAD,
) -> Iterator[TrackerOutput]:
    """Tracks through a video.

    Args:
      drivers: from `compile_tracker`.
      variables: of the network, on the device (`jax.device_put`).
      frames: of one video; the first one shows `box`.
      box: `[4]` cxcywh, pixels.
      ahead: how many frames are read ahead of the output; 0 for a camera, where each
        output comes before the next frame is read.

    Yields:
      Output of every frame in numpy, including the first (its box is `box`, its score
      1).

    Raises:
      InputError: if the first box is NaN, empty or outside of the picture.
    """
    frames = iter(frames)
    frame = _first(frames, box)
    box = np.asarray(box, np.float32)
    state = drivers.init(variables, *jax.device_put((frame, box)))
    yield TrackerOutput(box, np.ones([], np.float32))
    waiting = collections.deque()
    for frame in frames:
        state, output = drivers.step(variables, state, jax.device_put(frame))
        waiting.append(output)
        if len(waiting) > ahead:
            yield jax.device_get(waiting.popleft())
    for output in waiting:
        yield jax.device_get(output)


def _first(frames: Iterator[Frame], box: Sequence[float]) -> Frame:
    """Takes a video's first frame and checks the box on it."""
    frame = next(frames, None)
    if frame is None:
        raise InputError("the video has no frames: give one with at least one")
    check_init_box(box, frame.hw)
    return frame
