"""Result files of one tracker, read and scored by several protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, results
from jaxtrack.metrics import faults, ope
from jaxtrack.metrics.protocols import protocol_named

PRIMARY = "otb"
REPORTED = ("otb", "no_first")


@dataclass(frozen=True)
class TrackerScores:
    """One tracker's results and what they are worth.

    Attributes:
      name: as reports show it.
      reports: protocol -> report.
      predicted: sequence -> `[N, 4]` xywh, px.
      speeds: sequence -> frames/s, None where no times were kept.
      manifest: of the run, where jaxtrack made the results.
      refused: protocols that gave no score, and why.
      notes: sentences on the files.
    """

    name: str
    reports: dict[str, ope.OpeReport]
    predicted: dict[str, np.ndarray]
    speeds: dict[str, float | None]
    manifest: dict | None
    refused: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

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
      folder: holds `<sequence>.txt` and perhaps `times/` and a manifest.
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
    benchmark: Benchmark,
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
        others = []
    else:
        given, others = results.read_found(folder, list(truth))
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
    notes = ()
    if others and len(truth) == benchmark.num_expected:
        told = ", ".join(others[:5])
        notes = (f"{len(others)} files belong to no sequence: {told}",)
    made = _scores(name, folder, reports, predicted)
    return replace(made, refused=refused, notes=notes)


def _scores(name, folder, reports, predicted) -> TrackerScores:
    """Adds speeds and the manifest."""
    speeds = {n: results.read_speed(folder, n) for n in predicted}
    return TrackerScores(name, reports, predicted, speeds, manifest.read(folder))
