"""Plots of the report as PNG."""

import io
from collections.abc import Mapping, Sequence

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
_DASHES = ("-", "--", "-.", ":")


def color_of(index: int) -> str:
    """Colour of the tracker at that place, `#rrggbb`; repeats after the palette."""
    return PALETTE[index % len(PALETTE)]


def plain(text: str) -> str:
    """A text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def legend_label(name: str, number: float) -> str:
    """`name [0.612]`, safe from matplotlib's mathematics and hidden-label rule."""
    return f"{' ' if name.startswith('_') else ''}{plain(name)} [{number:.3f}]"


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
        order gives the colours, so that a tracker keeps its own in every plot.
      title: above the axes.
      xlabel: with its unit.
      ylabel: of the shares.
      mark: threshold the score is read at; drawn as a thin line.

    Returns:
      A PNG file's bytes.
    """
    figure, axes = _blank(title, xlabel, ylabel)
    places = {name: place for place, name in enumerate(curves)}
    if mark is not None:
        axes.axvline(mark, color="0.75", linewidth=1, zorder=1)
    ranked = sorted(curves.items(), key=lambda item: -item[1][1])
    lines = []
    for name, (curve, _) in ranked:
        place = places[name]
        lines += axes.plot(
            thresholds,
            curve,
            color=color_of(place),
            linestyle=_DASHES[place // len(PALETTE) % len(_DASHES)],
            linewidth=2,
            zorder=3,
        )
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(0, 1.005)
    legend = axes.legend(
        lines,
        [legend_label(name, number) for name, (_, number) in ranked],
        loc="best",
        fontsize=9 if len(curves) <= 10 else 6,
        framealpha=0.9,
    )
    legend.set_zorder(4)
    return _png(figure)


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
    return _png(figure)


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
        dashes = _DASHES[place // len(PALETTE) % len(_DASHES)]
        spread = legend_label(name, max(scores) - min(scores))
        style = {"linewidth": 2, "marker": "o", "markersize": 4.5, "label": spread}
        axes.plot(values, scores, color=color_of(place), linestyle=dashes, **style)
    # At least a tenth is in view, so that noise does not look like a cliff.
    low, high = axes.get_ylim()
    middle, half = (low + high) / 2, max(high - low, 0.1) / 2
    low = min(max(0.0, middle - half), 1 - 2 * half)
    axes.set_ylim(low, low + 2 * half)
    axes.legend(loc="best", fontsize=9, framealpha=0.9, title="[max - min]")
    return _png(figure)


def _blank(title: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    """A figure with axes in the style of all plots."""
    figure = Figure(figsize=(4.8, 3.9), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=12, loc="left", fontweight="bold")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color="0.9", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes


def _png(figure: Figure) -> bytes:
    """The file's bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
