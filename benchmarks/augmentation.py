"""The cost of augmentation on the device in a training step of siamcar_lite0.

Run: python -m benchmarks.augmentation
On a GPU: python -m benchmarks.augmentation --pairs=128 --computation=bfloat16
One device, uint8 crops of noise; every augmentation of the config. Steps with and
without alternate with the augmentation alone: steps vary more than it takes, so its
fraction of a step without it is more reliable. Then each augmentation is timed as if
it were applied to every pair.
"""

import dataclasses
import itertools
import os
import time
from functools import partial

import jax
from absl import app, flags

from benchmarks import train_step
from benchmarks.rounds import timed
from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0
from jaxtrack.data.settings import Augmentation
from jaxtrack.training.augmentation import augment_batch

_PAIRS = flags.DEFINE_integer("pairs", 32, "Pairs per step.")
_COMPUTATION = flags.DEFINE_enum(
    "computation", "float32", ["float32", "bfloat16"], "Dtype of the network."
)
_COMPILING = flags.DEFINE_bool("compiling", True, "Time compilation, without a cache.")
_REPEATS = flags.DEFINE_integer("repeats", 7, "Rounds; the median is shown.")
_RUNNING = 2  # Steps per round.
_MARKS = {"cpu": 1.10, "gpu": 1.03}  # Goals for the ratio with / without.
_CHANGES = ("occluder", "gray", "tone", "template_color", "search_color")
_CHANGES += (
    "template_blur",
    "search_blur",
    "motion_blur",
    "low_resolution",
    "noise",
    "flip",
)


def main(argv: list[str]) -> None:
    """Times steps with and without, then each augmentation."""
    del argv
    jax.config.update("jax_enable_compilation_cache", not _COMPILING.value)
    kind = jax.devices()[0].device_kind
    print(
        f"augmentation on {kind}, {os.cpu_count()} cores, {_PAIRS.value} pairs a step"
    )
    config = trackers.with_preprocessing(siamcar_lite0.get_config())
    config.model.dtype = _COMPUTATION.value
    augmentation = Augmentation(**config.augment)
    batch = train_step.batch_of(config, _PAIRS.value)
    _time_steps(config, batch, augmentation)
    _time_changes(batch, augmentation)


def _time_steps(config, batch, augmentation):
    """Prints seconds of compilation and of steps, with augmentation and without."""
    variables = train_step.variables_of(config)
    runs = {}
    for name, amounts in (("without", None), ("with", augmentation)):
        start, core = time.perf_counter(), time.process_time()
        made = train_step.step_of(config, variables, batch, False, augmentation=amounts)
        wall, core = time.perf_counter() - start, time.process_time() - core
        if _COMPILING.value:
            print(f"  {name:8} compiled in {wall:.1f} s, {core:.1f} s of cores")
        made.run()
        runs[name] = partial(_repeat, made.run), _RUNNING
    runs["alone"] = _alone(batch, augmentation), _RUNNING
    walls, cores = timed(runs, _REPEATS.value)
    for name in runs:
        wall, core = 1e3 * walls[name], 1e3 * cores[name]
        print(f"  {name:8}{wall:10.1f} ms a step{core:10.1f} ms of cores")
    mark = _MARKS.get(jax.default_backend(), 1.0)
    for kind, times in (("time", walls), ("time of cores", cores)):
        ratio = times["with"] / times["without"]
        alone = 1 + times["alone"] / times["without"]
        print(f"  {kind}: with / without {ratio:.3f}, by the part alone {alone:.3f}")
    print(f"  the goal is {mark}")


def _time_changes(batch, augmentation):
    """Prints milliseconds per pair for each augmentation in the settings."""
    none = dataclasses.asdict(augmentation) | dict.fromkeys(_CHANGES, 0.0)
    runs = {}
    for name in _CHANGES:
        one = Augmentation(**none | {name: 1.0})
        runs[name] = _alone(batch, one), _RUNNING * _PAIRS.value
    walls, cores = timed(runs, _REPEATS.value)
    print(f"  {'always':16}{'ms a pair':>10}{'of cores':>10}{'probability':>13}")
    for name in runs:
        chance = getattr(augmentation, name)
        print(
            f"  {name:16}{1e3 * walls[name]:10.3f}{1e3 * cores[name]:10.3f}{chance:13}"
        )


def _repeat(run):
    """Runs the steps of a round."""
    for _ in range(_RUNNING):
        run()


def _alone(batch, augmentation):
    """Returns a function that augments the batches of a round, with new draws."""
    batch = jax.device_put(batch)
    compiled = jax.jit(lambda key, batch: augment_batch(key, batch, augmentation))
    numbers = itertools.count()

    def run():
        for _ in range(_RUNNING):
            key = jax.random.fold_in(jax.random.key(0), next(numbers))
            key = jax.random.split(key, _PAIRS.value)
            jax.block_until_ready(compiled(key, batch))

    run()
    return run


if __name__ == "__main__":
    app.run(main)
