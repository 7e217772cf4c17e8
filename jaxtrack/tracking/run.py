"""Drives one tracker over live video, recorded video, many videos, many devices.

All drivers run the same `step`, so they give the same boxes up to the rounding of
float32. Compilation happens here and nowhere else in tracking; frames of all sizes on
the same canvas share one.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxtrack.errors import InputError
from jaxtrack.tracking.state import (
    Frame,
    Tracker,
    TrackerOutput,
    TrackerState,
    check_init_box,
)


class Drivers(NamedTuple):
    """A tracker compiled for every way of driving it; make once, use for all videos.

    Attributes:
      init: `(variables, frame, box [4])`, one video.
      step: `(variables, state, frame)`, one frame of one video.
      scan: `(variables, state, frames [T, ...], valid [T])`, one video.
      init_many: as `init` for `[B, ...]` videos, `[D, B / D, ...]` on D > 1 devices.
      scan_many: as `scan` for as many.
      num_devices: devices that share many videos.
    """

    init: Callable[..., TrackerState]
    step: Callable[..., tuple[TrackerState, TrackerOutput]]
    scan: Callable[..., tuple[TrackerState, TrackerOutput]]
    init_many: Callable[..., TrackerState]
    scan_many: Callable[..., tuple[TrackerState, TrackerOutput]]
    num_devices: int


def scan_frames(
    tracker: Tracker,
    variables: Any,
    state: TrackerState,
    frames: Frame,
    valid: jax.Array,
) -> tuple[TrackerState, TrackerOutput]:
    """Tracks through `T` frames; where `valid` is False the state does not change.

    Args:
      tracker: what to drive.
      variables: of the network.
      state: before the first frame.
      frames: `image [T, Hc, Wc, 3]` and `hw [T, 2]`.
      valid: `[T]` bool, False for padding.

    Returns:
      The state after the last valid frame, and outputs `[T, ...]` of which those of
      padding mean nothing.
    """

    def body(state, inputs):
        frame, is_valid = inputs
        new, output = tracker.step(variables, state, frame)
        state = jax.tree.map(lambda n, o: jnp.where(is_valid, n, o), new, state)
        return state, output

    return lax.scan(body, state, (frames, valid))


def compile_tracker(tracker: Tracker, *, num_devices: int = 1) -> Drivers:
    """Wraps a tracker in jit, scan, vmap and pmap; each compiles at its first call.

    Args:
      tracker: what to drive.
      num_devices: local devices that share the videos of the `many` drivers.

    Returns:
      The drivers.

    Raises:
      InputError: if there are fewer devices.
    """
    devices = jax.local_devices()
    if not 1 <= num_devices <= len(devices):
        raise InputError(
            f"{num_devices} devices were asked for, {len(devices)} are here: "
            f"ask for 1 to {len(devices)}"
        )
    scan = functools.partial(scan_frames, tracker)
    init_many = jax.vmap(tracker.init, (None, 0, 0))
    scan_many = jax.vmap(scan, (None, 0, 0, 0))
    if num_devices == 1:
        init_many, scan_many = jax.jit(init_many), jax.jit(scan_many)
    else:
        used = devices[:num_devices]
        init_many = jax.pmap(init_many, in_axes=(None, 0, 0), devices=used)
        scan_many = jax.pmap(scan_many, in_axes=(None, 0, 0, 0), devices=used)
    return Drivers(
        init=jax.jit(tracker.init),
        step=jax.jit(tracker.step),
        scan=jax.jit(scan),
        init_many=init_many,
        scan_many=scan_many,
        num_devices=num_devices,
    )


def track_live(
    drivers: Drivers, variables: Any, frames: Iterable[Frame], box: Sequence[float]
) -> Iterator[TrackerOutput]:
    """Tracks frame by frame, each answered before the next is asked for.

    Args:
      drivers: from `compile_tracker`.
      variables: of the network, on the device (`jax.device_put`).
      frames: of one video; the first one shows `box`.
      box: `[4]` cxcywh, pixels.

    Yields:
      Output of every frame, the first included (its box is `box`, its score 1), in
      numpy.

    Raises:
      InputError: if the first box is NaN, empty or outside of the picture.
    """
    frames = iter(frames)
    state, output = _start(drivers, variables, frames, box)
    yield output
    for frame in frames:
        state, output = drivers.step(variables, state, jax.device_put(frame))
        yield jax.device_get(output)


def track_video(
    drivers: Drivers,
    variables: Any,
    frames: Iterable[Frame],
    box: Sequence[float],
    *,
    chunk: int = 64,
) -> Iterator[TrackerOutput]:
    """Tracks a recorded video in chunks: one scan, two transfers each.

    While the device tracks one chunk the host reads the next.

    Args:
      drivers: from `compile_tracker`.
      variables: of the network, on the device (`jax.device_put`).
      frames: of one video, all on the same canvas; the first one shows `box`.
      box: `[4]` cxcywh, pixels.
      chunk: frames a scan; the last one is padded.

    Yields:
      Output of every frame, the first included (its box is `box`, its score 1), in
      numpy.

    Raises:
      InputError: if the first box is NaN, empty or outside of the picture.
    """
    frames = iter(frames)
    state, output = _start(drivers, variables, frames, box)
    yield output
    running = None
    while part := list(itertools.islice(frames, chunk)):
        inputs = jax.device_put(_stack(part, chunk, part[0].image.shape))
        state, outputs = drivers.scan(variables, state, *inputs)
        if running:
            yield from _unstack(*running)
        running = outputs, len(part)
    if running:
        yield from _unstack(*running)


def track_videos(
    drivers: Drivers,
    variables: Any,
    videos: Sequence[Iterable[Frame]],
    boxes: Sequence[Sequence[float]],
    *,
    chunk: int = 16,
) -> list[TrackerOutput]:
    """Tracks many videos at once; short ones are padded and masked.

    A step costs what the largest canvas costs and runs on until the longest video
    ends, so give videos of like size and length. `chunk` frames of every video are in
    memory at once, twice.

    Args:
      drivers: from `compile_tracker`; with several devices the videos are shared out.
      variables: of the network.
      videos: frames of each video.
      boxes: `[4]` cxcywh of each video's first frame, pixels.
      chunk: frames a scan.

    Returns:
      Outputs of each video in numpy, `box [T, 4]` and `score [T]`, the first frame
      included (its box is the given one, its score 1).

    Raises:
      InputError: if a first box is NaN, empty or outside of the picture, or a video
        has no frame.
      ValueError: if there is not one box a video.
    """
    if len(videos) != len(boxes):
        raise ValueError(f"{len(videos)} videos but {len(boxes)} boxes")
    if not videos:
        return []
    videos = [iter(video) for video in videos]
    firsts = [_first(video, box) for video, box in zip(videos, boxes, strict=True)]
    count = -(-len(videos) // drivers.num_devices) * drivers.num_devices
    canvas = tuple(np.max([frame.image.shape for frame in firsts], axis=0))
    # Padding repeats the first video's first frame, so that nothing divides by zero.
    order = [i if i < len(videos) else 0 for i in range(count)]
    frames, _ = _stack([firsts[i] for i in order], count, canvas)
    first_boxes = np.asarray([boxes[i] for i in order], np.float32)
    variables = _put(variables, drivers.num_devices, split=False)
    put = functools.partial(_put, num_devices=drivers.num_devices, split=True)
    state = drivers.init_many(variables, *put((frames, first_boxes)))

    ones = np.ones([], np.float32)
    results = [[TrackerOutput(b, ones)] for b in first_boxes[: len(videos)]]
    running = None
    while any(parts := [list(itertools.islice(v, chunk)) for v in videos]):
        padded = parts + [[]] * (count - len(parts))
        stacks = [_stack(part, chunk, canvas) for part in padded]
        inputs = jax.tree.map(lambda *leaves: np.stack(leaves), *stacks)
        state, outputs = drivers.scan_many(variables, state, *put(inputs))
        if running:
            _append(results, *running)
        running = outputs, [len(part) for part in parts]
    if running:
        _append(results, *running)
    return [TrackerOutput(*map(np.stack, zip(*r, strict=True))) for r in results]


def _first(frames: Iterator[Frame], box: Sequence[float]) -> Frame:
    """Takes a video's first frame and checks the box on it."""
    frame = next(frames, None)
    if frame is None:
        raise InputError("the video has no frame: give one with at least one")
    check_init_box(box, frame.hw)
    return frame


