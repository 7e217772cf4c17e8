"""One self-contained HTML page: no network, pictures and styles inside."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxtrack.evaluation import fragments, page, sections
from jaxtrack.evaluation.compare import NUMBERS, PRIMARY, TrackerScores
from jaxtrack.evaluation.dialects import DIALECTS
from jaxtrack.evaluation.plots import color_of

_HEADS = {
    "auc": ("AUC", "mean of the success curve"),
    "precision": ("Prec. 20 px", "share of frames with a centre error of ≤ 20 px"),
    "norm_precision": ("Norm. prec.", "share with ≤ 0.2 widths and heights"),
    "ao": ("AO", "mean IoU"),
    "sr50": ("SR 0.50", "share of frames with IoU > 0.5"),
    "sr75": ("SR 0.75", "share of frames with IoU > 0.75"),
}


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


def _summary_table(scores: Sequence[TrackerScores]) -> str:
    """One row a tracker, both dialects, best first."""
    heads = "".join(
        f'<th class="n" title="{html.escape(title)}">{head}</th>'
        for head, title in _HEADS.values()
    )
    ranked = sorted(enumerate(scores), key=lambda s: -s[1].reports[PRIMARY].auc)
    best = {
        key: max(getattr(s.reports[PRIMARY], key) for s in scores) for key in NUMBERS
    }
    rows = []
    for place, tracker in ranked:
        report = tracker.reports[PRIMARY]
        cells = ""
        for key in NUMBERS:
            value = getattr(report, key)
            cell = fragments.number(value)
            if len(scores) > 1 and value == best[key]:
                cell = cell.replace('class="n"', 'class="n best"')
            cells += cell
        rows.append(
            f"<tr><td>{fragments.tracker(place, tracker.name)}</td>{cells}"
            f"{fragments.number(tracker.reports['no_first'].auc)}"
            f"{fragments.number(tracker.frames_per_second, 1)}</tr>"
        )
    return (
        f'<div class="wide"><table class="sortable"><thead><tr><th>Tracker</th>{heads}'
        '<th class="n" title="AUC with the first frame, which is given, left out">'
        'AUC, 1st frame out</th><th class="n">Frames/s</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _sequence_table(scores: Sequence[TrackerScores]) -> str:
    """One row a sequence: AUC and precision of each tracker."""
    with_speed = len(scores) <= 3
    columns = 3 if with_speed else 2
    top = "".join(
        f'<th class="n group" colspan="{columns}">{fragments.tracker(i, s.name)}</th>'
        for i, s in enumerate(scores)
    )
    sub = '<th class="n">AUC</th><th class="n">Prec.</th>'
    sub += '<th class="n">Frames/s</th>' if with_speed else ""
    rows = []
    for name in scores[0].predicted:
        cells = ""
        for tracker in scores:
            one = tracker.reports[PRIMARY].sequences[name]
            shade = f' style="--s:{max(0.0, one.auc):.2f}"'
            cells += fragments.number(one.auc).replace("<td ", f"<td{shade} ", 1)
            cells += fragments.number(one.precision)
            cells += fragments.number(tracker.speeds[name], 1) if with_speed else ""
        frames = len(scores[0].predicted[name])
        rows.append(
            f'<tr><td>{html.escape(name)}</td><td class="n" data-v="{frames}">'
            f"{frames}</td>{cells}</tr>"
        )
    return (
        '<div class="wide"><table class="sortable heat"><thead>'
        f'<tr><th colspan="2"></th>{top}</tr>'
        f'<tr class="keys"><th>Sequence</th><th class="n">Frames</th>'
        f"{sub * len(scores)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _timeline(
    scores: Sequence[TrackerScores], name: str, marks: Sequence[int], num_frames: int
) -> str:
    """IoU over the frames of one sequence as inline SVG, all trackers."""
    width, height = 1000, 110
    span = max(num_frames - 1, 1)
    lines = []
    for place, tracker in enumerate(scores):
        one = tracker.reports[PRIMARY].sequences[name]
        x = one.frames / span * width
        y = (1 - np.clip(one.iou, 0, 1)) * height
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines.append(f'<polyline points="{points}" stroke="{color_of(place)}"/>')
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
    scores: Sequence[TrackerScores], worst: Mapping[str, Sequence[Snapshot]], about: int
) -> str:
    """The worst sequences of one tracker with frames."""
    tracker = scores[about]
    key = '<b class="truth"></b>true box &ensp; ' + " &ensp; ".join(
        fragments.tracker(i, s.name) for i, s in enumerate(scores)
    )
    parts = [f'<p class="key">{key}</p>']
    for name, shots in worst.items():
        one = tracker.reports[PRIMARY].sequences[name]
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
            f"{_timeline(scores, name, [s.frame for s in shots], num_frames)}"
            f'<div class="shots">{figures}</div></section>'
        )
    return "".join(parts)


def _notes(scores: Sequence[TrackerScores]) -> str:
    """What the numbers mean, and what was odd about the ground truth."""
    notes = [
        f"<li><b>{d}</b>: {html.escape(DIALECTS[d].summary)}</li>"
        for d in scores[0].reports
    ]
    for dialect, report in scores[0].reports.items():
        unusable = {n: s.num_unusable for n, s in report.sequences.items()}
        total = sum(unusable.values())
        if total:
            most = max(unusable, key=unusable.get)
            notes.append(
                f"<li>{total} frames have no ground truth that <b>{dialect}</b> "
                f"accepts; most in {html.escape(most)} ({unusable[most]}).</li>"
            )
    return f"<ul>{''.join(notes)}</ul>"


def _stamps(scores: Sequence[TrackerScores]) -> str:
    """How each tracker's results came about, as far as it is known."""
    rows = []
    for place, tracker in enumerate(scores):
        made = tracker.stamp or {}
        around, identity = made.get("environment", {}), made.get("identity", {})
        facts = {**identity, **around, **around.get("versions", {})}
        text = ", ".join(
            f"{key} {str(value)[:80]}"
            for key, value in facts.items()
            if not isinstance(value, dict | list)
        )
        text = html.escape(text or "result files; how they were made is not recorded")
        if identity.get("config"):
            settings = html.escape(json.dumps(identity["config"], indent=1))
            text += (
                f"<details><summary>settings</summary><pre>{settings}</pre></details>"
            )
        name = fragments.tracker(place, tracker.name)
        rows.append(f"<tr><td>{name}</td><td>{text}</td></tr>")
    return f'<table class="facts"><tbody>{"".join(rows)}</tbody></table>'


