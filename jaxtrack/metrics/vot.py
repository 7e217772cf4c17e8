"""Scores of VOT's reset-based experiment: expected average overlap, accuracy, failures.

Kristan et al., "The sixth Visual Object Tracking VOT2018 challenge results"; what the
papers leave open is decided as in pysot, whose numbers are the ones that are quoted.
Plain numpy in float64; regions are in pixel indices, see `regions`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics import regions, vot_input
from jaxtrack.metrics.vot_input import FAILED, SKIP, STARTED

# Frames from a start on, itself included, that accuracy leaves out.
BURN_IN = 10
# Shortest and longest typical sequence, frames: the curve between them is averaged.
INTERVALS = {
    "vot2016": (108, 371),
    "vot2017": (100, 356),
    "vot2018": (100, 356),
    "vot2019": (46, 291),
}
SENSITIVITY = 30.0


@dataclass(frozen=True)
class TagScore:
    """A tracker on the frames that carry a tag; numbers are as in `VotReport`.

    Attributes:
      eao: of fragments weighted by their share of such frames.
      accuracy: of such frames; NaN without any.
      robustness: failures at such frames per 100 of them; NaN without any.
      failures: at such frames.
      num_frames: that carry the tag.
    """

    eao: float
    accuracy: float
    robustness: float
    failures: float
    num_frames: int


@dataclass(frozen=True)
class SequenceScore:
    """A tracker on one sequence of N frames.

    Attributes:
      accuracy: mean of `overlaps`; NaN where no frame counts.
      failures: of each repetition, in the order given.
      overlaps: `[N]` mean over repetitions; NaN where none counts: within ten frames
        of a start, and from a failure to the next start.
    """

    accuracy: float
    failures: tuple[int, ...]
    overlaps: np.ndarray


@dataclass(frozen=True)
class VotReport:
    """One tracker on a set of sequences.

    Attributes:
      eao: mean of the curve over `interval`; NaN where all sequences are shorter.
      eao_curve: `[L]` expected overlap of a sequence of 1, 2, ..., L frames.
      accuracy: mean overlap while tracking; NaN where no frame counts.
      robustness: failures per 100 frames.
      failures: of all sequences together, mean over repetitions.
      edition: key of `INTERVALS`.
      interval: shortest and longest length that `eao` averages.
      num_frames: of all sequences.
      tags: scores of the frames that carry a tag.
      sequences: scores of each sequence.
      warnings: sentences on what was cut.
    """

    eao: float
    eao_curve: np.ndarray
    accuracy: float
    robustness: float
    failures: float
    edition: str
    interval: tuple[int, int]
    num_frames: int
    tags: dict[str, TagScore]
    sequences: dict[str, SequenceScore]
    warnings: tuple[str, ...] = ()

    def ar_point(self, sensitivity: float = SENSITIVITY) -> tuple[float, float]:
        """Where the tracker lies in the accuracy-robustness plot.

            x = exp(-S R / 100),  y = accuracy

        The chance that it still tracks S frames after a start; SiamDLA, Fig. 7b.

        Args:
          sensitivity: S, frames; VOT's toolkit takes 30, its papers 100 as well.

        Returns:
          x in [0, 1] and y.
        """
        return math.exp(-0.01 * sensitivity * self.robustness), self.accuracy


class _Scored(NamedTuple):
    """A sequence: overlaps without burn-in `[R, N]` and failures of its runs, tags."""

    score: SequenceScore
    full: np.ndarray
    failures: list[np.ndarray]
    shares: np.ndarray
    tags: dict[str, np.ndarray]


def score(
    ground_truth: Mapping[str, np.ndarray],
    results: Mapping[str, Sequence[Sequence[np.ndarray]]],
    *,
    edition: str,
    image_size: Mapping[str, tuple[int, int]],
    tags: Mapping[str, Mapping[str, np.ndarray] | None] | None = None,
) -> VotReport:
    """Scores one tracker's runs with resets.

    A fragment k of a run reaches from its start p_k to the next start, both included,
    and is followed by zeros, since the tracker had failed; the last one simply ends.
    With o the overlaps, codes counting as 0, and w_k the share of its frames that
    carry the tag, over the number of repetitions:

        curve[i] = sum_k w_k mean(o[p_k + 1 .. p_k + i]) / sum_k w_k,  curve[0] = 1

    over the fragments that reach so far. `eao` is the mean of curve[low - 1 .. high -
    1]. Identical repetitions are drawn once.

    Args:
      ground_truth: name of a sequence -> `[N, 4]` x, y, width, height or `[N, 8]`
        corners, pixel indices, as in VOT's files. All of its sequences are scored.
      results: name -> repetitions, each of N rows `[1]`, `[4]` or `[8]`; see
        `vot_input.fault_of_row`. Of another length both are cut, as pysot does.
      edition: key of `INTERVALS`.
      image_size: name -> width and height, px.
      tags: name -> tag -> up to N flags; missing ones are False.

    Returns:
      The report.

    Raises:
      InputError: unknown edition, nothing to score, a sequence that is missing, has
        no rows, a row that is no code nor region, or codes out of order.
    """
    if edition not in INTERVALS:
        raise InputError(
            f"unknown edition {edition!r} of VOT: choose from {', '.join(INTERVALS)}"
        )
    vot_input.check_names(ground_truth, results, image_size)
    tags = tags or {}
    names = dict.fromkeys(tag for flags in tags.values() for tag in flags or {})
    scored, warnings = {}, []
    for name, rows in ground_truth.items():
        flags = vot_input.tag_flags(name, tags.get(name) or {}, names, len(rows))
        *unique, truth, new_warnings = _checked(name, rows, results[name])
        warnings += new_warnings
        flags = {tag: values[: len(truth)] for tag, values in flags.items()}
        scored[name] = _score_sequence(*unique, truth, image_size[name], flags)
    return _report(scored, list(names), edition, tuple(warnings))


def refusals(
    ground_truth: Mapping[str, np.ndarray],
    results: Mapping[str, Sequence[Sequence[np.ndarray]]],
) -> dict[str, str]:
    """Finds the sequences that cannot be scored.

    Args:
      ground_truth: as `score` takes it.
      results: the same, of some of its sequences; others are not looked at.

    Returns:
      Name -> why `score` would refuse it.
    """
    reasons = {}
    for name, runs in results.items():
        try:
            _checked(name, ground_truth[name], runs)
        except InputError as fault:
            reasons[name] = str(fault)
    return reasons


def _checked(name, rows, runs):
    """Runs that differ, their order, truth and warnings of one sequence."""
    rows, runs, warnings = vot_input.cut_to_length(name, rows, runs)
    truth = vot_input.truth_polygons(name, rows)
    return *vot_input.unique_runs(name, runs, len(truth)), truth, warnings


def expected_overlaps(fragments: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Expected average overlap over the length of a sequence; see `score`.

    Args:
      fragments: `[F, L]` overlaps from a start on; NaN beyond a fragment's end, and at
        0, which is not used.
      weights: `[F]`, not negative.

    Returns:
      `[L]`, NaN where no weight reaches.
    """
    length = fragments.shape[1]
    later = fragments[:, 1:]
    reaches = np.isfinite(later)
    sums = np.cumsum(np.where(reaches, later, 0.0), axis=1)
    total = weights @ reaches
    means = weights @ (np.where(reaches, sums, 0.0) / np.arange(1, length))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([[1.0], np.where(total > 0, means / total, np.nan)])


