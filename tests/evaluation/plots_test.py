"""Tests for jaxtrack.evaluation.plots."""

import cv2
import numpy as np
import pytest

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


def test_long_names_lose_their_middle():
    name = "siamcar_resnet50_trained_on_got10k_lasot_coco_last"
    assert plots.shortened(name, 11) == "siamc\N{HORIZONTAL ELLIPSIS}_last"
    assert plots.shortened(name, 12) == "siamca\N{HORIZONTAL ELLIPSIS}_last"
    assert plots.shortened("a" * 32) == "a" * 32
    assert len(plots.legend_label("a" * 60, 0.5)) == 32 + len(" [0.500]")


def test_many_trackers_repeat_colors_with_other_dashes():
    count = len(plots.PALETTE)
    assert plots.color_of(count) == plots.color_of(0)
    assert [plots.dashes_of(k * count) for k in range(5)] == [0, 1, 2, 3, 0]
    styles = [str(plots.line_style(place)) for place in range(168)]
    assert len(set(styles)) == 168
    # Markers come only where colours and dashes are used up.
    assert {plots.line_style(place)["marker"] for place in range(28)} == {""}
    drawn({str(i): (GRID * i / 30, i / 30) for i in range(30)})


def curves(count, name="tracker {}"):
    return {name.format(i): (1 - GRID ** (1 + i), i / 99) for i in range(count)}


def test_a_legend_that_finds_no_room_lies_beside_the_axes():
    widths = {n: drawn(curves(n)).shape[1] for n in (1, 6, 7)}
    assert widths[1] == widths[6] < widths[7]
    long = "a rather long name of tracker {}"
    assert (
        drawn(curves(3, long)).shape[1] == widths[6] < drawn(curves(4, long)).shape[1]
    )


def test_the_legend_is_ranked():
    # The best is the last given; the scores rise with the place.
    image = drawn(curves(7))
    legend = image[:, int(image.shape[1] * 0.72) :]
    rows = []
    for place in range(7):
        rgb = np.array(list(bytes.fromhex(plots.color_of(place)[1:])))
        close = np.all(abs(legend.astype(int) - rgb) < 12, axis=-1)
        # A whole line of colour, not a letter's edge.
        rows.append(np.mean(np.nonzero(close.sum(axis=1) > 20)[0]))
    assert np.all(np.diff(rows) < 0)


@pytest.mark.parametrize("count", [7, 20, 40])
def test_everything_lies_in_the_picture(count):
    name = "W" * 30 + "{}"  # As wide as letters are.
    image = drawn(curves(count, name))
    border = [image[:2], image[-2:], image[:, :2], image[:, -2:]]
    assert min(edge.min() for edge in border) > 250
    # Axes keep their size: a third of the width at least, half of the height.
    axes = np.all(image < 60, axis=-1)
    assert axes.sum(axis=1).max() > 0.3 * image.shape[1]
    assert axes.sum(axis=0).max() > 0.5 * image.shape[0]


def test_nan_is_not_drawn_and_ranks_last():
    nothing = {"a": (np.full(21, np.nan), float("nan")), "b": (1 - GRID, 0.5)}
    image = drawn(nothing)
    # The legend alone has the first colour.
    half = image[: image.shape[0] // 3, : image.shape[1] // 2]
    assert share_of(half, plots.color_of(0)) == 0
    assert share_of(half, plots.color_of(1)) > 0


# How cone vision without one kind of cone sees linear RGB (Machado et al. 2009,
# severity 1.0), by rows.
BLINDNESS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("kind", [None, *BLINDNESS])
def test_the_palette_is_told_apart_by_any_eye(kind):
    colors = np.array([list(bytes.fromhex(c[1:])) for c in plots.PALETTE]) / 255
    linear = np.where(
        colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    )
    if kind:
        linear = np.clip(linear @ np.array(BLINDNESS[kind]).T, 0, 1)
    seen = np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    lab = cv2.cvtColor(seen[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    # A difference of 2.3 in L*a*b* is just seen.
    assert np.min(gaps + np.eye(len(lab)) * 999) > 4 * 2.3


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
