"""Trackers side by side, as data: by every protocol, sequence and attribute."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxtrack.evaluation.scoring import PRIMARY, REPORTED, TrackerScores
from jaxtrack.metrics import attributes, ope
from jaxtrack.metrics.attributes import AttributeScore
from jaxtrack.metrics.protocols import PROTOCOLS

FAILED_IOU = 0.2
_CURVES = ("success_curve", "precision_curve", "norm_precision_curve")
_GRIDS = ("success_thresholds", "precision_thresholds", "norm_thresholds")
# What our own protocol says is no toolkit's.
TOOLKITS = tuple(name for name in PROTOCOLS if name != "no_first")

# Protocol -> report, or the reason why there is none.
ByProtocol = dict[str, ope.OpeReport | str]


def by_auc(
    scores: Sequence[TrackerScores], *, primary: str = PRIMARY
) -> list[TrackerScores]:
    """Best first, by the primary protocol."""
    return sorted(scores, key=lambda s: -s.reports[primary].auc)


def worst_sequences(
    tracker: TrackerScores, *, count: int = 4, primary: str = PRIMARY
) -> list[str]:
    """Names the sequences with the lowest AUC, worst first.

    Args:
      tracker: whose scores decide.
      count: sequences to name.
      primary: the protocol to judge by.
    """
    sequences = tracker.reports[primary].sequences
    return sorted(sequences, key=lambda name: sequences[name].auc)[:count]


def telling_frames(frames: np.ndarray, iou: np.ndarray, *, count: int = 5) -> list[int]:
    """Picks frames that show how tracking went on a sequence.

    The sequence's first frame, the first counted one with an IoU below 0.2, and the
    rest evenly from there to the end; evenly throughout where nothing fails.

    Args:
      frames: `[N]` indices of the counted frames.
      iou: `[N]` of those frames.
      count: frames to pick; fewer come back from a shorter sequence.

    Returns:
      Ascending indices of frames.
    """
    failed = np.flatnonzero(iou < FAILED_IOU)
    start = int(failed[0]) if len(failed) else 0
    num_rest = count - 1 if len(failed) else count
    even = np.linspace(start, len(frames) - 1, num_rest).round().astype(int)
    return sorted({0, *(int(frames[i]) for i in even)})[:count]


def by_protocol(
    scores: Sequence[TrackerScores], *, primary: str = PRIMARY
) -> dict[str, ByProtocol]:
    """The report of every tracker by every protocol, the primary one first.

    Args:
      scores: of the trackers.
      primary: the protocol that ranks.

    Returns:
      Tracker -> protocol -> report, or the reason why there is none.
    """
    names = dict.fromkeys((primary, *TOOLKITS))
    return {
        s.name: {
            n: s.reports[n] if n in s.reports else s.refused.get(n, "not asked for")
            for n in names
        }
        for s in scores
    }


def rankings(scores: Sequence[TrackerScores]) -> dict[str, list[str]]:
    """Orders the trackers by AUC.

    Args:
      scores: of the trackers.

    Returns:
      Toolkit's protocol -> names, best first; of those that score all trackers.
    """
    return {
        protocol: [s.name for s in by_auc(scores, primary=protocol)]
        for protocol in TOOLKITS
        if all(protocol in s.reports for s in scores)
    }


def ranking_sentence(scores: Sequence[TrackerScores]) -> str:
    """Tells if the toolkits agree on the best tracker; "" for fewer than two."""
    orders: dict[tuple[str, ...], list[str]] = {}
    for protocol, order in rankings(scores).items():
        orders.setdefault(tuple(order), []).append(protocol)
    if len(scores) < 2:
        return ""
    if not orders:
        return "No protocol scores all trackers."
    if len(orders) == 1:
        return f"The ranking by AUC is the same by all protocols: {_chain(*orders)}."
    parts = [f"{_chain(order)} ({', '.join(by)})" for order, by in orders.items()]
    return f"The ranking by AUC changes between protocols: {'; '.join(parts)}."


def by_attribute(
    scores: Sequence[TrackerScores],
    carried: Mapping[str, Sequence[str]],
    *,
    primary: str = PRIMARY,
) -> dict[str, dict[str, AttributeScore]]:
    """Scores of the sequences that carry an attribute.

    Args:
      scores: of the trackers.
      carried: sequence -> its attributes; see `attributes.by_attribute`.
      primary: the protocol to score by.

    Returns:
      Tracker -> attribute -> numbers.
    """
    return {
        s.name: attributes.by_attribute(s.reports[primary], carried) for s in scores
    }


def as_json(
    scores: Sequence[TrackerScores],
    carried: Mapping[str, Sequence[str]],
    *,
    primary: str = PRIMARY,
) -> dict[str, Any]:
    """The scores of each tracker, ready for `json.dumps`.

    Args:
      scores: of the trackers.
      carried: sequence -> its attributes.
      primary: the protocol that ranks.

    Returns:
      "protocols" (rules and grids), "primary" (name of the one that ranks), "rankings"
      (see `rankings`), "trackers": per tracker speed, manifest, refusals, and numbers,
      curves and warnings by protocol; for each sequence by the primary one and those of
      `REPORTED`; and "parts": "attributes", if there are any, and "protocols": tracker
      -> attribute or protocol -> number -> value, None for NaN.
    """
    protocols = {
        name: {"summary": PROTOCOLS[name].summary}
        | {grid: list(getattr(PROTOCOLS[name], grid)) for grid in _GRIDS}
        for name in dict.fromkeys(name for s in scores for name in s.reports)
    }
    return {
        "primary": primary,
        "protocols": protocols,
        "rankings": rankings(scores),
        "trackers": {tracker.name: _tracker(tracker, primary) for tracker in scores},
        "parts": _parts(scores, carried, primary),
    }


def _tracker(tracker: TrackerScores, primary: str) -> dict[str, Any]:
    """One tracker's numbers."""
    protocols = [p for p in tracker.reports if p in (primary, *REPORTED)]
    sequences = {
        name: {
            "num_frames": len(tracker.predicted[name]),
            "frames_per_second": speed,
            **{p: _sequence(tracker.reports[p].sequences[name]) for p in protocols},
        }
        for name, speed in tracker.speeds.items()
    }
    return {
        "frames_per_second": tracker.frames_per_second,
        "manifest": tracker.manifest,
        "refused": tracker.refused,
        "sequences": sequences,
        **{
            protocol: _numbers(report) | {"warnings": list(report.warnings)}
            for protocol, report in tracker.reports.items()
        },
    }


