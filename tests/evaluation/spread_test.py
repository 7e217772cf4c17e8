"""Tests for jaxtrack.evaluation.spread."""

import json

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import spread
from jaxtrack.metrics import ope

# Half of the frames touch x = 0, where OTB's rules see no target.
TRUTH = {"a": np.array([[20.0, 20, 10, 10], [20, 20, 10, 10], [0, 20, 10, 10]] * 4)}
SHIFTS = {"inside": [0.0, 1, 8], "border": [0.0, 4, 0]}
RESULTS = {
    name: {"a": TRUTH["a"] + np.array(shifts * 4)[:, None] * [1, 0, 0, 0]}
    for name, shifts in SHIFTS.items()
}


@pytest.fixture
def found():
    protocols = ("otb", "pysot", "got10k_otb", "pytracking_otb")
    return spread.score_all(TRUTH, RESULTS, protocols=protocols)


def test_each_protocol_scores_as_alone(found):
    for tracker, results in RESULTS.items():
        for protocol, report in found.reports[tracker].items():
            alone = ope.score(TRUTH, results, protocol=protocol)
            assert report.auc == alone.auc
        values = found.values(tracker, "auc")
        widest = max(values.values()) - min(values.values())
        assert found.spread(tracker, "auc") == widest > 0


def test_the_ranking_depends_on_the_rules(found):
    assert found.rankings["otb"] == ["inside", "border"]
    assert found.rankings["pysot"] == ["border", "inside"]
    line = spread.ranking_line(found)
    assert "CHANGES" in line and "inside > border (otb)" in line
    assert "border > inside (pysot, got10k_otb, pytracking_otb)" in line


def test_a_ranking_that_stays():
    same = spread.score_all(TRUTH, RESULTS, protocols=("pysot", "got10k_otb"))
    assert spread.ranking_line(same).endswith("same by all protocols: border > inside")
    alone = spread.score_all(TRUTH, {"b": RESULTS["border"]})
    assert "one tracker" in spread.ranking_line(alone)


def test_all_toolkits_are_asked():
    alone = spread.score_all(TRUTH, {"b": RESULTS["border"]})
    assert len(alone.protocols) == 12 and "no_first" not in alone.protocols
    assert not any(isinstance(r, str) for r in alone.reports["b"].values())


@pytest.fixture
def refused():
    damaged = {"a": RESULTS["border"]["a"].copy()}
    damaged["a"][5] = np.nan
    trackers = {"sound": RESULTS["border"], "damaged": damaged}
    return spread.score_all(TRUTH, trackers, protocols=("otb", "lasot"))


def test_a_refusal_stands_in_place_of_a_number(refused):
    assert "result of frame 5" in refused.reports["damaged"]["otb"]
    assert list(refused.values("damaged", "auc")) == ["lasot"]
    assert refused.spread("damaged", "auc") == 0.0
    assert list(refused.rankings) == ["lasot"]
    told = spread.as_json(refused)["trackers"]["damaged"]["protocols"]
    assert set(told["otb"]) == {"refused"}
    assert "replaced by the box before" in " ".join(told["lasot"]["warnings"])
    for text in (spread.markdown(refused), "\n".join(spread.table(refused))):
        assert "refused: sequence a: result of frame 5" in text


def test_json_holds_all_numbers(found):
    text = json.dumps(spread.as_json(found), allow_nan=False)
    told = json.loads(text)
    assert told["ranking_changes"] is True
    one = told["trackers"]["inside"]
    report = found.reports["inside"]["otb"]
    assert one["protocols"]["otb"]["auc"] == report.auc
    assert one["protocols"]["otb"]["sequences"]["a"]["sr50"] == report.sr50
    assert len(one["protocols"]["otb"]["precision_curve"]) == 51
    assert one["spread"]["auc"] == found.spread("inside", "auc")
    assert told["protocols"]["pysot"].startswith("pysot")


def test_tables_show_every_number(found):
    found.notes["inside"].append("2 files belong to no sequence: x, y")
    text, lines = spread.markdown(found), spread.table(found)
    for tracker, by in found.reports.items():
        for protocol, report in by.items():
            row = next(
                line
                for line in text.split(f"## {tracker}")[1].splitlines()
                if line.startswith(f"| {protocol} |")
            )
            assert f"{report.auc:.4f} | {report.precision:.4f}" in row
    assert "- 2 files belong to no sequence" in text
    assert "note: 2 files belong to no sequence: x, y" in lines
    assert any("largest - smallest" in line for line in lines)
    # What the rules do not accept is said: x = 0 for OTB.
    assert "- otb: sequence a: 4 frames of the ground truth, the first frame 2" in text


def test_nothing_to_score():
    with pytest.raises(InputError, match="nothing to score"):
        spread.score_all(TRUTH, {})
    with pytest.raises(InputError, match="unknown scoring protocol 'x'"):
        spread.score_all(TRUTH, RESULTS, protocols=("x",))
    with pytest.raises(
        InputError, match="no protocol scores these results: no results"
    ):
        spread.score_all(TRUTH, {"b": {"other": TRUTH["a"]}})
