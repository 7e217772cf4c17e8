"""Figures of a tuning: its history, its settings, and their importance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxtrack.evaluation.tuning.study import Tried
from jaxtrack.report.plots import style

_UNTUNED, _BEST, _INK = style.color_of(1), style.color_of(2), style.color_of(0)
_LEAST_SPAN = 0.02  # Smallest range of the score axis, so that noise looks small.
_MOST_COLUMNS = 4


def draw(outcome: Mapping[str, Any], tried: Sequence[Tried]) -> dict[str, Figure]:
    """Draws all figures.

    Args:
      outcome: see `search.tune`.
      tried: the trials.

    Returns:
      File name without extension -> figure.
    """
    label = f"mean {outcome['metric'].upper()}"
    return {
        "history": history_plot(tried, ylabel=label),
        "slices": slices_plot(tried, outcome["ranges"], ylabel=label),
        "importance": importance_plot(outcome["importances"]),
    }


@style.styled
def history_plot(tried: Sequence[Tried], *, ylabel: str) -> Figure:
    """Draws each trial's score, and the best so far.

    Args:
      tried: the trials; number 0 is the untuned one.
      ylabel: of the score.

    Returns:
      The figure.
    """
    figure, (axes,) = _figure("Best so far", columns=1)
    numbers, values = [t.number for t in tried], np.array([t.value for t in tried])
    best = np.maximum.accumulate(values)
    dots = {"s": 18, "color": "0.6", "linewidths": 0, "label": "a trial"}
    axes.scatter(numbers, values, zorder=2, **dots)
    axes.step(numbers, best, where="post", color=_BEST, linewidth=2, label="best")
    axes.axhline(
        values[0], color=_UNTUNED, linewidth=1.5, linestyle="--", label="untuned"
    )
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(ylabel)
    _bound(axes, values)
    _legend(figure, axes)
    return figure


@style.styled
def slices_plot(
    tried: Sequence[Tried], ranges: Mapping[str, tuple[float, float]], *, ylabel: str
) -> Figure:
    """Draws the trials' scores against each setting; later trials are darker.

    Args:
      tried: the trials; number 0 is the untuned one.
      ranges: field -> lowest and highest value.
      ylabel: of the score.

    Returns:
      The figure.
    """
    figure, panels = _figure("Settings", columns=len(ranges))
    values = np.array([t.value for t in tried])
    marks = {
        "untuned": (0, {"color": _UNTUNED, "marker": "D", "markersize": 7}),
        "best": (np.argmax(values), {"color": _BEST, "marker": "*", "markersize": 13}),
    }
    dots = {"color": _INK, "alpha": np.linspace(0.25, 1.0, len(tried)), "linewidths": 0}
    for axes, (name, (low, high)) in zip(panels, ranges.items(), strict=True):
        tested = [t.settings[name] for t in tried]
        axes.scatter(tested, values, s=16, zorder=2, **dots)
        for label, (place, mark) in marks.items():
            mark |= {"linestyle": "none", "markeredgecolor": "white", "zorder": 3}
            axes.plot(tested[place], values[place], label=label, **mark)
        axes.set_xlabel(name)
        margin = 0.04 * max(high - low, 1e-6)
        axes.set_xlim(low - margin, high + margin)
        _bound(axes, values)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(ylabel)
    _legend(figure, panels[0])
    return figure


@style.styled
def importance_plot(importances: Mapping[str, float] | None) -> Figure:
    """Draws how much each setting decides whether a trial is among the best.

    Args:
      importances: field -> importance, with a sum of 1; None if unknown.

    Returns:
      The figure.
    """
    figure, (axes,) = _figure("Importance (PED-ANOVA)", columns=1)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("relative importance")
    ranked = sorted((importances or {}).items(), key=lambda item: item[1])
    for place, (_, share) in enumerate(ranked):
        axes.barh(place, share, color=_INK, height=0.6)
        axes.text(share + 0.015, place, f"{share:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(ranked)), [name for name, _ in ranked])
    axes.set_xlim(0, 1.12)
    if not ranked:
        words = "too few trials, or all equal"
        axes.text(0.5, 0.5, words, ha="center", transform=axes.transAxes)
    return figure


def _bound(axes: Axes, values: np.ndarray) -> None:
    """Limits the axis to the range of the scores, at least `_LEAST_SPAN`."""
    middle = (values.max() + values.min()) / 2
    half = max(values.max() - values.min(), _LEAST_SPAN) * 0.56
    axes.set_ylim(middle - half, middle + half)


def _legend(figure: Figure, axes: Axes) -> None:
    """Draws the legend below the panels."""
    handles, labels = axes.get_legend_handles_labels()
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0)}
    figure.legend(handles, labels, ncols=len(handles), frameon=False, **place)


def _figure(title: str, *, columns: int) -> tuple[Figure, list[Axes]]:
    """Makes a figure with panels side by side, in several rows if there are many."""
    rows = -(-columns // _MOST_COLUMNS)
    across = -(-columns // rows)
    wide = 4.8 if across == 1 else 2.7 * across
    tall = 3.4 if across == 1 else 2.9 * rows
    figure = Figure(figsize=(wide, tall))
    room = {"wspace": 0.32, "hspace": 0.36}
    panels = figure.subplots(rows, across, squeeze=False, gridspec_kw=room).ravel()
    for place, axes in enumerate(panels):
        axes.set_visible(place < columns)
    panels[0].set_title(title)
    return figure, list(panels[:columns])
