"""Where two platforms differ: errors of layers, gradients and boxes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxtrack.report.plots import style

_COLUMNS = 2
_LEAST = 1e-8  # An error of 0 is drawn here: less than float32 holds.


class Line(NamedTuple):
    """Errors in one condition.

    Attributes:
      label: of the condition.
      errors: in the order of computation.
      tolerance: the largest error allowed.
      names: of what the errors are of.
    """

    label: str
    errors: Sequence[float]
    tolerance: float
    names: Sequence[str]


@style.styled
def draw(
    panels: Mapping[str, Sequence[Line]], *, title: str, xlabel: str, ylabel: str
) -> Figure:
    """Draws errors in the order of computation, a panel a tracker.

    Tolerances are dashed, in the color of their condition; the first error above one
    has its name beside it.

    Args:
      panels: tracker -> a line a condition.
      title: of the figure.
      xlabel: what is in that order.
      ylabel: the error, with its unit.

    Returns:
      The figure.
    """
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    size = (5.2 * columns, 3.1 * rows + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(style.plain(title))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for place in axes[len(panels) :]:
        place.set_visible(False)
    labels = list(dict.fromkeys(n.label for lines in panels.values() for n in lines))
    for one, (name, lines) in zip(axes, panels.items(), strict=False):
        for line in lines:
            _draw_line(one, line, style.color_of(labels.index(line.label)))
        one.set_yscale("log")
        one.set_title(style.plain(name))
        one.set_xlabel(xlabel)
        one.set_ylabel(ylabel)
        one.legend(loc="best", fontsize=8)
    return figure


def _draw_line(axes: Axes, line: Line, color: str) -> None:
    """Draws the errors of one condition and its tolerance."""
    errors = np.nan_to_num(np.asarray(line.errors, float), nan=np.inf)
    top = 10 * max(line.tolerance, *errors[np.isfinite(errors)], _LEAST)
    shown = np.clip(errors, _LEAST, top)
    order = np.arange(1, len(shown) + 1)
    axes.plot(order, shown, color=color, label=line.label, linewidth=1.4)
    axes.axhline(line.tolerance, color=color, linestyle="--", linewidth=0.9)
    over = np.flatnonzero(~(errors <= line.tolerance))
    if not over.size:
        return
    place = order[over[0]], shown[over[0]]
    axes.plot(*place, "x", color=color, markersize=7)
    # Towards the middle, where there is room.
    is_left = over[0] < len(order) / 2
    where = {"xytext": (6 if is_left else -6, 4), "textcoords": "offset points"}
    where["ha"] = "left" if is_left else "right"
    name = style.plain(style.shortened(line.names[over[0]]))
    axes.annotate(name, place, color=color, fontsize=8, **where)
