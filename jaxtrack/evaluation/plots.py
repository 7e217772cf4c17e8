"""Success and precision plots as PNG."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
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


def legend_label(name: str, number: float) -> str:
    """`name [0.612]`, safe from matplotlib's mathematics and hidden-label rule."""
    name = name.replace("$", r"\$")
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
        order gives the colours, so that a tracker keeps its own in every plot.
      title: above the axes.
      xlabel: with its unit.
      ylabel: of the shares.
      mark: threshold the score is read at; drawn as a thin line.

    Returns:
      A PNG file's bytes.
    """
    figure = Figure(figsize=(4.8, 3.9), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
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
    axes.set_title(title, fontsize=12, loc="left", fontweight="bold")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color="0.9", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    legend = axes.legend(
        lines,
        [legend_label(name, number) for name, (_, number) in ranked],
        loc="best",
        fontsize=9 if len(curves) <= 10 else 6,
        framealpha=0.9,
    )
    legend.set_zorder(4)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
