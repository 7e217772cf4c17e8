"""Shows a tracker's maps on frames where it is told the truth about the last one.

Trackers that drift look at different places, and their maps cannot be compared. Here
the template comes from the first frame, and in every later one the tracker looks where
the target truly was just before, so that all see the same pictures.
"""

from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation.analysis.outcome import FrameMaps
from jaxtrack.tracking import Tracker, check_init_box
from jaxtrack.tracking.host_boxes import cxcywh_from_xyxy
from jaxtrack.tracking.run import compile_tracker
from jaxtrack.tracking.state import Probe, TrackerState
from jaxtrack.tracking.video import FrameReader


class Prober(NamedTuple):
    """A tracker's maps, compiled; make once, use for all sequences.

    Attributes:
      init: `(variables, frame, box [4] cxcywh px) -> state`.
      probe: `(variables, state, frame) -> Probe`.
      variables: of the network, on the device.
    """

    init: Callable[..., TrackerState]
    probe: Callable[..., Probe]
    variables: Any


def make_prober(tracker: Tracker, variables: Any) -> Prober:
    """Compiles a tracker's maps.

    Args:
      tracker: with a `probe`.
      variables: of the network.

    Returns:
      The prober.
    """
    drivers = compile_tracker(tracker)
    return Prober(drivers.init, drivers.probe, jax.device_put(variables))


def usable_frames(video: Video) -> np.ndarray:
    """Frames in which the target is, and has a width and a height.

    Args:
      video: with `xyxy`, px.

    Returns:
      Ascending indices.
    """
    has_size = video.xyxy[:, 2:] > video.xyxy[:, :2]
    return np.flatnonzero(np.all(np.isfinite(video.xyxy), 1) & np.all(has_size, 1))


def teacher_forced(
    prober: Prober, video: Video, *, only: Container[int] | None = None
) -> Iterator[FrameMaps]:
    """Looks at every usable frame but the first, around the last usable true box.

    The device works on one frame while the host has the one before.

    Args:
      prober: from `make_prober`.
      video: its first frame has a box.
      only: frames to look at; the others are not even read.

    Yields:
      What the tracker sees, in order of time.

    Raises:
      InputError: a frame cannot be read, or tracking cannot start at the first box.
    """
    usable = usable_frames(video)
    boxes = cxcywh_from_xyxy(video.xyxy).astype(np.float32)
    pairs = [
        (last, now)
        for last, now in zip(usable[:-1].tolist(), usable[1:].tolist(), strict=True)
        if only is None or now in only
    ]
    paths = [video.frames[i] for i in (0, *(now for _, now in pairs))]
    with FrameReader(paths) as reader:
        frames, waiting = iter(reader), None
        where = f"sequence {video.name}: the first box"
        check_init_box(boxes[0], reader.hw, where=where)
        variables = prober.variables
        state = prober.init(variables, *jax.device_put((next(frames), boxes[0])))
        for (last, now), frame in zip(pairs, frames, strict=True):
            state = state.replace(box=jax.device_put(boxes[last]))
            probe = prober.probe(variables, state, jax.device_put(frame))
            if waiting:
                yield _fetched(*waiting)
            height, width = reader.hw
            image = frame.image[:height, :width]
            waiting = now, image, video.xyxy[last], video.xyxy[now], probe
        if waiting:
            yield _fetched(*waiting)


def _fetched(frame, image, last, truth, probe) -> FrameMaps:
    """Fetches a probe from the device."""
    probe = jax.device_get(probe)
    maps = probe.cls, probe.quality, probe.confidence, probe.xyxy
    return FrameMaps(frame, image, last, truth, *maps)
