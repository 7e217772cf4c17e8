"""Tests for jaxtrack.evaluation.standings."""

import dataclasses
import json

import numpy as np
import pytest

from jaxtrack.evaluation import standings
from jaxtrack.metrics.ope import NUMBERS
from jaxtrack.metrics.protocols import PROTOCOLS

CARRIED = {"ball": ("Fast", "Blur"), "car <1>": ("Fast",), "dog": ("a_b", "Blur")}


def changed(scores, place, protocol="otb", **changes):
    """The scores with other numbers in one tracker's report."""
    one = scores[place]
    report = dataclasses.replace(one.reports[protocol], **changes)
    new = dataclasses.replace(one, reports={**one.reports, protocol: report})
    return [*scores[:place], new, *scores[place + 1 :]]


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_columns_say_what_the_protocol_computes(protocol):
    rules = PROTOCOLS[protocol]
    heads = [standings.column(number, rules).head for number in NUMBERS]
    assert len(set(heads)) == len(NUMBERS)
    is_share = rules.precision_is == "at"
    assert ("Prec. 20 px" in heads) == is_share
    title = standings.column("precision", rules).title
    assert ("20 px" in title) == is_share and ("area" in title) != is_share
    assert "area" in standings.column("auc", rules).title or rules.auc_is == "mean"


def test_overview_ranks_by_auc_and_keeps_places(scores):
    table = standings.overview(scores)
    assert [name for name, _ in table.rows] == [
        (0, "good"),
        (2, scores[2].name),
        (1, "bad"),
    ]
    good = dict(zip([c.head for c in table.columns], table.rows[0][1], strict=True))
    assert good["AUC"] == scores[0].reports["otb"].auc
    assert good["AUC, 1st frame out"] == scores[0].reports["no_first"].auc
    assert good["Frames/s"] == pytest.approx(50)
    last = changed(scores, 0, auc=float("nan"))
    assert standings.overview(last).rows[-1][0] == (0, "good")


def test_overview_by_another_protocol(scores):
    table = standings.overview(scores, primary="no_first")
    heads = [column.head for column in table.columns]
    assert "AUC, 1st frame out" not in heads
    values = dict(zip(heads, table.rows[0][1], strict=True))
    assert values["AUC"] == scores[0].reports["no_first"].auc
    alone = [dataclasses.replace(s, reports={"otb": s.reports["otb"]}) for s in scores]
    heads = [column.head for column in standings.overview(alone).columns]
    assert heads[-2:] == ["SR 0.75", "Frames/s"]


def test_per_sequence(scores):
    table = standings.per_sequence(scores, number="precision")
    assert [column.head for column in table.columns] == [s.name for s in scores]
    rows = dict(table.rows)
    assert list(rows) == ["ball", "car <1>", "dog"]
    assert rows["dog"] == [s.reports["otb"].sequences["dog"].precision for s in scores]
    assert table.marked_in == "rows"


def test_attributes(scores):
    section = standings.attribute_section(scores, CARRIED)
    assert [t.title for t in section.tables] == [
        "AUC by attribute",
        "Prec. 20 px by attribute",
        "Norm. prec. by attribute",
    ]
    table = section.tables[0]
    assert [(c.head, c.title) for c in table.columns] == [
        ("a_b", "1 sequences"),
        ("Blur", "2 sequences"),
        ("Fast", "2 sequences"),
    ]
    # Rows as in the overview.
    assert [name[0] for name, _ in table.rows] == [0, 2, 1]
    of = scores[0].reports["otb"].sequences
    expected = [of["dog"].auc, np.mean([of["ball"].auc, of["dog"].auc])]
    np.testing.assert_allclose(table.rows[0][1][:2], expected)
    assert section.pictures[0].content.startswith(b"\x89PNG")
    numbers = json.loads(json.dumps(section.numbers, allow_nan=False))
    assert numbers["bad"]["Fast"]["num_sequences"] == 2


def test_no_attributes_no_tables(scores):
    section = standings.attribute_section(scores, {})
    assert not section.tables and not section.pictures


def test_protocols(scores):
    reports = {s.name: dict(s.reports) for s in scores}
    for by in reports.values():
        by["got10k"] = "no <frame> left"
    section = standings.protocol_section(reports, remarks=["the same ranking"])
    first, *folded = section.tables
    assert first.title == "" and all(t.title for t in folded)
    assert len(section.tables) == len(NUMBERS)
    assert [c.head for c in first.columns] == ["Spread", "otb", "no_first", "got10k"]
    assert [name[0] for name, _ in first.rows] == [0, 2, 1]
    width, otb, no_first, nothing = first.rows[0][1]
    assert nothing is None
    assert width == pytest.approx(abs(otb - no_first)) and width > 0
    assert section.remarks[0] == "the same ranking"
    # A reason that all share is told once.
    assert section.remarks[1:] == ["got10k gives no number: no <frame> left"]
    reports["bad"]["got10k"] = "too short"
    assert standings.protocol_section(reports).remarks == [
        f"got10k gives no number to good, {scores[2].name}: no <frame> left",
        "got10k gives no number to bad: too short",
    ]
    numbers = json.loads(json.dumps(section.numbers, allow_nan=False))
    assert numbers["good"]["otb"]["auc"] == otb and numbers["good"]["got10k"] == {}


def test_protocols_that_some_lack(scores):
    reports = {
        "a": {"otb": scores[0].reports["otb"]},
        "b": {"no_first": scores[1].reports["no_first"]},
    }
    table = standings.protocol_section(reports).tables[0]
    assert [c.head for c in table.columns] == ["Spread", "otb", "no_first"]
    rows = dict(table.rows)
    assert rows[0, "a"] == [0, scores[0].reports["otb"].auc, None]
    assert rows[1, "b"] == [0, None, scores[1].reports["no_first"].auc]


def test_a_number_nobody_has(scores):
    section = standings.protocol_section({"a": {"otb": "why"}, "b": {"otb": "not"}})
    assert section.tables[0].rows == [
        ((0, "a"), [None, None]),
        ((1, "b"), [None, None]),
    ]


def test_vot():
    numbers = {
        "a": {"eao": 0.3, "accuracy": 0.6, "robustness": 20.0, "failures": 30.0},
        "b": {"eao": 0.4, "accuracy": float("nan"), "robustness": 9.0},
    }
    section = standings.vot_section(numbers, {"A-R": b"1"}, edition="VOT2018")
    table = section.tables[0]
    assert table.rows[0][0] == (1, "b") and table.rows[1][0] == (0, "a")
    assert [c.better for c in table.columns] == ["high", "high", "low", "low"]
    assert section.lines[1] == (
        "a at VOT2018: EAO 0.300, Accuracy 0.600, Robustness 20.000, Failures 30.0"
    )
    assert section.lines[0].endswith("Robustness 9.000, Failures -")
    assert [(p.path, p.caption) for p in section.pictures] == [("vot_0.png", "A-R")]
    told = json.loads(json.dumps(section.numbers, allow_nan=False))
    assert told["trackers"]["b"]["accuracy"] is None
