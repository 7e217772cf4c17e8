"""Training steps: pairs a second, share of the peak, beside PyTorch's.

Figures of `benchmarks.gpu`.
"""

import functools
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
from jax import lax
from ml_collections import ConfigDict

from benchmarks import drawn, train_step
from benchmarks.attempts import attempt, lacks_memory
from jaxtrack import configs, trackers


class Case(NamedTuple):
    """A training step of `batch` pairs; `remat` is the setting `run.remat`."""

    config: str
    dtype: str
    batch: int
    remat: bool = False

    @property
    def name(self) -> str:
        """Of its figures."""
        remat = ", remat" if self.remat else ""
        return f"{self.config}, {self.dtype}, {self.batch} pairs{remat}"


class Sizes(NamedTuple):
    """What is measured.

    Attributes:
      cases: steps that train all layers, the most wanted first. PyTorch takes the
        first two, the start and the change of phase the first.
      larger: those that show what fits into memory.
      together: steps on the same batches.
      matrix: side of the square matrices that tell the peak.
      steps: a round, of three.
    """

    cases: tuple[Case, ...] = (
        Case("siamcar_r50", "bfloat16", 128),
        Case("siamcar_r50", "float32", 64),
        Case("siamla_r50", "bfloat16", 128),
    )
    larger: tuple[Case, ...] = (
        Case("siamcar_r50", "bfloat16", 128, remat=True),
        Case("siamcar_r50", "bfloat16", 256, remat=True),
        Case("siamcar_r50", "bfloat16", 256),
        Case("siamcar_r50", "bfloat16", 512, remat=True),
    )
    together: tuple[Case, ...] = (
        Case("siamcar_lite0", "bfloat16", 128),
        Case("dla_siamcar_lite0", "bfloat16", 128),
    )
    matrix: int = 8192
    steps: int = 10


TINY = Sizes(
    cases=(Case("siamcar_lite0", "float32", 2), Case("siamcar_lite0", "float32", 1)),
    larger=(Case("siamcar_lite0", "float32", 1, remat=True),),
    together=(
        Case("siamcar_lite0", "float32", 2),
        Case("dla_siamcar_lite0", "float32", 2),
    ),
    matrix=256,
    steps=1,
)


_PRODUCTS = 50  # In one program, so that the host does not count.
Figures = Callable[[Case], dict]


def sizes_of(is_tiny: bool) -> Sizes:
    """What is measured."""
    return TINY if is_tiny else Sizes()


def measure(is_tiny: bool) -> Iterator[dict]:
    """Yields pairs/s and TFLOP/s of every case.

    Args:
      is_tiny: a small network and batch.
    """
    sizes = sizes_of(is_tiny)
    yield from _measure(sizes, sizes.cases)


def measure_larger(is_tiny: bool) -> Iterator[dict]:
    """Yields the same of larger batches, and of steps that compute activations again.

    Args:
      is_tiny: a small network and batch.
    """
    sizes = sizes_of(is_tiny)
    yield from _measure(sizes, sizes.larger)


def _measure(sizes, cases):
    """Yields the rate of a plain product, then figures of cases."""
    about = {"device": jax.devices()[0].device_kind, "jax": jax.__version__}
    peaks, done = {}, set()
    for dtype in dict.fromkeys(case.dtype for case in cases):
        peaks[dtype] = _matmul_rate(sizes.matrix, dtype)
        name = f"product of matrices of {sizes.matrix}, {dtype}"
        yield about | {"name": name, "tflops": round(peaks[dtype], 4)}
    for case in cases:
        figures = functools.partial(_figures, peak=peaks[case.dtype], steps=sizes.steps)
        for row in _fitting(figures, case, done):
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

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    sizes = sizes_of(is_tiny)
    if not (is_tiny or torch.cuda.is_available()):
        yield {"skipped": "torch sees no GPU"}
        return
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    about = {"torch": torch.__version__, "device": device}
    for kind in ("eager", "torch.compile"):
        for case in sizes.cases[:2]:
            figures = functools.partial(_pytorch_figures, kind=kind, steps=sizes.steps)
            for row in _fitting(figures, case, set()):
                yield about | row | {"name": f"{kind}, {row['name']}"}


