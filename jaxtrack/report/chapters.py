"""What single chapters of the page show beside sections."""

import re
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.evaluation.scoring import TrackerScores
from jaxtrack.metrics.ope import OpeReport, SequenceScore
from jaxtrack.report import frames
from jaxtrack.report.frames import Shot

# Trackers up to which a sequence's row has room for precision, and for speed.
_WITH_PRECISION, _WITH_SPEED = 6, 3
_LINE_WH = (1000, 110)  # Of the drawing of an overlap over time.


class Tracker(NamedTuple):
    """A tracker's name and what is said of it.

    Attributes:
      name: of the tracker.
      place: that its colour goes by.
      said: of it.
    """

    name: str
    place: int
    said: Any = None


def lead(found: Evaluation) -> str:
    """How much was scored in one pass, by which rules, and who is best.

    Args:
      found: of one pass.
    """
    scores, primary = found.scores, found.primary
    best = max(scores, key=lambda s: np.nan_to_num(s.reports[primary].auc, nan=-1))
    lengths = [len(boxes) for boxes in scores[0].predicted.values()]
    return (
        f"{len(scores)} tracker{'s' * (len(scores) > 1)}, {len(lengths)} "
        f"sequence{'s' * (len(lengths) > 1)}, {sum(lengths)} frames, scored by the "
        f"rules of {primary}. {'Best: ' if len(scores) > 1 else ''}{best.name}, "
        f"AUC {best.reports[primary].auc:.3f}."
    )


def lead_of_restarts(found: Evaluation) -> str:
    """How much was scored with restarts.

    Args:
      found: of VOT.
    """
    return (
        f"Trackers: {len(found.restarts)}, sequences: {len(found.benchmark.videos)}, "
        "each started anew after failures."
    )


class Cell(NamedTuple):
    """A number of a table.

    Attributes:
      value: None and NaN say that there is none.
      digits: after the point.
      share: of the cell that is shaded; None of none.
    """

    value: float | None
    digits: int = 3
    share: float | None = None


class Sequences(NamedTuple):
    """A table with a row a sequence and a group of columns a tracker.

    Attributes:
      trackers: of the groups.
      heads: of the columns of each group.
      rows: names, numbers of frames, and the cells of all groups.
    """

    trackers: list[Tracker]
    heads: list[str]
    rows: list[tuple[str, int, list[Cell]]]


def by_sequence(found: Evaluation) -> Sequences:
    """AUC of each tracker on each sequence, and more where there is room.

    Args:
      found: of one pass.
    """
    scores, primary = found.scores, found.primary
    heads = ["AUC"]
    heads += ["Prec."] if len(scores) <= _WITH_PRECISION else []
    heads += ["Frames/s"] if len(scores) <= _WITH_SPEED else []
    rows = []
    for name in scores[0].reports[primary].sequences:
        cells = []
        for tracker in scores:
            one = tracker.reports[primary].sequences[name]
            share = max(0.0, float(np.nan_to_num(one.auc)))
            of_one = [Cell(one.auc, share=share), Cell(one.precision)]
            of_one.append(Cell(tracker.speeds[name], digits=1))
            cells += of_one[: len(heads)]
        rows.append((name, len(scores[0].predicted[name]), cells))
    trackers = [Tracker(s.name, place) for place, s in enumerate(scores)]
    return Sequences(trackers, heads, rows)


class Timeline(NamedTuple):
    """Overlap over the frames of one sequence; x in [0, 1000], y in [0, 110].

    Attributes:
      width: of the drawing.
      height: of the drawing; at the top the IoU is 1.
      lines: of each tracker.
      marks: x of the frames that are shown.
    """

    width: int
    height: int
    lines: list[list[tuple[float, float]]]
    marks: list[float]


class WorstSequence(NamedTuple):
    """A sequence on which a tracker fared badly.

    Attributes:
      name: of the sequence.
      one: the tracker's scores on it.
      num_frames: of the sequence.
      shots: frames, in order of time.
      timeline: of all trackers.
    """

    name: str
    one: SequenceScore
    num_frames: int
    shots: list[Shot]
    timeline: Timeline


