"""The host's cost per frame when many videos are tracked at once.

Run: python -m benchmarks.host
CPU microseconds per frame of 640 x 480 pixels, including threads: with the buffers of
`jaxtrack.tracking.many`, and for comparison padded onto separate canvases, stacked and
copied to the device. Frames are decoded from JPEG files, or are in memory. Nothing is
tracked: that is the device's work.
"""

import functools
import os
import pathlib
import tempfile

import cv2
import jax
import numpy as np
from absl import app, flags

from benchmarks import rounds
from jaxtrack.datasets.pictures import read_image
from jaxtrack.tracking import Frame, TrackerOutput, many, run
from jaxtrack.tracking.video import FrameReader, canvas_size, pad

_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds; the median is shown.")
_VIDEOS = flags.DEFINE_integer("videos", 16, "Videos at once.")
_FRAMES = flags.DEFINE_integer("frames", 9, "Frames of each.")
_HW = (480, 640)


def main(argv: list[str]) -> None:
    """Times all variants in turn and prints microseconds per frame."""
    del argv
    print(f"{_VIDEOS.value} videos to {jax.devices()[0].device_kind}")
    with tempfile.TemporaryDirectory() as folder:
        paths = _written(pathlib.Path(folder))
        images = [read_image(path) for path in paths]
        ways = {
            "memory: stacked": lambda: _stacked(images, np.asarray),
            "memory: buffers": lambda: _buffers([InTurn(images) for _ in _all()]),
            "JPEG: decoded": lambda: [read_image(p) for _ in _all() for p in paths],
            "JPEG: stacked": lambda: _stacked(paths, read_image),
            "JPEG: buffers": lambda: _buffers([FrameReader(paths) for _ in _all()]),
        }
        count = _VIDEOS.value * len(paths)
        runs = {name: (way, count) for name, way in ways.items()}
        walls, cores = rounds.timed(runs, _ROUNDS.value)
    print(f"{'':20}{'CPU us':>8}{'frames/s, all cores':>22}")
    for name, core in cores.items():
        print(f"{name:20}{1e6 * core:8.0f}{1 / walls[name]:22.0f}")


class InTurn:
    """Pictures in memory as a source of `many.track_videos`."""

    canvas = canvas_size(_HW)

    def __init__(self, images: list[np.ndarray]):
        """Takes `[480, 640, 3]` pictures."""
        self._images = iter(images)

    def fill(self, canvas: np.ndarray) -> np.ndarray | None:
        """See `many.Source`."""
        image = next(self._images, None)
        if image is None:
            return None
        canvas[: _HW[0], : _HW[1]] = image
        return np.array(_HW, np.int32)


def _all():
    """Counts the videos."""
    return range(_VIDEOS.value)


def _buffers(sources):
    """Sends all frames through the buffers to a tracker that does nothing."""
    box = (300, 200, 60, 80)
    many.track_videos(_idle(), {}, sources, [box] * len(sources))


@functools.cache
def _idle():
    """Drivers that read a pixel of every frame."""

    @jax.jit
    def step(variables, state, frames):
        del variables
        return state, TrackerOutput(state, frames.image[:, 0, 0, 0].astype(float))

    init = jax.jit(lambda variables, frames, boxes: boxes)
    return run.Drivers(None, None, None, init, step, num_devices=1)


def _stacked(pictures, read):
    """A frame's way without buffers: pad, stack, send, one step after another."""
    canvas = canvas_size(_HW)
    state = np.zeros((_VIDEOS.value, 4), np.float32)
    for picture in pictures:
        frames = [pad(read(picture), canvas) for _ in _all()]
        images = np.zeros((len(frames), *canvas, 3), np.uint8)
        for k, frame in enumerate(frames):
            images[k] = frame.image
        inputs = jax.device_put(Frame(images, np.stack([f.hw for f in frames])))
        jax.device_get(_idle().step_many({}, state, inputs)[1])


def _written(folder):
    """Writes smooth noise as JPEG files of some 50 kB, as frames of video are."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{k}.jpg" for k in range(_FRAMES.value)]
    for path in paths:
        noise = rng.integers(0, 256, (_HW[0] // 16, _HW[1] // 16, 3), dtype=np.uint8)
        image = cv2.resize(noise, _HW[::-1], interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(f"files of {os.path.getsize(paths[0]) // 1000} kB")
    return paths


if __name__ == "__main__":
    app.run(main)
