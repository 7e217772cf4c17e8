"""Trackers side by side: their result files, scored by every protocol of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from jaxtrack import datasets
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import raw, results, stamp
from jaxtrack.metrics import faults, ope
from jaxtrack.metrics.protocols import PROTOCOLS, protocol_named

PRIMARY = "otb"
REPORTED = ("otb", "no_first")
_CURVES = ("success_curve", "precision_curve", "norm_precision_curve")


@dataclass(frozen=True)
class TrackerScores:
    """One tracker's results and what they are worth.

    Attributes:
      name: as reports show it.
      reports: protocol -> report.
      predicted: sequence -> `[N, 4]` xywh, px.
      speeds: sequence -> frames/s, None where no times were kept.
      stamp: of the run, where jaxtrack made the results.
      refused: protocols that gave no score, and why.
    """

    name: str
    reports: dict[str, ope.OpeReport]
    predicted: dict[str, np.ndarray]
    speeds: dict[str, float | None]
    stamp: dict | None
    refused: dict[str, str] = field(default_factory=dict)

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
    reports = {d: ope.score(truth, predicted, protocol=d) for d in REPORTED}
    return _scores(name, folder, reports, predicted)


def score_benchmark(
    name: str,
    folder: str | Path,
    benchmark: datasets.Benchmark,
    *,
    protocols: Sequence[str],
    image_sizes: Mapping[str, tuple[int, int]] | None = None,
) -> TrackerScores:
    """Scores one tracker's result files on a benchmark.

    Of plain folders the files must be whole. Of a public benchmark they are what
    toolkits accept: other spellings of names, and rows that the first protocol mends,
    which its warnings tell.

    Args:
      name: of the tracker.
      folder: holds `<sequence>.txt`, in the coordinates of the benchmark's files.
      benchmark: with its truth.
      protocols: keys of `protocols.PROTOCOLS`; the first one must give a score, others
        are left out where they refuse.
      image_sizes: sequence -> width and height, px, for protocols that bound boxes.

    Raises:
      InputError: a file is missing or damaged, or the first protocol refuses them.
    """
    truth, first = benchmark.truth, protocol_named(protocols[0])
    if benchmark.name == "folders":
        given = results.read_results(folder, {n: len(t) for n, t in truth.items()})
    else:
        given = _raw_results(folder, list(truth))
    reports, refused, predicted = {}, {}, {}
    for protocol in protocols:
        try:
            reports[protocol] = ope.score(
                truth,
                given,
                protocol=protocol,
                absent=benchmark.absent,
                cover=benchmark.cover,
                image_size=image_sizes,
            )
        except InputError as fault:
            if protocol == protocols[0]:
                raise InputError(f"results of {name} in {folder}: {fault}") from fault
            refused[protocol] = str(fault)
    for sequence, rows in truth.items():
        found = given.get(sequence, np.zeros_like(rows))
        predicted[sequence] = faults.fix_results(sequence, rows, found, first).predicted
    return replace(_scores(name, folder, reports, predicted), refused=refused)


def _raw_results(folder: str | Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Reads whatever files belong to the sequences, as they are."""
    if not Path(folder).is_dir():
        raise InputError(f"no folder of results {folder}")
    files, others = raw.find_files(folder, names)
    if not files:
        raise InputError(
            f"{folder}: no file is named after a sequence ({names[0]}.txt, ...); it "
            f"holds {', '.join(others[:5]) or 'none'}"
        )
    return {name: raw.read_rows(path) for name, path in files.items()}


def _scores(name, folder, reports, predicted) -> TrackerScores:
    """Adds speeds and the stamp."""
    speeds = {n: results.read_speed(folder, n) for n in predicted}
    return TrackerScores(name, reports, predicted, speeds, stamp.read(folder))


def by_auc(
    scores: Sequence[TrackerScores], *, primary: str = PRIMARY
) -> list[TrackerScores]:
    """Best first, by the primary protocol."""
    return sorted(scores, key=lambda s: -s.reports[primary].auc)


def _numbers(report: ope.OpeReport | ope.SequenceScore) -> dict:
    """Numbers and curves as JSON holds them."""
    numbers = {key: getattr(report, key) for key in ope.NUMBERS}
    return numbers | {key: getattr(report, key).tolist() for key in _CURVES}


def as_json(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> dict:
    """Everything the report knows, ready for `json.dumps`.

    Args:
      scores: of the trackers.
      primary: the protocol that ranks.

    Returns:
      "protocols" (rules and grids), "primary" (name of the one that ranks) and
      "trackers": per tracker speed, stamp, numbers and curves by protocol; for each
      sequence by the primary one and those of `REPORTED`.
    """
    trackers = {}
    for tracker in scores:
        sequences = {
            name: {
                "num_frames": len(tracker.predicted[name]),
                "frames_per_second": speed,
                **{
                    protocol: _numbers(report.sequences[name])
                    | {"num_unusable": report.sequences[name].num_unusable}
                    for protocol, report in tracker.reports.items()
                    if protocol in (primary, *REPORTED)
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
    protocols = {
        d: {"summary": PROTOCOLS[d].summary}
        | {grid: list(getattr(PROTOCOLS[d], grid)) for grid in grids}
        for d in dict.fromkeys(d for s in scores for d in s.reports)
    }
    return {"primary": primary, "protocols": protocols, "trackers": trackers}