def _sequence(one: ope.SequenceScore) -> dict[str, Any]:
    """Numbers and curves of a sequence."""
    return _numbers(one) | {"num_unusable": one.num_unusable}


def _numbers(report: ope.OpeReport | ope.SequenceScore) -> dict[str, Any]:
    """Numbers and curves as JSON holds them."""
    numbers = {key: getattr(report, key) for key in ope.NUMBERS}
    return numbers | {key: getattr(report, key).tolist() for key in _CURVES}


def _parts(
    scores: Sequence[TrackerScores], carried: Mapping[str, Sequence[str]], primary: str
) -> dict[str, dict[str, Any]]:
    """Numbers by attribute, where any sequence carries one, and by protocol."""
    parts: dict[str, dict[str, Any]] = {}
    if any(carried.values()):
        parts["attributes"] = {
            tracker: {a: plain(vars(one)) for a, one in by.items()}
            for tracker, by in by_attribute(scores, carried, primary=primary).items()
        }
    parts["protocols"] = {
        tracker: {
            protocol: {}
            if isinstance(report, str)
            else plain({n: getattr(report, n) for n in ope.NUMBERS})
            for protocol, report in by.items()
        }
        for tracker, by in by_protocol(scores, primary=primary).items()
    }
    return parts


def plain(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers as JSON holds them: None for NaN."""
    return {k: None if v is None or np.isnan(v) else v for k, v in numbers.items()}


def _chain(order: Sequence[str]) -> str:
    """Trackers, best first."""
    return " > ".join(order)
