"""Tests for jaxtrack.datasets.sequence."""

import numpy as np

from jaxtrack.datasets.sequence import xyxy_from_truth

NAN = np.nan


def test_boxes_in_our_convention():
    truth = np.array([[2.0, 3, 4, 5], [NAN, 3, 4, 5], [2, 3, 0, 5], [2, 3, 4, -5]])
    # x0 = 2 - 1, x1 = 1 + 4; then NaN, no size, negative size; then no row at all.
    expected = [[1, 2, 5, 7], *[[NAN] * 4] * 4]
    np.testing.assert_array_equal(xyxy_from_truth(truth, 5, origin=1), expected)
    np.testing.assert_array_equal(xyxy_from_truth(truth[:1], 1), [[2, 3, 6, 8]])
