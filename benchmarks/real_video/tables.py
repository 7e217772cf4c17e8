"""A comparison as Markdown, CSV, JSON and one plot."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg

from benchmarks.real_video.scores import Row, Score
from experiments.tables import table
from jaxtrack.report.plots import style

# Ticks of the plot, frames/s.
_SPEEDS = tuple(m * 10**k for k in range(4) for m in (1, 2, 3, 5, 7))
_NOTES = """\
AUC: mean over sequences of the success curve over 21 thresholds, first frame excluded;
precision: fraction of frames within 20 px. The change is relative to {reference}, with
the 95 % interval of a paired bootstrap over sequences. frames/s: 1 / median time of a
step, with images in memory; the trackers alternated by sequence, each in a process of
its own. start: seconds from starting the process to the first tracked box, with an
empty compilation cache (cold) and with the cache of that run (warm). memory: the most
that the process used.
"""


def markdown(
    rows: Sequence[Row],
    groups: Mapping[str, Sequence[str]],
    *,
    reference: str,
    about: Mapping[str, Any],
) -> str:
    """Returns the comparison as a Markdown document.

    Args:
      rows: a tracker each.
      groups: name -> its sequences; the first one is all.
      reference: what changes are against.
      about: the machine, the versions, the number of frames.
    """
    whole, *parts = groups
    head = ["tracker", "AUC", "change", "AO", "precision", "frames/s"]
    head += ["start, cold", "start, warm", "memory, MB"]
    lines = []
    for row in rows:
        score = row.groups[whole]
        numbers = [score.auc, score.ao, score.precision]
        auc, ao, precision = (f"{number:.3f}" for number in numbers)
        starts = [f"{s:.1f} s" for s in (row.startup_cold, row.startup_warm)]
        cells = [row.name, auc, change(score), ao, precision]
        cells += [f"{row.frames_per_second:.0f}", *starts, f"{row.peak_mb:.0f}"]
        lines.append(cells)
    told = ", ".join(f"{key} {value}" for key, value in about.items())
    texts = ["# Trackers side by side\n", table(head, lines)]
    if parts:
        titles = [f"{part} ({len(groups[part])})" for part in parts]
        titles = [word for title in titles for word in (f"AUC, {title}", "change")]
        texts.append(table(["tracker", *titles], [_parts(r, parts) for r in rows]))
    counts = f"{len(groups[whole])} sequences: {told}.\n"
    return "\n".join([*texts, counts, _NOTES.format(reference=reference)])


def change(score: Score) -> str:
    """Returns a difference with its interval, or a dash for the reference."""
    if score.change is None:
        return "-"
    return f"{score.change:+.3f} ({score.low:+.3f} to {score.high:+.3f})"


def _parts(row: Row, parts: Sequence[str]) -> list[str]:
    """Cells of a tracker's groups."""
    cells = [row.name]
    for part in parts:
        cells += [f"{row.groups[part].auc:.3f}", change(row.groups[part])]
    return cells


def as_csv(rows: Sequence[Row]) -> str:
    """Returns a line a tracker and group."""
    text = io.StringIO()
    speeds = [f for f in Row._fields if f not in ("name", "groups", "sequences")]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["tracker", "group", *Score._fields, *speeds])
    for row in rows:
        own = [getattr(row, field) for field in speeds]
        for group, score in row.groups.items():
            writer.writerow([row.name, group, *score, *own])
    return text.getvalue()


def as_json(
    rows: Sequence[Row],
    groups: Mapping[str, Sequence[str]],
    *,
    reference: str,
    about: Mapping[str, Any],
) -> str:
    """Returns everything, with the AUC of each sequence; arguments as `markdown`."""
    trackers = [
        row._asdict() | {"groups": {g: s._asdict() for g, s in row.groups.items()}}
        for row in rows
    ]
    content = {"about": dict(about), "reference": reference, "groups": dict(groups)}
    return json.dumps(content | {"trackers": trackers}, indent=1) + "\n"


@style.styled
def plot(rows: Sequence[Row], group: str) -> bytes:
    """Draws AUC against frames/s.

    Args:
      rows: a tracker each.
      group: whose AUC.

    Returns:
      A PNG file's bytes.
    """
    title = f"success AUC, {group}"
    figure, axes = style.axes_of("accuracy and speed", "frames/s", title)
    FigureCanvasAgg(figure)
    for place, row in enumerate(rows):
        x, y = row.frames_per_second, row.groups[group].auc
        axes.plot(x, y, "o", markersize=8, color=style.color_of(place))
        name = style.label(row.name)
        shift = {"textcoords": "offset points", "xytext": (0, 8), "ha": "center"}
        axes.annotate(name, (x, y), fontsize=9, **shift)
    speeds = [row.frames_per_second for row in rows]
    axes.set_xscale("log")
    axes.set_xticks(_SPEEDS, [f"{speed:g}" for speed in _SPEEDS])
    axes.minorticks_off()
    axes.set_xlim(min(speeds) / 1.6, max(speeds) * 1.6)
    axes.margins(y=0.2)
    axes.autoscale_view(scalex=False)
    return style.png_of(figure)
