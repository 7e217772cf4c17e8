"""Scores by attribute, as a radar."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxtrack.report.plots import style

# More lines than this are a tangle; fewer corners than this are no radar.
_MOST_LINES = 6
_FEWEST_CORNERS = 3


def can_draw(attributes: Sequence[str], trackers: Mapping[str, object]) -> bool:
    """Whether a radar of so many attributes and trackers can be read."""
    return len(trackers) <= _MOST_LINES and len(attributes) >= _FEWEST_CORNERS


@style.styled
def radar(
    attributes: Sequence[str], trackers: Mapping[str, Sequence[float]], *, title: str
) -> bytes:
    """Draws one closed line a tracker, one spoke an attribute.

    All spokes have the same scale and begin at 0, so that lengths compare.

    Args:
      attributes: `[A]` names, with whatever belongs to them; three or more.
      trackers: name -> `[A]` scores in [0, 1]. Its order gives the colours; the legend
        is sorted by their mean.
      title: above the plot.

    Returns:
      A PNG file's bytes.
    """
    scores = {name: np.asarray(values, float) for name, values in trackers.items()}
    means = {name: float(np.nanmean(values)) for name, values in scores.items()}
    axes = Figure(figsize=(5.1, 5.1)).add_subplot(projection="polar")
    axes.set_title(title, pad=34, x=-0.2)
    angles = _round_axes(axes, attributes, max(map(np.nanmax, scores.values())))
    lines = {}
    for place, (name, values) in enumerate(scores.items()):
        line = style.line_of(place) | {"marker": "o", "markersize": 3}
        around, closed = (np.append(a, a[:1]) for a in (angles, values))
        (lines[name],) = axes.plot(around, closed, linewidth=1.8, zorder=3, **line)
    ranked = sorted(means, key=lambda name: -np.nan_to_num(means[name], nan=-1))
    axes.legend(
        [lines[name] for name in ranked],
        [style.label(name, means[name]) for name in ranked],
        loc="center left",
        bbox_to_anchor=(1.35, 0.5),
        title="mean of the attributes",
        alignment="left",
        frameon=False,
        handlelength=2.8,
    )
    return style.png_of(axes.figure)


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
