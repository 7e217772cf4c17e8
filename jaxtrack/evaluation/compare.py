"""Trackers side by side: their result files, scored by every dialect of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxtrack.data.annotations import Sequence as Video
from jaxtrack.evaluation import ope, results, stamp
from jaxtrack.evaluation.dialects import DIALECTS

PRIMARY = "otb"
REPORTED = ("otb", "no_first")
NUMBERS = ("auc", "precision", "norm_precision", "ao", "sr50", "sr75")
_CURVES = ("success_curve", "precision_curve", "norm_precision_curve")


@dataclass(frozen=True)
class TrackerScores:
    """One tracker's results and what they are worth.

    Attributes:
      name: as reports show it.
      reports: dialect -> report.
      predicted: sequence -> `[N, 4]` xywh, px.
      speeds: sequence -> frames/s, None where no times were kept.
      stamp: of the run, where jaxtrack made the results.
    """

    name: str
    reports: dict[str, ope.OpeReport]
    predicted: dict[str, np.ndarray]
    speeds: dict[str, float | None]
    stamp: dict | None

    @property
    def frames_per_second(self) -> float | None:
        """All frames over all time; None where a sequence has no times."""
        if not all(self.speeds.values()):
            return None
        counts = {name: len(boxes) for name, boxes in self.predicted.items()}
        seconds = sum(counts[n] / speed for n, speed in self.speeds.items())
        return sum(counts.values()) / seconds


def truth_xywh(videos: Sequence[Video]) -> dict[str, np.ndarray]:
    """Ground truth as the metrics take it: the decimals its files held.

    Rounded to 1e-9 px: x + w - x is not w in binary, and a first frame answered
    by its own box would pass the threshold 1.0 in one representation, not the other.

    Args:
      videos: with `xyxy`, px.

    Returns:
      name -> `[N, 4]` float64 xywh.
    """
    truth = {}
    for video in videos:
        corner, end = video.xyxy[:, :2], video.xyxy[:, 2:]
        truth[video.name] = np.concatenate([corner, end - corner], axis=1).round(9)
    return truth


def score_folder(
    name: str, folder: str | Path, truth: Mapping[str, np.ndarray]
) -> TrackerScores:
    """Reads and scores one tracker's result files.

    Args:
      name: of the tracker.
      folder: holds `<sequence>.txt` and perhaps `times/` and a stamp.
      truth: sequence -> `[N, 4]` xywh, px.

    Raises:
      InputError: a file is missing or damaged.
    """
    predicted = results.read_results(folder, {n: len(t) for n, t in truth.items()})
    return TrackerScores(
        name=name,
        reports={d: ope.score(truth, predicted, dialect=d) for d in REPORTED},
        predicted=predicted,
        speeds={n: results.read_speed(folder, n) for n in truth},
        stamp=stamp.read(folder),
    )


def by_auc(scores: Sequence[TrackerScores]) -> list[TrackerScores]:
    """Best first, by the primary dialect."""
    return sorted(scores, key=lambda s: -s.reports[PRIMARY].auc)


def _numbers(report: ope.OpeReport | ope.SequenceScore) -> dict:
    """Numbers and curves as JSON holds them."""
    numbers = {key: getattr(report, key) for key in NUMBERS}
    return numbers | {key: getattr(report, key).tolist() for key in _CURVES}


def as_json(scores: Sequence[TrackerScores]) -> dict:
    """Everything the report knows, ready for `json.dumps`.

    Args:
      scores: of the trackers.

    Returns:
      "dialects" (rules and grids), "primary" (name of the one that ranks) and
      "trackers": per tracker speed, stamp, numbers and curves by dialect, overall and
      for each sequence.
    """
    trackers = {}
    for tracker in scores:
        sequences = {
            name: {
                "num_frames": len(tracker.predicted[name]),
                "frames_per_second": speed,
                **{
                    dialect: _numbers(report.sequences[name])
                    | {"num_unusable": report.sequences[name].num_unusable}
                    for dialect, report in tracker.reports.items()
                },
            }
            for name, speed in tracker.speeds.items()
        }
        trackers[tracker.name] = {
            "frames_per_second": tracker.frames_per_second,
            "stamp": tracker.stamp,
            "sequences": sequences,
            **{d: _numbers(report) for d, report in tracker.reports.items()},
        }
    grids = ("success_thresholds", "precision_thresholds", "norm_thresholds")
    dialects = {
        d: {"summary": DIALECTS[d].summary}
        | {grid: list(getattr(DIALECTS[d], grid)) for grid in grids}
        for d in REPORTED
    }
    return {"primary": PRIMARY, "dialects": dialects, "trackers": trackers}
