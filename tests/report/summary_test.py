"""Tests for jaxtrack.report.summary."""

import dataclasses

import numpy as np

from jaxtrack.evaluation import scoring
from jaxtrack.evaluation.analysis.outcome import Analyses, Heatmaps, Sweep
from jaxtrack.report import summary
from tests.report.analysis_sections_test import aligned
from tests.report.vot_sections_test import evaluation, report


def test_a_line_a_tracker_best_first(found, scores):
    lines = summary.lines(dataclasses.replace(found, notes=("mind this",)))
    auc, given = (scores[0].reports[p].auc for p in ("otb", "no_first"))
    width = max(len(s.name) for s in scores)
    assert lines[0].startswith(f"{'good':<{width}}  AUC {auc:.3f}")
    assert f"first frame excluded: AUC {given:.3f}" in lines[0]
    assert lines[0].endswith("50.0 frames/s") and lines[2].startswith("bad")
    rules = "21 thresholds, first frame counts as correct"
    assert lines[3] == f"note: protocol otb: {rules}"
    assert lines[4].startswith("note: The ranking by AUC")
    assert lines[-1] == "note: mind this"


def test_note_tells_of_truth_on_the_border(tmp_path):
    truth = {"a": np.tile([0.0, 5, 9, 9], (4, 1))}
    (tmp_path / "a.txt").write_text("0,5,9,9\n" * 4)
    score = scoring.score_folder("mine", tmp_path, truth)
    lines = summary.score_lines([score])
    assert lines[2].startswith("note: 4 frames have no ground truth")
    assert "AUC 0.000" in lines[0] and "AUC 0.952" in lines[0]


def test_analyses():
    auc = {"otb": (0.25, 0.5, 0.375), "no_first": (0.2, 0.3, 0.25)}
    found = Analyses(
        alignment={"x": aligned(0.75, 0.1), "y": aligned(None, None, points=())},
        heatmaps=Heatmaps({"a": [3, 9], "gone": []}, {}),
        window_sweep={
            "x": Sweep((0.0, 0.4, 0.8), auc, 0.44),
            "y": Sweep((0.1, 0.4, 0.8), auc, 0.44),
        },
    )
    left_out = "2 of 9 frames left out"
    assert summary.analysis_lines(found) == [
        f"alignment of x: rank correlation 0.750, regret 0.100 IoU, {left_out}",
        f"alignment of y: rank correlation none, regret none IoU, {left_out}",
        "heat maps of a: frames 3, 9",
        "heat maps of gone: no later frame has a ground-truth box",
        "window sweep of x: AUC spread 0.250, at 0 0.250, best 0.500 at 0.4",
        "window sweep of y: AUC spread 0.250, at 0 none, best 0.500 at 0.4",
    ]


def test_vot():
    found = evaluation(a=report(0.3, 0.6, 20, 30), b=report(0.4, np.nan, 9, np.nan))
    lines = summary.lines(found)
    assert lines[0].endswith("Accuracy -, Robustness 9.000, Failures -")
    assert lines[1] == (
        "a at vot2018: EAO 0.300, Accuracy 0.600, Robustness 20.000, Failures 30.0"
    )
