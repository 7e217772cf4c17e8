"""Speed of training steps, and a PyTorch twin in the same run.

Run: python -m benchmarks.train_step
One network alone, in a few minutes: --batch=0 --backbone=trained --steps=1
On a GPU: python -m benchmarks.train_step --batch=128 --batch_r50=64 --dtype=bfloat16
One device; the batch is uint8 crops on the device, so loading does not count. A step is
everything: preprocessing, both branches, loss, gradients, clipping, optimizer, averaged
parameters. Rounds alternate between the two, medians are shown.
"""

import itertools
import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

# A twin's OpenMP threads must not hold the cores while JAX works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import jax
import numpy as np
from absl import app, flags
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from benchmarks import drawn, rounds
from benchmarks import flops as flops_lib
from jaxtrack import config as config_lib
from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0, siamcar_r50
from jaxtrack.data import batch as batch_lib
from jaxtrack.training import optimizer, schedule, state, step
from jaxtrack.weights import load_pretrained

_BATCH = flags.DEFINE_integer("batch", 16, "Pairs a step of siamcar_lite0.")
_BATCH_R50 = flags.DEFINE_integer("batch_r50", 2, "Pairs a step of siamcar_r50; or 0.")
_DTYPE = flags.DEFINE_enum("dtype", "float32", ["float32", "bfloat16"], "Computation.")
_BACKBONE = flags.DEFINE_list("backbone", ["frozen", "trained"], "Which of these.")
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds; the median is shown.")
_STEPS = flags.DEFINE_integer("steps", 2, "Steps per round.")
_REMAT = flags.DEFINE_bool("remat", False, "With `run.remat`.")
_MARK = 1.5  # Times the twin's time that a step may take on a CPU.


class Compiled(NamedTuple):
    """A compiled training step.

    Attributes:
      run: does one step, and returns its loss.
      program: the step itself.
      flops: operations, counted before the compiler optimizes; see `flops.count`.
    """

    run: Callable[[], float]
    program: jax.stages.Compiled
    flops: float


def main(argv: list[str]) -> None:
    """Times every case, ours and the twin's in turn, and prints pairs/s."""
    del argv
    kind = jax.devices()[0].device_kind
    print(f"training on {kind}, {os.cpu_count()} cores, {_DTYPE.value}", flush=True)
    cases = (
        ("siamcar_lite0", siamcar_lite0, _BATCH.value),
        ("siamcar_r50", siamcar_r50, _BATCH_R50.value),
    )
    for (name, module, size), part in itertools.product(cases, _BACKBONE.value):
        if size:
            print(f"\n{name}, backbone {part}, {size} pairs a step", flush=True)
            config = trackers.with_preprocessing(module.get_config())
            config.model.dtype = _DTYPE.value
            config.run.remat = _REMAT.value
            _case(config, size, part == "trained")


def _case(config, size, train_backbone):
    """Times one network in one mode."""
    variables = variables_of(config)
    batch = batch_of(config, size)
    ours = step_of(config, variables, batch, train_backbone)
    memory = ours.program.memory_analysis().temp_size_in_bytes
    print(f"  {memory / 1e6:.0f} MB for activations and gradients", flush=True)
    runs = {"jaxtrack": ours.run} | _twin(config, variables, batch, train_backbone)
    # The same loss from the same weights; the twin allocates.
    losses = {name: run() for name, run in runs.items()}
    print("  first loss: " + ", ".join(f"{n} {v:.4f}" for n, v in losses.items()))
    repeated = {name: (_repeated(run), _STEPS.value) for name, run in runs.items()}
    walls, cores = rounds.timed(repeated, _ROUNDS.value)
    print("  pairs/s   ms a step   CPU ms a step")
    for name, wall in walls.items():
        told = f"{size / wall:9.1f}{1000 * wall:12.1f}{1000 * cores[name]:16.1f}"
        print(f"{told}  {name}")
    if ours.flops:
        rate = ours.flops / walls["jaxtrack"] / 1e12
        print(f"  jaxtrack {rate:.2f} TFLOP/s ({ours.flops / 1e9:.1f} GFLOP a step)")
    if "PyTorch" in walls:
        ratios = (each["jaxtrack"] / each["PyTorch"] for each in (walls, cores))
        _compare(*ratios)


