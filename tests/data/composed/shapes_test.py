"""Tests for jaxtrack.data.composed.shapes."""

import cv2
import numpy as np

from jaxtrack.data.composed import shapes


def test_outlines_have_a_centered_box_of_area_one():
    for draw in (shapes.blob, shapes.rounded_polygon, lambda rng: shapes.bar(rng, 5.0)):
        for seed in range(4):
            curve = draw(np.random.default_rng(seed))
            low, high = curve.min(0), curve.max(0)
            np.testing.assert_allclose(low + high, 0, atol=1e-9)
            np.testing.assert_allclose(np.prod(high - low), 1, rtol=1e-9)
            # Neither a sliver nor a box: the outline fills a fair share of its box.
            assert 0.25 < cv2.contourArea(curve.astype(np.float32)) < 0.99


def test_bar_is_upright_and_long():
    curve = shapes.bar(np.random.default_rng(0), 6.0)
    width, height = np.ptp(curve, axis=0)
    assert 4 < height / width < 8


TRIANGLE = np.array([[2.0, 2.0], [12.0, 2.0], [2.0, 8.0]])


def test_clipped_box_by_hand():
    far, hw = TRIANGLE + np.array([0, 100]), (20, 20)
    for curves in ([TRIANGLE], [TRIANGLE, far]):
        np.testing.assert_array_equal(shapes.clipped_box(curves, hw), [2, 2, 12, 8])
    assert np.isnan(shapes.clipped_box([far], hw)).all()
    # It is tighter than the box clipped: the hypotenuse x = 12 - 10 (y - 2) / 6 meets
    # x = 0 at y = 9.2 and, in the frame moved by (-7, 0), x = 0 at y = 2 + 6 * 0.5 = 5:
    # only y in [2, 5] is within.
    box = shapes.clipped_box([TRIANGLE - (7, 0)], hw)
    np.testing.assert_allclose(box, [0, 2, 5, 5], atol=1e-12)


def test_clipped_box_is_the_box_of_the_drawn_pixels():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        curve = shapes.blob(rng) * 60 + rng.uniform(0, 60, 2)
        mask = np.zeros((264, 264), np.uint8)
        corners = np.round((curve + 99.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 1, shift=4)
        x, y, w, h = cv2.boundingRect(mask[100:150, 100:164])
        box = shapes.clipped_box([curve], (50, 64))
        np.testing.assert_allclose(box, [x, y, x + w, y + h], atol=1.1)
        assert (box >= 0).all() and (box <= (64, 50, 64, 50)).all()  # Exactly.
