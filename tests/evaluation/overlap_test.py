"""Tests for jaxtrack.evaluation.overlap."""

import numpy as np
import pytest

from jaxtrack.evaluation import overlap


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),
        # 5x10 in common, 100 + 100 - 50 in the union.
        ([0, 0, 10, 10], [5, 0, 10, 10], 1 / 3),
        # 4x2 of 24 + 40 - 8.
        ([2, 3, 6, 4], [4, 5, 8, 5], 8 / 56),
        ([0, 0, 10, 10], [10, 0, 10, 10], 0.0),
        ([0, 0, 10, 10], [50, 50, 10, 10], 0.0),
        ([-4.5, 0, 9, 10], [-4.5, 0, 4.5, 10], 0.5),
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ],
)
def test_iou_by_hand(a, b, expected, inclusive):
    a, b = np.array([a], np.float64), np.array([b], np.float64)
    for first, second in ((a, b), (b, a)):
        iou = overlap.iou_xywh(first, second, inclusive_edges=inclusive)
        np.testing.assert_allclose(iou, [expected], atol=1e-12)


def test_epsilon_enlarges_the_union():
    box = np.array([[0.0, 0, 2, 2]])
    np.testing.assert_allclose(overlap.iou_xywh(box, box, epsilon=1.0), [4 / 5])


def test_iou_is_blind_to_translation_and_scale():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(5, 50, (2, 40, 4))
    moved = [np.concatenate([3 * v[:, :2] - 7, 3 * v[:, 2:]], 1) for v in (a, b)]
    np.testing.assert_allclose(
        overlap.iou_xywh(*moved), overlap.iou_xywh(a, b), atol=1e-12
    )


def test_bound_moves_the_corner_without_narrowing_the_box():
    boxes = np.array([[-50.0, -50, 20, 20], [90, 10, 20, 20], [120, 10, 5, 5]])
    expected = [[0, 0, 20, 20], [90, 10, 10, 20], [100, 10, 0, 5]]
    np.testing.assert_array_equal(overlap.bound_xywh(boxes, (100, 80)), expected)
