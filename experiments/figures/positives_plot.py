"""SiamDLA's Fig. 9: positives by K, and along the stream."""

import io
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxtrack.evaluation.plots import color_of, plain

# What the paper reports: P from 3 to 4, and that K from 7 to 19 hardly matters.
PAPER_POSITIVES = (3.0, 4.0)
PAPER_POINTS = (7, 19)

_MARKERS = ("o", "s", "^", "D")
_WORDS = {
    "clamp": "clamp: all as good as the best",
    "argmax": "argmax: the single best",
    "skip": "skip: none",
}


def positives_plot(found: Mapping[str, Any]) -> bytes:
    """Draws the mean number of positives P of an image, by K and along the stream.

    Args:
      found: see `experiments.figures.positives.run`.

    Returns:
      A PNG file's bytes.
    """
    figure = Figure(figsize=(10.4, 4.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _by_points(left, found)
    _over_stream(right, found)
    figure.suptitle(
        plain(
            f"{found['config']}: {found['num_images']} images of seed {found['seed']}, "
            f"{found['anchors']}; bands: one standard error"
        ),
        fontsize=10,
        color="0.3",
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _by_points(axes: Axes, found: Mapping[str, Any]) -> None:
    """Draws P against K, a line a rule, and what the paper reports."""
    low, high = PAPER_POSITIVES
    axes.fill_between(PAPER_POINTS, low, high, color="0.86", linewidth=0, zorder=0)
    words = {"fontsize": 8.5, "color": "0.3", "zorder": 4}
    place = (PAPER_POINTS[0] + 0.25, high - 0.06)
    axes.text(*place, "paper: 3 to 4", ha="left", va="top", **words)
    points = [int(name) for name in found["points"]]
    for place, (rule, label) in enumerate(_WORDS.items()):
        rows = [row[rule] for row in found["points"].values()]
        _line(axes, points, rows, place, label)
    axes.set_xticks(points)
    axes.set_xlim(min(points) - 1, max(points) + 1)
    top = max(high, *(sum(row["clamp"]) for row in found["points"].values()))
    axes.set_ylim(0, 1.3 * top)  # Leaves room for the legend.
    _finish(axes, "(a) by K", "K")
    title = "where no anchor reaches the threshold"
    axes.legend(loc="upper left", fontsize=8.5, title=title, title_fontsize=8.5)


def _over_stream(axes: Axes, found: Mapping[str, Any]) -> None:
    """Draws P along the stream, a line a K, beside the fixed labels."""
    columns = {f"K = {name}": one["parts"] for name, one in found["stream"].items()}
    for place, (label, parts) in enumerate(columns.items()):
        _line(axes, _middles(parts), parts, place, label)
    top = max(sum(part) for parts in columns.values() for part in parts)
    if found["baseline"]:
        parts = found["baseline"]["parts"]
        label = f"{found['baseline']['config']}, {found['baseline']['assigner']}"
        _line(axes, _middles(parts), parts, 6, plain(label), "--", marker="")
        top = max(top, *(sum(part) for part in parts))
    if found["log"]:
        means = found["log"]["positives"]
        top = max(top, *means)
        rows = [(mean, 0.0) for mean in means]
        label = plain(f"{found['log']['name']}, as logged")
        _line(axes, _middles(means), rows, 5, label, ":", marker="x")
    axes.set_ylim(0, 1.3 * top)
    num_parts = len(next(iter(columns.values())))
    axes.set_xlim(0, num_parts)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes, f"(b) along the stream, {found['rule']}", "parts of the stream seen")
    axes.legend(loc="upper center", fontsize=8.5, ncols=3)


def _middles(parts):
    """Returns where the parts' middles lie: part 1 goes from 0 to 1."""
    return [place + 0.5 for place in range(len(parts))]


def _line(axes, x, rows, place, label, dashes="-", *, marker=None):
    """Draws means with a band of one standard error to each side."""
    color = color_of(place)
    means = [mean for mean, _ in rows]
    marker = _MARKERS[place % len(_MARKERS)] if marker is None else marker
    style = {"linewidth": 1.7, "markersize": 4.5, "linestyle": dashes, "zorder": 3}
    axes.plot(x, means, color=color, marker=marker, label=label, **style)
    lows, highs = [m - e for m, e in rows], [m + e for m, e in rows]
    axes.fill_between(x, lows, highs, color=color, alpha=0.2, linewidth=0, zorder=2)


def _finish(axes, title, xlabel):
    """Gives axes the style of all plots."""
    axes.set_title(title, fontsize=11, loc="left", fontweight="bold")
    axes.set_xlabel(xlabel)
    axes.set_ylabel("positives P of an image")
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
