"""Scores by attribute: a grid of success plots, and a radar plot."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jaxtrack.report.plots import style

# A radar plot is readable with at most so many lines, and needs so many corners.
_MOST_LINES = 6
_FEWEST_CORNERS = 3
# A panel of the grid has room for the scores of so many trackers.
_MOST_IN_A_PANEL = 12
_COLUMNS = 4


def can_draw_radar(attributes: Sequence[str], trackers: Mapping[str, object]) -> bool:
    """Returns whether a radar plot of these attributes and trackers is readable."""
    return len(trackers) <= _MOST_LINES and len(attributes) >= _FEWEST_CORNERS


@style.styled
def success_grid(
    thresholds: Sequence[float],
    panels: Mapping[str, Mapping[str, tuple[np.ndarray, float]]],
    *,
    title: str,
    note: str = "",
) -> Figure:
    """Draws one success plot per attribute, as in OTB's papers.

    The scores are on the right of each plot, the best on top; one legend is below all
    plots.

    Args:
      thresholds: `[T]` of the IoU.
      panels: label of the attribute -> tracker -> (`[T]` fractions in
        [0, 1], AUC). The trackers' order gives the colors.
      title: above all plots.
      note: below the title.

    Returns:
      The figure.
    """
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.1 * rows + 0.5))
    room = {"wspace": 0.85, "hspace": 0.42}
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=room).ravel()
    for place, one in enumerate(axes):
        one.set_visible(place < len(panels))
    for one, (attribute, curves) in zip(axes, panels.items(), strict=False):
        lines = _draw_panel(one, thresholds, curves)
        one.set_title(style.plain(attribute), fontsize=8.5, pad=4)
        if one.get_subplotspec().is_first_col():
            one.set_ylabel("fraction of frames", fontsize=8)
        has_one_below = one.get_subplotspec().rowspan.stop < rows
        one.set_xlabel("" if has_one_below else "IoU threshold", fontsize=8)
    names = [style.label(name) for name in curves]
    across = min(len(names), max(1, columns))
    lowest = min(one.get_position().y0 for one in axes)
    below = lowest - 0.42 / figure.get_figheight()
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, below)}
    figure.legend(lines, names, ncols=across, frameon=False, **place)
    top = axes[0].get_position()
    height = top.y1 + 0.34 / figure.get_figheight()
    words = {"ha": "left", "va": "bottom"}
    figure.text(
        top.x0,
        height + 0.17 / figure.get_figheight(),
        style.plain(title),
        fontsize=12,
        fontweight="bold",
        **words,
    )
    figure.text(top.x0, height, style.plain(note), fontsize=8, color="0.3", **words)
    return figure


def can_draw_grid(trackers: Sequence[object]) -> bool:
    """Returns whether a panel has room for these trackers."""
    return len(trackers) <= _MOST_IN_A_PANEL


def _draw_panel(
    axes: Axes,
    thresholds: Sequence[float],
    curves: Mapping[str, tuple[np.ndarray, float]],
) -> list[Line2D]:
    """Draws one success plot and its ranked scores; returns a line per tracker."""
    lines = []
    for place, (curve, _) in enumerate(curves.values()):
        look = style.line_of(place) | {"markersize": 2.5, "linewidth": 1.3}
        every = (2, max(1, len(thresholds) // 4))
        lines += axes.plot(thresholds, curve, markevery=every, **look)
    scores = [score for _, score in curves.values()]
    ranked = sorted(range(len(lines)), key=lambda k: -np.nan_to_num(scores[k], nan=-1))
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.08), "frameon": False}
    tight = {"fontsize": 7, "handlelength": 2.4, "labelspacing": 0.2}
    words = [f"{scores[k]:.3f}" for k in ranked]
    axes.legend([lines[k] for k in ranked], words, **beside, **tight)
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(0, 1.005)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    axes.tick_params(labelsize=7)
    return lines


@style.styled
def radar(
    attributes: Sequence[str], trackers: Mapping[str, Sequence[float]], *, title: str
) -> Figure:
    """Draws one closed line per tracker, one axis per attribute.

    All axes have the same scale and start at 0, so that lengths are comparable.

    Args:
      attributes: `[A]` labels; three or more.
      trackers: name -> `[A]` scores in [0, 1]. Its order gives the colors; the legend
        is sorted by their mean.
      title: above the plot.

    Returns:
      The figure.
    """
    scores = {name: np.asarray(values, float) for name, values in trackers.items()}
    means = {name: float(np.nanmean(values)) for name, values in scores.items()}
    axes = Figure(figsize=(5.1, 5.1)).add_subplot(projection="polar")
    axes.set_title(title, pad=34, x=-0.2)
    angles = _round_axes(axes, attributes, max(map(np.nanmax, scores.values())))
    lines = {}
    for place, (name, values) in enumerate(scores.items()):
        line = style.line_of(place) | {"marker": "o", "markersize": 3}
        around, closed = (np.append(a, a[:1]) for a in (angles, values))
        (lines[name],) = axes.plot(around, closed, linewidth=1.8, zorder=3, **line)
    ranked = sorted(means, key=lambda name: -np.nan_to_num(means[name], nan=-1))
    axes.legend(
        [lines[name] for name in ranked],
        [style.label(name, means[name]) for name in ranked],
        loc="center left",
        bbox_to_anchor=(1.35, 0.5),
        title="mean over the attributes",
        alignment="left",
        frameon=False,
        handlelength=2.8,
    )
    return axes.figure


def _round_axes(axes: Axes, attributes: Sequence[str], top: float) -> np.ndarray:
    """Labels the corners and the scale; returns the angles of the corners."""
    angles = np.arange(len(attributes)) / len(attributes) * 2 * np.pi
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    top = min(1.0, max(0.2, np.ceil(top * 10 - 1e-9) / 10))
    axes.set_ylim(0, top)
    rings = np.arange(1, round(top * 10) + 1) / 10
    rings = rings[::-2][::-1] if len(rings) > 5 else rings
    axes.set_yticks(rings, [f"{ring:.1f}" for ring in rings], fontsize=7, color="0.4")
    axes.set_rlabel_position(180 / len(attributes))
    names = [style.plain("\n".join(textwrap.wrap(a, 17)[:3])) for a in attributes]
    axes.set_xticks(angles, names, fontsize=8.5)
    for label, side in zip(axes.get_xticklabels(), np.sin(angles), strict=True):
        is_level = abs(side) < 1e-6
        label.set_ha("center" if is_level else "left" if side > 0 else "right")
    axes.tick_params(axis="x", pad=1)
    axes.grid(color="0.87", linewidth=0.8)
    axes.spines["polar"].set_color("0.7")
    return angles