def html_report(
    scores: Sequence[TrackerScores],
    figures: Mapping[str, bytes],
    worst: Mapping[str, Sequence[Snapshot]],
    *,
    about: int = 0,
    analyses: Sequence[sections.Section] = (),
) -> str:
    """Puts the page together.

    Args:
      scores: of the trackers; their order gives the colours.
      figures: title -> PNG.
      worst: sequence -> its frames, worst first.
      about: which of `scores` the worst sequences belong to.
      analyses: what else was asked for.

    Returns:
      The whole page.
    """
    names = list(scores[0].predicted)
    num_frames = sum(len(boxes) for boxes in scores[0].predicted.values())
    best = max(scores, key=lambda s: s.reports[PRIMARY].auc)
    lead = (
        f"{len(scores)} tracker{'s' * (len(scores) > 1)}, {len(names)} "
        f"sequence{'s' * (len(names) > 1)}, {num_frames} frames. "
        f"{'Best: ' if len(scores) > 1 else ''}{html.escape(best.name)}, "
        f"AUC {best.reports[PRIMARY].auc:.3f}."
    )
    pictures = "".join(
        f"<figure>{fragments.image(png, 'png', title)}</figure>"
        for title, png in figures.items()
    )
    return page.TEMPLATE.substitute(
        style=page.STYLE,
        script=page.SCRIPT,
        lead=lead,
        summary=_summary_table(scores),
        plots=pictures,
        analyses="".join(sections.as_html(section) for section in analyses),
        sequences=_sequence_table(scores),
        worst_title=f"Worst sequences of {html.escape(scores[about].name)}",
        worst=_worst(scores, worst, about),
        notes=_notes(scores),
        stamps=_stamps(scores),
    )
