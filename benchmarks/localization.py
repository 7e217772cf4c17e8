"""The cost of SiamLA: labels in a training step, the branch in a tracking step.

Run: python -m benchmarks.localization
The same network is trained with SiamLA's labels (LADL and LALS) and with plain ones,
and tracks with the localization branch, with parts of it, and with SiamCAR's output
instead. Rounds alternate, medians are shown; "CPU" is CPU time, which other programs
affect less.
"""

import functools
import os

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags

from benchmarks import rounds, train_step
from jaxtrack import trackers
from jaxtrack.configs import siamla_lite0, siamla_r50
from jaxtrack.trackers.siamla import LOCALIZATIONS
from jaxtrack.tracking import video

_PAIRS = flags.DEFINE_integer("pairs", 8, "Pairs per training step of siamla_lite0.")
_PAIRS_R50 = flags.DEFINE_integer("pairs_r50", 2, "The same for siamla_r50.")
_REPEATS = flags.DEFINE_integer("repeats", 9, "Rounds; the median is shown.")
_FRAMES = flags.DEFINE_integer("frames", 10, "Tracking steps per round.")
_TRAIN_MARK = 1.03  # Goal for the ratio to a step with plain labels.
_PAPER_SHARE = 1 - 29 / 38  # Of a frame's time: 38 frames/s without, 29 with it.


def main(argv: list[str]) -> None:
    """Times both networks, prints ratios and fractions."""
    del argv
    print(f"{jax.devices()[0].device_kind}, {os.cpu_count()} cores", flush=True)
    cases = ((siamla_lite0, _PAIRS.value), (siamla_r50, _PAIRS_R50.value))
    for module, pairs in cases:
        name = trackers.describe(module.get_config())
        if pairs:
            print(f"\n{name}: a training step of {pairs} pairs, frozen backbone")
            _labels(module, pairs)
        print(f"\n{name}: a tracking step, 640 x 480")
        _branch(module)


def _labels(module, pairs):
    """Compares steps that differ only in the labels."""
    runs = {}
    for name, kind, smoothing in (("plain", "region", 0.0), ("SiamLA's", "ladl", 0.2)):
        config = module.get_config()
        config.labels.kind, config.labels.smoothing = kind, smoothing
        variables = train_step.variables_of(config)
        batch = train_step.batch_of(config, pairs)
        made = train_step.step_of(config, variables, batch, train_backbone=False)
        runs[f"{name} labels"] = made.run
    walls, cores = _timed(runs, 1)
    ratios = [
        times["SiamLA's labels"] / times["plain labels"] for times in (walls, cores)
    ]
    verdict = "within" if ratios[1] <= _TRAIN_MARK else "ABOVE"
    print(
        f"  ratio {ratios[0]:.3f}, CPU {ratios[1]:.3f}: {verdict} the goal of "
        f"{_TRAIN_MARK}"
    )


def _branch(module):
    """Compares trackers that differ in the branch for the quality."""
    hw = (480, 640)
    image = np.random.default_rng(0).integers(0, 256, (*hw, 3), np.uint8)
    frame = jax.device_put(video.pad(image, video.canvas_size(hw)))
    box = jnp.array([300.0, 200.0, 60.0, 80.0])
    runs = {}
    for localization in LOCALIZATIONS:
        config = module.get_config()
        config.model.localization = localization
        model = trackers.network_of(config)
        sizes = (model.geometry.template_size, model.geometry.search_size)
        crops = [jnp.zeros((1, size, size, 3)) for size in sizes]
        variables = jax.jit(model.init)(jax.random.key(0), *crops)
        tracker = trackers.tracker_of(config)
        state = jax.jit(tracker.init)(variables, frame, box)
        step = jax.jit(tracker.step)
        runs[localization] = functools.partial(_steps, step, variables, state, frame)
    walls, cores = _timed(runs, _FRAMES.value)
    shares = [1 - times["centerness"] / times["lafa"] for times in (walls, cores)]
    verdict = "below" if shares[1] < _PAPER_SHARE else "NOT below"
    print(
        f"  the branch's share of a step: {shares[0]:.1%}, CPU {shares[1]:.1%}: "
        f"{verdict} the paper's {_PAPER_SHARE:.1%} (38 to 29 frames/s)"
    )


def _steps(step, variables, state, frame):
    """Tracks one frame several times."""
    for _ in range(_FRAMES.value):
        jax.block_until_ready(step(variables, state, frame))


def _timed(runs, count):
    """Returns medians of wall and processor seconds by name, and prints them."""
    for run in runs.values():  # Compiles; arrays of a second step may lie otherwise.
        run()
        run()
    counted = {name: (run, count) for name, run in runs.items()}
    medians = rounds.timed(counted, _REPEATS.value)
    for name in runs:
        wall, core = (1000 * times[name] for times in medians)
        print(f"  {name:20}{wall:9.2f} ms{core:9.2f} ms CPU", flush=True)
    return medians


if __name__ == "__main__":
    app.run(main)
