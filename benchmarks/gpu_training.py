"""Training steps of siamcar_r50: pairs a second, share of the peak, changes of phase.

Figures of `benchmarks.gpu`.
"""

import importlib.util
import os
import statistics
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchmarks import train_step
from jaxtrack import configs, trackers


class Case(NamedTuple):
    """A training step of `batch` pairs; `remat` is the setting `run.remat`."""

    dtype: str
    batch: int
    remat: bool = False


class Sizes(NamedTuple):
    """What is measured.

    Attributes:
      config: of the network, all layers of which are trained.
      cases: steps, the most wanted first.
      matrix: side of the square matrices that tell the peak.
      steps: a round, of three.
    """

    config: str = "siamcar_r50"
    cases: tuple[Case, ...] = (
        Case("bfloat16", 128),
        Case("float32", 64),
        Case("bfloat16", 128, remat=True),
        Case("bfloat16", 256, remat=True),
        Case("bfloat16", 256),
        Case("bfloat16", 512, remat=True),
    )
    matrix: int = 8192
    steps: int = 10


TINY = Sizes("siamcar_lite0", (Case("float32", 2),), matrix=256, steps=1)


def measure(is_tiny: bool) -> Iterator[dict]:
    """Yields pairs/s and TFLOP/s of every case, and of PyTorch where it is installed.

    Args:
      is_tiny: a small network and batch.
    """
    sizes = TINY if is_tiny else Sizes()
    about = {"config": sizes.config, "device": jax.devices()[0].device_kind}
    about |= {"jax": jax.__version__}
    peaks = {}
    for dtype in dict.fromkeys(case.dtype for case in sizes.cases):
        peaks[dtype] = _matmul_rate(sizes.matrix, dtype)
        name = f"product of matrices of {sizes.matrix}, {dtype}"
        yield about | {"name": name, "tflops": round(peaks[dtype], 2)}
    for number, case in enumerate(sizes.cases):
        try:
            rows = list(_case(sizes, case, peaks[case.dtype], with_twin=number < 2))
        except jax.errors.JaxRuntimeError as fault:  # Most likely out of memory.
            rows = [_named(case) | {"failed": str(fault).splitlines()[0][:200]}]
        for row in rows:
            yield about | row


def measure_switch(is_tiny: bool) -> Iterator[dict]:
    """Yields how long training stalls while and after its second phase is compiled.

    Steps of the first phase, whose backbone is frozen, run while a thread compiles
    those of the second.

    Args:
      is_tiny: a small network and batch.
    """
    sizes = TINY if is_tiny else Sizes()
    case = sizes.cases[0]
    config = _config(sizes, case)
    variables = train_step.variables_of(config)
    batch = train_step.batch_of(config, case.batch)
    first = train_step.step_of(config, variables, batch, False)[0]["jaxtrack"]
    for _ in range(3):
        first()
    alone = statistics.median(_seconds(first) for _ in range(sizes.steps))
    made, done = [], threading.Event()

    def prepare():
        made.append(train_step.step_of(config, variables, batch, True)[0]["jaxtrack"])
        made[0]()  # Compiles, and is the first execution, too.
        done.set()

    begin = time.perf_counter()
    threading.Thread(target=prepare).start()
    beside = []
    while not done.is_set():
        beside.append(_seconds(first))
    yield {
        "name": "second phase compiled and run once in a thread",
        "seconds": round(time.perf_counter() - begin, 2),
        "step_alone": round(alone, 4),
        "step_beside": round(statistics.median(beside), 4),
        "longest_stall": round(max(beside), 2),
    }
    second = [round(_seconds(made[0]), 3) for _ in range(3)]
    yield {"name": "next steps of the second phase", "seconds": second}


def measure_first_step(is_tiny: bool) -> Iterator[dict]:
    """Yields the seconds from the start of this process to a first training step.

    Args:
      is_tiny: a small network and batch.
    """
    sizes = TINY if is_tiny else Sizes()
    config = _config(sizes, sizes.cases[0])
    batch = train_step.batch_of(config, sizes.cases[0].batch)
    variables = train_step.variables_of(config)
    train_step.step_of(config, variables, batch, True)[0]["jaxtrack"]()
    yield {"seconds": time.time() - float(os.environ["STARTED"])}


def _case(sizes, case, peak, *, with_twin):
    """Yields the figures of one step."""
    config = _config(sizes, case)
    variables = train_step.variables_of(config)
    batch = train_step.batch_of(config, case.batch)
    runs, lowered = train_step.step_of(config, variables, batch, True)
    begin = time.perf_counter()
    runs["jaxtrack"]()
    compiled = time.perf_counter() - begin
    seconds = _median(runs["jaxtrack"], sizes.steps)
    flops = train_step.flops_of(lowered)
    rate = flops / seconds / 1e12
    yield _named(case) | {
        "pairs_per_second": round(case.batch / seconds, 1),
        "tflops": round(rate, 2),
        "share_of_product": round(rate / peak, 3),
        "gflop_a_pair": round(flops / case.batch / 1e9, 1),
        "first_step_seconds": round(compiled, 1),
        "gigabytes": _peak_memory(),
    }
    if with_twin and importlib.util.find_spec("torch") is not None:
        yield from _twin(sizes, case, config, variables, batch, case.batch / seconds)


def _twin(sizes, case, config, variables, batch, ours):
    """Yields the pairs/s of PyTorch, eager and compiled, on the same batch."""
    from benchmarks.twin_train import TwinTrainer

    is_half = case.dtype == "bfloat16"
    for name in ("PyTorch eager", "torch.compile"):
        twin = TwinTrainer(config, variables, train_backbone=True, is_half=is_half)
        if name == "torch.compile":
            twin.compile()
        seconds = _median(lambda step=twin.step: step(batch), sizes.steps)
        rate = case.batch / seconds
        row = {"pairs_per_second": round(rate, 1), "ours": round(ours / rate, 2)}
        yield _named(case) | row | {"name": f"{name}, {_named(case)['name']}"}


def _config(sizes, case):
    """Returns the settings of a case."""
    config = trackers.with_preprocessing(configs.load(sizes.config))
    config.model.dtype = case.dtype
    config.run.remat = case.remat
    return config


def _named(case):
    """Returns the name of a case."""
    name = f"{case.dtype}, {case.batch} pairs" + (", remat" if case.remat else "")
    return {"name": name}


def _matmul_rate(side, dtype):
    """Measures TFLOP/s of products of square matrices: what a step could reach."""
    a = jnp.ones((side, side), dtype)
    product = jax.jit(lambda a: a @ a * (1 / side))
    seconds = _median(lambda: jax.block_until_ready(product(a)), 20)
    return 2 * side**3 / seconds / 1e12


def _median(run, steps):
    """Takes the median over three rounds of the seconds a step."""
    for _ in range(2):  # The second step's arrays may lie otherwise.
        run()
    rounds = [_seconds(lambda: [run() for _ in range(steps)]) for _ in range(3)]
    return statistics.median(rounds) / steps


def _seconds(run):
    """Times something once."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def _peak_memory():
    """Reads the most memory that the device held so far, GB; None if it is not told."""
    most = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return None if most is None else round(most / 1e9, 1)
