"""Tests for jaxtrack.report.plots.curves."""

import dataclasses

import numpy as np
import pytest

from jaxtrack.metrics.protocols import PROTOCOLS
from jaxtrack.report.plots import curves
from tests.report.plots.pixels import border, decoded, near

GRID = np.linspace(0, 1, 21)


def draw(given):
    png = curves.curve_plot(GRID, given, title="t", xlabel="x", ylabel="y", mark=0.2)
    return decoded(png)


def test_each_curve_has_its_own_color_by_the_order_given():
    image = draw({"low": (GRID * 0, 0.0), "high": (GRID * 0 + 0.8, 0.8)})
    assert [near(image, place).any() for place in range(3)] == [True, True, False]
    # The upper half holds only the second tracker's line.
    upper = image[: image.shape[0] // 2]
    assert near(upper, 1).mean() > 1e-3


def many(count, name="tracker {}"):
    return {name.format(i): (1 - GRID ** (1 + i), i / 99) for i in range(count)}


def test_a_legend_that_finds_no_room_lies_beside_the_axes():
    few, many_ = (draw(many(n)).shape[1] for n in (4, 7))
    assert few < many_
    # Three have room, but not with names that would hide the curves.
    assert few < draw(many(3, "a rather long name of tracker {}")).shape[1]


def test_the_legend_is_ranked():
    # The best is the last given; the scores rise with the place.
    image = draw(many(7))
    legend = image[:, int(image.shape[1] * 0.72) : int(image.shape[1] * 0.82)]
    rows = []
    for place in range(7):
        # A line of color, also a dotted one, not a letter's edge.
        rows.append(np.mean(np.nonzero(near(legend, place).sum(axis=1) > 18)[0]))
    assert np.all(np.diff(rows) < 0)


def test_everything_lies_in_the_picture():
    name = "W" * 30 + "{}"  # As wide as letters are.
    image = draw(many(40, name))
    assert border(image).min() > 250
    # Axes keep their size: a third of the width at least, half of the height.
    axes = np.all(image < 60, axis=-1)
    assert axes.sum(axis=1).max() > 0.3 * image.shape[1]
    assert axes.sum(axis=0).max() > 0.5 * image.shape[0]


def test_nan_is_not_drawn_and_ranks_last():
    nothing = {"a": (np.full(21, np.nan), float("nan")), "b": (1 - GRID, 0.5)}
    image = draw(nothing)
    # The legend alone has the first color.
    half = image[: image.shape[0] // 3, : image.shape[1] // 2]
    assert not near(half, 0).any() and near(half, 1).any()


@pytest.fixture
def drawn(monkeypatch):
    """What was asked to be drawn, by title."""
    calls = {}

    def curve_plot(thresholds, given, *, title, **options):
        calls[title] = options | {"thresholds": thresholds, "curves": given}
        return title.encode()

    monkeypatch.setattr(curves, "curve_plot", curve_plot)
    return calls


def ruled(scores, protocol):
    """The scores as if by other rules; only the words and grids change."""
    rules = PROTOCOLS[protocol]
    of = {s.name: dataclasses.replace(s.reports["otb"], protocol=rules) for s in scores}
    return [dataclasses.replace(s, reports={protocol: of[s.name]}) for s in scores]


def test_otb(scores, drawn):
    assert curves.draw(scores) == {
        "success": b"Success [AUC]",
        "precision": b"Precision [at 20 px]",
        "norm_precision": b"Norm. precision [at 0.2]",
    }
    success = drawn["Success [AUC]"]
    of = scores[0].reports["otb"]
    assert list(success["curves"]) == [s.name for s in scores]
    np.testing.assert_array_equal(success["curves"]["good"][0], of.success_curve)
    assert success["curves"]["good"][1] == of.auc
    assert "IoU >" in success["ylabel"] and success.get("mark") is None
    precision = drawn["Precision [at 20 px]"]
    assert precision["curves"]["good"][1] == of.precision
    assert precision["mark"] == 20.0
    norm = drawn["Norm. precision [at 0.2]"]
    assert norm["curves"]["good"][1] == of.norm_precision
    assert norm["mark"] == 0.2
    assert norm["thresholds"] == of.protocol.norm_thresholds


def test_every_protocol_has_words(scores, drawn):
    for protocol, rules in PROTOCOLS.items():
        drawn.clear()
        assert len(curves.draw(ruled(scores, protocol), primary=protocol)) == 3
        sign = "≥" if rules.at_least else ">"
        assert f"IoU {sign} threshold" in drawn["Success [AUC]"]["ylabel"]
        assert ("Precision [AUC]" in drawn) == (rules.precision_is == "area")
        marks = [call.get("mark") for call in drawn.values()]
        expected = (rules.precision_is == "at") + (rules.norm_precision_is == "at")
        assert sum(mark is not None for mark in marks) == expected
