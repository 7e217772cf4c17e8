"""Training several networks on the same batches where loading is the limit.

Run: python -m benchmarks.together [--trainings=3]
Each training is one convolution, so that it waits for data nearly all the time. Apart,
each has a loader with a process of its own; together, all take the batches of one
(`experiments.compare --together`). The first batches, while processes start, are not
measured.
"""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from absl import app, flags
from jax import lax

from experiments import together
from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0
from jaxtrack.data.iterator import PairIterator
from jaxtrack.ops.grid import Geometry
from jaxtrack.training import loop

_TRAININGS = flags.DEFINE_integer("trainings", 3, "Networks.")
_BATCH = flags.DEFINE_integer("batch", 32, "Pairs a step.")
_STEPS = flags.DEFINE_integer("steps", 20, "Steps of each training, after two more.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Rounds; the median is shown.")
_FIRST = 2  # Steps that are not measured.

Loader = PairIterator | together.View


class Spent(NamedTuple):
    """What all trainings of a round took.

    Attributes:
      wall: seconds by the clock.
      waited: seconds of them that a training waited for data, the mean.
      cpu: seconds of all cores and processes.
    """

    wall: float
    waited: float
    cpu: float


def main(argv: list[str]) -> None:
    """Times both ways in turn."""
    del argv
    config = siamcar_lite0.get_config()
    config.data.num_workers, config.data.bank = 1, "off"
    config.run.batch_size = _BATCH.value
    geometry = trackers.network_of(config).geometry
    ways = {"apart": _apart, "together": _together}
    rounds: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(_ROUNDS.value):
        for name, open_loaders in ways.items():
            with contextlib.ExitStack() as stack:
                loaders = open_loaders(
                    lambda: loop.open_loader(config, geometry), geometry
                )
                for loader in loaders:
                    stack.callback(loader.close)
                rounds[name].append(_train(loaders))
    pairs = _STEPS.value * _BATCH.value
    print("           pairs/s of each   data wait   CPU ms a pair of each")
    for name, spent in rounds.items():
        wall, waited, cpu = np.median(np.array(spent), 0)
        per_pair = 1000 * cpu / pairs / _TRAININGS.value
        print(f"{name:10}{pairs / wall:16.0f}{waited / wall:12.2f}{per_pair:24.2f}")


def _apart(make: Callable[[], PairIterator], geometry: Geometry) -> Sequence[Loader]:
    """Opens a loader for each training."""
    del geometry
    return [make() for _ in range(_TRAININGS.value)]


def _together(make: Callable[[], PairIterator], geometry: Geometry) -> Sequence[Loader]:
    """Opens one loader, and a view of it for each training."""
    shared = together.SharedLoader(_TRAININGS.value)
    return [shared.open(n, make, geometry) for n in range(_TRAININGS.value)]


def _train(loaders: Sequence[Loader]) -> Spent:
    """Trains a network on each loader, all at once."""
    marks: list[tuple[float, float]] = []
    start = lambda: marks.append((time.perf_counter(), _cpu_seconds()))  # noqa: E731
    barrier = threading.Barrier(len(loaders), action=start)

    def train(loader):
        kernel, waited = jnp.ones((8, 8, 3, 4)) / 192, 0.0
        for number in range(_FIRST + _STEPS.value):
            if number == _FIRST:
                barrier.wait()
                waited = 0.0
            begin = time.perf_counter()
            batch = next(loader)
            waited += time.perf_counter() - begin
            kernel = jax.block_until_ready(_step(kernel, batch["x_image"]))
        barrier.wait()
        return waited

    with concurrent.futures.ThreadPoolExecutor(len(loaders)) as pool:
        waits = list(pool.map(train, loaders))
    (wall, cpu), (wall_end, cpu_end) = marks
    return Spent(wall_end - wall, float(np.mean(waits)), cpu_end - cpu)


@jax.jit
def _step(kernel, image):
    """Trains a convolution to find nothing."""

    def loss(kernel):
        strides = (8, 8)
        found = lax.conv_general_dilated(
            image / 255,
            kernel,
            strides,
            "VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return jnp.mean(found**2)

    return kernel - 0.1 * jax.grad(loss)(kernel)


def _cpu_seconds():
    """Returns what this process and its loaders have used."""
    process = psutil.Process()
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


if __name__ == "__main__":
    app.run(main)
