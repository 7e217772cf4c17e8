"""Tests for jaxtrack.report.plots.style."""

import cv2
import matplotlib
import numpy as np
import pytest

from jaxtrack.report.plots import style


def test_label_survives_odd_names():
    assert style.label("KCF", 0.61234) == "KCF [0.612]"
    assert style.label("_a", 0.5) == " _a [0.500]"


def test_long_names_lose_their_middle():
    name = "siamcar_resnet50_trained_on_got10k_lasot_coco_last"
    assert style.shortened(name, length=11) == "siamc\N{HORIZONTAL ELLIPSIS}_last"
    assert style.shortened(name, length=12) == "siamca\N{HORIZONTAL ELLIPSIS}_last"
    assert style.shortened("a" * 32) == "a" * 32
    assert len(style.label("a" * 60, 0.5)) == 32 + len(" [0.500]")


def test_lines_are_told_apart_without_color_from_the_first_on():
    looks = [style.line_of(place) for place in range(210)]
    # Printed in black: dashes, then markers.
    black = [str((look["linestyle"], look["marker"])) for look in looks[:30]]
    assert len(set(black)) == 30
    assert {look["marker"] for look in looks[:5]} == {""}
    assert len({look["color"] for look in looks[:7]}) == 7
    assert len(set(map(str, looks))) == 210
    assert [style.dashes_of(place) for place in range(6)] == [0, 1, 2, 3, 4, 0]


def plotted(y):
    """The legend of three lines in a plot."""
    _, axes = style.axes_of("t", "x", "y")
    lines = [axes.plot([0, 1], [a, b])[0] for a, b in y]
    axes.set(xlim=(0, 1), ylim=(0, 1))
    style.legend(axes, lines, [f"tracker {k} [0.500]" for k in range(len(lines))])
    return axes


def test_a_legend_lies_in_the_axes_only_where_it_hides_nothing():
    inside = plotted([(1, 0.6), (1, 0.65), (1, 0.7)]).get_legend()
    beside = plotted([(k / 5, k / 5) for k in range(6)]).get_legend()
    crossed = plotted([(1, 0), (0, 1), (0.2, 0.2), (0.8, 0.8), (0.5, 0.5)]).get_legend()
    for legend, is_inside in ((inside, True), (beside, False), (crossed, False)):
        legend.figure.draw_without_rendering()
        right = legend.axes.get_window_extent().x1
        assert (legend.get_window_extent().x1 <= right) == is_inside


def test_files_for_papers_are_alike_and_hold_fonts():
    figure, _ = style.axes_of("a $b$", "x", "y", note="by whose rules")
    pdf, svg = (style.file_of(figure, kind) for kind in style.VECTOR)
    assert pdf.startswith(b"%PDF") and b"/Type3" not in pdf and b"Date" not in pdf
    assert svg.lstrip().startswith(b"<?xml") and b"</svg>" in svg
    assert style.file_of(figure, "svg") == svg


def test_figures_look_alike_whatever_matplotlib_is_set_to():
    @style.styled
    def draw():
        """Draws an empty plot."""
        return style.png_of(style.axes_of("t", "x", "y")[0])

    plain = draw()
    with matplotlib.rc_context({"axes.facecolor": "red", "figure.dpi": 20}):
        assert draw() == plain
        assert matplotlib.rcParams["figure.dpi"] == 20


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
    colors = np.array([list(bytes.fromhex(c[1:])) for c in style.PALETTE]) / 255
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
