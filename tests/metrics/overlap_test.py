"""Tests for jaxtrack.metrics.overlap."""

import numpy as np

from jaxtrack.metrics import overlap


def test_iou_by_hand():
    for inclusive in [False, True]:
        for a, b, expected in [
            ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),
            # 5x10 in common, 100 + 100 - 50 in the union.
            ([0, 0, 10, 10], [5, 0, 10, 10], 1 / 3),
            # 4x2 of 24 + 40 - 8.
            ([2, 3, 6, 4], [4, 5, 8, 5], 8 / 56),
            ([0, 0, 10, 10], [10, 0, 10, 10], 0.0),
            ([0, 0, 10, 10], [50, 50, 10, 10], 0.0),
            ([-4.5, 0, 9, 10], [-4.5, 0, 4.5, 10], 0.5),
            ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
        ]:
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


def test_centers_shift_with_the_convention():
    boxes = np.array([[10.0, 20, 4, 6]])
    np.testing.assert_array_equal(overlap.centers_xywh(boxes), [[12, 23]])
    np.testing.assert_array_equal(overlap.centers_xywh(boxes, shift=-1), [[11.5, 22.5]])


def test_center_error_by_hand():
    truth, predicted = np.array([[10.0, 20, 4, 6]]), np.array([[12.0, 23, 6, 8]])
    # Centers (12, 23) and (15, 27): 3, 4, 5.
    for shift in (-1, 0, 1):
        error = overlap.center_error_xywh(truth, predicted, shift=shift)
        np.testing.assert_array_equal(error, [5])


def test_norm_error_by_hand():
    for kind in ["centers", "floored", "stepwise"]:
        truth = np.array([[10.0, 20, 10, 40], [10, 20, 10, 40]])
        predicted = np.array([[13.0, 20, 10, 40], [13, 36, 10, 40]])
        # 3 of 10 widths; (0.3, 0.4).
        error = overlap.norm_error_xywh(truth, predicted, kind=kind)
        np.testing.assert_allclose(error, [0.3, 0.5], atol=1e-15)


def test_norm_error_of_boxes_without_a_size():
    truth, predicted = np.array([[10.0, 20, 0, 40]]), np.array([[13.0, 20, 0, 40]])
    assert overlap.norm_error_xywh(truth, predicted, kind="floored") == 3.0
    assert overlap.norm_error_xywh(truth, predicted, kind="stepwise") == np.inf
    assert overlap.norm_error_xywh(truth, predicted, kind="centers") > 1e15
