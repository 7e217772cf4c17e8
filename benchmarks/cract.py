"""The cost of CRACT: first frame, ordinary step and update step, one or many videos.

Run: python -m benchmarks.cract
An ordinary step tracks; an update step, every tenth, also collects samples and trains
the discriminator's last layers. "RPN" is an ordinary step with only the same network's
maps. Rounds alternate, medians are shown; "CPU" is CPU time, which other programs
affect less.
"""

import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags

from benchmarks import rounds
from jaxtrack import trackers
from jaxtrack.configs import cract_lite0, cract_r18
from jaxtrack.tracking import video

_REPEATS = flags.DEFINE_integer("repeats", 9, "Rounds; the median is shown.")
_FRAMES = flags.DEFINE_integer("frames", 5, "Steps per round.")
_VIDEOS = flags.DEFINE_integer("videos", 16, "Videos at once; 0 skips this.")
_FIRST = flags.DEFINE_bool("first", True, "Also times first frames of many videos.")
_MODELS = flags.DEFINE_list("models", ["cract_lite0", "cract_r18"], "Networks.")
_MARK = 3.0  # Goal for the ratio of update and ordinary step.
_HW = (480, 640)


def main(argv: list[str]) -> None:
    """Times the networks on one and many videos, prints ratios."""
    del argv
    print(f"{jax.devices()[0].device_kind}, {os.cpu_count()} cores", flush=True)
    for module in (cract_lite0, cract_r18):
        config = module.get_config()
        if module.__name__.rpartition(".")[2] not in _MODELS.value:
            continue
        for videos in (1, _VIDEOS.value):
            if videos:
                print(
                    f"\n{trackers.describe(config)}: {videos} x {_HW[1]} x {_HW[0]}",
                    flush=True,
                )
                _time(config, videos)


def _time(config, videos):
    """Times `videos` at once; one is not mapped."""
    # Every frame counts as tracked well and without distractors, so that only the
    # schedule decides what a step does.
    config.online.success, config.online.distractor = 0.0, 1.0
    model = trackers.network_of(config)
    sizes = (model.geometry.template_size, model.geometry.search_size)
    crops = [jnp.zeros((1, size, size, 3)) for size in sizes]
    variables = jax.jit(model.init)(jax.random.key(0), *crops)
    tracker = trackers.tracker_of(config)
    image = np.random.default_rng(0).integers(0, 256, (*_HW, 3), np.uint8)
    frame = jax.device_put(video.pad(image, video.canvas_size(_HW)))
    box = jnp.array([300.0, 200.0, 60.0, 80.0])

    init, step, probe = tracker.init, tracker.step, tracker.probe
    state = jax.jit(init)(variables, frame, box)
    if videos > 1:
        init, step, probe = (
            jax.vmap(f, in_axes=(None, 0, 0)) for f in (init, step, probe)
        )
        frame, box, state = jax.tree.map(
            lambda a: jnp.stack([a] * videos), (frame, box, state)
        )
    init, step, probe = jax.jit(init), jax.jit(step), jax.jit(probe)

    def at(number):
        frames = jnp.full_like(state.online.frame, number)
        return state.replace(online=state.online.replace(frame=frames))

    # The next frame is the eleventh: ordinary; or the tenth: an update.
    every = config.online.every
    ordinary, due = at(every), at(every - 1)
    count = _FRAMES.value
    runs = {
        "first frame": (partial(_many, 1, init, variables, frame, box), 1),
        "RPN": (partial(_many, count, probe, variables, state, frame), count),
        "ordinary": (partial(_many, count, step, variables, ordinary, frame), count),
        "update": (partial(_many, count, step, variables, due, frame), count),
    }
    if videos > 1 and not _FIRST.value:
        del runs["first frame"]
    for run, _ in runs.values():
        run()  # Compiles.
    walls, cores = rounds.timed(runs, _REPEATS.value)
    for name in runs:
        wall, core = (1000 * times[name] / videos for times in (walls, cores))
        print(f"  {name:12}{wall:10.1f} ms a video{core:10.1f} ms CPU")
    ratios = [times["update"] / times["ordinary"] for times in (walls, cores)]
    verdict = "within" if ratios[0] <= _MARK else "ABOVE"
    print(
        f"  update: {ratios[0]:.2f} ordinary steps, CPU {ratios[1]:.2f}: {verdict} the "
        f"goal of {_MARK:g}"
    )


def _many(count, function, *arguments):
    """Calls a function several times, and waits."""
    for _ in range(count):
        jax.block_until_ready(function(*arguments))


if __name__ == "__main__":
    app.run(main)
