"""Tracks one target through each of many recorded videos."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.tracking import many
from jaxtrack.tracking.host_boxes import check_init_box
from jaxtrack.tracking.run import Drivers, track_video
from jaxtrack.tracking.sources import Name
from jaxtrack.tracking.state import TrackerOutput
from jaxtrack.tracking.video import FrameReader


def track_recordings(
    drivers: Drivers,
    variables: Any,
    videos: Sequence[Name],
    boxes: np.ndarray,
    *,
    at_once: int = 0,
    advance: Callable[[int], object] = lambda count: None,
) -> list[TrackerOutput]:
    """Tracks recordings, those whose pictures fit the same canvas together.

    Args:
      drivers: from `run.compile_tracker`.
      variables: of the network.
      videos: what `jaxtrack.tracking.sources.open_source` takes.
      boxes: `[n, 4]` cxcywh of each video's first frame, pixels.
      at_once: videos in one step; 0 is `many.AT_ONCE`, or 1 on a CPU, which is faster.
      advance: called with the number of frames tracked.

    Returns:
      Outputs of each video in numpy, `box [T, 4]` and `score [T]`, in order.

    Raises:
      InputError: if there are not as many boxes as videos, a video does not open, is
        live or has a frame that cannot be read, or a box is unusable.
    """
    if len(boxes) != len(videos):
        raise InputError(
            f"{len(videos)} videos but {len(boxes)} boxes: give one box a video"
        )
    canvases, lengths = [], []
    for video, box in zip(videos, boxes, strict=True):
        with FrameReader(video) as reader:
            if reader.is_live:
                raise InputError(f"{reader.name} is live: give recorded videos")
            check_init_box(box, reader.hw, where=f"{reader.name}: the first box")
            canvases.append(reader.canvas)
            lengths.append(reader.length or 0)
    size = at_once or (1 if jax.default_backend() == "cpu" else many.AT_ONCE)
    results = {}
    for group in many.grouped(range(len(videos)), canvases, lengths, size=size):
        with contextlib.ExitStack() as stack:
            readers = [stack.enter_context(FrameReader(videos[i])) for i in group]
            track = many.track_videos if len(group) > 1 else _track_alone
            outputs = track(drivers, variables, readers, boxes[group], advance=advance)
        results |= zip(group, outputs, strict=True)
    return [results[i] for i in range(len(videos))]


def _track_alone(drivers, variables, readers, boxes, *, advance):
    """Tracks one video as `many.track_videos` does several."""
    outputs = []
    for output in track_video(drivers, variables, readers[0], boxes[0]):
        outputs.append(output)
        advance(1)
    return [TrackerOutput(*map(np.stack, zip(*outputs, strict=True)))]
