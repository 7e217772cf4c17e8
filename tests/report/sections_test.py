"""Tests for jaxtrack.report.sections."""

import dataclasses

import numpy as np
import pytest

from jaxtrack.metrics.ope import NUMBERS
from jaxtrack.metrics.protocols import PROTOCOLS
from jaxtrack.report import attribute_sections, sections
from tests.evaluation.fixtures import with_videos

CARRIED = {"ball": ("Fast", "Blur"), "car <1>": ("Fast",), "dog": ("a_b", "Blur")}


def changed(scores, place, protocol="otb", **changes):
    """The scores with other numbers in one tracker's report."""
    one = scores[place]
    report = dataclasses.replace(one.reports[protocol], **changes)
    new = dataclasses.replace(one, reports={**one.reports, protocol: report})
    return [*scores[:place], new, *scores[place + 1 :]]


def test_columns_say_what_the_protocol_computes():
    for rules in PROTOCOLS.values():
        heads = [sections.column(number, rules).head for number in NUMBERS]
        assert len(set(heads)) == len(NUMBERS)
        is_share = rules.precision_is == "at"
        assert ("Prec. 20 px" in heads) == is_share
        title = sections.column("precision", rules).title
        assert ("20 px" in title) == is_share and ("area" in title) != is_share
        assert "area" in sections.column("auc", rules).title or rules.auc_is == "mean"


def test_overview_ranks_by_auc_and_keeps_places(scores):
    table = sections.overview(scores).tables[0]
    assert [(row.place, row.name) for row in table.rows] == [
        (0, "good"),
        (2, scores[2].name),
        (1, "bad"),
    ]
    good = dict(zip([c.head for c in table.columns], table.rows[0].values, strict=True))
    assert good["AUC"] == scores[0].reports["otb"].auc
    assert good["AUC, 1st frame out"] == scores[0].reports["no_first"].auc
    assert good["Frames/s"] == pytest.approx(50)
    last = changed(scores, 0, auc=float("nan"))
    assert sections.overview(last).tables[0].rows[-1].name == "good"


def test_overview_by_another_protocol(scores):
    table = sections.overview(scores, primary="no_first").tables[0]
    heads = [column.head for column in table.columns]
    assert "AUC, 1st frame out" not in heads
    values = dict(zip(heads, table.rows[0].values, strict=True))
    assert values["AUC"] == scores[0].reports["no_first"].auc
    alone = [dataclasses.replace(s, reports={"otb": s.reports["otb"]}) for s in scores]
    heads = [column.head for column in sections.overview(alone).tables[0].columns]
    assert heads[-2:] == ["SR 0.75", "Frames/s"]


def test_per_sequence(scores):
    table = sections.per_sequence(scores)
    assert [column.head for column in table.columns] == [s.name for s in scores]
    rows = {row.name: row.values for row in table.rows}
    assert list(rows) == ["ball", "car <1>", "dog"]
    assert rows["dog"] == [s.reports["otb"].sequences["dog"].auc for s in scores]
    assert table.marked_in == "rows"


def test_attributes(found):
    found = with_videos(found, attributes=CARRIED)
    section, protocols = attribute_sections.attributes_and_protocols(found)
    assert (section.key, protocols.key) == ("attributes", "protocols")
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
    assert [row.place for row in table.rows] == [0, 2, 1]
    of = found.scores[0].reports["otb"].sequences
    expected = [of["dog"].auc, np.mean([of["ball"].auc, of["dog"].auc])]
    np.testing.assert_allclose(table.rows[0].values[:2], expected)
    assert section.pictures[0].content.startswith(b"\x89PNG")
    # Too many for a picture: the first table is open instead.
    names = [dataclasses.replace(found.scores[0], name=f"t{k}") for k in range(13)]
    many = dataclasses.replace(found, scores=names)
    section = attribute_sections.attribute_section(many)
    assert section.pictures == [] and [bool(t.title) for t in section.tables] == [
        *(False, True, True)
    ]


def test_without_attributes_there_is_no_section_of_them(found):
    (section,) = attribute_sections.attributes_and_protocols(found)
    assert section.key == "protocols"
    # Which toolkits were not asked is told, after the ranking.
    assert section.remarks[0].startswith("The ranking by AUC")
    assert "pysot has no scores: not asked for" in section.remarks


def test_protocols(scores):
    reports = {s.name: dict(s.reports) for s in scores}
    for by in reports.values():
        by["got10k"] = "no <frame> left"
    section = sections.protocol_section(reports, remarks=["the same ranking"])
    first, *folded = section.tables
    assert first.title == "" and all(t.title for t in folded)
    assert len(section.tables) == len(NUMBERS)
    assert [c.head for c in first.columns] == ["Spread", "otb", "no_first", "got10k"]
    assert [row.place for row in first.rows] == [0, 2, 1]
    width, otb, no_first, nothing = first.rows[0].values
    assert nothing is None
    assert width == pytest.approx(abs(otb - no_first)) and width > 0
    assert section.remarks[0] == "the same ranking"
    # A reason that all share is told once.
    assert section.remarks[1:] == ["got10k has no scores: no <frame> left"]
    reports["bad"]["got10k"] = "too short"
    assert sections.protocol_section(reports).remarks == [
        f"got10k has no scores for good, {scores[2].name}: no <frame> left",
        "got10k has no scores for bad: too short",
    ]


def test_protocols_that_some_lack(scores):
    reports = {
        "a": {"otb": scores[0].reports["otb"]},
        "b": {"no_first": scores[1].reports["no_first"]},
    }
    table = sections.protocol_section(reports).tables[0]
    assert [c.head for c in table.columns] == ["Spread", "otb", "no_first"]
    rows = {(row.place, row.name): row.values for row in table.rows}
    assert rows[0, "a"] == [0, scores[0].reports["otb"].auc, None]
    assert rows[1, "b"] == [0, None, scores[1].reports["no_first"].auc]


def test_a_number_nobody_has():
    section = sections.protocol_section({"a": {"otb": "why"}, "b": {"otb": "not"}})
    assert [tuple(row) for row in section.tables[0].rows] == [
        ("a", [None, None], 0),
        ("b", [None, None], 1),
    ]
