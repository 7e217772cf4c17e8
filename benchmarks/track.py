"""Speed of tracking: every driver, every stage, and a PyTorch twin in the same run.

Run: python -m benchmarks.track
On a GPU: python -m benchmarks.track --sequences=1,16,128
Frames are 640 x 480 on their canvas in host memory, so the transfer to the device is
included but decoding is not. Variants alternate, medians are shown. "CPU" is CPU time,
which other programs affect less.
"""

import functools
import importlib.util
import os
import time

# A twin's OpenMP threads must not hold the cores while JAX works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags
from jax import lax
from ml_collections import config_flags

from benchmarks import drawn, rounds
from jaxtrack import config as config_lib
from jaxtrack import trackers
from jaxtrack.ops import boxes, crop, grid, preprocess
from jaxtrack.tracking import decoding, many, run, selection, video

_CONFIG = config_flags.DEFINE_config_file("config", "configs/siamcar_lite0.py")
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds; the median is shown.")
_FRAMES = flags.DEFINE_integer("frames", 32, "Frames per sequence and round.")
_SEQUENCES = flags.DEFINE_list("sequences", ["16"], "Sequences tracked at once.")
_DEVICES = flags.DEFINE_integer("devices", 2, "Devices of the pmapped driver.")
_MARK = 1.2  # Goal for the ratio of a live step to the twin's on a CPU.
_HW = (480, 640)
_BOX = np.array([300.0, 200.0, 60.0, 80.0], np.float32)


def main(argv: list[str]) -> None:
    """Times all variants of tracking in turn and prints frames/s."""
    del argv
    jax.config.update("jax_num_cpu_devices", _DEVICES.value)  # No effect on GPUs.
    config = trackers.with_preprocessing(_CONFIG.value)
    model = trackers.network_of(config)
    variables = jax.device_put(drawn.variables_of(model))
    frames = _frames(_FRAMES.value)
    ways = _drivers(trackers.tracker_of(config), variables, frames)
    stages = _stages(model, config, variables, frames[0])
    twin = _twin(config, variables, frames)
    ways |= twin
    name, device = trackers.describe(config), jax.devices()[0].device_kind
    print(f"{name} on {device}, {os.cpu_count()} cores")
    _report(*rounds.timed(ways | stages, _ROUNDS.value), ways)
    _report_new_canvas(trackers.tracker_of(config), variables)


def _report_new_canvas(tracker, variables):
    """Times the first frame of two canvases: the network compiles for the first alone.

    Compilations that are kept on disk count as none: name an empty folder for them.
    """
    drivers = run.compile_tracker(tracker)
    for hw in (_HW, (720, 1280)):
        (frame, *_) = _frames(0, hw)
        begin, cores = time.perf_counter(), time.process_time()
        list(run.track_video(drivers, variables, [frame] * 2, _BOX))
        seconds, cores = time.perf_counter() - begin, time.process_time() - cores
        size = f"{hw[1]} x {hw[0]}"
        print(f"first frame of {size}: {seconds:.2f} s, {cores:.2f} s CPU")


def _report(walls, cores, ways):
    """Prints frames/s, times of a frame, and ratios to the twin where there is one."""
    twin = "PyTorch twin, live"
    print(f"{'':32}{'frames/s':>9}{'ms':>9}{'CPU ms':>9}   of the twin's ms, CPU ms")
    for name, wall in walls.items():
        speed = f"{1 / wall:9.1f}" if name in ways else " " * 9
        line = f"{name:32}{speed}{1000 * wall:9.2f}{1000 * cores[name]:9.2f}"
        if name in ways and twin in walls:
            line += f"   {wall / walls[twin]:.2f}, {cores[name] / cores[twin]:.2f}"
        print(line)
    if twin in walls:
        ratio = walls["live (jit)"] / walls[twin]
        verdict = "within" if ratio <= _MARK else "ABOVE"
        print(f"live: {ratio:.2f} times the twin's time, {verdict} the goal of {_MARK}")
    else:
        print("no torch here, or no twin of this network: nothing to compare with")


def _frames(count, hw=_HW):
    """Draws noise; what is in a frame changes no time."""
    rng = np.random.default_rng(0)
    canvas = video.canvas_size(hw)
    images = rng.integers(0, 256, (count + 1, *hw, 3), dtype=np.uint8)
    return [video.pad(image, canvas) for image in images]


