"""Statistics of comparisons: paired bootstrap, rank correlation."""

from typing import NamedTuple

import numpy as np

_MOST_DRAWS = 4_000_000  # Numbers drawn at a time; bounds the memory.


class Bootstrap(NamedTuple):
    """A mean difference with its uncertainty.

    Attributes:
      difference: mean of B minus mean of A.
      low: lower end of the interval.
      high: upper end of the interval.
      share_above: share of the resamples whose difference is above 0.
    """

    difference: float
    low: float
    high: float
    share_above: float


def paired_bootstrap(
    a: np.ndarray,
    b: np.ndarray,
    *,
    num_samples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
    whole_runs: bool = False,
) -> Bootstrap:
    """Percentile interval of the mean difference B - A over sequences and runs.

    A resample draws S sequences with replacement, the same for A and B (paired), and
    for each the runs of A and, independently, those of B:

        d* = mean_s [ mean_r b[s*, r*] - mean_r a[s*, r*] ]

    The interval holds the central `confidence` of the d* (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, sections 8.3 and 13.3).

    Args:
      a: values of tracker A, `[S]`, or `[S, R]` with R runs (seeds) a sequence.
      b: values of tracker B, of the same sequences; its R may differ.
      num_samples: resamples.
      confidence: share that the interval holds, in (0, 1).
      seed: of the resampling.
      whole_runs: draws runs once a resample for all sequences, not again for each. A
        run that is lucky on every sequence at once then counts as one observation;
        drawn again for each, its luck would seem to average out.

    Returns:
      The mean difference, its interval, and the share of the resamples above 0.

    Raises:
      ValueError: shapes that do not fit, no sequence, or a value that is not finite.
    """
    a, b = (_runs(values) for values in (a, b))
    if len(a) != len(b) or not a.size or not b.size:
        raise ValueError(f"A is {a.shape}, B {b.shape}: need the same S >= 1 sequences")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a value is not finite: leave its sequence out")
    if not 0 < confidence < 1 or num_samples < 1:
        raise ValueError(f"confidence {confidence}, num_samples {num_samples}")
    rng = np.random.default_rng(seed)
    most = max(1, _MOST_DRAWS // max(a.size, b.size))
    drawn = [
        _resample(rng, a, b, min(most, num_samples - start), whole_runs)
        for start in range(0, num_samples, most)
    ]
    differences = np.concatenate(drawn)
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return Bootstrap(
        difference=float(b.mean() - a.mean()),
        low=float(low),
        high=float(high),
        share_above=float(np.mean(differences > 0)),
    )


def _runs(values: np.ndarray) -> np.ndarray:
    """Returns `[S, R]` float64."""
    values = np.asarray(values, np.float64)
    if values.ndim not in (1, 2):
        raise ValueError(f"values of shape {values.shape}: expected [S] or [S, R]")
    return values[:, None] if values.ndim == 1 else values


def _resample(rng, a, b, num, whole_runs) -> np.ndarray:
    """Returns `num` differences of resampled means."""
    sequences = rng.integers(len(a), size=(num, len(a), 1))
    means = []
    for values in (a, b):
        num_runs = values.shape[1]
        rows = 1 if whole_runs else len(a)
        runs = rng.integers(num_runs, size=(num, rows, num_runs))
        means.append(values[sequences, runs].mean(axis=(1, 2)))
    return means[1] - means[0]


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the mean of the ranks they span.

    Args:
      values: `[N]`.

    Returns:
      `[N]` float64.
    """
    values = np.asarray(values)
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place.reshape(-1)]


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation: Pearson's, of average ranks.

    Args:
      x: `[N]`.
      y: `[N]`.

    Returns:
      In [-1, 1]; NaN where x or y is constant (a single value is) or holds a NaN: the
      correlation is not defined there.

    Raises:
      ValueError: x and y are not vectors of one length.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x is {x.shape}, y {y.shape}: expected two vectors alike")
    if len(x) < 2 or np.isnan(x).any() or np.isnan(y).any():
        return float("nan")
    ranks = [average_ranks(values) for values in (x, y)]
    u, v = (rank - rank.mean() for rank in ranks)
    spread = np.sqrt(np.sum(u * u) * np.sum(v * v))
    if spread == 0:
        return float("nan")
    return float(np.clip(np.sum(u * v) / spread, -1.0, 1.0))