def _start(drivers, variables, frames, box):
    """Starts on a video's first frame; returns the state and that frame's output."""
    frame = _first(frames, box)
    box = np.asarray(box, np.float32)
    state = drivers.init(variables, *jax.device_put((frame, box)))
    return state, TrackerOutput(box, np.ones([], np.float32))


def _stack(
    part: Sequence[Frame], length: int, canvas: Sequence[int]
) -> tuple[Frame, np.ndarray]:
    """Stacks frames on one canvas, padded to `length`; returns them and what is valid.

    Padding has a picture of 1 x 1 pixels.
    """
    image = np.zeros((length, *canvas), np.uint8)
    hw = np.ones((length, 2), np.int32)
    for k, frame in enumerate(part):
        height, width = frame.image.shape[:2]
        image[k, :height, :width] = frame.image
        hw[k] = frame.hw
    return Frame(image, hw), np.arange(length) < len(part)


def _unstack(outputs: TrackerOutput, length: int) -> Iterator[TrackerOutput]:
    """Fetches a chunk's outputs from the device and yields the valid ones."""
    box, score = jax.device_get(outputs)
    for k in range(length):
        yield TrackerOutput(box[k], score[k])


def _append(
    results: list[list[TrackerOutput]], outputs: TrackerOutput, lengths: list[int]
) -> None:
    """Fetches a chunk's outputs of many videos and appends each one's valid frames."""
    box, score = jax.device_get(outputs)
    box = box.reshape(-1, *box.shape[-2:])
    score = score.reshape(-1, score.shape[-1])
    for i, length in enumerate(lengths):
        results[i].extend(_unstack(TrackerOutput(box[i], score[i]), length))


def _put(tree: Any, num_devices: int, *, split: bool) -> Any:
    """Puts arrays on the devices: whole on each, or `[B, ...]` split `[D, B / D]`."""
    if num_devices == 1:
        return jax.device_put(tree)
    if split:
        tree = jax.tree.map(lambda a: a.reshape(num_devices, -1, *a.shape[1:]), tree)
    mesh = Mesh(np.asarray(jax.local_devices()[:num_devices]), ("device",))
    spec = PartitionSpec("device") if split else PartitionSpec()
    return jax.device_put(tree, NamedSharding(mesh, spec))
