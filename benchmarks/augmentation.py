"""What augmentation on the device adds to a training step of siamcar_lite0.

Run: python -m benchmarks.augmentation
On a GPU: python -m benchmarks.augmentation --pairs=128 --computation=bfloat16
One device, uint8 crops of noise; every augmentation of the config. Steps with and
without take turns, then each change alone is timed, as if it happened to every pair.
Compilation is timed without a cache.
"""

import dataclasses
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

_PAIRS = flags.DEFINE_integer("pairs", 32, "Pairs a step.")
_COMPUTATION = flags.DEFINE_enum(
    "computation", "float32", ["float32", "bfloat16"], "Type of the network's numbers."
)
_REPEATS = flags.DEFINE_integer("repeats", 7, "Rounds; the median is shown.")
_RUNNING = 2  # Steps a round.
_MARKS = {"cpu": 1.10, "gpu": 1.03}  # Times a step without that one with may take.
_CHANGES = ("occluder", "gray", "tone", "template_color", "search_color")
_CHANGES += ("search_blur", "motion_blur", "low_resolution", "noise", "flip")


def main(argv: list[str]) -> None:
    """Times steps with and without, then each change."""
    del argv
    jax.config.update("jax_enable_compilation_cache", False)
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
        steps, _ = train_step.step_of(
            config, variables, batch, False, augmentation=amounts
        )
        wall, core = time.perf_counter() - start, time.process_time() - core
        print(f"  {name:8} compiled in {wall:.1f} s, {core:.1f} s of cores", flush=True)
        run = steps["jaxtrack"]
        run(), run()  # The second step's arrays lie otherwise: it compiles too.
        runs[name] = partial(_repeat, run), _RUNNING
    walls, cores = timed(runs, _REPEATS.value)
    for name in runs:
        wall, core = 1000 * walls[name], 1000 * cores[name]
        print(f"  {name:8}{wall:10.1f} ms a step{core:10.1f} ms of cores")
    ratio = walls["with"] / walls["without"]
    core_ratio = cores["with"] / cores["without"]
    mark = _MARKS.get(jax.default_backend(), 1.0)
    told = "within" if ratio <= mark else "ABOVE"
    print(f"  ratio {ratio:.3f} ({core_ratio:.3f} of cores), {told} the mark of {mark}")


def _time_changes(batch, augmentation):
    """Prints milliseconds a pair of each change that the settings have."""
    key = jax.random.split(jax.random.key(0), _PAIRS.value)
    batch = jax.device_put(batch)
    none = {field.name: 0.0 for field in dataclasses.fields(Augmentation)}
    runs = {}
    for name in _CHANGES:
        one = Augmentation(**none | {name: 1.0})
        compiled = jax.jit(lambda key, batch, one=one: augment_batch(key, batch, one))
        jax.block_until_ready(compiled(key, batch))
        runs[name] = partial(_run_all, compiled, key, batch), _PAIRS.value
    walls, cores = timed(runs, _REPEATS.value)
    print(f"  {'always':16}{'ms a pair':>10}{'of cores':>10}{'probability':>13}")
    for name in runs:
        chance = getattr(augmentation, name)
        print(
            f"  {name:16}{1e3 * walls[name]:10.3f}{1e3 * cores[name]:10.3f}{chance:13}"
        )


def _repeat(run):
    """Takes the steps of a round."""
    for _ in range(_RUNNING):
        run()


def _run_all(compiled, key, batch):
    """Augments a batch and waits for it."""
    jax.block_until_ready(compiled(key, batch))


if __name__ == "__main__":
    app.run(main)
