"""One self-contained HTML page: no network, pictures and styles inside."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxtrack.evaluation import (
    colophon,
    fragments,
    page,
    sections,
    standings,
    tables,
)
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores
from jaxtrack.evaluation.plots import color_of, dashes_of

_HINT = (
    '<p class="hint">The best number of a column is bold, the second best underlined. '
    "A click on a heading sorts.</p>"
)


@dataclass(frozen=True)
class Snapshot:
    """A frame with boxes drawn in.

    Attributes:
      frame: its index.
      iou: of the tracker in question.
      jpeg: the picture.
    """

    frame: int
    iou: float
    jpeg: bytes


def _sequence_table(scores: Sequence[TrackerScores], primary: str) -> str:
    """One row a sequence: AUC of each tracker, and more where there is room."""
    with_precision, with_speed = len(scores) <= 6, len(scores) <= 3
    columns = 1 + with_precision + with_speed
    top = "".join(
        f'<th class="n group" colspan="{columns}">{fragments.tracker(i, s.name)}</th>'
        for i, s in enumerate(scores)
    )
    sub = '<th class="n">AUC</th>'
    sub += '<th class="n">Prec.</th>' if with_precision else ""
    sub += '<th class="n">Frames/s</th>' if with_speed else ""
    rows = []
    for name in scores[0].reports[primary].sequences:
        cells = ""
        for tracker in scores:
            one = tracker.reports[primary].sequences[name]
            share = max(0.0, np.nan_to_num(one.auc))
            shade = f' style="--s:{share:.2f}"'
            cells += fragments.number(one.auc).replace("<td ", f"<td{shade} ", 1)
            cells += fragments.number(one.precision) if with_precision else ""
            cells += (
                fragments.number(tracker.speeds[name], digits=1) if with_speed else ""
            )
        frames = len(scores[0].predicted[name])
        rows.append(
            f'<tr><td>{html.escape(name)}</td><td class="n" data-v="{frames}">'
            f"{frames}</td>{cells}</tr>"
        )
    return (
        '<div class="wide tall"><table class="sortable heat"><thead>'
        f'<tr><th colspan="2"></th>{top}</tr>'
        f'<tr class="keys"><th>Sequence</th><th class="n">Frames</th>'
        f"{sub * len(scores)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _timeline(
    scores: Sequence[TrackerScores],
    name: str,
    marks: Sequence[int],
    num_frames: int,
    primary: str,
) -> str:
    """IoU over the frames of one sequence as inline SVG, all trackers."""
    width, height = 1000, 110
    span = max(num_frames - 1, 1)
    lines = []
    for place, tracker in enumerate(scores):
        one = tracker.reports[primary].sequences[name]
        x = one.frames / span * width
        y = (1 - np.clip(one.iou, 0, 1)) * height
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines.append(
            f'<polyline points="{points}" stroke="{color_of(place)}" '
            f'class="p{dashes_of(place)}"/>'
        )
    ticks = "".join(
        f'<line x1="{m / span * width:.1f}" x2="{m / span * width:.1f}" y1="0" '
        f'y2="{height}" class="mark"/>'
        for m in marks
    )
    return (
        f'<div class="line"><span>IoU 1</span><span class="low">0</span>'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img">'
        f"<title>IoU of each frame of {html.escape(name)}</title>"
        f'<line x1="0" x2="{width}" y1="{height / 2}" y2="{height / 2}" class="half"/>'
        f"{ticks}{''.join(lines)}</svg></div>"
    )


def _worst(
    scores: Sequence[TrackerScores],
    worst: Mapping[str, Sequence[Snapshot]],
    about: int,
    primary: str,
) -> str:
    """The worst sequences of one tracker with frames."""
    tracker = scores[about]
    key = '<span class="t"><b class="truth"></b>true box</span>' + "".join(
        fragments.tracker(i, s.name) for i, s in enumerate(scores)
    )
    parts = [
        f'<p class="note">Lowest AUC of {html.escape(tracker.name)}.</p>',
        f'<p class="key">{key}</p>',
    ]
    for name, shots in worst.items():
        one = tracker.reports[primary].sequences[name]
        num_frames = len(tracker.predicted[name])
        figures = "".join(
            f"<figure>{fragments.image(s.jpeg, 'jpeg', f'{name}, frame {s.frame}')}"
            f"<figcaption>frame {s.frame}<span>IoU {s.iou:.2f}</span></figcaption>"
            "</figure>"
            for s in shots
        )
        parts.append(
            f"<section><h3>{html.escape(name)} <small>AUC {one.auc:.3f} · precision "
            f"{one.precision:.3f} · {num_frames} frames</small></h3>"
            f"{_timeline(scores, name, [s.frame for s in shots], num_frames, primary)}"
            f'<div class="shots">{figures}</div></section>'
        )
    return "".join(parts)


def tables_of(
    scores: Sequence[TrackerScores],
    parts: Sequence[sections.Section] = (),
    *,
    primary: str = PRIMARY,
) -> dict[str, sections.Table]:
    """All tables of the report, to copy into a paper; see `tables.files`.

    Args:
      scores: of the trackers.
      parts: of the report.
      primary: the protocol whose numbers are shown.

    Returns:
      Name of a file without its ending -> table.
    """
    named = {
        "overview": standings.overview(scores, primary=primary),
        "sequences": standings.per_sequence(scores, primary=primary),
    }
    return named | tables.of_sections(parts)


def copies(named: Mapping[str, sections.Table]) -> str:
    """Writes tables as text to copy, folded.

    Args:
      named: name of a file without its ending -> table.

    Returns:
      HTML.
    """
    return "".join(
        f"<details><summary>{html.escape(name)}</summary>"
        f"{fragments.copyable(name, content)}</details>"
        for name, content in tables.files(named).items()
    )


def html_report(
    scores: Sequence[TrackerScores],
    figures: Mapping[str, bytes],
    worst: Mapping[str, Sequence[Snapshot]],
    *,
    about: int = 0,
    analyses: Sequence[sections.Section] = (),
    parts: Sequence[sections.Section] = (),
    notes: Sequence[str] = (),
    stamp: Mapping[str, Any] | None = None,
    title: str = "Tracking report",
    primary: str = PRIMARY,
) -> str:
    """Puts the page together; it fetches nothing and runs no script but its own.

    Args:
      scores: of the trackers; their order gives the colours.
      figures: title -> PNG.
      worst: sequence -> its frames, worst first.
      about: which of `scores` the worst sequences belong to.
      analyses: what else was asked for; after the worst sequences.
      parts: more of how the trackers stand; after the curves. See `standings`.
      notes: what a reader has to know before any number, one sentence each.
      stamp: how the report came about: nested facts.
      title: of the page.
      primary: the protocol whose numbers are shown and rank.

    Returns:
      The whole page.
    """
    best = max(scores, key=lambda s: np.nan_to_num(s.reports[primary].auc, nan=-1))
    named = tables_of(scores, [*parts, *analyses], primary=primary)
    chapters = [
        (
            "overview",
            "Overview",
            sections.table_as_html(named["overview"])
            + (_HINT if len(scores) > 1 else ""),
        ),
        ("curves", "Curves", fragments.gallery(figures)),
        *((s.key, s.title, sections.as_html(s)) for s in parts),
        ("sequences", "Sequences", _sequence_table(scores, primary)),
        ("worst", "Worst sequences", _worst(scores, worst, about, primary)),
        *((s.key, s.title, sections.as_html(s)) for s in analyses),
        ("rules", "How it was scored", colophon.rules(scores, primary=primary)),
        ("stamps", "How the results were made", colophon.stamps(scores, stamp)),
        ("tables", "Tables to copy", copies(named)),
    ]
    lead = _lead(scores, best, primary)
    return page_of(title, lead, chapters, notes=notes)


def page_of(
    title: str,
    lead: str,
    chapters: Sequence[tuple[str, str, str]],
    *,
    notes: Sequence[str] = (),
) -> str:
    """Fills the page; it fetches nothing and runs no script but its own.

    Args:
      title: of the page; escaped here, as are all but the chapters' HTML.
      lead: a sentence below it.
      chapters: of each a key to link to, a heading, and HTML.
      notes: what a reader has to know before any number, one sentence each.

    Returns:
      The whole page.
    """
    return page.TEMPLATE.substitute(
        policy=page.POLICY,
        style=page.STYLE,
        script=page.SCRIPT,
        title=html.escape(title),
        lead=html.escape(lead),
        notes=fragments.sentences(notes, kind="notes"),
        contents=" ".join(
            f'<a href="#{html.escape(key)}">{html.escape(head)}</a>'
            for key, head, _ in chapters
        ),
        chapters="".join(
            f'<h2 id="{html.escape(key)}">{html.escape(head)}</h2>{text}'
            for key, head, text in chapters
        ),
    )


def _lead(scores: Sequence[TrackerScores], best: TrackerScores, primary: str) -> str:
    """How much was scored, by which rules, and who is best."""
    names = list(scores[0].predicted)
    num_frames = sum(len(boxes) for boxes in scores[0].predicted.values())
    return (
        f"{len(scores)} tracker{'s' * (len(scores) > 1)}, {len(names)} "
        f"sequence{'s' * (len(names) > 1)}, {num_frames} frames, scored by the rules "
        f"of {primary}. {'Best: ' if len(scores) > 1 else ''}{best.name}, "
        f"AUC {best.reports[primary].auc:.3f}."
    )
