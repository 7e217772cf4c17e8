"""The comparison as one picture: what changed on each sequence, and on the whole."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxtrack.evaluation.plots import color_of

_ROW_INCHES = 0.21
_LEAST_REACH = 0.02  # Of the x axis on both sides of 0: noise is not to look large.


def _legend(found: Mapping[str, Any]) -> str:
    """Says what the marks mean."""
    words = "diamonds: sequences that no fold trains on"
    return words if len(found["seeds"]) == 1 else f"lines: range over seeds; {words}"


def difference_plot(found: Mapping[str, Any]) -> bytes:
    """Draws the AUC differences of the sequences, sorted, and the mean's interval.

    Args:
      found: see `summary.summarise`.

    Returns:
      A PNG file's bytes.
    """
    study, measured = found["study"], found["auc"]
    rows = {name: np.array(pair) for name, pair in measured["sequences"].items()}
    names = sorted(rows, key=lambda n: rows[n][1].mean() - rows[n][0].mean())
    height = 1.9 + _ROW_INCHES * len(names)
    figure = Figure(figsize=(6.4, height), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    whole = measured["all"]
    axes.axvspan(*whole["interval"], color="0.88", zorder=0, linewidth=0)
    axes.axvline(whole["difference"], color="0.55", linewidth=1.5, zorder=1)
    axes.axvline(0, color="black", linewidth=1, zorder=1)
    for place, name in enumerate(names):
        difference = rows[name][1].mean() - rows[name][0].mean()
        color = color_of(0 if difference >= 0 else 1)
        if rows[name].shape[1] > 1:
            each = rows[name][1] - rows[name][0]
            axes.hlines(place, each.min(), each.max(), color=color, linewidth=1.5)
        is_held_out = name in study["always_held_out"]
        axes.plot(
            difference,
            place,
            marker="D" if is_held_out else "o",
            markersize=5,
            color=color,
            zorder=3,
        )
    axes.set_yticks(range(len(names)), names, fontsize=7.5)
    axes.set_ylim(-0.7, len(names) - 0.3)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -_LEAST_REACH), max(high, _LEAST_REACH))
    axes.set_xlabel(f"success AUC, {study['b']} minus {study['a']}\n{_legend(found)}")
    low, high = whole["interval"]
    axes.set_title(
        f"{study['b']} against {study['a']}: {whole['difference']:+.3f}\n"
        f"{found['confidence']:.0%} interval {low:+.3f} to {high:+.3f} (grey)",
        fontsize=10,
        loc="left",
    )
    axes.grid(axis="x", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