def _score_sequence(runs, which, truth, size_wh, tags) -> _Scored:
    """Draws one sequence's runs against its truth `[N, 4, 2]`."""
    bounds = np.array([int(side) for side in size_wh])
    full, counted, failures = [], [], []
    for run in runs:
        # The toolkits' bounds for the curve are a pixel narrower than for accuracy.
        inside = regions.overlaps(run.corners, truth, bounds_wh=bounds)
        within, less = inside.copy(), bounds - 1
        far = np.any(np.maximum(run.corners, truth) > less, axis=(1, 2))
        pairs = run.corners[far], truth[far]
        within[far] = regions.overlaps(*pairs, bounds_wh=less)
        full.append(within)
        for start in np.nonzero(run.codes == STARTED)[0]:
            inside[start : start + BURN_IN] = np.nan
        counted.append(inside)
        failures.append(np.nonzero(run.codes == FAILED)[0])
    copies = np.array([run.copies for run in runs], np.float64)
    overlaps = _mean(np.stack(counted), copies[:, None])
    score = SequenceScore(
        accuracy=float(_mean(overlaps)),
        failures=tuple(len(failures[place]) for place in which),
        overlaps=overlaps,
    )
    return _Scored(score, np.stack(full), failures, copies / copies.sum(), tags)


