"""Tracks sequences, one at a time or many at once, and measures the time."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation.manifest import Skip
from jaxtrack.tracking import Frame, Tracker, check_init_box
from jaxtrack.tracking.host_boxes import cxcywh_from_xyxy, xywh_from_cxcywh
from jaxtrack.tracking.many import (
    AT_ONCE,
    InMemory,
    UnreadableVideoError,
    grouped,
    track_videos,
)
from jaxtrack.tracking.run import Drivers, compile_tracker, track_video
from jaxtrack.tracking.video import FrameReader


class Tracked(NamedTuple):
    """One sequence's result.

    Attributes:
      name: of the sequence.
      xywh: `[N, 4]` float64, px; row 0 is the given box.
      seconds: `[N]`, the sequence's time shared out evenly, without compilation.
    """

    name: str
    xywh: np.ndarray
    seconds: np.ndarray


# Takes sequences and a callback for frames done; yields results in any order.
Track = Callable[[Sequence[Video], Callable[[int], object]], Iterator[Tracked]]


def is_batched(batched: bool | None) -> bool:
    """Decides whether to track many sequences at once.

    Args:
      batched: None says yes but on a CPU, which is faster one by one.
    """
    return jax.default_backend() != "cpu" if batched is None else batched


def compiled(tracker: Tracker, *, batched: bool) -> Drivers:
    """Compiles a tracker for all local devices, or for the first.

    Args:
      tracker: init and step.
      batched: whether many sequences are tracked at once.
    """
    num_devices = jax.local_device_count() if batched else 1
    return compile_tracker(tracker, num_devices=num_devices)


def tracking_function(
    drivers: Drivers,
    variables: Any,
    *,
    batched: bool = False,
    skip: Skip | None = None,
) -> Track:
    """Returns the function that tracks sequences; compilations are shared.

    Args:
      drivers: of the tracker, see `compiled`.
      variables: what its functions take first.
      batched: many sequences at once, shared out to all local devices, instead of one
        at a time on the first.
      skip: told of sequences that cannot be tracked; None raises.

    Returns:
      The function; each new canvas compiles before its clock starts.
    """
    # `track_videos` puts them on every device; elsewhere the first one has them.
    variables = variables if drivers.num_devices > 1 else jax.device_put(variables)
    one_or_many = _track_batched if batched else _track_each

    def track(videos, advance):
        return one_or_many(drivers, variables, videos, advance, skip or _raise)

    return track


def _raise(name: str, reason: str) -> None:
    """Stops at a sequence that cannot be tracked."""
    raise InputError(reason)


def first_cxcywh(video: Video) -> np.ndarray:
    """The box a tracker is given.

    Args:
      video: with `xyxy`, px.

    Returns:
      `[4]` cxcywh, px.
    """
    return cxcywh_from_xyxy(video.xyxy[0])


@contextlib.contextmanager
def open_video(video: Video) -> Iterator[FrameReader]:
    """Opens a sequence, and checks its first box on it.

    Args:
      video: the sequence.

    Yields:
      Its frames, not read yet.

    Raises:
      InputError: a frame cannot be read, or tracking cannot start at the box.
    """
    with FrameReader(video.frames) as reader:
        where = f"sequence {video.name}: the first box"
        check_init_box(first_cxcywh(video), reader.hw, where=where)
        yield reader


def _blank(canvas: Sequence[int]) -> Iterable[Frame]:
    """Two empty frames, enough to have a driver compiled."""
    hw = np.array(canvas, np.int32)
    return [Frame(np.zeros((*canvas, 3), np.uint8), hw)] * 2


def _result(video: Video, boxes: np.ndarray, seconds: float) -> Tracked:
    """Turns cxcywh `[N, 4]` into what is written; the first box is given exactly."""
    boxes = np.asarray(boxes, np.float64)
    boxes[0] = first_cxcywh(video)
    xywh = xywh_from_cxcywh(boxes)
    return Tracked(video.name, xywh, np.full(len(xywh), seconds / len(xywh)))


def _track_each(
    drivers: Drivers, variables: Any, videos, advance, skip: Skip
) -> Iterator[Tracked]:
    """Tracks one sequence after another."""
    compiled = set()
    for video in videos:
        try:
            result = _track_one(drivers, variables, video, advance, compiled)
        except InputError as fault:
            skip(video.name, str(fault))
            continue
        yield result


def _track_one(
    drivers: Drivers, variables: Any, video: Video, advance, compiled: set
) -> Tracked:
    """Tracks one sequence; adds its canvas to those compiled."""
    with open_video(video) as reader:
        if reader.canvas not in compiled:
            box = [8.0, 8.0, 8.0, 8.0]
            for _ in track_video(drivers, variables, _blank(reader.canvas), box):
                pass
            compiled.add(reader.canvas)
        start, boxes = time.perf_counter(), []
        box = first_cxcywh(video)
        for output in track_video(drivers, variables, reader, box):
            boxes.append(output.box)
            advance(1)
        seconds = time.perf_counter() - start
    return _result(video, np.stack(boxes), seconds)


def _track_batched(
    drivers: Drivers, variables: Any, videos, advance, skip: Skip
) -> Iterator[Tracked]:
    """Tracks groups of sequences at once; a group's time is divided by frames."""
    usable, canvases = [], []
    for video in videos:
        try:
            with open_video(video) as reader:
                canvases.append(reader.canvas)
            usable.append(video)
        except InputError as fault:
            skip(video.name, str(fault))
    compiled: set = set()
    lengths = [len(video.frames) for video in usable]
    size = AT_ONCE * drivers.num_devices
    for group in grouped(usable, canvases, lengths, size=size):
        while group:
            try:
                results = _track_group(drivers, variables, group, advance, compiled)
            except UnreadableVideoError as fault:
                # The others start again without it.
                skip(group.pop(fault.index).name, str(fault))
                continue
            yield from results
            break


def _track_group(
    drivers: Drivers, variables: Any, group: list[Video], advance, compiled: set
) -> list[Tracked]:
    """Tracks sequences of one canvas at once; takes the frames back if it fails."""
    counts = []

    def count(frames):
        counts.append(frames)
        advance(frames)

    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(open_video(video)) for video in group]
        key = (readers[0].canvas, len(group))
        if key not in compiled:
            blank = [InMemory(_blank(readers[0].canvas)) for _ in group]
            boxes = [[8.0, 8.0, 8.0, 8.0]] * len(group)
            track_videos(drivers, variables, blank, boxes)
            compiled.add(key)
        start = time.perf_counter()
        first = [first_cxcywh(video) for video in group]
        try:
            outputs = track_videos(drivers, variables, readers, first, advance=count)
        except UnreadableVideoError:
            advance(-sum(counts))
            raise
        seconds = time.perf_counter() - start
    rate = seconds / sum(len(video.frames) for video in group)
    return [
        _result(video, output.box, rate * len(video.frames))
        for video, output in zip(group, outputs, strict=True)
    ]
