"""Scores by attribute of the sequences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxtrack.metrics.ope import NUMBERS, OpeReport, SequenceScore
from jaxtrack.metrics.protocols import OpeProtocol

# What a number is read off; the average overlap is read off the overlaps.
_CURVE_OF = {
    "auc": "success_curve",
    "precision": "precision_curve",
    "norm_precision": "norm_precision_curve",
    "sr50": "success_curve",
    "sr75": "success_curve",
    "success_curve": "success_curve",
}


@dataclass(frozen=True)
class AttributeScore:
    """One tracker on the `num_sequences` that carry an attribute.

    The other numbers are as in `ope.OpeReport`.
    """

    num_sequences: int
    auc: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float


def by_attribute(
    report: OpeReport, attributes: Mapping[str, Sequence[str]]
) -> dict[str, AttributeScore]:
    """Averages over the sequences that carry an attribute, as over all of them.

    What the report's protocol does with all sequences: all its numbers are linear in
    the curves, so the number of a mean curve is the mean of the numbers, weighted by
    frames where the protocol pools them; a protocol that leaves curves of zeros out of
    the mean leaves them out here too.

    Args:
      report: of one tracker.
      attributes: sequence -> what it carries; other sequences than the report's do not
        matter, and one that is missing carries nothing.

    Returns:
      Attribute -> numbers, in the order of the alphabet; those that a scored sequence
      carries. NaN where the protocol leaves all of an attribute's sequences out.
    """
    by_name = {}
    for attribute, scores in _carriers(report, attributes).items():
        means = [float(_mean(n, scores, report.protocol)) for n in NUMBERS]
        by_name[attribute] = AttributeScore(len(scores), *means)
    return by_name


def success_curves(
    report: OpeReport, attributes: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Averages success curves over the sequences that carry an attribute.

    Args:
      report: of one tracker.
      attributes: sequence -> what it carries, as `by_attribute` takes it.

    Returns:
      Attribute -> `[T]` shares of frames, in the order of the alphabet; NaN where the
      protocol leaves all of an attribute's sequences out.
    """
    return {
        attribute: np.broadcast_to(
            _mean("success_curve", scores, report.protocol),
            np.shape(report.success_curve),
        )
        for attribute, scores in _carriers(report, attributes).items()
    }


def _carriers(
    report: OpeReport, attributes: Mapping[str, Sequence[str]]
) -> dict[str, list[SequenceScore]]:
    """Attribute -> scores of the sequences that carry it, in the alphabet's order."""
    carriers: dict[str, list[SequenceScore]] = {}
    for name, score in report.sequences.items():
        for attribute in dict.fromkeys(attributes.get(name, ())):
            carriers.setdefault(attribute, []).append(score)
    return {a: carriers[a] for a in sorted(carriers, key=lambda a: (a.lower(), a))}


def _mean(
    number: str, scores: Sequence[SequenceScore], protocol: OpeProtocol
) -> np.ndarray | float:
    """The protocol's mean of one number, or of the success curve."""
    if protocol.drops_zero_curves and number in _CURVE_OF:
        scores = [s for s in scores if np.any(getattr(s, _CURVE_OF[number]))]
    if not scores:
        return float("nan")
    weights = [len(s.frames) if protocol.averaging == "frames" else 1 for s in scores]
    values = [getattr(s, number) for s in scores]
    return np.average(values, axis=0, weights=weights)