class Worst(NamedTuple):
    """The sequences on which one tracker fared worst.

    Attributes:
      of: name of that tracker.
      trackers: all of them.
      sequences: worst first.
    """

    of: str
    trackers: list[Tracker]
    sequences: list[WorstSequence]


def worst(found: Evaluation) -> Worst:
    """Shows the sequences with the lowest AUC of the first tracker.

    Args:
      found: of one pass.

    Raises:
      InputError: a frame cannot be read.
    """
    first = found.scores[0]
    sequences = []
    for name, shots in frames.worst(found).items():
        one = first.reports[found.primary].sequences[name]
        num_frames = len(first.predicted[name])
        timeline = _timeline(found, name, num_frames, shots)
        sequences.append(WorstSequence(name, one, num_frames, shots, timeline))
    trackers = [Tracker(s.name, place) for place, s in enumerate(found.scores)]
    return Worst(first.name, trackers, sequences)


def _timeline(
    found: Evaluation, name: str, num_frames: int, shots: list[Shot]
) -> Timeline:
    """Places the overlaps of a sequence in their drawing."""
    width, height = _LINE_WH
    span = max(num_frames - 1, 1)
    lines = []
    for tracker in found.scores:
        one = tracker.reports[found.primary].sequences[name]
        x = one.frames / span * width
        y = (1 - np.clip(one.iou, 0, 1)) * height
        lines.append(list(zip(x.tolist(), y.tolist(), strict=True)))
    return Timeline(width, height, lines, [s.frame / span * width for s in shots])


class Rules(NamedTuple):
    """What the numbers mean, and what was odd.

    Attributes:
      protocols: name and sentences, the primary one first.
      warnings: that concern all trackers.
      own: that concern one tracker each.
    """

    protocols: list[tuple[str, str]]
    warnings: list[str]
    own: list[Tracker]


def rules(found: Evaluation) -> Rules:
    """Says what the numbers mean, and what is odd about ground truth and results.

    Args:
      found: of one pass, all trackers scored by the same protocols.
    """
    scores, primary = found.scores, found.primary
    told = {
        protocol: report.protocol.summary + _unusable(report)
        for protocol, report in scores[0].reports.items()
    }
    ordered = [(primary, told.pop(primary)), *told.items()]
    warnings = [s.reports[primary].warnings for s in scores]
    shared = [w for w in warnings[0] if all(w in others for others in warnings)]
    own = [
        Tracker(s.name, place, [*s.notes, *(w for w in warned if w not in shared)])
        for place, (s, warned) in enumerate(zip(scores, warnings, strict=True))
    ]
    return Rules(ordered, shared, [tracker for tracker in own if tracker.said])


def _unusable(report: OpeReport) -> str:
    """How many frames a protocol cannot use, and where most of them are."""
    unusable = {n: s.num_unusable for n, s in report.sequences.items()}
    if not any(unusable.values()):
        return ""
    most = max(unusable, key=unusable.get)
    return (
        f" {sum(unusable.values())} frames have no ground truth that it accepts; most "
        f"in {most} ({unusable[most]})."
    )


class Stamps(NamedTuple):
    """How a report and each tracker's results came about.

    Attributes:
      report: nested facts.
      trackers: with a short text, and all that is recorded as nested facts, or {}.
    """

    report: dict[str, Any]
    trackers: list[Tracker]


def stamps(found: Evaluation) -> Stamps:
    """Says how the report and each tracker's results came about, as far as is known.

    Args:
      found: with or without scores of one pass.
    """
    trackers = [
        Tracker(s.name, place, (_brief_stamp(s), s.stamp or {}))
        for place, s in enumerate(found.scores)
    ]
    return Stamps(dict(found.made_by), trackers)


def _brief_stamp(tracker: TrackerScores) -> str:
    """The single facts of a tracker's stamp."""
    made = tracker.stamp or {}
    around, identity = made.get("environment", {}), made.get("identity", {})
    known = {**identity, **around, **around.get("versions", {})}
    text = ", ".join(
        f"{key} {_brief(str(value))}"
        for key, value in known.items()
        if not isinstance(value, dict | list)
    )
    return text or "result files; how they were made is not recorded"


def _brief(value: str) -> str:
    """The beginning of a long fact; of a hash, enough to know it by."""
    return value[:12] if re.fullmatch("[0-9a-f]{32,}", value) else value[:80]
