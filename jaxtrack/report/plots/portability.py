"""Where two platforms differ: errors of layers, gradients and boxes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
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
    """

    label: str
    errors: Sequence[float]
    tolerance: float


@style.styled
def draw(
    panels: Mapping[str, Sequence[Line]], *, title: str, xlabel: str, ylabel: str
) -> Figure:
    """Draws errors in the order of computation, a panel a tracker.

    Tolerances are dashed, in the colour of their condition; what exceeds one has a
    mark.

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
            errors = np.nan_to_num(np.asarray(line.errors, float), nan=np.inf)
            top = 10 * max(line.tolerance, *errors[np.isfinite(errors)], _LEAST)
            shown = np.clip(errors, _LEAST, top)
            color = style.color_of(labels.index(line.label))
            order = np.arange(1, len(shown) + 1)
            one.plot(order, shown, color=color, label=line.label, linewidth=1.4)
            one.axhline(line.tolerance, color=color, linestyle="--", linewidth=0.9)
            over = ~(errors <= line.tolerance)
            one.plot(order[over], shown[over], "x", color=color, markersize=5)
        one.set_yscale("log")
        one.set_title(style.plain(name))
        one.set_xlabel(xlabel)
        one.set_ylabel(ylabel)
        one.legend(loc="best", fontsize=8)
    return figure
