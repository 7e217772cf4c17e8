"""Figures of VOT's experiment with restarts."""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxtrack.metrics.vot import SENSITIVITY, VotReport
from jaxtrack.report.plots import style

# Eight shapes and seven colors make 56 pairs, since they have no common divisor.
_MARKERS = "osD^vPXp"


@style.styled
def ar_plot(reports: Mapping[str, VotReport]) -> Figure:
    """Draws each tracker's accuracy over its robustness; the best is top right.

    Args:
      reports: tracker -> scores, of one edition. Its order gives the colors.

    Returns:
      The figure.
    """
    points = {name: report.ar_point(SENSITIVITY) for name, report in reports.items()}
    labels = [style.label(name, *point, digits=2) for name, point in points.items()]
    xlabel = f"robustness: probability of {SENSITIVITY:g} frames without failure"
    ylabel = "accuracy: overlap while tracking"
    title = f"Accuracy and robustness on {_edition(reports)}"
    figure, axes = style.axes_of(title, xlabel, ylabel)
    drawn = [
        axes.scatter(
            [x],
            [y],
            s=64,
            marker=_MARKERS[place % len(_MARKERS)],
            color=style.color_of(place),
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
            clip_on=False,
        )
        for place, (x, y) in enumerate(points.values())
    ]
    axes.locator_params(nbins=6)
    axes.set_xlim(*_view(x for x, _ in points.values()))
    axes.set_ylim(*_view(y for _, y in points.values()))
    style.legend(axes, drawn, labels)
    return figure


@style.styled
def eao_curve_plot(reports: Mapping[str, VotReport]) -> Figure:
    """Draws expected overlap over sequence length; the interval is shaded.

    Args:
      reports: tracker -> scores, of one edition. Its order gives the colors; the
        legend is sorted by `eao`.

    Returns:
      The figure.
    """
    low, high = next(iter(reports.values())).interval
    ranked = _ranked(reports)
    labels = [style.label(name, reports[name].eao) for name in ranked]
    xlabel, ylabel = "length of the sequence (frames)", "expected average overlap"
    title = f"Expected overlap on {_edition(reports)}"
    figure, axes = style.axes_of(title, xlabel, ylabel)
    axes.axvspan(low, high, color="0.93", linewidth=0, zorder=0)
    for edge in (low, high):
        axes.axvline(edge, color="0.7", linewidth=0.8, zorder=1)
    lines = {}
    for place, (name, report) in enumerate(reports.items()):
        curve = report.eao_curve
        line = style.line_of(place) | {"markevery": 50, "zorder": 3}
        (lines[name],) = axes.plot(np.arange(1, len(curve) + 1), curve, **line)
    # Few sequences are longer than the interval.
    axes.set_xlim(1, 1.15 * high)
    axes.set_ylim(0, 1.005)
    axes.set_xticks(sorted({1, low, high, *_between(low, high)}))
    style.legend(axes, [lines[name] for name in ranked], labels)
    return figure


@style.styled
def eao_ranking_plot(reports: Mapping[str, VotReport]) -> Figure:
    """Draws one bar per tracker, the best on top; without a score there is no bar.

    Args:
      reports: tracker -> scores, of one edition. Its order gives the colors.

    Returns:
      The figure, higher for more trackers.
    """
    low, high = next(iter(reports.values())).interval
    ranked = _ranked(reports)
    labels = [style.label(name) for name in ranked]
    xlabel = f"expected average overlap, {low} to {high} frames"
    figure, axes = style.axes_of(f"EAO on {_edition(reports)}", xlabel, "")
    figure.set_figheight(0.8 + 0.35 * len(ranked))
    eaos = np.array([reports[name].eao for name in ranked])
    lengths, rows = np.nan_to_num(eaos), np.arange(len(ranked))
    places = {name: place for place, name in enumerate(reports)}
    colors = [style.color_of(places[name]) for name in ranked]
    axes.barh(rows, lengths, height=0.66, color=colors, zorder=3)
    for row, eao, length in zip(rows, eaos, lengths, strict=True):
        text = f"{eao:.3f}" if np.isfinite(eao) else "none"
        beside = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(text, (length, row), **beside)
    axes.set_yticks(rows, labels)
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, max(1.18 * lengths.max(), 0.05))
    return figure


def _edition(reports: Mapping[str, VotReport]) -> str:
    """Returns the name of the benchmark, the same for all reports."""
    return next(iter(reports.values())).edition.upper()


def _ranked(reports: Mapping[str, VotReport]) -> list[str]:
    """Returns the trackers by EAO, the best first, those without last."""
    return sorted(reports, key=lambda name: -np.nan_to_num(reports[name].eao, nan=-1))


def _between(low: int, high: int) -> list[int]:
    """Returns round lengths inside the interval, away from its ends."""
    far = 0.12 * high
    return [n for n in range(100, high, 100) if n - low > far and high - n > far]


def _view(values: Iterable[float]) -> tuple[float, float]:
    """Returns a range in [0, 1] that covers all values, at least a fifth wide."""
    known = [v for v in values if np.isfinite(v)] or [0.5]
    low, high = min(known), max(known)
    middle, half = (low + high) / 2, max(0.6 * (high - low), 0.1)
    middle = min(max(middle, half), 1 - half) if half < 0.5 else 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
