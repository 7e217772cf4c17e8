"""Tests for jaxtrack.evaluation.curves."""

import dataclasses

import numpy as np
import pytest

from jaxtrack.evaluation import curves, plots
from jaxtrack.metrics.protocols import PROTOCOLS


@pytest.fixture
def drawn(monkeypatch):
    """What was asked to be drawn, by title."""
    calls = {}

    def curve_plot(thresholds, given, *, title, **options):
        calls[title] = options | {"thresholds": thresholds, "curves": given}
        return title.encode()

    monkeypatch.setattr(plots, "curve_plot", curve_plot)
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


def test_areas_are_not_read_at_a_threshold(scores, drawn):
    given = ruled(scores, "trackingnet")
    rules = PROTOCOLS["trackingnet"]
    assert (rules.precision_is, rules.at_least) == ("area", True)
    curves.draw(given, primary="trackingnet")
    assert drawn["Precision [AUC]"]["mark"] is None
    assert drawn["Norm. precision [AUC]"]["mark"] is None
    assert "≥" in drawn["Success [AUC]"]["ylabel"]


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_every_protocol_has_words(scores, drawn, protocol):
    assert len(curves.draw(ruled(scores, protocol), primary=protocol)) == 3
    marks = [call.get("mark") for call in drawn.values()]
    rules = PROTOCOLS[protocol]
    expected = (rules.precision_is == "at") + (rules.norm_precision_is == "at")
    assert sum(mark is not None for mark in marks) == expected


def test_plots_are_pictures(scores):
    for png in curves.draw(scores).values():
        assert png.startswith(b"\x89PNG")
