"""Tests for jaxtrack.evaluation.compare."""

import dataclasses
import json

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import compare
from jaxtrack.evaluation.scoring import TrackerScores
from jaxtrack.metrics import ope

# A third of the frames touch x = 0, where OTB's rules see no target.
TRUTH = {"a": np.array([[20.0, 20, 10, 10], [20, 20, 10, 10], [0, 20, 10, 10]] * 4)}
SHIFTS = {"inside": [0.0, 1, 8], "border": [0.0, 4, 0]}


def scored(name, boxes, protocols):
    """A tracker by several protocols, some of which may refuse."""
    reports, refused = {}, {}
    for protocol in protocols:
        try:
            reports[protocol] = ope.score(TRUTH, {"a": boxes}, protocol=protocol)
        except InputError as fault:
            refused[protocol] = str(fault)
    return TrackerScores(name, reports, {"a": boxes}, {"a": None}, None, refused)


def shifted(*protocols):
    """Trackers that are off inside of the picture, and at its border."""
    return [
        scored(name, TRUTH["a"] + np.array(x * 4)[:, None] * [1, 0, 0, 0], protocols)
        for name, x in SHIFTS.items()
    ]


def test_scores_follow_the_noise(scores):
    good, bad, middle = scores
    assert compare.by_auc(scores) == [good, middle, bad]
    assert good.reports["otb"].auc > 0.8 > bad.reports["otb"].auc
    assert good.reports["no_first"].auc != good.reports["otb"].auc


def test_frames_tell_how_a_sequence_went():
    frames = compare.telling_frames(np.arange(100), np.r_[np.ones(40), np.zeros(60)])
    # The first frame, the first failure, two even steps and the last frame.
    assert frames == [0, 40, 60, 79, 99]
    # Even where nothing fails.
    even = compare.telling_frames(np.arange(101), np.ones(101))
    assert even == [0, 25, 50, 75, 100]
    # Indices are the video's, of which the first one is not counted here.
    assert compare.telling_frames(np.arange(1, 6), np.ones(5), count=3) == [0, 1, 3]
    # Short sequences show fewer.
    for length in (1, 2, 3):
        frames = compare.telling_frames(np.arange(length), np.zeros(length))
        assert frames == sorted(set(frames)) and frames[-1] < length


def test_lowest_auc_comes_first(scores):
    for protocol in ("otb", "no_first"):
        judged = scores[1].reports[protocol].sequences
        names = compare.worst_sequences(scores[1], count=2, primary=protocol)
        assert names == sorted(judged, key=lambda n: judged[n].auc)[:2]


def test_the_ranking_depends_on_the_rules():
    both = shifted("otb", "pysot", "got10k_otb", "pytracking_otb", "no_first")
    assert compare.rankings(both) == {
        "otb": ["inside", "border"],
        "pysot": ["border", "inside"],
        "pytracking_otb": ["border", "inside"],
        "got10k_otb": ["border", "inside"],
    }
    assert compare.ranking_sentence(both) == (
        "The ranking by AUC changes between protocols: inside > border (otb); "
        "border > inside (pysot, pytracking_otb, got10k_otb)."
    )
    same = compare.ranking_sentence(shifted("pysot", "got10k_otb"))
    assert same.endswith("is the same by all protocols: border > inside.")
    assert compare.ranking_sentence(both[:1]) == ""


def test_a_refusal_stands_in_place_of_a_number():
    damaged = TRUTH["a"].copy()
    damaged[5, 2] = -1
    both = [shifted("otb", "lasot")[1], scored("damaged", damaged, ("otb", "lasot"))]
    by = compare.by_protocol(both)
    assert list(by["border"]) == list(compare.TOOLKITS) and len(by["border"]) == 12
    assert "result of frame 5" in by["damaged"]["otb"]
    assert by["damaged"]["pysot"] == "not asked for"
    assert list(compare.rankings(both)) == ["lasot"]
    found = compare.as_json(both, {}, primary="lasot")
    told = found["trackers"]["damaged"]
    assert set(told["refused"]) == {"otb"}
    assert "replaced by the box before" in " ".join(told["lasot"]["warnings"])
    numbers = found["parts"]["protocols"]["damaged"]
    assert numbers["otb"] == {}
    assert numbers["lasot"]["auc"] == both[1].reports["lasot"].auc
    refused = [scored("damaged", damaged, ("otb",))] * 2
    assert compare.ranking_sentence(refused) == "No protocol scores all trackers."


def test_attributes_are_told_as_json(scores):
    carried = {"ball": ("Fast", "Blur"), "dog": ("Blur",)}
    parts = compare.as_json(scores, carried)["parts"]
    told = json.loads(json.dumps(parts, allow_nan=False))["attributes"]
    assert told["bad"]["Blur"]["num_sequences"] == 2
    of = scores[1].reports["otb"].sequences
    assert told["bad"]["Fast"]["auc"] == of["ball"].auc
    assert "attributes" not in compare.as_json(scores, {"ball": ()})["parts"]


def test_nan_is_none_in_json(scores):
    report = dataclasses.replace(scores[0].reports["otb"], auc=float("nan"))
    one = dataclasses.replace(scores[0], reports={"otb": report})
    found = compare.as_json([one], {})["parts"]["protocols"]["good"]["otb"]
    assert found["auc"] is None and found["ao"] == report.ao


def test_json_holds_every_number_and_grid(scores):
    text = json.dumps(compare.as_json(scores, {}), allow_nan=False)
    written = json.loads(text)
    good = written["trackers"]["good"]
    assert written["primary"] == "otb"
    assert good["otb"]["auc"] == scores[0].reports["otb"].auc
    assert good["sequences"]["dog"]["num_frames"] == 6
    curve = good["sequences"]["dog"]["no_first"]["success_curve"]
    assert len(curve) == len(written["protocols"]["no_first"]["success_thresholds"])
    mean = np.mean([s["otb"]["auc"] for s in good["sequences"].values()])
    assert mean == pytest.approx(good["otb"]["auc"])
