"""Scores by attribute: a radar where it can be read, and bars otherwise."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxtrack.report.plots import style

# More lines than this are a tangle; fewer corners than this are no radar.
MOST_LINES = 6
FEWEST_CORNERS = 3
_SLANT = np.radians(40)
_CELL = 0.56  # Inches.
_DPI = 160


def draw(
    attributes: Sequence[str],
    trackers: Mapping[str, Sequence[float]],
    *,
    title: str,
) -> bytes:
    """Draws a radar where it can be read, and bars otherwise.

    Args:
      attributes: `[A]` names, with whatever belongs to them.
      trackers: name -> `[A]` scores in [0, 1]. Its order gives the colours.
      title: above the plot.

    Returns:
      A PNG file's bytes.
    """
    few = len(trackers) <= MOST_LINES and len(attributes) >= FEWEST_CORNERS
    return (radar if few else bars)(attributes, trackers, title=title)


@style.styled
def radar(
    attributes: Sequence[str],
    trackers: Mapping[str, Sequence[float]],
    *,
    title: str,
) -> bytes:
    """Draws one closed line a tracker, one spoke an attribute.

    All spokes have the same scale and begin at 0, so that lengths compare.

    Args:
      attributes: `[A]` names; three or more.
      trackers: name -> `[A]` scores in [0, 1]; the legend is sorted by their mean.
      title: above the plot.

    Returns:
      A PNG file's bytes.
    """
    scores = {name: np.asarray(values, float) for name, values in trackers.items()}
    means = {name: float(np.nanmean(values)) for name, values in scores.items()}
    labels = [style.label(name, mean) for name, mean in means.items()]
    # Inches: corners' names left and right of a round of 3.9, then the legend.
    legend_at = 1.5 + 3.9 + 1.6
    size = (legend_at + max(26, *map(len, labels)) * 0.085 + 0.6, 5.2)
    figure = Figure(figsize=size, dpi=_DPI, layout="none")
    box = (1.5 / size[0], 0.4 / size[1], 3.9 / size[0], 3.9 / size[1])
    axes = figure.add_axes(box, projection="polar")
    top = max((np.nanmax(v, initial=0.0) for v in scores.values()), default=0.0)
    angles = _round_axes(axes, attributes, top)
    lines = []
    for place, values in enumerate(scores.values()):
        line = style.line_of(place) | {"marker": "o", "markersize": 3}
        around, closed = (np.append(a, a[:1]) for a in (angles, values))
        lines += axes.plot(around, closed, linewidth=1.8, zorder=3, **line)
    title_at = (0.12 / size[0], 1 - 0.12 / size[1])
    figure.text(*title_at, title, va="top", fontsize=12, fontweight="bold")
    order = np.argsort([-mean for mean in means.values()], kind="stable")
    legend = figure.legend(
        [lines[i] for i in order],
        [labels[i] for i in order],
        loc="center left",
        bbox_to_anchor=(legend_at / size[0], 2.35 / size[1]),
        title="mean of the attributes",
        frameon=False,
        handlelength=2.8,
    )
    legend._legend_box.align = "left"
    return style.png_of(figure)


@style.styled
def bars(
    attributes: Sequence[str],
    trackers: Mapping[str, Sequence[float]],
    *,
    title: str,
) -> bytes:
    """Draws one row a tracker, best mean first, and one column of bars an attribute.

    Args:
      attributes: `[A]` names.
      trackers: name -> `[A]` scores in [0, 1]; NaN has no bar.
      title: above the plot.

    Returns:
      A PNG file's bytes, higher with more trackers and wider with more attributes.
    """
    scores = np.array([list(values) for values in trackers.values()], float)
    scores = scores.reshape(len(trackers), len(attributes))
    order = np.argsort(-np.nan_to_num(scores).mean(axis=1), kind="stable")
    names = [style.plain(style.shortened(name)) for name in trackers]
    heads = [style.plain(style.shortened(name, length=30)) for name in attributes]
    columns, rows = len(heads), len(names)
    # Inches: names on the left, slanting heads on top, which overhang on the right.
    left = max(map(len, names)) * 0.075 + 0.3
    slant = max(map(len, heads)) * 0.082
    top = slant * np.sin(_SLANT) + 0.55
    right = max(0.2, slant * np.cos(_SLANT) - 0.35)
    size = (left + _CELL * columns + right, top + 0.23 * rows + 0.1)
    figure = Figure(figsize=size, dpi=_DPI, layout="none")
    box = (left / size[0], 0.1 / size[1])
    axes = figure.add_axes((*box, _CELL * columns / size[0], 0.23 * rows / size[1]))
    axes.grid(visible=False)
    best = np.nanmax(np.nan_to_num(scores), axis=0)
    for row, place in enumerate(order):
        color = style.color_of(place)
        for column, value in enumerate(scores[place]):
            if np.isnan(value):
                continue
            axes.barh(row, 0.9 * value, 0.72, column, color=color)
            weight = "bold" if value == best[column] else "normal"
            _number(axes, column, row, value, _ink_on(color), weight)
    axes.set_xlim(-0.04, columns)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks(range(rows), [names[i] for i in order], fontsize=9)
    axes.set_xticks(np.arange(columns), heads, fontsize=9, ha="left")
    axes.tick_params(axis="x", rotation=np.degrees(_SLANT))
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)
    for column in range(columns):
        axes.axvline(column, color="0.8", linewidth=0.7, zorder=0)
    axes.spines[:].set_visible(False)
    title_at = (0.1 / size[0], 1 - 0.1 / size[1])
    figure.text(*title_at, title, va="top", fontsize=12, fontweight="bold")
    return style.png_of(figure)


def _round_axes(axes: Axes, attributes: Sequence[str], top: float) -> np.ndarray:
    """Writes the corners' names and the scale; returns the corners' angles."""
    angles = np.arange(len(attributes)) / len(attributes) * 2 * np.pi
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    top = min(1.0, max(0.2, np.ceil(top * 10 - 1e-9) / 10))
    axes.set_ylim(0, top)
    rings = np.arange(1, round(top * 10) + 1) / 10
    rings = rings[::-2][::-1] if len(rings) > 5 else rings
    axes.set_yticks(rings, [f"{ring:.1f}" for ring in rings], fontsize=7, color="0.4")
    axes.set_rlabel_position(180 / len(attributes))
    names = [style.plain("\n".join(textwrap.wrap(a, 17)[:3])) for a in attributes]
    axes.set_xticks(angles, names, fontsize=8.5)
    for label, side in zip(axes.get_xticklabels(), np.sin(angles), strict=True):
        is_level = abs(side) < 1e-6
        label.set_ha("center" if is_level else "left" if side > 0 else "right")
    axes.tick_params(axis="x", pad=1)
    axes.grid(color="0.87", linewidth=0.8)
    axes.spines["polar"].set_color("0.7")
    return angles


def _number(axes: Axes, column: int, row: int, value: float, ink: str, weight: str):
    """A bar's score, in it where it is long enough."""
    is_inside = value > 0.5
    axes.text(
        column + 0.9 * value + (-0.03 if is_inside else 0.03),
        row + 0.04,
        f"{value:.2f}"[1:] if value < 0.995 else "1",
        ha="right" if is_inside else "left",
        va="center",
        fontsize=7.5,
        color=ink if is_inside else "black",
        fontweight=weight,
    )


def _ink_on(color: str) -> str:
    """Black or white, whichever stands out from a colour."""
    red, green, blue = bytes.fromhex(color[1:])
    return "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 110 else "white"
