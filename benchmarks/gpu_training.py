"""Training steps of siamcar_r50: pairs a second, share of the peak, changes of phase.

Figures of `benchmarks.gpu`.
"""

import functools
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
    """Yields pairs/s and TFLOP/s of every case.

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
        yield about | {"name": name, "tflops": round(peaks[dtype], 4)}
    for case in sizes.cases:
        try:
            row = _figures(sizes, case, peaks[case.dtype])
        except jax.errors.JaxRuntimeError as fault:  # Most likely out of memory.
            row = _named(case) | {"failed": str(fault).splitlines()[0][:200]}
        yield about | row


def measure_pytorch(is_tiny: bool) -> Iterator[dict]:
    """Yields the pairs/s of PyTorch on the first cases, eager and compiled.

    JAX is to be on the CPU meanwhile: it would take most of the GPU's memory.

    Args:
      is_tiny: a small network and batch.
    """
    if importlib.util.find_spec("torch") is None:
        yield {"skipped": "torch is not installed"}
        return
    import torch

    from benchmarks.twin_train import TwinTrainer

    sizes = TINY if is_tiny else Sizes()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    about = {"config": sizes.config, "torch": torch.__version__}
    for case in sizes.cases[:2]:
        config = _config(sizes, case)
        variables = train_step.variables_of(config)
        batch = train_step.batch_of(config, case.batch)
        for kind in ("eager", "torch.compile"):
            is_half = case.dtype == "bfloat16"
            twin = TwinTrainer(config, variables, train_backbone=True, is_half=is_half)
            if kind == "torch.compile":
                twin.compile()
            row = {"name": f"{kind}, {_named(case)['name']}"}
            try:
                seconds = _median(functools.partial(twin.step, batch), sizes.steps)
                row["pairs_per_second"] = round(case.batch / seconds, 1)
            except RuntimeError as fault:
                row["failed"] = str(fault).splitlines()[0][:200]
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
    first = train_step.step_of(config, variables, batch, False).run
    for _ in range(3):
        first()
    alone = statistics.median(_seconds(first) for _ in range(sizes.steps))
    made, done = [], threading.Event()

    def prepare():
        try:
            made.append(train_step.step_of(config, variables, batch, True).run)
            made[0]()  # The first execution, too.
        finally:
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
    train_step.step_of(config, variables, batch, True).run()
    yield {"seconds": time.time() - float(os.environ["STARTED"])}


def _figures(sizes, case, peak):
    """Returns the figures of one step."""
    config = _config(sizes, case)
    variables = train_step.variables_of(config)
    batch = train_step.batch_of(config, case.batch)
    begin = time.perf_counter()
    made = train_step.step_of(config, variables, batch, True)
    made.run()
    compiled = time.perf_counter() - begin
    seconds = _median(made.run, sizes.steps)
    rate = made.flops / seconds / 1e12
    return _named(case) | {
        "pairs_per_second": round(case.batch / seconds, 1),
        "tflops": round(rate, 4),
        "share_of_product": round(rate / peak, 3),
        "gflop_a_pair": round(made.flops / case.batch / 1e9, 1),
        "first_step_seconds": round(compiled, 1),
        "gigabytes": _peak_memory(),
    }


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
