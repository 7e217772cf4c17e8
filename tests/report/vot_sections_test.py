"""Tests for jaxtrack.report.vot_sections."""

import types

import numpy as np
from matplotlib.figure import Figure

from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.metrics import vot
from jaxtrack.report import vot_sections


def report(eao, accuracy, robustness, failures, tags=()):
    one = vot.SequenceScore(accuracy, (2, 3), np.zeros(4))
    tag = vot.TagScore(eao, accuracy, robustness, failures, 9)
    return vot.VotReport(
        eao=eao,
        eao_curve=np.linspace(1, 0.2, 400),
        accuracy=accuracy,
        robustness=robustness,
        failures=failures,
        edition="vot2018",
        interval=vot.INTERVALS["vot2018"],
        num_frames=150,
        tags=dict.fromkeys(tags, tag),
        sequences={"ants1": one},
    )


def evaluation(**reports):
    """Trackers on VOT; no more is needed of the benchmark here."""
    benchmark = types.SimpleNamespace(name="vot2018", videos=[None])
    return Evaluation(benchmark=benchmark, primary="vot2018", restarts=reports)


def empty(found):
    """No drawing."""
    return Figure(figsize=(1, 1))


def test_sections(monkeypatch):
    def tagged(*numbers):
        return report(*numbers, tags=("occlusion", "empty"))

    monkeypatch.setattr(vot_sections.vot_plots, "eao_ranking_plot", empty)
    found = evaluation(a=tagged(0.3, 0.6, 20, 30), b=tagged(0.4, np.nan, 9, 4))
    ranking, tags, sequences = vot_sections.restarts(found)
    assert (ranking.key, tags.key, sequences.key) == ("vot", "tags", "sequences")
    table = ranking.tables[0]
    assert [(row.place, row.name) for row in table.rows] == [(1, "b"), (0, "a")]
    assert [c.better for c in table.columns] == ["high", "high", "low", "low"]
    assert [p.path for p in ranking.pictures] == ["vot_0.png", "vot_1.png", "vot_2.png"]
    assert ranking.pictures[2].caption == "Accuracy and robustness"
    accuracy, failures = sequences.tables
    assert accuracy.rows[0].values[0] == 0.6
    # A mean over repetitions of two and three failures.
    assert failures.rows[0].values == [2.5, 2.5] and failures.rows[0].name == "ants1"
    # A table a number.
    captions = [f"{what} by tag." for what in ("EAO", "Accuracy", "Failures")]
    assert [table.caption for table in tags.tables] == captions
    assert [c.head for c in tags.tables[0].columns] == ["occlusion", "empty"]
    assert tags.tables[2].rows[0].values == [30, 30]
    untagged = evaluation(a=report(0.3, 0.6, 20, 30))
    monkeypatch.setattr(vot_sections.vot_plots, "eao_curve_plot", empty)
    monkeypatch.setattr(vot_sections.vot_plots, "ar_plot", empty)
    assert [s.key for s in vot_sections.restarts(untagged)] == ["vot", "sequences"]
