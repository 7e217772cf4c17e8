"""Speed of training steps, and a PyTorch twin in the same run.

Run: python -m benchmarks.train_step
On a GPU: python -m benchmarks.train_step --batch=128 --batch_r50=64 --dtype=bfloat16
One device; the batch is uint8 crops on the device, so loading does not count. A step is
everything: preprocessing, both branches, loss, gradients, clipping, optimizer, averaged
parameters. Rounds alternate between the two, medians are shown.
"""

import os
import statistics
import time
from functools import partial

# A twin's OpenMP threads must not hold the cores while JAX works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import jax
import numpy as np
from absl import app, flags

from benchmarks import drawn
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
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds; the median is shown.")
_STEPS = flags.DEFINE_integer("steps", 2, "Steps per round.")
_REMAT = flags.DEFINE_bool("remat", False, "With `run.remat`.")
_MARK = 1.5  # Times the twin's time that a step may take on a CPU.


def main(argv: list[str]) -> None:
    """Times every case, ours and the twin's in turn, and prints pairs/s."""
    del argv
    kind = jax.devices()[0].device_kind
    print(f"training on {kind}, {os.cpu_count()} cores, {_DTYPE.value}", flush=True)
    cases = [
        ("siamcar_lite0", siamcar_lite0, _BATCH.value, False),
        ("siamcar_lite0", siamcar_lite0, _BATCH.value, True),
        ("siamcar_r50", siamcar_r50, _BATCH_R50.value, False),
        ("siamcar_r50", siamcar_r50, _BATCH_R50.value, True),
    ]
    for name, module, size, train_backbone in cases:
        if size:
            part = "backbone trained" if train_backbone else "backbone frozen"
            print(f"\n{name}, {part}, {size} pairs a step", flush=True)
            config = trackers.with_preprocessing(module.get_config())
            config.model.dtype = _DTYPE.value
            config.run.remat = _REMAT.value
            _case(config, size, train_backbone)


def _case(config, size, train_backbone):
    """Times one network in one mode."""
    variables = variables_of(config)
    batch = batch_of(config, size)
    runs, lowered = step_of(config, variables, batch, train_backbone)
    flops = flops_lib.count(lowered)
    memory = lowered.compile().memory_analysis().temp_size_in_bytes
    print(f"  {memory / 1e6:.0f} MB for activations and gradients")
    runs |= _twin(config, variables, batch, train_backbone)
    # The first step of each: compiled, and the same loss from the same weights.
    losses = {name: run() for name, run in runs.items()}
    print("  first loss: " + ", ".join(f"{n} {v:.4f}" for n, v in losses.items()))
    for run in runs.values():  # The state of the second lies otherwise: it compiles.
        run()
    seconds = {name: [] for name in runs}
    for _ in range(_ROUNDS.value):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(_STEPS.value):
                run()
            seconds[name].append((time.perf_counter() - start) / _STEPS.value)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, second in medians.items():
        print(f"  {name:10}{size / second:8.1f} pairs/s{1000 * second:10.1f} ms a step")
    if flops:
        rate = flops / medians["jaxtrack"] / 1e12
        print(f"  jaxtrack {rate:.2f} TFLOP/s ({flops / 1e9:.1f} GFLOP a step)")
    if "PyTorch" in medians:
        _compare(medians["jaxtrack"] / medians["PyTorch"])


def _compare(ratio):
    """Prints how the two relate; the mark is a CPU's."""
    line = f"  {ratio:.2f} times the twin's time"
    if jax.default_backend() == "cpu":
        line += f", {'within' if ratio <= _MARK else 'ABOVE'} the goal of {_MARK}"
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
    """Returns name -> what to time, and the lowered step.

    With `assign`, that labels the pairs instead of the settings' assigner; with
    `augmentation`, pairs are augmented first.
    """
    train_step, tx = device_step(
        config, train_backbone, assign=assign, augmentation=augmentation
    )
    device = jax.local_devices()[:1]
    mapped = step.pmap_step(train_step, devices=device)
    current = state.create(variables, tx, keep_ema=config.optimizer.ema_decay > 0)
    shards = jax.device_put(batch_lib.shard(batch, 1), device[0])
    rates = schedule.Schedule(config).rates(0)
    lowered = mapped.lower(current, shards, rates)
    holder = [current]

    def run():
        holder[0], metrics = mapped(holder[0], shards, rates)
        return float(metrics["loss"])

    return {"jaxtrack": run}, lowered


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
