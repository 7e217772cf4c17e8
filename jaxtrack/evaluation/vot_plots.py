"""Plots of VOT's scores as PNG."""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxtrack.evaluation import plots
from jaxtrack.metrics.vot import SENSITIVITY, VotReport

# Eight shapes and seven colours make 56 pairs, as they share no divisor.
_MARKERS = "osD^vPXp"
_DASHES = ("-", "--", "-.", ":")
# Above so many trackers the legend goes beside the axes.
_FEW = 6
_NAME = 28


def ar_plot(
    reports: Mapping[str, VotReport],
    *,
    title: str = "Accuracy and robustness",
    sensitivity: float = SENSITIVITY,
) -> bytes:
    """Draws each tracker's accuracy over its chance to track on; best is top right.

    Args:
      reports: tracker -> scores. Its order gives the colours.
      title: above the axes.
      sensitivity: S of `VotReport.ar_point`, frames.

    Returns:
      A PNG file's bytes.
    """
    points = {name: report.ar_point(sensitivity) for name, report in reports.items()}
    figure, axes = _blank(title, len(points))
    axes.set_xlabel(f"robustness: chance to track on for {sensitivity:g} frames")
    axes.set_ylabel("accuracy: overlap while tracking")
    for place, (name, (x, y)) in enumerate(points.items()):
        axes.scatter(
            [x],
            [y],
            s=64,
            marker=_MARKERS[place % len(_MARKERS)],
            color=plots.color_of(place),
            edgecolors="white",
            linewidths=0.8,
            label=f"{_label(name)} [{x:.2f}, {y:.2f}]",
            zorder=3,
            clip_on=False,
        )
    axes.locator_params(nbins=6)
    axes.set_xlim(*_view(x for x, _ in points.values()))
    axes.set_ylim(*_view(y for _, y in points.values()))
    _legend(axes, *axes.get_legend_handles_labels())
    return plots.png_of(figure)


def eao_curve_plot(
    reports: Mapping[str, VotReport], *, title: str = "Expected overlap"
) -> bytes:
    """Draws expected overlap over the length of a sequence; the interval is shaded.

    Args:
      reports: tracker -> scores, of one edition. Its order gives the colours; the
        legend is sorted by `eao`.
      title: above the axes.

    Returns:
      A PNG file's bytes.

    Raises:
      ValueError: if the editions differ.
    """
    low, high = _interval(reports)
    figure, axes = _blank(title, len(reports))
    axes.set_xlabel("length of the sequence (frames)")
    axes.set_ylabel("expected average overlap")
    axes.axvspan(low, high, color="0.93", linewidth=0, zorder=0)
    for edge in (low, high):
        axes.axvline(edge, color="0.7", linewidth=0.8, zorder=1)
    lines = {}
    for place, (name, report) in enumerate(reports.items()):
        lengths = np.arange(1, len(report.eao_curve) + 1)
        (lines[name],) = axes.plot(
            lengths,
            report.eao_curve,
            color=plots.color_of(place),
            linestyle=_DASHES[place // len(plots.PALETTE) % len(_DASHES)],
            linewidth=2,
            zorder=3,
        )
    # Beyond the interval few sequences are left.
    axes.set_xlim(1, 1.15 * high)
    axes.set_ylim(0, 1.005)
    axes.set_xticks(sorted({1, low, high, *_between(low, high)}))
    ranked = _ranked(reports)
    labels = [f"{_label(name)} [{reports[name].eao:.3f}]" for name in ranked]
    _legend(axes, [lines[name] for name in ranked], labels)
    return plots.png_of(figure)


def eao_ranking_plot(
    reports: Mapping[str, VotReport], *, title: str = "EAO ranking"
) -> bytes:
    """Draws a bar a tracker, the best on top; one without a score has no bar.

    Args:
      reports: tracker -> scores, of one edition. Its order gives the colours.
      title: above the axes.

    Returns:
      A PNG file's bytes, higher for more trackers.

    Raises:
      ValueError: if the editions differ.
    """
    low, high = _interval(reports)
    places = {name: place for place, name in enumerate(reports)}
    ranked = _ranked(reports)
    figure, axes = _blank(title, 0, height=1.3 + 0.27 * len(ranked))
    # A character is about a tenth of an inch wide.
    figure.set_figwidth(4.3 + 0.085 * max(len(_label(name)) for name in ranked))
    eaos = np.array([reports[name].eao for name in ranked])
    lengths = np.nan_to_num(eaos)
    colors = [plots.color_of(places[name]) for name in ranked]
    rows = np.arange(len(ranked))
    axes.barh(rows, lengths, height=0.66, color=colors, zorder=3)
    for row, eao, length in zip(rows, eaos, lengths, strict=True):
        text = f"{eao:.3f}" if np.isfinite(eao) else "none"
        axes.annotate(
            text, (length, row), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(rows, [_label(name) for name in ranked])
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, max(1.18 * lengths.max(), 0.05))
    axes.set_xlabel(f"expected average overlap, {low} to {high} frames")
    return plots.png_of(figure)


def _interval(reports: Mapping[str, VotReport]) -> tuple[int, int]:
    """The interval that all reports share."""
    intervals = {(report.edition, report.interval) for report in reports.values()}
    if len({interval for _, interval in intervals}) != 1:
        raise ValueError(f"reports of one edition are needed, not {sorted(intervals)}")
    return intervals.pop()[1]


def _ranked(reports: Mapping[str, VotReport]) -> list[str]:
    """Trackers by EAO, the best first, those without last."""
    return sorted(reports, key=lambda name: -np.nan_to_num(reports[name].eao, nan=-1))


def _between(low: int, high: int) -> list[int]:
    """Round lengths inside the interval, away from its ends."""
    far = 0.12 * high
    return [n for n in range(100, high, 100) if n - low > far and high - n > far]


def _label(name: str) -> str:
    """A name that matplotlib neither hides nor takes for mathematics, not too long."""
    if len(name) > _NAME:
        name = f"{name[: _NAME // 2]}\u2026{name[1 - _NAME // 2 :]}"
    return f"{' ' if name.startswith('_') else ''}{plots.plain(name)}"


def _view(values: Iterable[float]) -> tuple[float, float]:
    """A part of [0, 1] with all values inside, and at least a fifth of it."""
    known = [v for v in values if np.isfinite(v)] or [0.5]
    low, high = min(known), max(known)
    middle, half = (low + high) / 2, max(0.6 * (high - low), 0.1)
    middle = min(max(middle, half), 1 - half) if half < 0.5 else 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _blank(title: str, count: int, *, height: float = 3.9) -> tuple[Figure, Axes]:
    """Axes in the style of all plots, with room for a legend of `count` beside them."""
    width = 4.8 if count <= _FEW else 7.2
    height = max(height, 0.6 + 0.19 * count)
    figure = Figure(figsize=(width, height), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(plots.plain(title), fontsize=12, loc="left", fontweight="bold")
    axes.grid(color="0.9", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes


def _legend(axes: Axes, handles, labels) -> None:
    """Inside the axes where there is room, else beside them."""
    options = {"fontsize": 9, "framealpha": 0.9}
    if len(labels) > _FEW:
        options |= {
            "loc": "upper left",
            "bbox_to_anchor": (1.01, 1.0),
            "frameon": False,
        }
    legend = axes.legend(handles, labels, **options)
    legend.set_zorder(4)
