"""Plots of the report as PNG."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart with any kind of colour vision; yellow is left
# out, being too pale for a line on white.
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#333333",
)
_DASHES = ("-", (0, (5, 1.6)), (0, (5, 1.4, 1.2, 1.4)), (0, (1.2, 1.3)))
_MARKERS = ("", "o", "s", "^", "D", "v")
# More lines than this, or half as many with longer names, have no room for a legend.
_FEW = 6
_LONG = 26
_HEIGHT = 3.9


def color_of(index: int) -> str:
    """Colour of the tracker at that place, `#rrggbb`; repeats after the palette."""
    return PALETTE[index % len(PALETTE)]


def dashes_of(index: int) -> int:
    """Kind of line of the tracker at that place: 0 solid, then dashes, to 3 dots."""
    return index // len(PALETTE) % len(_DASHES)


def line_style(index: int) -> dict[str, Any]:
    """How matplotlib draws the line of the tracker at that place.

    Args:
      index: of the tracker; 168 places differ.

    Returns:
      Colour, dashes, and a marker once all dashes are used.
    """
    marker = index // (len(PALETTE) * len(_DASHES)) % len(_MARKERS)
    return {
        "color": color_of(index),
        "linestyle": _DASHES[dashes_of(index)],
        "marker": _MARKERS[marker],
        "markersize": 4,
    }


def shortened(name: str, length: int = 32) -> str:
    """A name with its middle left out where it is too long for a plot."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}\u2026{name[-tail:]}"


def plain(text: str) -> str:
    """A text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def legend_label(name: str, number: float) -> str:
    """`name [0.612]`, safe from matplotlib's mathematics and hidden-label rule."""
    name = plain(shortened(name))
    return f"{' ' if name.startswith('_') else ''}{name} [{number:.3f}]"


def curve_plot(
    thresholds: Sequence[float],
    curves: Mapping[str, tuple[np.ndarray, float]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    mark: float | None = None,
) -> bytes:
    """Draws one curve a tracker; the legend is sorted by score.

    Args:
      thresholds: `[T]`, the x axis.
      curves: tracker -> (`[T]` shares in [0, 1], the score its legend shows). Its
        order gives the colours, so that a tracker keeps its own in every plot. NaN is
        not drawn, and ranks last.
      title: above the axes.
      xlabel: with its unit.
      ylabel: of the shares.
      mark: threshold the score is read at; drawn as a thin line.

    Returns:
      A PNG file's bytes; wider where many trackers need a legend beside the axes.
    """
    ranked = sorted(
        enumerate(curves.items()),
        key=lambda item: -np.nan_to_num(item[1][1][1], nan=-1),
    )
    names = {place: legend_label(n, number) for place, (n, (_, number)) in ranked}
    size = 9.0 if len(curves) <= 20 else 7.5
    longest = max(map(len, names.values()))
    is_beside = len(curves) > _FEW or (len(curves) > _FEW // 2 and longest > _LONG)
    # A character is about 0.57 of its size wide, a line of the legend 1.35 high.
    beside = longest * size * 0.57 / 72 + 0.75
    height = len(curves) * size * 1.35 / 72 + 0.9
    room = (beside, max(0.0, height - _HEIGHT)) if is_beside else (0.0, 0.0)
    figure, axes = _blank(title, xlabel, ylabel, room=room)
    if mark is not None:
        axes.axvline(mark, color="0.75", linewidth=1, zorder=1)
    lines = []
    for rank, (place, (_, (curve, _))) in enumerate(ranked):
        lines += axes.plot(
            thresholds,
            curve,
            **line_style(place),
            markevery=(2, max(1, len(thresholds) // 6)),
            linewidth=2 if len(curves) <= 12 else 1.6,
            zorder=3 + (1 - rank / len(ranked)),  # The better lie on top.
        )
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(0, 1.005)
    labels = [names[place] for place, _ in ranked]
    _legend(axes, lines, labels, size=size, is_beside=is_beside)
    return png_of(figure)


def alignment_plot(
    points: np.ndarray, *, color: str, title: str, num_bins: int = 10
) -> bytes:
    """Draws boxes by confidence and IoU, and the mean IoU of each span of confidence.

    Args:
      points: `[N, 2]` confidence and IoU, in [0, 1].
      color: of the tracker, `#rrggbb`.
      title: above the axes.
      num_bins: spans of equal width; one needs 5 points to have a mean drawn.

    Returns:
      A PNG file's bytes.
    """
    figure, axes = _blank(plain(title), "confidence of the box", "IoU of the box")
    confidence, iou = points[:, 0], points[:, 1]
    # Lighter where there are more, so that the cloud's body shows.
    alpha = float(np.clip(600 / max(1, len(points)), 0.08, 0.8))
    axes.scatter(confidence, iou, s=7, color=color, alpha=alpha, linewidths=0)
    spans = np.clip((confidence * num_bins).astype(int), 0, num_bins - 1)
    full = [k for k in range(num_bins) if np.sum(spans == k) >= 5]
    means = [np.mean(iou[spans == k]) for k in full]
    middles = (np.array(full) + 0.5) / num_bins
    line = {"color": "#1c2430", "linewidth": 1.6, "markersize": 4.5, "zorder": 4}
    lines = axes.plot(middles, means, marker="o", markerfacecolor="white", **line)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    label = "mean IoU at that confidence"
    axes.legend(lines, [label], loc="lower right", fontsize=9, framealpha=0.9)
    return png_of(figure)


def sweep_plot(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
) -> bytes:
    """Draws a score against a setting, one line a tracker, with its spread.

    Args:
      curves: tracker -> (values of the setting, scores). Its order gives the colours.
      title: above the axes.
      xlabel: of the setting.
      ylabel: of the score.

    Returns:
      A PNG file's bytes.
    """
    figure, axes = _blank(title, xlabel, ylabel)
    for place, (name, (values, scores)) in enumerate(curves.items()):
        spread = legend_label(name, max(scores) - min(scores))
        style = line_style(place) | {"marker": "o", "markersize": 4.5}
        axes.plot(values, scores, linewidth=2, label=spread, **style)
    # At least a tenth is in view, so that noise does not look like a cliff.
    low, high = axes.get_ylim()
    middle, half = (low + high) / 2, max(high - low, 0.1) / 2
    low = min(max(0.0, middle - half), 1 - 2 * half)
    axes.set_ylim(low, low + 2 * half)
    axes.legend(loc="best", fontsize=9, framealpha=0.9, title="[max - min]")
    return png_of(figure)


def png_of(figure: Figure) -> bytes:
    """The figure as a file's bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _legend(
    axes: Axes, lines: list, labels: list[str], *, size: float, is_beside: bool
) -> None:
    """A legend among few lines, or right of the axes."""
    options = {"fontsize": size, "framealpha": 0.9, "handlelength": 2.8, "loc": "best"}
    if is_beside:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03)}
        spacing = {"labelspacing": 0.35, "frameon": False, "borderaxespad": 0.4}
        options |= beside | spacing
    axes.legend(lines, labels, **options).set_zorder(5)


def _blank(
    title: str, xlabel: str, ylabel: str, *, room: tuple[float, float] = (0.0, 0.0)
) -> tuple[Figure, Axes]:
    """A figure with axes in the style of all plots, and more room to fill, inches."""
    size = (4.8 + room[0], _HEIGHT + room[1])
    figure = Figure(figsize=size, dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=12, loc="left", fontweight="bold")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color="0.9", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes
