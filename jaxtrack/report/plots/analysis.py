"""Figures of the analyses: alignment, window sweep and heat maps."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from jaxtrack.evaluation.analysis.outcome import View
from jaxtrack.report.plots import style

_HEADS = ("search region", "location quality", "classification", "confidence")
_COLORS = "viridis"


@style.styled
def alignment_plot(points: np.ndarray, *, color: str, title: str) -> Figure:
    """Draws boxes by confidence and IoU, and the mean IoU per bin of confidence.

    Args:
      points: `[N, 2]` confidence and IoU, in [0, 1].
      color: of the tracker, `#rrggbb`.
      title: above the axes.

    Returns:
      The figure.
    """
    xlabel, ylabel = "confidence of the box", "IoU of the box"
    figure, axes = style.axes_of(title, xlabel, ylabel)
    confidence, iou = points[:, 0], points[:, 1]
    # More points are drawn lighter, so that their density is visible.
    alpha = float(np.clip(600 / max(1, len(points)), 0.08, 0.8))
    axes.scatter(confidence, iou, s=7, color=color, alpha=alpha, linewidths=0)
    # Ten bins of confidence; a mean needs 5 points.
    spans = np.clip((confidence * 10).astype(int), 0, 9)
    full = [k for k in range(10) if np.sum(spans == k) >= 5]
    means = [np.mean(iou[spans == k]) for k in full]
    middles = (np.array(full) + 0.5) / 10
    line = {"color": style.INK, "linewidth": 1.6, "markersize": 4.5, "zorder": 4}
    lines = axes.plot(middles, means, marker="o", markerfacecolor="white", **line)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    below = {"loc": "upper right", "bbox_to_anchor": (1.0, -0.13), "frameon": False}
    axes.legend(lines, ["mean IoU at that confidence"], **below)
    return figure


@style.styled
def sweep_plot(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draws AUC against the weight of the window, one line per tracker.

    Args:
      curves: tracker -> (weights, AUCs). Its order gives the colors.

    Returns:
      The figure.
    """
    figure, axes = style.axes_of(
        "AUC against the window", "weight of the window", "AUC"
    )
    lines, labels = [], []
    for place, (name, (values, scores)) in enumerate(curves.items()):
        labels.append(style.label(name, max(scores) - min(scores)))
        line = style.line_of(place) | {"marker": "o", "markersize": 4.5}
        lines += axes.plot(values, scores, **line)
    # The axis spans at least a tenth, so that noise does not look large.
    low, high = axes.get_ylim()
    middle, half = (low + high) / 2, max(high - low, 0.1) / 2
    low = min(max(0.0, middle - half), 1 - 2 * half)
    axes.set_ylim(low, low + 2 * half)
    style.legend(axes, lines, labels, title="[max - min]")
    return figure


@style.styled
def heatmaps(views: Mapping[str, Sequence[View]]) -> bytes:
    """Draws the maps of each tracker on frames of one sequence, one row per frame.

    The first picture of a row is the search region, with the ground truth in white and
    the box of the most confident cell in the tracker's color; the others overlay the
    maps, on one scale from 0 to 1.

    Args:
      views: tracker -> its maps on each frame; the same frames for all. Its order
        gives the colors.

    Returns:
      A JPEG file's bytes.
    """
    rows = [
        (place, name, view)
        for frame in zip(*views.values(), strict=True)
        for place, (name, view) in enumerate(zip(views, frame, strict=True))
    ]
    size = (9.6, 2.13 * len(rows) + 0.3)
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    axes = figure.subplots(len(rows), len(_HEADS), squeeze=False)
    for head, one in zip(_HEADS, axes[0], strict=True):
        one.set_title(head, fontsize=10, color=style.INK)
    for ones, (place, name, view) in zip(axes, rows, strict=True):
        label = f"frame {view.maps.frame}\n{style.plain(name)}"
        ones[0].set_ylabel(label, fontsize=9)
        _draw_row(ones, view, style.color_of(place))
    scale = ScalarMappable(cmap=_COLORS)
    scale.set_clim(0, 1)
    bar = figure.colorbar(
        scale, ax=axes[:, -1], shrink=0.8 / len(rows) ** 0.5, pad=0.03
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, color=style.INK)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpeg", pil_kwargs={"quality": 88})
    return buffer.getvalue()


def _draw_row(axes: Sequence[Axes], view: View, color: str) -> None:
    """Draws the maps of one tracker on one frame."""
    maps, (x0, y0, x1, y1) = view.maps, view.extent
    best = np.argmax(np.nan_to_num(maps.confidence, nan=-1.0))
    _show_picture(axes[0], view, maps.image)
    _draw_box(axes[0], maps.truth, "#ffffff")
    _draw_box(axes[0], maps.xyxy.reshape(-1, 4)[best], color)
    shown = maps.quality, maps.cls, maps.confidence
    for one, values in zip(axes[1:], shown, strict=True):
        _show_picture(one, view, maps.image.mean(axis=-1))
        shades = {"cmap": _COLORS, "vmin": 0, "vmax": 1, "alpha": 0.72}
        one.imshow(values, extent=(x0, x1, y1, y0), interpolation="nearest", **shades)
        _draw_box(one, maps.truth, "#ffffff")
        frame = {"boxstyle": "square,pad=0.2", "fc": "#000000a0", "ec": "none"}
        text = f"max {np.max(values):.2f}"
        place = {"transform": one.transAxes, "va": "bottom", "fontsize": 8}
        one.text(0.02, 0.02, text, color="white", bbox=frame, **place)
        _bound(one, view.region)


def _show_picture(axes: Axes, view: View, image: np.ndarray) -> None:
    """Shows the frame inside the search region, gray beyond its border."""
    if image.size:
        left, top = np.maximum(view.region[:2], 0).astype(int)
        height, width = image.shape[:2]
        extent = (left, left + width, top + height, top)
        axes.imshow(image, extent=extent, cmap="gray", vmin=0, vmax=255)
    _bound(axes, view.region)
    axes.set_facecolor("#c9ced4")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _bound(axes: Axes, region: np.ndarray) -> None:
    """Limits the axes to the search region."""
    axes.set_xlim(region[0], region[2])
    axes.set_ylim(region[3], region[1])


def _draw_box(axes: Axes, xyxy: np.ndarray, color: str) -> None:
    """Draws a box `[4]` px with a dark outline."""
    corner, size = xyxy[:2], xyxy[2:] - xyxy[:2]
    for width, shade in ((3.2, "#000000"), (1.8, color)):
        axes.add_patch(
            Rectangle(corner, *size, fill=False, linewidth=width, edgecolor=shade)
        )
