"""Draw which cells are positive, for fixed and dynamic labels side by side.

A column a way to label (those that SiamDLA, section 2.2, tells of, and its own), a row
a box. The cells are those of the published trackers.

Example:
  python -m experiments.figures.label_maps --out=docs/labels.png
"""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jax import lax
from matplotlib import colors, patches
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxtrack import cli
from jaxtrack.assign import anchors as anchor_labels
from jaxtrack.assign import dynamic, regions
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.report.plots.style import png_of

GEOMETRY = grid.Geometry(127, 255, 25, 8, 31.5)  # SiamRPN++'s, as released.
# What is looked for in the search crop, xyxy, pixels.
BOXES = {
    "square": (95.5, 95.5, 159.5, 159.5),
    "wide": (57.5, 105.5, 197.5, 149.5),
    "tall": (105.5, 57.5, 149.5, 197.5),
    "small": (112.5, 114.5, 136.5, 138.5),
    "large, at the border": (135.5, 70.5, 295.5, 210.5),
}

# Okabe and Ito's blue and orange; apart in lightness too, for any color vision.
_POSITIVE = "#0072b2"
_NEGATIVE = "#eeb144"
_IGNORE = "#e6e6e6"
_BOX = "#000000"
_PALEST = 0.55  # Share of its color that one anchor of many gives a cell.
_KEY = 0  # Of the draw of DLA's negatives.


class Column(NamedTuple):
    """One way to label.

    Attributes:
      title: what it is called.
      labels: box -> labels, `[H, W]` or `[H, W, A]`.
    """

    title: str
    labels: Mapping[str, np.ndarray]


def make_columns() -> list[Column]:
    """Labels all boxes in all ways.

    Returns:
      The columns, from left to right.
    """
    points = grid.points(GEOMETRY)
    anchors = anchor_boxes.tile(points, anchor_boxes.anchor_sizes())
    squares, key = dynamic.virtual_anchors(points), jax.random.key(_KEY)
    ways = {
        "circle\n(SiamFC)": partial(regions.circle, points),
        "rectangle\n(SiamCAR)": partial(regions.center_region, points),
        "ellipse\n(SiamBAN)": partial(regions.ellipse, points),
        "IoU, 5 anchors\n(SiamRPN++)": partial(anchor_labels.iou_labels, anchors),
        "dynamic, 64 px squares\n(DLA-SiamCAR)": partial(
            dynamic.dynamic_labels, key, squares
        ),
        "dynamic, 5 anchors\n(DLA-SiamRPN++)": partial(
            dynamic.dynamic_labels, key, anchors
        ),
    }
    boxes = np.float32(list(BOXES.values()))
    maps = {title: lax.map(label, boxes) for title, label in ways.items()}
    return [
        Column(title, dict(zip(BOXES, np.asarray(labels), strict=True)))
        for title, labels in maps.items()
    ]


def cell_colors(labels: np.ndarray) -> np.ndarray:
    """Paints cells: positive before negative before ignored, darker by anchors.

    Args:
      labels: `[H, W]`, or `[H, W, A]`: of A anchors, the more are positive (or, where
        none is, negative), the fuller the color.

    Returns:
      `[H, W, 3]` RGB in [0, 1].
    """
    labels = labels.reshape(*labels.shape[:2], -1)
    ignored, painted = np.array(colors.to_rgb(_IGNORE)), None
    for value, name in ((regions.NEGATIVE, _NEGATIVE), (regions.POSITIVE, _POSITIVE)):
        share = np.mean(labels == value, axis=-1)[..., None]
        one = 1 / labels.shape[-1]
        # Full if all anchors are of the kind, the palest if one is.
        depth = 1 if one == 1 else _PALEST + (1 - _PALEST) * (share - one) / (1 - one)
        mixed = depth * np.array(colors.to_rgb(name)) + (1 - depth) * ignored
        below = np.broadcast_to(ignored, mixed.shape) if painted is None else painted
        painted = np.where(share > 0, mixed, below)
    return painted


def label_plot(columns: list[Column]) -> bytes:
    """Draws the labels, a panel a box and a way to label.

    Args:
      columns: as `make_columns` returns them.

    Returns:
      A PNG file's bytes.
    """
    num_rows = len(BOXES)
    size = (1.62 * len(columns) + 0.3, 1.78 * num_rows + 0.9)
    figure = Figure(figsize=size, dpi=125, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(num_rows, len(columns), squeeze=False)
    for row, (name, xyxy) in zip(panels, BOXES.items(), strict=True):
        for axes, column in zip(row, columns, strict=True):
            _panel(axes, column.labels[name], xyxy)
        row[0].set_ylabel(name, fontsize=9)
    for axes, column in zip(panels[0], columns, strict=True):
        axes.set_title(column.title, fontsize=8.5)
    handles = [
        patches.Patch(color=_POSITIVE, label="positive (fuller: more anchors)"),
        patches.Patch(color=_NEGATIVE, label="negative (fuller: more anchors)"),
        patches.Patch(color=_IGNORE, label="ignored"),
        patches.Patch(facecolor="none", edgecolor=_BOX, label="target"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    return png_of(figure)


def write(out: str) -> None:
    """Labels and draws.

    Args:
      out: file of the picture.

    Raises:
      InputError: it is not named as a PNG, or cannot be written.
    """
    if not out.endswith(".png"):
        raise InputError(f"--out={out}: the picture is a PNG, so name it .png")
    atomic.write_bytes(out, label_plot(make_columns()))


def _panel(axes: Axes, labels: np.ndarray, xyxy: tuple) -> None:
    """Draws one map with a margin of a cell, the box and the counts."""
    count, step = GEOMETRY.response_size, GEOMETRY.stride
    edges = GEOMETRY.offset - step / 2 + step * np.arange(count + 1)
    lines = {"edgecolors": "white", "linewidth": 0.2}
    axes.pcolormesh(edges, edges, cell_colors(labels), **lines)
    x, y, right, bottom = xyxy
    outline = {"fill": False, "edgecolor": _BOX, "linewidth": 1.1}
    axes.add_patch(patches.Rectangle((x, y), right - x, bottom - y, **outline))
    low, high = edges[0] - step, edges[-1] + step
    axes.set(xlim=(low, high), ylim=(high, low))
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_color("0.75")
    positives = int(np.sum(labels == regions.POSITIVE))
    negatives = int(np.sum(labels == regions.NEGATIVE))
    axes.set_xlabel(f"{positives} positive, {negatives} negative", fontsize=7.5)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    parser.add_argument(
        "--out",
        metavar="FILE",
        default="runs/labels.png",
        help="the picture (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Draws."""
    write(args.out)
    print(f"written: {args.out}")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="label_maps")
