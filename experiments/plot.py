"""A plot of an experiment: the change of each config, by sequence and overall."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxtrack.report.plots.style import color_of, png_of

_ROW_INCHES, _PANEL_INCHES, _NAMES_INCHES = 0.21, 4.4, 2.0
_LEAST_REACH = 0.02  # Smallest range of the x axis on both sides of 0.


def difference_plot(result: Mapping[str, Any]) -> bytes | None:
    """Draws the AUC differences of the sequences, and the interval of their mean.

    One panel per change, side by side; sequences are sorted by the last change.

    Args:
      result: see `summary.summarize`.

    Returns:
      A PNG file's bytes, or None while nothing can be compared.
    """
    changes = [
        (row["name"], row["change"])
        for row in result["rows"]
        if row["change"] and row["change"]["auc"] and row["change"]["auc"]["all"]
    ]
    if not changes:
        return None
    gains = {
        name: _differences(pair).mean()
        for _, change in changes
        for name, pair in change["auc"]["sequences"].items()
    }
    names = sorted(gains, key=gains.__getitem__)
    size = (
        _NAMES_INCHES + _PANEL_INCHES * len(changes),
        1.9 + _ROW_INCHES * len(names),
    )
    figure = Figure(figsize=size, dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(changes), sharey=True, squeeze=False)[0]
    for axes, (name, change) in zip(panels, changes, strict=True):
        _panel(axes, name, change, names, result)
    panels[0].set_yticks(range(len(names)), names, fontsize=7.5)
    panels[0].set_ylim(-0.7, len(names) - 0.3)
    return png_of(figure)


def _differences(pair):
    """Returns the difference for each seed."""
    reference, other = np.array(pair)
    return other - reference


def _panel(
    axes: Axes,
    name: str,
    change: Mapping[str, Any],
    order: list[str],
    result: Mapping[str, Any],
) -> None:
    """Draws one change."""
    whole, held_out = change["auc"]["all"], result["experiment"]["held_out"]
    axes.axvspan(*whole["interval"], color="0.88", zorder=0, linewidth=0)
    axes.axvline(whole["difference"], color="0.55", linewidth=1.5, zorder=1)
    axes.axvline(0, color="black", linewidth=1, zorder=1)
    for sequence, pair in change["auc"]["sequences"].items():
        place, each = order.index(sequence), _differences(pair)
        color = color_of(0 if each.mean() >= 0 else 1)
        if len(each) > 1:
            axes.hlines(place, each.min(), each.max(), color=color, linewidth=1.5)
        style = {"marker": "D" if sequence in held_out else "o", "markersize": 5}
        axes.plot(each.mean(), place, color=color, zorder=3, **style)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -_LEAST_REACH), max(high, _LEAST_REACH))
    marks = ["diamonds: sequences that no fold trains on"] if held_out else []
    marks = ["lines: range over seeds", *marks] if len(change["seeds"]) > 1 else marks
    title = f"success AUC, {name} minus {change['reference']}"
    axes.set_xlabel(f"{title}\n{'; '.join(marks)}", fontsize=8.5)
    low, high = whole["interval"]
    axes.set_title(
        f"{name} against {change['reference']}: {whole['difference']:+.3f}\n"
        f"{result['confidence']:.0%} interval {low:+.3f} to {high:+.3f} (gray)",
        fontsize=9,
        loc="left",
    )
    axes.grid(axis="x", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
