"""Tests for jaxtrack.evaluation.compare."""

import json

import numpy as np
import pytest

from jaxtrack.datasets.sequence import Sequence
from jaxtrack.evaluation import compare, results


def test_truth_is_what_the_file_held():
    xywh = np.array([[303.4042, 169.4921, 33.1343, 21.592], [np.nan] * 4])
    xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    truth = compare.truth_xywh([Sequence("a", [], xyxy)])
    np.testing.assert_array_equal(truth["a"], xywh)


def test_scores_follow_the_noise(scores):
    good, bad, middle = scores
    assert compare.by_auc(scores) == [good, middle, bad]
    assert good.reports["otb"].auc > 0.8 > bad.reports["otb"].auc
    assert good.reports["no_first"].auc != good.reports["otb"].auc


def test_speed_is_frames_over_seconds(tmp_path, videos):
    truth = compare.truth_xywh(videos)
    for place, (name, boxes) in enumerate(truth.items()):
        seconds = np.full(len(boxes), 0.1 * (place + 1))
        results.write_result(tmp_path / "r", name, boxes, seconds)
    score = compare.score_folder("r", tmp_path / "r", truth)
    # 5, 7 and 6 frames of 0.1, 0.2 and 0.3 s.
    assert score.frames_per_second == pytest.approx(18 / (0.5 + 1.4 + 1.8), rel=1e-4)


def test_speed_is_unknown_without_all_times(tmp_path, videos, scores):
    results.time_path(tmp_path / "results0", "ball").unlink()
    truth = compare.truth_xywh(videos)
    score = compare.score_folder("good", tmp_path / "results0", truth)
    assert score.speeds["ball"] is None
    assert score.frames_per_second is None


def test_json_holds_every_number_and_grid(scores):
    text = json.dumps(compare.as_json(scores), allow_nan=False)
    written = json.loads(text)
    good = written["trackers"]["good"]
    assert written["primary"] == "otb"
    assert good["otb"]["auc"] == scores[0].reports["otb"].auc
    assert good["sequences"]["dog"]["num_frames"] == 6
    curve = good["sequences"]["dog"]["no_first"]["success_curve"]
    assert len(curve) == len(written["protocols"]["no_first"]["success_thresholds"])
    mean = np.mean([s["otb"]["auc"] for s in good["sequences"].values()])
    assert mean == pytest.approx(good["otb"]["auc"])
