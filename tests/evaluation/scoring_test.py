"""Tests for jaxtrack.evaluation.scoring."""

import numpy as np
import pytest

from jaxtrack.datasets.sequence import Sequence
from jaxtrack.evaluation import results, scoring


def test_truth_is_what_the_file_held():
    xywh = np.array([[303.4042, 169.4921, 33.1343, 21.592], [np.nan] * 4])
    xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    truth = scoring.truth_xywh([Sequence("a", [], xyxy)])
    np.testing.assert_array_equal(truth["a"], xywh)


def test_speed_is_frames_over_seconds(tmp_path, videos):
    truth = scoring.truth_xywh(videos)
    for place, (name, boxes) in enumerate(truth.items()):
        seconds = np.full(len(boxes), 0.1 * (place + 1))
        results.write_result(tmp_path / "r", name, boxes, seconds)
    score = scoring.score_folder("r", tmp_path / "r", truth)
    # 5, 7 and 6 frames of 0.1, 0.2 and 0.3 s.
    assert score.frames_per_second == pytest.approx(18 / (0.5 + 1.4 + 1.8), rel=1e-4)


def test_speed_is_unknown_without_all_times(tmp_path, videos, scores):
    results.time_path(tmp_path / "results0", "ball").unlink()
    truth = scoring.truth_xywh(videos)
    score = scoring.score_folder("good", tmp_path / "results0", truth)
    assert score.speeds["ball"] is None
    assert score.frames_per_second is None
