"""Tracks many videos at once: threads decode directly into buffers for the device.

A buffer has one frame of every video. A few buffers are used in turn: the oldest two
are with the device, one in use and one being sent, while threads fill the others. A
frame is decoded once, converted in place, and never copied on the host.
"""

import collections
import concurrent.futures
import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxtrack.errors import InputError
from jaxtrack.tracking.host_boxes import check_init_box
from jaxtrack.tracking.run import Drivers
from jaxtrack.tracking.state import Frame, TrackerOutput
from jaxtrack.tracking.video import blank

AT_ONCE = 16  # Default number of videos per device.
_WITH_DEVICE = 2  # Buffers in use by the device or being sent.
_BUFFERS = 4

Item = TypeVar("Item")


class Source(Protocol):
    """One video's frames, one after another; a `FrameReader` is one.

    Attributes:
      canvas: height and width of the canvas for its frames, pixels.
    """

    canvas: tuple[int, int]

    def fill(self, canvas: np.ndarray) -> np.ndarray | None:
        """Writes the next frame into the top-left corner of a canvas.

        Args:
          canvas: `[Hc, Wc, 3]` uint8, at least as large as `self.canvas`.

        Returns:
          `[2]` height and width of the picture, pixels; None after the last.

        Raises:
          InputError: if the frame cannot be read.
        """


class InMemory:
    """Frames in memory; see `Source`."""

    def __init__(self, frames: Iterable[Frame]):
        """Takes the first frame.

        Args:
          frames: in numpy, with canvases not larger than the first.
        """
        frames = iter(frames)
        first = next(frames, None)
        self.canvas = (1, 1) if first is None else first.image.shape[:2]
        self._frames = frames if first is None else itertools.chain([first], frames)

    def fill(self, canvas: np.ndarray) -> np.ndarray | None:
        """See `Source`."""
        frame = next(self._frames, None)
        if frame is None:
            return None
        height, width = frame.hw
        canvas[:height, :width] = frame.image[:height, :width]
        return frame.hw


class UnreadableVideoError(InputError):
    """A frame of one of many videos cannot be read.

    Attributes:
      index: of the video, from 0.
    """

    def __init__(self, index: int, reason: str):
        """Stores the video's index and the reason."""
        super().__init__(reason)
        self.index = index


