"""The style of all figures: the style sheet, and color and line of each tracker.

A tracker has the same color and line in all figures and tables of a report, by its
index among the trackers.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

P, R = ParamSpec("P"), TypeVar("R")

SHEET = Path(__file__).with_name("style.mplstyle")
# Okabe and Ito's colors, distinct with any kind of color vision; without yellow, which
# is too pale for a line on white.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#333333")
INK = "#1c2430"
_DASHES = (
    "-",
    (0, (5, 1.6)),
    (0, (5, 1.4, 1.2, 1.4)),
    (0, (1.2, 1.3)),
    (0, (5, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
_MARKERS = ("", "o", "s", "^", "D", "v")
VECTOR = ("pdf", "svg")  # Formats for papers, in addition to PNG.
# More entries than this, or half as many long ones, do not fit inside the axes.
_FEW = 6
_LONG = 26
_RADIUS = 14  # Of a large marker, px.


def color_of(place: int) -> str:
    """Returns the color of a tracker, `#rrggbb`; repeats after the palette."""
    return PALETTE[place % len(PALETTE)]


def dashes_of(place: int) -> int:
    """Returns the line style of a tracker: 0 is solid, 1 to 4 are dashes and dots."""
    return place % len(_DASHES)


def line_of(place: int) -> dict[str, Any]:
    """Returns matplotlib's options for the line of a tracker.

    Args:
      place: index of the tracker; 30 lines differ without color, 210 with it.

    Returns:
      Color, dashes, and a marker once all dashes are used.
    """
    marker = place // len(_DASHES) % len(_MARKERS)
    return {
        "color": color_of(place),
        "linestyle": _DASHES[dashes_of(place)],
        "marker": _MARKERS[marker],
        "markersize": 4,
    }


def shortened(name: str, *, length: int = 32) -> str:
    """Shortens a name in its middle if it is too long for a figure."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}\u2026{name[-tail:]}"


def plain(text: str) -> str:
    """Escapes a text so that matplotlib does not parse it as math."""
    return text.replace("$", r"\$")


def label(name: str, *numbers: float, digits: int = 3) -> str:
    """Returns `name [0.612]`, shortened and escaped; never hidden from legends."""
    name = plain(shortened(name))
    shown = f" [{', '.join(f'{n:.{digits}f}' for n in numbers)}]" if numbers else ""
    return f"{' ' if name.startswith('_') else ''}{name}{shown}"


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Makes a function draw with the style sheet, overriding matplotlib's settings."""
    return matplotlib.rc_context(fname=SHEET)(draw)


def axes_of(
    title: str, xlabel: str, ylabel: str, *, note: str = ""
) -> tuple[Figure, Axes]:
    """Makes a figure of one plot.

    Args:
      title: above the axes.
      xlabel: with its unit.
      ylabel: with its unit.
      note: in small letters below the title, such as the protocol.

    Returns:
      The figure and its axes.
    """
    figure = Figure()
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    set_title(axes, title, note=note)
    return figure, axes


def set_title(axes: Axes, title: str, *, note: str = "") -> None:
    """Writes a title, and a note below it.

    Args:
      axes: to write above.
      title: plain text.
      note: in small letters; "" leaves it out.
    """
    axes.set_title(plain(title), pad=19 if note else None)
    if note:
        small = {"fontsize": 8, "color": "0.3", "textcoords": "offset points"}
        axes.annotate(plain(note), (0, 1), (0, 7), xycoords="axes fraction", **small)


def legend(
    axes: Axes, handles: Sequence[Artist], labels: Sequence[str], *, title: str = ""
) -> None:
    """Draws a legend inside the axes if it hides nothing, otherwise right of them.

    Args:
      axes: from `axes_of`, with limits set.
      handles: the lines and points.
      labels: one for each.
      title: of the legend.
    """
    size = 9.0 if len(labels) <= 20 else 7.5
    options = {"fontsize": size, "handlelength": 2.8, "title": title or None}
    is_long = max(map(len, labels)) > _LONG
    if len(labels) <= (_FEW // 2 if is_long else _FEW):
        inside = axes.legend(handles, labels, loc="best", **options)
        inside.set_zorder(5)
        if not _hides_any(inside, handles):
            return
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03), "alignment": "left"}
    spacing = {"labelspacing": 0.35, "frameon": False, "borderaxespad": 0.4}
    axes.legend(handles, labels, **options, **beside, **spacing)


def _hides_any(shown: Legend, handles: Sequence[Artist]) -> bool:
    """Returns whether a legend covers a line or a point."""
    shown.figure.draw_without_rendering()
    area = shown.get_window_extent()
    for one in handles:
        if isinstance(one, Line2D):
            drawn = one.get_transform().transform_path(one.get_path())
            if drawn.intersects_bbox(area, filled=False):
                return True
        elif isinstance(one, PathCollection):
            points = one.get_offset_transform().transform(one.get_offsets())
            if area.padded(_RADIUS).count_contains(points):
                return True
    return False


def png_of(figure: Figure) -> bytes:
    """Returns a figure as the bytes of a PNG file, reproducibly."""
    return _saved(figure, "png")


@styled
def file_of(figure: Figure, kind: str) -> bytes:
    """Returns a figure as the bytes of a file, reproducibly.

    Args:
      figure: its fonts are embedded.
      kind: "png", or one of `VECTOR`.
    """
    return _saved(figure, kind)


def _saved(figure: Figure, kind: str) -> bytes:
    """Returns a figure as the bytes of a file, without dates."""
    dated = {"png": "Software", "pdf": "CreationDate", "svg": "Date"}[kind]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata={dated: None})
    return buffer.getvalue()
