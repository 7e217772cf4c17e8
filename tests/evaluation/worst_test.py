"""Tests for jaxtrack.evaluation.worst."""

import cv2
import numpy as np

from jaxtrack.evaluation import compare, worst


def test_lowest_auc_first(scores):
    names = worst.worst_names(scores, about=1, count=3)
    aucs = [scores[1].reports["otb"].sequences[name].auc for name in names]
    assert aucs == sorted(aucs) and len(names) == 3
    # Another protocol may judge otherwise, by its own numbers.
    judged = scores[1].reports["no_first"].sequences
    named = worst.worst_names(scores, about=1, count=3, primary="no_first")
    assert named == sorted(judged, key=lambda n: judged[n].auc)


def test_boxes_of_files_that_count_from_one_are_drawn_where_they_are(scores, videos):
    truth = compare.truth_xywh(videos)
    moved = {name: rows + np.array([1, 1, 0, 0]) for name, rows in truth.items()}
    one = scores[0]
    shifted = {n: rows + np.array([1, 1, 0, 0]) for n, rows in one.predicted.items()}
    other = compare.TrackerScores(one.name, one.reports, shifted, one.speeds, None)
    plain = worst.worst_sequences([one], videos, count=1)
    drawn = worst.worst_sequences([other], videos, count=1, truth=moved, origin=1.0)
    for name, shots in plain.items():
        for a, b in zip(shots, drawn[name], strict=True):
            assert (a.frame, a.iou) == (b.frame, b.iou)
            images = [
                cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR)
                for shot in (a, b)
            ]
            np.testing.assert_array_equal(*images)
    unmoved = worst.worst_sequences([other], videos, count=1)
    assert any(
        a.jpeg != b.jpeg
        for name in plain
        for a, b in zip(plain[name], unmoved[name], strict=True)
    )