def track_videos(
    drivers: Drivers,
    variables: Any,
    videos: Sequence[Source],
    boxes: Sequence[Sequence[float]],
    *,
    advance: Callable[[int], object] = lambda count: None,
    num_threads: int | None = None,
) -> list[TrackerOutput]:
    """Tracks many videos at once; finished ones continue with empty pictures.

    Every step has the cost of the largest canvas, until the longest video ends, so
    give videos of similar size and length (`grouped`). Four frames of every video are
    in memory. The memory is reused: a tracker's state must not contain a frame.

    Args:
      drivers: from `run.compile_tracker`; several devices share the videos.
      variables: of the network.
      videos: the frames of each.
      boxes: `[4]` cxcywh of each video's first frame, pixels.
      advance: called after each step with the number of frames tracked.
      num_threads: for decoding; None is one per processor.

    Returns:
      Outputs of each video in numpy, `box [T, 4]` and `score [T]`, including the first
      frame (its box is the given one, its score 1).

    Raises:
      InputError: if a first box is NaN, empty or outside of the picture, or a video
        has no frames; `UnreadableVideoError` if a frame cannot be read.
      ValueError: if the numbers of videos and boxes differ.
    """
    if len(videos) != len(boxes):
        raise ValueError(f"{len(videos)} videos but {len(boxes)} boxes")
    if not videos:
        return []
    put = functools.partial(_put, num_devices=drivers.num_devices)
    count = -(-len(videos) // drivers.num_devices) * drivers.num_devices
    with contextlib.closing(_filled(videos, count, num_threads)) as filled:
        frames, is_there = next(filled)
        first_boxes = _first_boxes(frames, is_there, boxes)
        variables = put(variables, split=False)
        state = drivers.init_many(variables, *put((frames, first_boxes), split=True))
        jax.block_until_ready(state)  # The buffer will be reused.
        steps = [TrackerOutput(first_boxes, np.ones(count, np.float32))]
        lengths, waiting = is_there.astype(int), collections.deque()
        advance(len(videos))
        for frames, is_there in filled:
            inputs = put(frames, split=True)
            state, outputs = drivers.step_many(variables, state, inputs)
            waiting.append(outputs)
            lengths += is_there
            advance(int(np.sum(is_there)))
            if len(waiting) == _WITH_DEVICE:
                steps.append(_fetched(waiting.popleft()))
        steps += map(_fetched, waiting)
    box, score = (np.stack(leaves) for leaves in zip(*steps, strict=True))
    return [TrackerOutput(box[:n, i], score[:n, i]) for i, n in enumerate(lengths)]


def grouped(
    items: Sequence[Item],
    canvases: Sequence[tuple[int, int]],
    lengths: Sequence[int],
    *,
    size: int = AT_ONCE,
) -> list[list[Item]]:
    """Groups videos by canvas and similar length.

    Args:
      items: one per video.
      canvases: height and width of each video's canvas, px.
      lengths: frames of each.
      size: largest number of videos in a group.

    Returns:
      The groups, each ordered by length.
    """
    order = sorted(range(len(items)), key=lambda i: (canvases[i], lengths[i]))
    groups = []
    for _, same in itertools.groupby(order, key=lambda i: canvases[i]):
        members = [items[i] for i in same]
        groups += [members[i : i + size] for i in range(0, len(members), size)]
    return groups


def _filled(
    videos: Sequence[Source], count: int, num_threads: int | None
) -> Iterator[tuple[Frame, np.ndarray]]:
    """Yields buffers with the next frame of every video, and which videos have one.

    A buffer is reused two steps later: the caller must be finished with it by then.
    Each thread fills the slots of its own videos, so that it needs no lock, and may be
    ahead of the others.

    Args:
      videos: the sources.
      count: slots in a buffer; those without a video start with a copy of the first.
      num_threads: see `track_videos`.

    Yields:
      Frames `[count, ...]` in numpy, and `[len(videos)]` bool.
    """
    canvas = np.max([video.canvas for video in videos], axis=0)
    buffers = [
        Frame(blank((count, *canvas, 3)), np.ones((count, 2), np.int32))
        for _ in range(_BUFFERS)
    ]
    stride = min(len(videos), num_threads or os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        pools = [concurrent.futures.ThreadPoolExecutor(1) for _ in range(stride)]
        for pool in pools:
            stack.callback(pool.shutdown, cancel_futures=True)

        def send(buffer):
            return [
                pool.submit(_fill, videos, buffer, range(k, len(videos), stride))
                for k, pool in enumerate(pools)
            ]

        sent = collections.deque(map(send, buffers[:_WITH_DEVICE]))
        for step in itertools.count():
            sent.append(send(buffers[(step + _WITH_DEVICE) % _BUFFERS]))
            is_there = np.zeros(len(videos), bool)
            for k, future in enumerate(sent.popleft()):
                is_there[k::stride] = future.result()
            if not is_there.any():
                return
            buffer = buffers[step % _BUFFERS]
            if not step:
                for leaf in buffer:
                    leaf[len(videos) :] = leaf[0]
            yield buffer, is_there


def _fill(videos: Sequence[Source], buffer: Frame, places: Sequence[int]) -> list[bool]:
    """Fills the slots of some videos; returns which of them have not ended."""
    is_there = []
    for i in places:
        image, before = buffer.image[i], buffer.hw[i].copy()
        try:
            hw = videos[i].fill(image)
        except InputError as fault:
            raise UnreadableVideoError(i, str(fault)) from fault
        is_there.append(hw is not None)
        buffer.hw[i] = height, width = (1, 1) if hw is None else hw
        if height < before[0] or width < before[1]:
            image[height:] = 0
            image[:, width:] = 0
    return is_there


def _first_boxes(
    frames: Frame, is_there: np.ndarray, boxes: Sequence[Sequence[float]]
) -> np.ndarray:
    """Checks the boxes on the first frames; repeats the first for empty slots."""
    if not is_there.all():
        raise InputError("the video has no frames: give one with at least one")
    for box, hw in zip(boxes, frames.hw, strict=False):
        check_init_box(box, hw)
    more = [boxes[0]] * (len(frames.hw) - len(boxes))
    return np.asarray([*boxes, *more], np.float32)


def _fetched(outputs: TrackerOutput) -> TrackerOutput:
    """Fetches one frame's outputs of many videos, without the device axis."""
    box, score = jax.device_get(outputs)
    return TrackerOutput(box.reshape(-1, box.shape[-1]), score.reshape(-1))


def _put(tree: Any, num_devices: int, *, split: bool) -> Any:
    """Puts arrays on the devices: replicated, or `[B, ...]` split `[D, B / D]`."""
    if num_devices == 1:
        return jax.device_put(tree)
    if split:
        tree = jax.tree.map(lambda a: a.reshape(num_devices, -1, *a.shape[1:]), tree)
    mesh = Mesh(np.asarray(jax.local_devices()[:num_devices]), ("device",))
    spec = PartitionSpec("device") if split else PartitionSpec()
    return jax.device_put(tree, NamedSharding(mesh, spec))