def _mean(values: np.ndarray, weights=1.0) -> np.ndarray:
    """Weighted mean over the first axis of what is no NaN; NaN where all are."""
    weights = np.where(np.isnan(values), 0.0, weights)
    total = weights.sum(axis=0)
    summed = np.sum(weights * np.nan_to_num(values), axis=0)
    return np.where(total > 0, summed / np.where(total > 0, total, 1.0), np.nan)


def _fragments(scored: _Scored, names: list[str], longest: int):
    """Fragments `[F, longest]` of all runs and weights `[F, 1 + tags]`, "all" first."""
    length = scored.full.shape[1]
    flags = np.stack([np.ones(length)] + [scored.tags[name] for name in names], axis=1)
    fragments, weights = [], []
    for overlaps, failures, share in zip(
        scored.full, scored.failures, scored.shares, strict=True
    ):
        overlaps = np.nan_to_num(overlaps)
        starts = [0] + [f + SKIP for f in failures if f + SKIP <= length]
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            is_last = following is None
            # The next start's frame belongs to the fragment it ends, where there is
            # one; the sum is divided as if there always were.
            end = length if is_last else following + 1
            fragment = np.full(longest, np.nan if is_last else 0.0)
            piece = overlaps[start:end]
            fragment[: len(piece)] = piece
            fragments.append(fragment)
            weights.append(share * flags[start:end].sum(axis=0) / max(end - start, 1))
    return fragments, weights


def _report(
    scored: dict[str, _Scored],
    names: list[str],
    edition: str,
    warnings: tuple[str, ...],
) -> VotReport:
    """Joins sequences."""
    longest = max(one.full.shape[1] for one in scored.values())
    pieces = [_fragments(one, names, longest) for one in scored.values()]
    fragments = np.array([fragment for some, _ in pieces for fragment in some])
    weights = np.array([weight for _, some in pieces for weight in some])
    curves = [expected_overlaps(fragments, column) for column in weights.T]
    low, high = INTERVALS[edition]
    eaos = [float(_mean(curve[low - 1 : high])) for curve in curves]
    overlaps = np.concatenate([one.score.overlaps for one in scored.values()])
    failed = np.concatenate([_failed(one) for one in scored.values()])
    tags = {}
    for name, eao in zip(names, eaos[1:], strict=True):
        flags = np.concatenate([one.tags[name] for one in scored.values()])
        tags[name] = TagScore(eao, *_accuracy_robustness(overlaps, failed, flags))
    accuracy, robustness, failures, num_frames = _accuracy_robustness(
        overlaps, failed, np.ones(len(failed), bool)
    )
    return VotReport(
        eao=eaos[0],
        eao_curve=curves[0],
        accuracy=accuracy,
        robustness=robustness,
        failures=failures,
        edition=edition,
        interval=(low, high),
        num_frames=num_frames,
        tags=tags,
        sequences={name: one.score for name, one in scored.items()},
        warnings=warnings,
    )


def _failed(scored: _Scored) -> np.ndarray:
    """`[N]` the share of repetitions that failed at each frame."""
    failed = np.zeros(scored.full.shape[1])
    for failures, share in zip(scored.failures, scored.shares, strict=True):
        failed[failures] += share
    return failed


def _accuracy_robustness(overlaps, failed, flags) -> tuple[float, float, float, int]:
    """Accuracy, failures per 100 frames, failures and the number of flagged frames."""
    count = int(flags.sum())
    failures = float(failed[flags].sum())
    robustness = 100 * failures / count if count else math.nan
    return float(_mean(overlaps[flags])), robustness, failures, count
