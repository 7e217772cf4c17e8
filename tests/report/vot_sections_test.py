"""Tests for jaxtrack.report.vot_sections."""

import types

import numpy as np

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


def test_ranking():
    found = evaluation(a=report(0.3, 0.6, 20, 30), b=report(0.4, np.nan, 9, 4))
    ranking, sequences = vot_sections.restarts(found)
    table = ranking.tables[0]
    assert [(row.place, row.name) for row in table.rows] == [(1, "b"), (0, "a")]
    assert [c.better for c in table.columns] == ["high", "high", "low", "low"]
    assert [p.path for p in ranking.pictures] == ["vot_0.png", "vot_1.png", "vot_2.png"]
    assert ranking.pictures[2].caption == "Accuracy and robustness"
    assert (ranking.key, sequences.key) == ("vot", "sequences")
    accuracy, failures = sequences.tables
    assert accuracy.rows[0].values[0] == 0.6
    # A mean over repetitions of two and three failures.
    assert failures.rows[0].values == [2.5, 2.5] and failures.rows[0].name == "ants1"


def test_tags_have_a_table_a_number():
    found = evaluation(a=report(0.3, 0.6, 20, 30, tags=("occlusion", "empty")))
    tags = vot_sections.restarts(found)[1]
    assert [table.caption for table in tags.tables] == [
        "EAO by tag.",
        "Accuracy by tag.",
        "Failures by tag.",
    ]
    assert [c.head for c in tags.tables[0].columns] == ["occlusion", "empty"]
    assert tags.tables[2].rows[0].values == [30, 30]
