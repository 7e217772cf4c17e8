"""Tests for jaxtrack.evaluation.plots."""

import cv2
import numpy as np

from jaxtrack.evaluation import plots

GRID = np.linspace(0, 1, 21)


def drawn(curves):
    png = plots.curve_plot(GRID, curves, title="t", xlabel="x", ylabel="y", mark=0.2)
    return decoded(png)


def decoded(png):
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


def test_alignment_plot_shows_points_and_their_mean():
    rng = np.random.default_rng(0)
    points = np.stack([rng.random(500), np.full(500, 0.9)], axis=1)
    options = {"color": plots.color_of(1), "title": "a $x$ [0.5]"}
    image = decoded(plots.alignment_plot(points, **options))
    dark = share_of(image, "#1c2430")
    # All points lie high: the lower half holds the legend's line alone.
    height = image.shape[0] // 2
    assert share_of(image[height:], "#1c2430") < dark / 4
    empty = decoded(plots.alignment_plot(np.empty((0, 2)), **options))
    assert share_of(empty, "#1c2430") < dark


def test_alignment_plot_draws_no_mean_of_a_few_points():
    few = np.tile([[0.5, 0.9]], (4, 1))
    some = np.tile([[0.5, 0.9]], (5, 1))
    options = {"color": plots.color_of(0), "title": "a"}
    less, more = (
        share_of(decoded(plots.alignment_plot(p, **options)), "#1c2430")
        for p in (few, some)
    )
    assert less < more


def test_sweep_plot_keeps_colours_and_shows_small_spreads_as_small():
    options = {"title": "t", "xlabel": "x", "ylabel": "y"}
    curves = {"a": ((0.0, 0.5), (0.601, 0.6)), "_b $": ((0.0, 0.5), (0.602, 0.603))}
    image = decoded(plots.sweep_plot(curves, **options))
    for place in (0, 1):
        assert share_of(image, plots.color_of(place)) > 1e-3
    # A difference of 0.001 is a hundredth of the range in view: the lines stay
    # together in the middle.
    rgb = np.array(list(bytes.fromhex(plots.color_of(0)[1:])))
    image = image[:, : int(image.shape[1] * 0.6)]
    rows = np.nonzero(np.all(abs(image.astype(int) - rgb) < 12, axis=-1))[0]
    assert np.ptp(np.percentile(rows, [5, 95])) < 0.3 * image.shape[0]
    single = {"a": ((0.3,), (1.0,))}
    assert decoded(plots.sweep_plot(single, **options)).shape[1] > 500
