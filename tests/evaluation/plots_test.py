"""Tests for jaxtrack.evaluation.plots."""

import cv2
import numpy as np

from jaxtrack.evaluation import plots

GRID = np.linspace(0, 1, 21)


def drawn(curves):
    png = plots.curve_plot(GRID, curves, title="t", xlabel="x", ylabel="y", mark=0.2)
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)


def share_of(image, color):
    rgb = np.array(list(bytes.fromhex(color[1:])))
    return np.mean(np.all(abs(image.astype(int) - rgb) < 12, axis=-1))


def test_draws_each_curve_in_its_own_color():
    image = drawn({"a": (1 - GRID, 0.5), "b": (1 - GRID**2, 0.7)})
    for place in (0, 1):
        assert share_of(image, plots.color_of(place)) > 1e-3
    assert share_of(image, plots.color_of(2)) == 0


def test_colors_follow_the_order_given_not_the_rank():
    image = drawn({"low": (GRID * 0, 0.0), "high": (GRID * 0 + 0.8, 0.8)})
    # The upper half holds only the second tracker's line.
    upper = image[: image.shape[0] // 2]
    assert share_of(upper, plots.color_of(1)) > 1e-3


def test_label_survives_odd_names():
    assert plots.legend_label("KCF", 0.61234) == "KCF [0.612]"
    assert plots.legend_label("_a", 0.5) == " _a [0.500]"
    drawn({"_hidden $x_": (1 - GRID, 0.5)})


def test_many_trackers_repeat_colors_with_other_dashes():
    count = len(plots.PALETTE)
    assert plots.color_of(count) == plots.color_of(0)
    drawn({str(i): (GRID * i / 30, i / 30) for i in range(30)})


def test_the_palette_is_told_apart_in_grey_or_hue():
    colors = np.array([list(bytes.fromhex(c[1:])) for c in plots.PALETTE], float)
    gaps = np.linalg.norm(colors[:, None] - colors[None], axis=-1)
    assert np.min(gaps + np.eye(len(colors)) * 999) > 60
