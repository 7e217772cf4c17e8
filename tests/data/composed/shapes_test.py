"""Tests for jaxtrack.data.composed.shapes."""

import cv2
import numpy as np
import pytest

from jaxtrack.data.composed import shapes


@pytest.mark.parametrize(
    "draw",
    [
        shapes.blob,
        shapes.rounded_polygon,
        lambda rng: shapes.bar(rng, 5.0),
    ],
    ids=["blob", "polygon", "bar"],
)
@pytest.mark.parametrize("seed", range(4))
def test_outlines_have_a_centred_box_of_area_one(draw, seed):
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


def test_clipped_box_of_an_inner_curve_is_its_box():
    np.testing.assert_array_equal(
        shapes.clipped_box([TRIANGLE], (20, 20)), [2, 2, 12, 8]
    )


def test_clipped_box_is_tighter_than_the_box_clipped():
    # The hypotenuse x = 12 - 10 (y - 2) / 6 meets x = 0 at y = 9.2 and, in the frame
    # moved by (-7, 0), x = 0 at y = 2 + 6 * 0.5 = 5: only y in [2, 5] is within.
    moved = TRIANGLE - (7, 0)
    np.testing.assert_allclose(
        shapes.clipped_box([moved], (20, 20)), [0, 2, 5, 5], atol=1e-12
    )


def test_clipped_box_leaves_out_curves_beyond_the_frame():
    far = TRIANGLE + np.array([0, 100])
    np.testing.assert_array_equal(
        shapes.clipped_box([TRIANGLE, far], (20, 20)), [2, 2, 12, 8]
    )
    assert np.isnan(shapes.clipped_box([far], (20, 20))).all()


@pytest.mark.parametrize("seed", range(12))
def test_clipped_box_is_the_box_of_the_drawn_pixels(seed):
    rng = np.random.default_rng(seed)
    curve = shapes.blob(rng) * 60 + rng.uniform(0, 60, 2)
    mask = np.zeros((264, 264), np.uint8)
    cv2.fillPoly(mask, [np.round((curve + 99.5) * 16).astype(np.int32)], 1, shift=4)
    x, y, w, h = cv2.boundingRect(mask[100:150, 100:164])
    box = shapes.clipped_box([curve], (50, 64))
    np.testing.assert_allclose(box, [x, y, x + w, y + h], atol=1.1)
    assert (box >= 0).all() and (box <= (64, 50, 64, 50)).all()  # Exactly.
