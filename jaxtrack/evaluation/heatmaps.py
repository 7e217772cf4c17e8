"""Draws what a network thinks of every cell of its search region.

SiamLA (Nie et al.), Fig. 13, shows the location quality; here classification and the
confidence that combines the two stand beside it. All trackers look around the true box
of the frame before, so that they are compared on the same place.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import plots, probing
from jaxtrack.ops import boxes, grid

_MAPS = ("quality", "cls", "confidence")
_HEADS = ("search region", "location quality", "classification", "confidence")
_COLORS = "viridis"
_INK = "#1c2430"


class Lens(NamedTuple):
    """A tracker to look through.

    Attributes:
      name: of the tracker.
      color: of the tracker, `#rrggbb`.
      prober: its maps.
      geometry: of its network.
      context: share of the mean side that crops have around the box.
    """

    name: str
    color: str
    prober: probing.Prober
    geometry: grid.Geometry
    context: float


def draw(lenses: Sequence[Lens], video: Video, frames: Sequence[int]) -> bytes:
    """Draws frames of one sequence through each tracker, a row each.

    The first picture of a row is the search region, with the true box in white and that
    of the most confident cell in the tracker's colour; the others show the maps over
    it, on one scale from 0 to 1.

    Args:
      lenses: the trackers.
      video: the sequence.
      frames: indices; each usable (`probing.usable_frames`), none the first.

    Returns:
      A JPEG file's bytes.

    Raises:
      InputError: a frame cannot be read.
    """
    looks = [
        list(probing.teacher_forced(lens.prober, video, frames)) for lens in lenses
    ]
    num_rows = len(frames) * len(lenses)
    figure = Figure(figsize=(9.6, 2.13 * num_rows + 0.3), dpi=110, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    FigureCanvasAgg(figure)
    axes = figure.subplots(num_rows, len(_HEADS), squeeze=False)
    for head, one in zip(_HEADS, axes[0], strict=True):
        one.set_title(head, fontsize=10, loc="left", fontweight="bold", color=_INK)
    for row, ones in enumerate(axes):
        at, which = divmod(row, len(lenses))
        _draw_row(ones, lenses[which], looks[which][at])
    scale = ScalarMappable(cmap=_COLORS)
    scale.set_clim(0, 1)
    bar = figure.colorbar(scale, ax=axes[:, -1], shrink=0.8 / num_rows**0.5, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, color=_INK)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpeg", pil_kwargs={"quality": 88})
    return buffer.getvalue()


def search_region(
    geometry: grid.Geometry, context: float, last: np.ndarray
) -> tuple[np.ndarray, float]:
    """Where a tracker looks for a target that was at `last`.

    Args:
      geometry: of its network.
      context: share of the mean side that crops have around the box.
      last: `[4]` xyxy, px.

    Returns:
      `[4]` xyxy of the search crop, px, and crop pixels per pixel of the picture.
    """
    size = np.asarray(last[2:] - last[:2], np.float32)
    scale = geometry.template_size / max(
        float(boxes.context_side(size, context=context)), 1.0
    )
    center, half = (last[:2] + last[2:]) / 2, geometry.search_size / scale / 2
    return np.concatenate([center - half, center + half]), scale


def _draw_row(axes: Sequence[Axes], lens: Lens, look: probing.Look) -> None:
    """One frame through one tracker."""
    region, scale = search_region(lens.geometry, lens.context, look.last)
    # A map's picture reaches half a cell beyond the outermost points.
    ends = np.array([-0.5, look.cls.shape[0] - 0.5]) * lens.geometry.stride
    low, high = (ends + lens.geometry.offset) / scale
    x0, y0 = region[:2]
    extent = (x0 + low, x0 + high, y0 + high, y0 + low)
    axes[0].set_ylabel(f"frame {look.frame}\n{plots.plain(lens.name)}", fontsize=9)
    _show_picture(axes[0], look.image, region)
    best = np.argmax(np.nan_to_num(look.confidence, nan=-1.0))
    _draw_box(axes[0], look.truth, "#ffffff")
    _draw_box(axes[0], look.xyxy.reshape(-1, 4)[best], lens.color)
    for one, name in zip(axes[1:], _MAPS, strict=True):
        values = getattr(look, name)
        _show_picture(one, look.image.mean(axis=-1), region)
        style = {"cmap": _COLORS, "vmin": 0, "vmax": 1, "alpha": 0.72}
        one.imshow(values, extent=extent, interpolation="nearest", **style)
        _draw_box(one, look.truth, "#ffffff")
        frame = {"boxstyle": "square,pad=0.2", "fc": "#000000a0", "ec": "none"}
        text = f"max {np.max(values):.2f}"
        place = {"transform": one.transAxes, "va": "bottom", "fontsize": 8}
        one.text(0.02, 0.02, text, color="white", bbox=frame, **place)
        one.set_xlim(region[0], region[2])
        one.set_ylim(region[3], region[1])


def _show_picture(axes: Axes, image: np.ndarray, region: np.ndarray) -> None:
    """Shows the part of a picture in `region`, grey where it ends."""
    x0, y0, x1, y1 = region
    height, width = image.shape[:2]
    left, top = max(0, int(x0)), max(0, int(y0))
    right, bottom = min(width, int(x1) + 1), min(height, int(y1) + 1)
    part = image[top:bottom, left:right]
    if part.size:
        extent = (left, left + part.shape[1], top + part.shape[0], top)
        axes.imshow(part, extent=extent, cmap="gray", vmin=0, vmax=255)
    axes.set_xlim(x0, x1)
    axes.set_ylim(y1, y0)
    axes.set_facecolor("#c9ced4")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _draw_box(axes: Axes, xyxy: np.ndarray, color: str) -> None:
    """Draws a box `[4]` px with a dark rim."""
    corner, size = xyxy[:2], xyxy[2:] - xyxy[:2]
    for width, shade in ((3.2, "#000000"), (1.8, color)):
        axes.add_patch(
            Rectangle(corner, *size, fill=False, linewidth=width, edgecolor=shade)
        )
