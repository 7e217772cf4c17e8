"""Reads the results of one tracker and scores them by several protocols."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, result_files, results
from jaxtrack.evaluation.result_files import FoundBoxes
from jaxtrack.metrics import faults, ope
from jaxtrack.metrics.protocols import OpeProtocol, protocol_named

PRIMARY = "otb"
REPORTED = ("otb", "no_first")


@dataclass(frozen=True)
class TrackerScores:
    """One tracker's results and their scores.

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
    """Reads and scores one tracker's result files, which must be whole.

    Args:
      name: of the tracker.
      folder: holds `<sequence>.txt` and perhaps `times/` and a manifest.
      truth: sequence -> `[N, 4]` xywh, px.
    """
    predicted = results.read_results(folder, {n: len(t) for n, t in truth.items()})
    reports = {d: ope.score(truth, predicted, protocol=d) for d in REPORTED}
    paths = {n: [Path(folder) / f"{n}.txt"] for n in truth}
    speeds, _ = _speeds(paths, truth)
    return TrackerScores(name, reports, predicted, speeds, manifest.read(folder))


def read_tracker(
    name: str, place: str | Path, benchmark: Benchmark, protocol: str
) -> FoundBoxes:
    """Reads one tracker's results, and tells which sequences cannot be scored.

    Args:
      name: of the tracker.
      place: see `result_files.read_boxes`; files are in the coordinates of the
        benchmark's.
      benchmark: with its truth.
      protocol: that must give a score.

    Returns:
      What files say; `faults` names the sequences without results, but for a protocol
      that scores those, and those whose results the protocol refuses.

    Raises:
      InputError: nothing is there, or no sequence can be scored.
    """
    result_boxes = result_files.read_boxes(place, list(benchmark.truth))
    faults, rules = dict(result_boxes.faults), protocol_named(protocol)
    if rules.missing_sequence == "zeros":
        unread = [n for n in result_boxes.paths if n not in result_boxes.boxes]
        faults = {n: reason for n, reason in faults.items() if n in unread}
    truth = {n: benchmark.truth[n] for n in result_boxes.boxes}
    flags = {"absent": benchmark.absent, "cover": benchmark.cover}
    faults |= ope.refusals(truth, result_boxes.boxes, protocol=protocol, **flags)
    if len(faults) == len(benchmark.videos):
        raise InputError(f"results of {name} in {place}: {next(iter(faults.values()))}")
    return result_boxes._replace(faults=faults)


def score_tracker(
    name: str,
    result_boxes: FoundBoxes,
    benchmark: Benchmark,
    *,
    protocols: Sequence[str],
    made_by: dict | None = None,
    image_sizes: Mapping[str, tuple[int, int]] | None = None,
) -> TrackerScores:
    """Scores one tracker's results on a benchmark.

    Rows that the first protocol repairs are named in its warnings.

    Args:
      name: of the tracker.
      result_boxes: its results of the benchmark's sequences, without faults.
      benchmark: with its truth.
      protocols: keys of `protocols.PROTOCOLS`; the first one must give a score, others
        are left out where they refuse.
      made_by: the manifest of the run, where jaxtrack made the results.
      image_sizes: sequence -> width and height, px, for protocols that bound boxes.

    Raises:
      InputError: the first protocol refuses the results.
    """
    truth, first = benchmark.truth, protocol_named(protocols[0])
    own = {n: boxes for n, boxes in result_boxes.boxes.items() if n in truth}
    reports, refused = {}, {}
    for protocol in protocols:
        try:
            reports[protocol] = ope.score(
                truth,
                own,
                protocol=protocol,
                absent=benchmark.absent,
                cover=benchmark.cover,
                image_size=image_sizes,
            )
        except InputError as fault:
            if protocol == protocols[0]:
                raise InputError(f"results of {name}: {fault}") from fault
            refused[protocol] = str(fault)
    predicted = {n: _drawn(n, truth[n], own.get(n), first) for n in truth}
    speeds, notes = _speeds({n: result_boxes.paths.get(n, []) for n in truth}, truth)
    if result_boxes.others and len(truth) == benchmark.num_expected:
        text = ", ".join(result_boxes.others[:5])
        notes.append(f"{len(result_boxes.others)} files belong to no sequence: {text}")
    if counts := {len(boxes) for boxes in own.values()} - {1}:
        text = " or ".join(map(str, sorted(counts)))
        notes.append(f"{text} repetitions of a sequence are pooled")
    scores = TrackerScores(name, reports, predicted, speeds, made_by)
    return replace(scores, refused=refused, notes=tuple(notes))


def _drawn(
    name: str,
    truth: np.ndarray,
    repetitions: Sequence[np.ndarray] | None,
    protocol: OpeProtocol,
) -> np.ndarray:
    """The first repetition's boxes, `[N, 4]`, as the protocol repairs them."""
    boxes = np.zeros_like(truth) if repetitions is None else repetitions[0]
    fixed = faults.fix_results(name, truth, boxes, protocol)
    return np.concatenate([np.full((fixed.start, 4), np.nan), fixed.predicted])


def _speeds(
    paths: Mapping[str, Sequence[Path]], names: Iterable[str]
) -> tuple[dict[str, float | None], list[str]]:
    """Frames per second of each sequence, and faults of files of times."""
    speeds, notes = {}, []
    for name in names:
        try:
            speeds[name] = results.read_speed(paths[name])
        except InputError as fault:
            speeds[name] = None
            notes.append(f"no speed of {name}: {fault}")
    return speeds, notes
