"""Weak scaling of a training step: N devices of the host, N times the pairs.

Run: python -m benchmarks.scaling
Each device has the same number of pairs, on 1, 2 and 4 devices that the host's cores
share; the network is siamcar_lite0 on search crops of 128 px, so that it compiles and
runs in two minutes of CPU time, its backbone frozen or (--all_layers) trained. Rounds
alternate, medians are shown. The devices take turns on the cores, so that only the CPU
time means something: on N devices a step does N times the work, and whatever it takes
beyond that is what sharing a batch costs (sums of gradients, statistics and counts,
copies, threads). It says nothing of links between machines.
"""

import time

import jax
from absl import app, flags

from benchmarks import rounds, train_step
from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0
from jaxtrack.training import schedule, state, step

_DEVICES = flags.DEFINE_list("devices", ["1", "2", "4"], "Numbers of devices.")
_PAIRS = flags.DEFINE_integer("pairs", 4, "Pairs a device.")
_ALL_LAYERS = flags.DEFINE_bool("all_layers", False, "Train the backbone, too.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Rounds; the median is shown.")


def main(argv: list[str]) -> None:
    """Times the steps and prints what is left of one device's speed."""
    del argv
    counts = [int(count) for count in _DEVICES.value]
    jax.config.update("jax_num_cpu_devices", max(counts))  # GPUs are unmoved.
    config = trackers.with_preprocessing(siamcar_lite0.get_config())
    config.data.search_size = 128
    variables = train_step.variables_of(config)
    runs = {}
    for count in counts:
        began = time.process_time()
        run = _run_of(config, variables, count)
        run()
        spent = time.process_time() - began
        print(f"{count} devices: compiled in {spent:.0f} s of CPU time", flush=True)
        runs[count] = run, 1
    walls, cores = rounds.timed(runs, _REPEATS.value)
    print("devices  pairs a step   s a step   CPU s a step   efficiency by CPU time")
    for count in counts:
        efficiency = count / counts[0] * cores[counts[0]] / cores[count]
        told = f"{count:7}{count * _PAIRS.value:14}{walls[count]:11.2f}"
        print(f"{told}{cores[count]:15.2f}{efficiency:25.3f}")


def _run_of(config, variables, count):
    """Returns a step on some of the devices."""
    devices = jax.local_devices()[:count]
    one, tx = train_step.device_step(config, _ALL_LAYERS.value)
    mapped = step.pmap_step(one, devices=devices)
    batch = train_step.batch_of(config, count * _PAIRS.value)
    current = state.create(variables, tx, keep_ema=config.optimizer.ema_decay > 0)
    current, shards = train_step.placed(current, batch, devices)
    rates, holder = schedule.Schedule(config).rates(0), [current]

    def run():
        holder[0], metrics = mapped(holder[0], shards, rates)
        return float(metrics["loss"])

    return run


if __name__ == "__main__":
    app.run(main)