def _repeated(run):
    """Returns what does the steps of a round."""
    return lambda: [run() for _ in range(_STEPS.value)]


def _compare(wall, core):
    """Prints how the two relate; the mark is a CPU's."""
    line = f"  {wall:.2f} times the twin's time, {core:.2f} times its CPU time"
    if jax.default_backend() == "cpu":
        line += f", {'within' if wall <= _MARK else 'ABOVE'} the goal of {_MARK}"
    print(line)


def variables_of(config):
    """Draws a network's variables; Lite0 gets its ImageNet weights."""
    variables = drawn.variables_of(trackers.network_of(config))
    if config.model.pretrained:
        names = trackers.family_of(config).names(config)
        variables = load_pretrained(config.model.pretrained, names, variables).variables
    return variables


def batch_of(config, size):
    """Draws noise with a box in the middle; every pair is positive."""
    geometry = trackers.network_of(config, training=True).geometry
    rng = np.random.default_rng(0)
    sides = {"z_image": geometry.template_size, "x_image": geometry.search_size}
    batch = {
        name: rng.integers(0, 256, (size, side, side, 3), np.uint8)
        for name, side in sides.items()
    }
    middle, wh = geometry.template_size / 2, np.float32([60, 70])
    z_xyxy = np.concatenate([middle - wh / 2, middle + wh / 2])
    batch["z_xyxy"] = np.tile(z_xyxy, (size, 1))
    batch["xyxy"] = np.tile(np.float32([90, 100, 150, 170]), (size, 1))
    batch["is_positive"] = np.ones(size, bool)
    return batch


def device_step(config, train_backbone, *, assign=None, augmentation=None):
    """Returns a step of one device, and its optimizer; see `step_of`."""
    family = trackers.family_of(config)
    network = trackers.network_of(config, training=True, axis_name=step.AXIS)
    tx = optimizer.of_config(config)
    return partial(
        step.train_step,
        model=step.Model(
            network,
            family.forward(config, network),
            family.loss(config, network, assign=assign),
            config_lib.preprocessing(trackers.with_preprocessing(config)),
        ),
        optimizer=tx,
        train_backbone=train_backbone,
        remat=config.run.remat,
        ema_decay=config.optimizer.ema_decay,
        augmentation=augmentation,
    ), tx


def step_of(
    config, variables, batch, train_backbone, *, assign=None, augmentation=None
):
    """Compiles a step.

    With `assign`, that labels the pairs instead of the settings' assigner; with
    `augmentation`, pairs are augmented first.
    """
    train_step, tx = device_step(
        config, train_backbone, assign=assign, augmentation=augmentation
    )
    devices = jax.local_devices()[:1]
    mapped = step.pmap_step(train_step, devices=devices)
    current = state.create(variables, tx, keep_ema=config.optimizer.ema_decay > 0)
    inputs, rates = placed(current, batch, devices), schedule.Schedule(config).rates(0)
    lowered = mapped.lower(*inputs, rates)
    compiled = lowered.compile()
    current, shards = inputs
    holder = [current]

    def run():
        holder[0], metrics = compiled(holder[0], shards, rates)
        return float(metrics["loss"])

    return Compiled(run, compiled, flops_lib.count(lowered))


def placed(current, batch, devices):
    """Puts a state and a batch where a mapped step leaves and expects them.

    With an input that lies otherwise the step would be compiled once more.
    """
    mesh = Mesh(np.array(devices), (step.AXIS,))
    whole, split = (
        NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), (step.AXIS,))
    )
    shards = batch_lib.shard(batch, len(devices))
    return jax.device_put(current, whole), jax.device_put(shards, split)


def _twin(config, variables, batch, train_backbone):
    """Returns the PyTorch twin's step, or nothing without torch."""
    try:
        import torch

        from benchmarks.twin_train import TwinTrainer
    except ModuleNotFoundError:
        print("  torch not installed: no twin to compare with")
        return {}
    torch.set_num_threads(os.cpu_count())
    is_half = _DTYPE.value == "bfloat16"
    trainer = TwinTrainer(
        config, variables, train_backbone=train_backbone, is_half=is_half
    )
    return {"PyTorch": partial(trainer.step, batch)}


if __name__ == "__main__":
    app.run(main)