def measure_together(is_tiny: bool) -> Iterator[dict]:
    """Yields the pairs/s of trackers whose steps alternate on the same batch.

    Args:
      is_tiny: a small batch.
    """
    sizes = sizes_of(is_tiny)
    for trains_backbone in (False, True):
        runs = {}
        for case in sizes.together:
            config, variables, batch = inputs_of(case)
            made = train_step.step_of(config, variables, batch, trains_backbone)
            runs[case] = made.run
        for run in [*runs.values()] * 2:  # The second step's arrays may lie otherwise.
            run()
        rounds = [
            [seconds_of(run) for run in runs.values()] for _ in range(3 * sizes.steps)
        ]
        part = "backbone trained" if trains_backbone else "backbone frozen"
        for case, seconds in zip(runs, zip(*rounds, strict=True), strict=True):
            rate = round(case.batch / statistics.median(seconds), 1)
            yield {"name": f"{case.name}, {part}", "pairs_per_second": rate}


def _fitting(figures: Figures, case: Case, done: set[Case]) -> Iterator[dict]:
    """Yields the figures of a case; of half its batch where memory runs out."""
    while case.batch and case not in done:
        done.add(case)
        row = attempt(case.name, functools.partial(figures, case))
        yield row
        if not lacks_memory(row):
            return
        jax.clear_caches()
        case = case._replace(batch=case.batch // 2)


def _figures(case: Case, *, peak: float, steps: int) -> dict:
    """Returns the figures of one step."""
    config, variables, batch = inputs_of(case)
    begin = time.perf_counter()
    made = train_step.step_of(config, variables, batch, True)
    made.run()
    compiled = time.perf_counter() - begin
    seconds = _median(made.run, steps)
    rate = made.flops / seconds / 1e12
    memory = getattr(made.program.memory_analysis(), "temp_size_in_bytes", 0)
    return {
        "pairs_per_second": round(case.batch / seconds, 1),
        "tflops": round(rate, 4),
        "share_of_product": round(rate / peak, 3),
        "gflop_a_pair": round(made.flops / case.batch / 1e9, 1),
        "first_step_seconds": round(compiled, 1),
        "gigabytes_of_activations": round(memory / 1e9, 2),
    }


def _pytorch_figures(case: Case, *, kind: str, steps: int) -> dict:
    """Returns the speed of the twin's step."""
    import torch

    from benchmarks.twin_train import TwinTrainer

    config, variables, batch = inputs_of(case)
    options = {"train_backbone": True, "is_half": case.dtype == "bfloat16"}
    torch.cuda.empty_cache()  # Does nothing without a GPU.
    twin = TwinTrainer(config, variables, **options)
    if kind == "torch.compile":
        twin.compile()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = {name: torch.as_tensor(a, device=device) for name, a in batch.items()}
    seconds = _median(functools.partial(twin.step, batch), steps)
    return {"pairs_per_second": round(case.batch / seconds, 1)}


def inputs_of(case: Case) -> tuple[ConfigDict, dict, dict]:
    """Returns the settings of a case, variables and a batch."""
    config = trackers.with_preprocessing(configs.load(case.config))
    config.model.dtype = case.dtype
    config.run.remat = case.remat
    variables = drawn.variables_of(trackers.network_of(config))
    return config, variables, train_step.batch_of(config, case.batch)


def _matmul_rate(side, dtype):
    """Measures TFLOP/s of products of square matrices: what a step could reach."""
    # Noise: zeros and ones need less power, with which a GPU runs faster.
    a = jax.random.normal(jax.random.key(0), (side, side), dtype)
    once = lambda _, b: (a @ b) * side**-0.5  # noqa: E731
    products = jax.jit(lambda a: lax.fori_loop(0, _PRODUCTS, once, a))
    seconds = _median(lambda: jax.block_until_ready(products(a)), 1) / _PRODUCTS
    return 2 * side**3 / seconds / 1e12


def _median(run, steps):
    """Takes the median over three rounds of the seconds a step."""
    for _ in range(2):  # The second step's arrays may lie otherwise.
        run()
    rounds = [seconds_of(lambda: [run() for _ in range(steps)]) for _ in range(3)]
    return statistics.median(rounds) / steps


def seconds_of(run: Callable[[], object]) -> float:
    """Times something once."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin
