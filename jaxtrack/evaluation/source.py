"""The sequences that the command line names."""

from collections.abc import Sequence

from jaxtrack import datasets
from jaxtrack.errors import InputError


def load(
    *,
    sequences: str = "",
    benchmark: str = "",
    root: str = "",
    split: str = "",
    patterns: Sequence[str] = (),
    allow_missing: bool = False,
) -> datasets.Benchmark:
    """Reads plain folders or a benchmark.

    Args:
      sequences: folder of annotated sequences; this or `benchmark`.
      benchmark: key of `datasets.DATASETS`.
      root: its folder.
      split: of the benchmark; "" takes the test set.
      patterns: which sequences, by name or pattern; none takes all.
      allow_missing: whether a part of the benchmark will do.

    Raises:
      InputError: none or both are named, or what is there is not as it should be.
    """
    if bool(sequences) == bool(benchmark):
        raise InputError(
            "name a folder by --sequences=DIR, or a benchmark by --benchmark=NAME "
            f"--root=DIR; benchmarks are {', '.join(datasets.DATASETS)}"
        )
    if benchmark and not root:
        raise InputError(f"--benchmark={benchmark} needs --root, the folder it is in")
    return datasets.load(
        benchmark or "folders",
        root or sequences,
        sequences=tuple(patterns),
        split=split or None,
        allow_missing=allow_missing,
    )
