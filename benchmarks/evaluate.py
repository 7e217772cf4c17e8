"""Speed of evaluation: one sequence at a time, many at once, and on all devices.

Run: python -m benchmarks.evaluate --checkpoint=runs/lite0
Composed sequences are JPEG files on disk, so reading and decoding are included, as in
`eval.py`; compilation is not. Rounds alternate, medians are shown. Without a checkpoint
the network is random, and its boxes cannot be compared, since rounding decides between
them.
"""

import functools
import os
import tempfile

import jax
import numpy as np
from absl import app, flags

from benchmarks import drawn, rounds
from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0
from jaxtrack.data.composed import ComposedSource, write_sequences
from jaxtrack.datasets import folders
from jaxtrack.evaluation import batching, loading
from jaxtrack.tracking.run import compile_tracker

_CHECKPOINT = flags.DEFINE_string("checkpoint", "", "Of the tracker.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds; the median is shown.")
_VIDEOS = flags.DEFINE_integer("videos", 16, "Sequences.")
_FRAMES = flags.DEFINE_integer("frames", 33, "Frames of each.")
_DEVICES = flags.DEFINE_integer("devices", 2, "Devices if the host is the device.")
_MARK_PX = 1e-3  # Largest difference of boxes tracked together and alone.


def main(argv: list[str]) -> None:
    """Times every way of evaluating, prints frames/s and differences of boxes."""
    del argv
    jax.config.update("jax_num_cpu_devices", _DEVICES.value)  # No effect on GPUs.
    tracker, variables, name = _tracker()
    devices = jax.local_device_count()
    print(
        f"{name} on {devices} x {jax.devices()[0].device_kind}, {os.cpu_count()} cores"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = ComposedSource(num_tracks=_VIDEOS.value, length=_FRAMES.value)
        paths = write_sequences(source, folder)
        videos = [folders.read_sequence(path) for path in paths]
        ways = {"one by one": (False, 1), "many at once": (True, 1)}
        if devices > 1:
            ways["many, all devices"] = (True, devices)
        found, runs = {}, {}
        for way, (together, count) in ways.items():
            drivers = compile_tracker(tracker, num_devices=count)
            track = batching.tracking_function(drivers, variables, batched=together)
            run = functools.partial(_run, track, videos)
            found[way] = run()  # Compiles.
            runs[way] = run, sum(len(video.frames) for video in videos)
        walls, cores = rounds.timed(runs, _ROUNDS.value)
    print(f"{'':20}{'frames/s':>9}{'CPU ms':>9}   times one by one, largest difference")
    alone = found["one by one"]
    for way, wall in walls.items():
        apart = max(float(np.max(abs(found[way][n] - alone[n]))) for n in alone)
        told = f"{apart:.1e} px" if _CHECKPOINT.value else "not compared"
        if _CHECKPOINT.value and apart > _MARK_PX:
            told += f", ABOVE the goal of {_MARK_PX:g} px"
        print(
            f"{way:20}{1 / wall:9.1f}{1000 * cores[way]:9.1f}   "
            f"{walls['one by one'] / wall:.2f}, {told}"
        )


def _run(track, videos):
    """Tracks all; returns boxes by name."""
    return {result.name: result.xywh for result in track(videos, lambda count: None)}


def _tracker():
    """The checkpoint's tracker, or one drawn at random; its weights and name."""
    if _CHECKPOINT.value:
        opened = loading.open_checkpoint(_CHECKPOINT.value)
        name = trackers.describe(opened.config)
        return opened.tracker, opened.variables, name
    config = siamcar_lite0.get_config()
    variables = drawn.variables_of(trackers.network_of(config))
    return trackers.tracker_of(config), variables, trackers.describe(config)


if __name__ == "__main__":
    app.run(main)
