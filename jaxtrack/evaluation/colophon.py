"""How a report came about, as HTML."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jaxtrack.evaluation import fragments
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores
from jaxtrack.metrics.ope import OpeReport

# More protocols than this fold.
_MOST_RULES = 3


def rules(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> str:
    """Says what the numbers mean, and what is odd about the ground truth.

    Args:
      scores: of the trackers, by the same protocols.
      primary: the protocol that comes first; many others fold.

    Returns:
      HTML.
    """
    reports = scores[0].reports
    told = {
        protocol: f"<li><b>{html.escape(protocol)}</b>: "
        f"{html.escape(report.protocol.summary)}{_unusable(report)}</li>"
        for protocol, report in reports.items()
    }
    first = told.pop(primary)
    rest = "".join(told.values())
    if len(told) > _MOST_RULES:
        rest = f"<summary>{len(told)} other protocols</summary>{rest}"
        rest = f"<details>{rest}</details>"
    return f"<ul>{first}{rest}</ul>{_notes(scores, primary)}"


def _notes(scores: Sequence[TrackerScores], primary: str) -> str:
    """What the primary protocol found odd, once where it concerns all trackers."""
    notes = {place: s.reports[primary].warnings for place, s in enumerate(scores)}
    shared = [n for n in notes[0] if all(n in other for other in notes.values())]
    text = fragments.sentences(shared)
    for place, own in notes.items():
        rest = [note for note in own if note not in shared]
        if rest:
            name = fragments.tracker(place, scores[place].name)
            listed = fragments.sentences(rest, shown=len(rest))
            text += f"<details><summary>{name}: {len(rest)} notes</summary>{listed}"
            text += "</details>"
    return text


def _unusable(report: OpeReport) -> str:
    """How many frames a protocol cannot use, and where most of them are."""
    unusable = {n: s.num_unusable for n, s in report.sequences.items()}
    if not any(unusable.values()):
        return ""
    most = max(unusable, key=unusable.get)
    return (
        f" {sum(unusable.values())} frames have no ground truth that it accepts; most "
        f"in {html.escape(most)} ({unusable[most]})."
    )


def stamps(
    scores: Sequence[TrackerScores], stamp: Mapping[str, Any] | None = None
) -> str:
    """Says how the report and each tracker's results came about, as far as is known.

    Args:
      scores: of the trackers, with the stamps of their runs.
      stamp: of the report: nested facts.

    Returns:
      HTML.
    """
    rows = []
    if stamp:
        rows.append(f"<tr><td>This report</td><td>{fragments.facts(stamp)}</td></tr>")
    for place, tracker in enumerate(scores):
        made = tracker.stamp or {}
        around, identity = made.get("environment", {}), made.get("identity", {})
        known = {**identity, **around, **around.get("versions", {})}
        text = ", ".join(
            f"{key} {_brief(str(value))}"
            for key, value in known.items()
            if not isinstance(value, dict | list)
        )
        text = html.escape(text or "result files; how they were made is not recorded")
        if made:
            text += (
                "<details><summary>all that is recorded</summary>"
                f"{fragments.facts(made)}</details>"
            )
        name = fragments.tracker(place, tracker.name)
        rows.append(f"<tr><td>{name}</td><td>{text}</td></tr>")
    return f'<table class="facts"><tbody>{"".join(rows)}</tbody></table>'


def _brief(value: str) -> str:
    """The beginning of a long fact; of a hash, enough to know it by."""
    return value[:12] if re.fullmatch("[0-9a-f]{32,}", value) else value[:80]
