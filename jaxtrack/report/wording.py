"""Text and numbers for the templates of the page's sections."""

import re
from typing import Any

import numpy as np

from jaxtrack.datasets import Benchmark
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.evaluation.scoring import TrackerScores
from jaxtrack.metrics.ope import OpeReport, SequenceScore
from jaxtrack.metrics.protocols import OpeProtocol

_TITLES = {
    "got10k_test": "GOT-10k test",
    "got10k_val": "GOT-10k val",
    "lasot": "LaSOT",
    "lasot_extension": "LaSOT extension",
    "nfs30": "NfS30",
    "otb100": "OTB100",
    "otb50": "OTB50",
    "tnl2k": "TNL2K",
    "trackingnet": "TrackingNet",
    "uav123": "UAV123",
    "vot2018": "VOT2018",
    "vot2019": "VOT2019",
}
_FIRST = {
    "replaced": "first frame counts as correct",
    "counted": "first frame counts",
    "dropped": "first frame excluded",
}


def title_of(benchmark: Benchmark) -> str:
    """Returns a benchmark's name for figures; for plain folders the folder's name."""
    if benchmark.name == "folders":
        return benchmark.root.name
    return _TITLES.get(benchmark.name, benchmark.name)


def rules(protocol: OpeProtocol) -> str:
    """Describes an AUC: the protocol, its thresholds and its first frame."""
    count = len(protocol.success_thresholds)
    return f"{protocol.name}: {count} thresholds, {_FIRST[protocol.first_frame]}"


def frames(protocol: OpeProtocol) -> str:
    """Describes a number: the protocol, and how it treats the first frame."""
    return f"{protocol.name}: {_FIRST[protocol.first_frame]}"


def lead(evaluation: Evaluation) -> str:
    """Summarizes how much was scored, by which protocol, and which tracker is best.

    Args:
      evaluation: of one pass, or with restarts.
    """
    if evaluation.restarts:
        return (
            f"Trackers: {len(evaluation.restarts)}, sequences: "
            f"{len(evaluation.benchmark.videos)}, with restarts after failures."
        )
    scores, primary = evaluation.scores, evaluation.primary
    best = max(scores, key=lambda s: np.nan_to_num(s.reports[primary].auc, nan=-1))
    lengths = [len(boxes) for boxes in scores[0].predicted.values()]
    return (
        f"{len(scores)} tracker{'s' * (len(scores) > 1)}, {len(lengths)} "
        f"sequence{'s' * (len(lengths) > 1)}, {sum(lengths)} frames. Protocol "
        f"{rules(best.reports[primary].protocol)}. "
        f"{'Best: ' * (len(scores) > 1)}{best.name}, "
        f"AUC {best.reports[primary].auc:.3f}."
    )


def notes(evaluation: Evaluation) -> list[str]:
    """Lists what a reader must know before any number.

    Args:
      evaluation: of one pass, or with restarts.

    Returns:
      Sentences: notes, sequences left out, and VOT results that were cut.
    """
    left_out = [
        f"Left out for all trackers: {n}: {why}" for n, why in evaluation.skipped
    ]
    cut = [f"{n}: {w}" for n, r in evaluation.restarts.items() for w in r.warnings]
    return [*evaluation.notes, *left_out, *cut]


def warnings(evaluation: Evaluation) -> tuple[list[str], dict[int, list[str]]]:
    """Splits the warnings of the primary protocol into shared and separate ones.

    Args:
      evaluation: of one pass.

    Returns:
      Sentences about all trackers; index of a tracker -> sentences about it alone.
    """
    by_tracker = [s.reports[evaluation.primary].warnings for s in evaluation.scores]
    shared = [w for w in by_tracker[0] if all(w in others for others in by_tracker)]
    own = {
        place: [*s.notes, *(w for w in own_warnings if w not in shared)]
        for place, (s, own_warnings) in enumerate(
            zip(evaluation.scores, by_tracker, strict=True)
        )
    }
    return (shared, {place: texts for place, texts in own.items() if texts})


def unusable(report: OpeReport) -> str:
    """Counts the frames that a protocol cannot use, and names the worst sequence.

    Args:
      report: by that protocol.

    Returns:
      A sentence; "" if it can use all.
    """
    frames = {n: s.num_unusable for n, s in report.sequences.items()}
    if not any(frames.values()):
        return ""
    most = max(frames, key=frames.get)
    return (
        f"{sum(frames.values())} frames have no ground truth that it accepts, most of "
        f"them in {most} ({frames[most]})."
    )


def brief(tracker: TrackerScores) -> str:
    """Summarizes how a tracker's results were made, as far as recorded.

    Args:
      tracker: with or without a manifest.
    """
    made = tracker.manifest or {}
    around, identity = made.get("environment", {}), made.get("identity", {})
    known: dict[str, Any] = {**identity, **around, **around.get("versions", {})}
    text = ", ".join(
        f"{key} {_shortened(str(value))}"
        for key, value in known.items()
        if not isinstance(value, dict | list)
    )
    return text or "result files; how they were made is not recorded"


def _shortened(value: str) -> str:
    """Returns the beginning of a long value; of a hash, enough to recognize it."""
    return value[:12] if re.fullmatch("[0-9a-f]{32,}", value) else value[:80]


def line(one: SequenceScore, num_frames: int, width: float, height: float) -> str:
    """Returns the IoU over the frames of a sequence as points of an SVG polyline.

    Args:
      one: a tracker's scores on the sequence.
      num_frames: of the sequence, from left to right.
      width: of the drawing.
      height: of the drawing; the IoU is 1 at the top.
    """
    frames, iou = one.first_repetition()
    x = frames / max(num_frames - 1, 1) * width
    y = (1 - np.clip(iou, 0, 1)) * height
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
