"""What all figures share: the style sheet, and a colour and a line for each tracker.

A tracker is drawn by its place among the trackers of a report, in every figure, table
and picture of it.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

P, R = ParamSpec("P"), TypeVar("R")

SHEET = Path(__file__).with_name("style.mplstyle")
# Okabe and Ito's colours, told apart with any kind of colour vision; yellow is left
# out, being too pale for a line on white.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#333333")
INK = "#1c2430"
_DASHES = ("-", (0, (5, 1.6)), (0, (5, 1.4, 1.2, 1.4)), (0, (1.2, 1.3)))
_MARKERS = ("", "o", "s", "^", "D", "v")
# More entries than this, or half as many longer ones, have no room among the lines.
_FEW = 6
_LONG = 26


def color_of(place: int) -> str:
    """Colour of the tracker at that place, `#rrggbb`; repeats after the palette."""
    return PALETTE[place % len(PALETTE)]


def dashes_of(place: int) -> int:
    """Kind of line of the tracker at that place: 0 solid, then dashes, to 3 dots."""
    return place // len(PALETTE) % len(_DASHES)


def line_of(place: int) -> dict[str, Any]:
    """How matplotlib draws the line of the tracker at that place.

    Args:
      place: of the tracker; 168 places differ.

    Returns:
      Colour, dashes, and a marker once all dashes are used.
    """
    marker = place // (len(PALETTE) * len(_DASHES)) % len(_MARKERS)
    return {
        "color": color_of(place),
        "linestyle": _DASHES[dashes_of(place)],
        "marker": _MARKERS[marker],
        "markersize": 4,
    }


def shortened(name: str, *, length: int = 32) -> str:
    """A name with its middle left out where it is too long for a figure."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}\u2026{name[-tail:]}"


def plain(text: str) -> str:
    """A text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def label(name: str, *numbers: float, digits: int = 3) -> str:
    """`name [0.612]`, short, safe from mathematics and from the hidden-label rule."""
    name = plain(shortened(name))
    shown = f" [{', '.join(f'{n:.{digits}f}' for n in numbers)}]" if numbers else ""
    return f"{' ' if name.startswith('_') else ''}{name}{shown}"


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Makes a function draw by the style sheet, whatever matplotlib is set to."""
    return matplotlib.rc_context(fname=SHEET)(draw)


def axes_of(title: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    """Makes a figure of one plot.

    Args:
      title: above the axes.
      xlabel: with its unit.
      ylabel: with its unit.

    Returns:
      The figure and its axes.
    """
    figure = Figure()
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title)
    return figure, axes


def legend(axes: Axes, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Draws a legend among few entries, or right of the axes.

    Args:
      axes: from `axes_of`.
      handles: what was drawn.
      labels: of each.
    """
    size = 9.0 if len(labels) <= 20 else 7.5
    options = {"fontsize": size, "handlelength": 2.8, "loc": "best"}
    is_long = max(map(len, labels)) > _LONG
    if len(labels) > _FEW or (len(labels) > _FEW // 2 and is_long):
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03)}
        spacing = {"labelspacing": 0.35, "frameon": False, "borderaxespad": 0.4}
        options |= beside | spacing
    axes.legend(handles, labels, **options).set_zorder(5)


def png_of(figure: Figure) -> bytes:
    """The figure as a file's bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
