"""Tests for jaxtrack.assign.regions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxtrack.assign import regions
from jaxtrack.ops import grid

FIVE = grid.points(grid.Geometry(4, 10, 5, 2, 1.0))  # x, y in 1, 3, 5, 7, 9.


def drawn(labels):
    """Draws labels as text: P, a dot, and i for IGNORE."""
    signs = {regions.POSITIVE: "P", regions.NEGATIVE: ".", regions.IGNORE: "i"}
    return ["".join(signs[int(label)] for label in row) for row in labels]


def test_labels_drawn(variant):
    # 10 x 6 around (5, 5): the positive box reaches 0.4 * 5 = 2 in x and 1.2 in y,
    # not including points exactly 2 away.
    box = jnp.array([0.0, 2.0, 10.0, 8.0])
    labels = variant(lambda b: regions.center_region(FIVE, b))(box)
    assert labels.dtype == jnp.int32
    assert drawn(labels) == [".....", ".....", "..P..", ".....", "....."]
    wide = variant(lambda b: regions.center_region(FIVE, b, size=0.5))(box)
    assert drawn(wide) == [".....", ".....", ".PPP.", ".....", "....."]


def test_rim_is_ignored_on_request():
    # Inside in y are 3, 5, 7 (2 to 8); in x all of 1 to 9.
    box = jnp.array([0.0, 2.0, 10.0, 8.0])
    labels = regions.center_region(FIVE, box, size=0.5, ignore_inside=True)
    assert drawn(labels) == [".....", "iiiii", "iPPPi", "iiiii", "....."]
    # A point on the border is not inside.
    box = jnp.array([1.0, 3.0, 9.0, 7.0])
    labels = regions.center_region(FIVE, box, size=0.4, ignore_inside=True)
    assert drawn(labels) == [".....", ".....", ".iPi.", ".....", "....."]


def test_least_half_side():
    # A 1 x 1 box between points has no positive of its own; +-1.5 px reach two columns.
    box = jnp.array([3.5, 4.5, 4.5, 5.5])
    assert "P" not in "".join(drawn(regions.center_region(FIVE, box)))
    labels = regions.center_region(FIVE, box, min_half=1.5)
    assert drawn(labels) == [".....", ".....", ".PP..", ".....", "....."]


def test_moved_box_moves_the_labels():
    points = grid.points(grid.Geometry(127, 255, 25, 8, 32.5))
    box = jnp.array([90.0, 70.0, 150.0, 170.0])
    labels = regions.center_region(points, box, ignore_inside=True)
    moved = regions.center_region(
        points, box + jnp.array([16.0, 8.0, 16.0, 8.0]), ignore_inside=True
    )
    np.testing.assert_array_equal(moved[1:, 2:], labels[:-1, :-2])
    assert {-1, 0, 1} == set(np.unique(labels))


@pytest.mark.parametrize(
    "box",
    [
        [5.0, 5.0, 5.0, 9.0],
        [9.0, 1.0, 1.0, 9.0],
        [0.0, 0.0, 0.0, 0.0],
        [np.nan] * 4,
        [0.0, 0.0, np.nan, 9.0],
        [0.0, 0.0, np.inf, 9.0],
    ],
)
def test_no_box_is_all_negative(box):
    labels = regions.center_region(
        FIVE, jnp.array(box), min_half=3.0, ignore_inside=True
    )
    np.testing.assert_array_equal(labels, regions.NEGATIVE)


def test_golden_labels_and_targets(goldens):
    """The public SiamCAR code's answers; its boxes and points are half a pixel less."""
    golden = np.load(goldens / "car_functions_s1.npz")
    points = jnp.asarray(golden["loss_points_xy"]).reshape(25, 25, 2)
    boxes = jnp.asarray(golden["loss_box_xyxy"])
    labels = jax.vmap(lambda b: regions.center_region(points, b))(boxes)
    np.testing.assert_array_equal(labels, golden["loss_labels"])
    assert (labels == regions.POSITIVE).any()
    targets = jax.vmap(lambda b: regions.ltrb_targets(points, b))(boxes)
    np.testing.assert_allclose(targets, golden["loss_ltrb_targets"], rtol=0, atol=1e-5)
    shifted = jax.vmap(lambda b: regions.ltrb_targets(points + 0.5, b))(boxes + 0.5)
    np.testing.assert_allclose(shifted, targets, rtol=0, atol=1e-4)


def test_centerness_by_hand(variant):
    ltrb = jnp.array(
        [
            [3.0, 2.0, 3.0, 2.0],  # The centre.
            [1.0, 2.0, 4.0, 8.0],  # sqrt(1/4 * 2/8) = 1/4.
            [0.0, 1.0, 5.0, 1.0],  # On the border.
            [-1.0, 1.0, 6.0, 1.0],  # Outside.
            [-1.0, -1.0, 6.0, 6.0],  # Outside in both, whose product is positive.
            [0.0, 0.0, 0.0, 0.0],
        ]
    )
    centerness = variant(regions.centerness_targets)(ltrb)
    np.testing.assert_allclose(centerness, [1, 0.25, 0, 0, 0, 0], rtol=1e-6)


def test_centerness_does_not_depend_on_scale():
    ltrb = jnp.array([1.0, 2.0, 4.0, 7.0])
    scaled = regions.centerness_targets(ltrb * 13)
    np.testing.assert_allclose(scaled, regions.centerness_targets(ltrb), rtol=1e-6)


def test_centerness_gradients():
    ltrb = jnp.array([[1.0, 2.0, 4.0, 7.0], [5.0, 3.0, 2.0, 9.0]])
    check_grads(
        regions.centerness_targets, (ltrb,), order=1, modes=["rev"], rtol=1e-2, eps=1e-2
    )
    outside = jnp.array([[0.0, 0.0, 0.0, 0.0], [-1.0, 1.0, 6.0, 1.0]])
    gradient = jax.grad(lambda d: regions.centerness_targets(d).sum())(outside)
    np.testing.assert_array_equal(gradient, 0)
