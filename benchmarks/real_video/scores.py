"""Scores of trackers on sequences, and their comparison."""

import statistics as stdlib_statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jaxtrack.metrics import ope, statistics

# OTB's 21 thresholds and mean over sequences, first frame excluded.
PROTOCOL = "no_first"


@dataclass(frozen=True)
class Tracked:
    """One tracker on all sequences.

    Attributes:
      name: of the tracker.
      xywh: sequence -> `[N, 4]`, px; row 0 is the given box.
      seconds: sequence -> N; the first is of `init`.
      startup_cold: seconds from the process's start to the first tracked box, nothing
        compiled before.
      startup_warm: the same with the compilations of the run before.
      peak_mb: the most memory that the process held.
    """

    name: str
    xywh: Mapping[str, np.ndarray]
    seconds: Mapping[str, Sequence[float]]
    startup_cold: float
    startup_warm: float
    peak_mb: float


class Score(NamedTuple):
    """One tracker on one group of sequences.

    Attributes:
      auc: mean success AUC over the sequences.
      ao: mean overlap.
      precision: share of frames whose center is within 20 px.
      change: AUC minus the reference's, None for the reference.
      low: lower end of its 95 % interval, paired bootstrap over sequences.
      high: upper end.
    """

    auc: float
    ao: float
    precision: float
    change: float | None
    low: float | None
    high: float | None


class Row(NamedTuple):
    """One tracker.

    Attributes:
      name: of the tracker.
      groups: group -> score.
      frames_per_second: 1 / median seconds of an update.
      mean_frames_per_second: updates / their seconds.
      startup_cold: see `Tracked`.
      startup_warm: likewise.
      peak_mb: likewise.
      sequences: sequence -> success AUC.
    """

    name: str
    groups: Mapping[str, Score]
    frames_per_second: float
    mean_frames_per_second: float
    startup_cold: float
    startup_warm: float
    peak_mb: float
    sequences: Mapping[str, float]


def score(
    tracked: Sequence[Tracked],
    truth: Mapping[str, np.ndarray],
    groups: Mapping[str, Sequence[str]],
    *,
    reference: str,
) -> list[Row]:
    """Scores trackers and compares each with one of them.

    Args:
      tracked: all on the same sequences.
      truth: sequence -> `[N, 4]` xywh, px.
      groups: name -> its sequences.
      reference: name of the tracker that the others are compared with.

    Returns:
      A row a tracker.
    """
    reports = {t.name: ope.score(truth, t.xywh, protocol=PROTOCOL) for t in tracked}
    base = reports[reference].sequences
    rows = []
    for each in tracked:
        report = reports[each.name]
        steps = [s for times in each.seconds.values() for s in times[1:]]
        rows.append(
            Row(
                name=each.name,
                groups={
                    group: _group_score(
                        [report.sequences[n] for n in names],
                        None if each.name == reference else [base[n] for n in names],
                    )
                    for group, names in groups.items()
                },
                frames_per_second=1 / stdlib_statistics.median(steps),
                mean_frames_per_second=len(steps) / sum(steps),
                startup_cold=each.startup_cold,
                startup_warm=each.startup_warm,
                peak_mb=each.peak_mb,
                sequences={name: s.auc for name, s in report.sequences.items()},
            )
        )
    return rows


def _group_score(
    own: Sequence[ope.SequenceScore], base: Sequence[ope.SequenceScore] | None
) -> Score:
    """Means over a group, and the difference to the reference's, if that is another."""
    means = [float(np.mean([getattr(s, k) for s in own])) for k in Score._fields[:3]]
    if base is None:
        return Score(*means, None, None, None)
    pair = [np.array([s.auc for s in scores]) for scores in (base, own)]
    found = statistics.paired_bootstrap(*pair)
    return Score(*means, found.difference, found.low, found.high)
