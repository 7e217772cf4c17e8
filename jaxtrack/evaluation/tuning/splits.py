"""The sequences that are tuned on, and how a result on one is scored."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import Benchmark, sequence
from jaxtrack.errors import InputError, suggest
from jaxtrack.evaluation import manifest, scoring
from jaxtrack.metrics import ope

METRICS = ("auc", "ao")
SPLITS = ("train", "val", "test")
# Of the benchmarks; every other one is there to compare trackers by.
_NO_TESTS = ("got10k_val", "folders")


class Material(NamedTuple):
    """Sequences of one split.

    Attributes:
      split: its name.
      is_test: whether results on it are what papers compare.
      videos: the sequences.
      truth: name -> `[N, 4]` xywh, px, as the files say.
      origin: what is added to a tracker's x and y to get the files' coordinates, px.
    """

    split: str
    is_test: bool
    videos: Sequence[sequence.Sequence]
    truth: Mapping[str, np.ndarray]
    origin: float = 0.0

    def hashes(self) -> dict[str, str]:
        """Name of a sequence -> hash of its frames and ground truth."""
        return manifest.hash_sequences(self.videos)


def of_benchmark(benchmark: Benchmark, *, split: str = "") -> Material:
    """Takes the sequences of a benchmark.

    Args:
      benchmark: as `jaxtrack.datasets.load` makes it.
      split: of plain folders, one of `SPLITS`; "" goes by the benchmark, of which all
        but training splits and validation sets count as tests.

    Returns:
      Its sequences.

    Raises:
      InputError: its truth is not public, or no such split.
    """
    if not benchmark.is_scored:
        raise InputError(
            f"the truth of {benchmark.name} is not public: nothing can be tuned on it"
        )
    if split and split not in SPLITS:
        raise InputError(f"--split={split}: {suggest(split, SPLITS)}")
    is_training = benchmark.split.lower().startswith("train")
    is_test = not is_training and benchmark.name not in _NO_TESTS
    return Material(
        split=split or f"{benchmark.name} {benchmark.split}",
        is_test=split == "test" if split else is_test,
        videos=benchmark.videos,
        truth=benchmark.truth,
        origin=benchmark.origin,
    )


def check_split(material: Material, *, tune_on_test: bool) -> None:
    """Prevents tuning on a test split by accident.

    Args:
      material: what is to be tuned on.
      tune_on_test: whether that was asked for.

    Raises:
      InputError: it is a test split, and was not asked for.
    """
    if material.is_test and not tune_on_test:
        raise InputError(
            f"split {material.split!r} is a test split: results on it would no longer "
            "be those of a tracker that has not seen it. Tune on other sequences, or "
            "say --tune_on_test, which every report made with the outcome shows"
        )


def score(material: Material, name: str, xywh: np.ndarray) -> dict[str, float]:
    """Scores a result on one sequence, by the report's primary protocol.

    Not by the benchmark's own, some of which leave out sequences that were lost from
    the start: a tuning would learn to lose them.

    Args:
      material: what it is a sequence of.
      name: of the sequence.
      xywh: `[N, 4]` boxes of all frames, px; row 0 is the given box.

    Returns:
      Metric -> value, of `METRICS`.

    Raises:
      InputError: the sequence has no frame to score.
    """
    # As result files hold them, so that eval.py finds the same numbers.
    boxes = (xywh + material.origin * np.array([1.0, 1.0, 0.0, 0.0])).round(4)
    report = ope.score(
        {name: material.truth[name]}, {name: boxes}, protocol=scoring.PRIMARY
    )
    found = report.sequences[name]
    return {metric: float(getattr(found, metric)) for metric in METRICS}
