"""Frames a second of siamcar_r50 in bfloat16: live, by scan, many videos at once.

Figures of `benchmarks.gpu`.
"""

import functools
import os
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import jax
import numpy as np
from jax import lax

from benchmarks import drawn
from benchmarks.attempts import attempt
from jaxtrack import configs, trackers
from jaxtrack.tracking import Frame, Tracker, many, run, video

BOX = np.array([300.0, 200.0, 60.0, 80.0], np.float32)
_HW = (480, 640)


class Sizes(NamedTuple):
    """What is measured.

    Attributes:
      config: of the tracker.
      dtype: of its computation.
      live: frames one by one.
      scan: frames in one program.
      at_once: videos -> frames of each.
    """

    config: str = "siamcar_r50"
    dtype: str = "bfloat16"
    live: int = 200
    scan: int = 16
    at_once: tuple[tuple[int, int], ...] = ((16, 65), (128, 25))


TINY = Sizes("siamcar_lite0", "float32", live=3, scan=2, at_once=((2, 3),))


def sizes_of(is_tiny: bool) -> Sizes:
    """What is measured."""
    return TINY if is_tiny else Sizes()


def measure(is_tiny: bool) -> Iterator[dict]:
    """Yields frames/s of every way of tracking.

    Args:
      is_tiny: a small network and few frames.
    """
    sizes = sizes_of(is_tiny)
    tracker, variables = tracker_of(sizes)
    drivers = run.compile_tracker(tracker)
    about = {"config": sizes.config, "device": jax.devices()[0].device_kind}
    about |= {"jax": jax.__version__, "cores": os.cpu_count()}
    frames = frames_of(max(sizes.scan, 8))
    turns = [frames[k % len(frames)] for k in range(sizes.live + 1)]
    live = functools.partial(run.track_video, drivers, variables, turns, BOX)
    for name, ahead in (("live", 0), ("recorded", 8)):
        yield about | _speed(name, sizes.live, lambda a=ahead: list(live(ahead=a)))
    yield about | _scanned(tracker, variables, frames[: sizes.scan])
    for videos, length in sizes.at_once:
        for row in _at_once(drivers, variables, frames, (videos, length)):
            yield about | row


def _at_once(drivers, variables, frames, size):
    """Yields frames/s of many videos: on the device, in memory, as JPEG files."""
    videos, length = size
    count = videos * (length - 1)
    stacked = jax.tree.map(lambda leaf: np.stack([leaf] * videos), frames[0])
    resident = jax.device_put(stacked)
    boxes = np.tile(BOX, (videos, 1))

    def on_device():
        state = drivers.init_many(variables, resident, boxes)
        for _ in range(length - 1):
            state, output = drivers.step_many(variables, state, resident)
        jax.block_until_ready(output)

    def from_memory():
        turns = [frames[k % len(frames)] for k in range(length)]
        sources = [many.InMemory(turns) for _ in range(videos)]
        many.track_videos(drivers, variables, sources, boxes)

    def from_files():
        paths = [files[k % len(files)] for k in range(length)]
        readers = [video.FrameReader(paths) for _ in range(videos)]
        many.track_videos(drivers, variables, readers, boxes)

    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{k}.jpg" for k in range(len(frames))]
        for path, frame in zip(files, frames, strict=True):
            cv2.imwrite(path, frame.image[: _HW[0], : _HW[1]])
        first = _speed(f"{videos} at once, on the device", count, on_device)
        yield first
        for name, way in (("in memory", from_memory), ("JPEG files", from_files)):
            row = _speed(f"{videos} at once, {name}", count, way)
            if not ("failed" in row or "failed" in first):
                share = row["frames_per_second"] / first["frames_per_second"]
                row["share_of_device_rate"] = round(share, 3)
            yield row


def _scanned(tracker, variables, frames):
    """Measures all frames in one program, from host memory."""

    @jax.jit
    def scan(variables, state, frames):
        return lax.scan(functools.partial(tracker.step, variables), state, frames)[1]

    init = functools.cache(lambda: jax.jit(tracker.init)(variables, frames[0], BOX))
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *frames)

    def track():
        jax.device_get(scan(variables, init(), jax.device_put(stacked)))

    return _speed(f"scan of {len(frames)}", len(frames), track)


def _speed(name, count, way, rounds=3):
    """Returns the median speed of something that tracks so many frames."""

    def measure():
        way()  # Compiles.
        seconds = []
        for _ in range(rounds):
            begin = time.perf_counter()
            way()
            seconds.append(time.perf_counter() - begin)
        speeds = sorted(count / second for second in seconds)
        low, median, high = (round(speeds[k], 1) for k in (0, rounds // 2, -1))
        return {"frames_per_second": median, "range": [low, high]}

    return attempt(name, measure)


def tracker_of(sizes: Sizes) -> tuple[Tracker, dict]:
    """Draws a network's variables; returns its tracker and them."""
    config = trackers.with_preprocessing(configs.load(sizes.config))
    config.model.dtype = sizes.dtype
    variables = drawn.variables_of(trackers.network_of(config))
    folded = trackers.folded(config, variables)
    return trackers.tracker_of(config), jax.device_put(folded)


def frames_of(count: int) -> list[Frame]:
    """Draws smooth noise of 640 x 480 on its canvas."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (count, _HW[0] // 16, _HW[1] // 16, 3), np.uint8)
    images = [cv2.resize(image, _HW[::-1]) for image in noise]
    return [video.pad(image, video.canvas_size(_HW)) for image in images]
