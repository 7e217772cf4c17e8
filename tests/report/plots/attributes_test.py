"""Tests for jaxtrack.report.plots.attributes."""

import numpy as np
import pytest

from jaxtrack.report.plots import attributes
from tests.report.plots.pixels import border, decoded, near

ATTRIBUTES = ("Background Clutter (9)", "Fast Motion", "a_b $x$", "Out-of-View (120)")


def drawn(*scores, attributes_=ATTRIBUTES):
    names = ("_hidden $x_", "a & b", "a name that is much too long for a legend: 0123")
    given = dict(zip(names, scores, strict=False))
    return decoded(attributes.radar(attributes_, given, title="AUC"))


def test_each_tracker_is_drawn_as_wide_as_its_scores():
    image = drawn([0.4] * 4, [0.8] * 4, [0.6] * 4)
    border_ = border(image)
    # The legend stands on the right.
    image = image[:, : int(image.shape[1] * 0.55)]
    spans = [np.ptp(np.nonzero(near(image, place))[0]) for place in range(3)]
    # All spokes begin at 0; markers add a few pixels.
    assert spans[0] / spans[1] == pytest.approx(0.5, abs=0.03)
    assert spans[2] / spans[1] == pytest.approx(0.75, abs=0.03)
    assert not near(image, 3).any() and border_.min() > 250


def test_scores_that_are_missing_are_left_out():
    full, holes = (
        near(drawn(scores), 0).sum() for scores in ([0.6] * 4, [0.6, np.nan, 0.6, 0.6])
    )
    assert 0 < holes < full


def test_a_grid_has_a_plot_an_attribute_and_every_line_in_each():
    grid = np.linspace(0, 1, 21)
    curves = {"a": (1 - grid, 0.5), "_b $x$": (1 - grid**3, 0.75)}
    panels = {f"{name} (3)": curves for name in "VWXYZ"}
    figure = attributes.success_grid(grid, panels, title="On $x$ [AUC]", note="rules")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in shown] == list(panels)
    assert all(len(axes.lines) == 2 for axes in shown)
    # The scores stand by rank, the names once.
    texts = [t.get_text() for t in shown[0].get_legend().get_texts()]
    assert texts == ["0.750", "0.500"]
    (names,) = figure.legends
    assert [t.get_text() for t in names.get_texts()] == ["a", r" _b \$x\$"]
    image = decoded(figure)
    assert border(image).min() > 250 and near(image, 0).any() and near(image, 1).any()


def test_many_attributes_lie_in_the_picture():
    many = tuple(f"An attribute of some length {k} (100)" for k in range(16))
    assert border(drawn([0.97] * 16, attributes_=many)).min() > 250


def test_what_cannot_be_read_is_not_drawn():
    assert attributes.can_draw_radar(ATTRIBUTES, dict.fromkeys("abcdef"))
    assert not attributes.can_draw_radar(ATTRIBUTES, dict.fromkeys("abcdefg"))
    assert not attributes.can_draw_radar(ATTRIBUTES[:2], {"a": 1})