def _drivers(timed, variables, frames):
    """Returns name -> (what to time, frames in it) of all drivers, compiled."""
    one = run.compile_tracker(timed)
    steps = len(frames) - 1
    track = functools.partial(run.track_video, one, variables, frames, _BOX)
    ways = {
        "live (jit)": (lambda: list(track(ahead=0)), steps),
        "recorded (ahead)": (lambda: list(track()), steps),
        f"scan of {steps}": (_scanned(timed, variables, frames), steps),
    }
    for count in map(int, _SEQUENCES.value):
        for devices in sorted({1, min(_DEVICES.value, len(jax.local_devices()))}):
            if count % devices:
                continue
            drivers = run.compile_tracker(timed, num_devices=devices)
            way = functools.partial(_track_many, drivers, variables, frames[:9], count)
            kind = "vmap" if devices == 1 else f"pmap over {devices} devices"
            ways[f"{count} at once ({kind})"] = way, 8 * count
    for way, _ in ways.values():
        way()
    return ways


def _scanned(tracker, variables, frames):
    """Returns what tracks all frames in one program."""

    @jax.jit
    def scan(variables, frames):
        first = jax.tree.map(lambda leaf: leaf[0], frames)
        rest = jax.tree.map(lambda leaf: leaf[1:], frames)
        state = tracker.init(variables, first, _BOX)
        return lax.scan(functools.partial(tracker.step, variables), state, rest)[1]

    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *frames)
    return lambda: jax.device_get(scan(variables, stacked))


def _track_many(drivers, variables, frames, count):
    """Tracks the same frames as `count` sequences."""
    sources = [many.InMemory(frames) for _ in range(count)]
    many.track_videos(drivers, variables, sources, [_BOX] * count)


def _stages(model, config, variables, frame):
    """Returns name -> (what to time, 1) of a live step's stages, compiled."""
    geometry = model.geometry
    preprocessing = config_lib.preprocessing(config)
    points = grid.points(geometry)
    antialias = config.tracking.selection != "released"
    scale = geometry.template_size / boxes.context_side(jnp.asarray(_BOX[2:]))
    choose = {"released": selection.select_released, "clean": selection.select_clean}

    def cut(image, hw):
        side = geometry.search_size / scale
        size, fill = geometry.search_size, jnp.full(3, 100.0)
        pixels = crop.crop_and_resize(
            *(image, hw, jnp.asarray(_BOX[:2]), side, size, fill), antialias=antialias
        )
        return preprocess.normalize(pixels, preprocessing)[None]

    def network(z, x_image):
        x = model.apply(variables, x_image, method="encode_search")
        return model.apply(variables, z, x, method="predict")

    def pick(raw):
        scores = decoding.scores_and_boxes(raw, points, stretch=not antialias)
        return choose[config.tracking.selection](
            *scores, jnp.asarray(_BOX[2:]), scale, geometry=geometry
        )

    cut, network, pick = jax.jit(cut), jax.jit(network), jax.jit(pick)
    z_image = jnp.zeros((1, geometry.template_size, geometry.template_size, 3))
    z = jax.jit(lambda z: model.apply(variables, z, method="encode_template"))(z_image)
    x_image = cut(*jax.device_put(frame))
    raw = network(z, x_image)
    parts = {
        "  to the device": lambda: jax.device_put(frame),
        "  crop": functools.partial(cut, *jax.device_put(frame)),
        "  network": functools.partial(network, z, x_image),
        "  select": functools.partial(pick, raw),
    }
    return {
        name: (functools.partial(_repeat, run, _FRAMES.value), _FRAMES.value)
        for name, run in parts.items()
        if jax.block_until_ready(run()) is not None
    }


def _repeat(run, times):
    """Runs and waits, again and again."""
    for _ in range(times):
        jax.block_until_ready(run())


def _twin(config, variables, frames):
    """Returns the PyTorch tracker of the same weights, or nothing where none is."""
    has_twin = config.model.name == "siamcar"
    if importlib.util.find_spec("torch") is None or not has_twin:
        return {}
    from benchmarks.twin_tracker import TwinTracker

    twin = TwinTracker(config, jax.device_get(variables))

    def run():
        twin.start(frames[0], _BOX)
        for frame in frames[1:]:
            twin.step(frame)

    run()
    return {"PyTorch twin, live": (run, len(frames) - 1)}


if __name__ == "__main__":
    app.run(main)
