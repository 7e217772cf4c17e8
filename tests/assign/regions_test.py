"""Tests for jaxtrack.assign.regions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import regions
from jaxtrack.ops import grid
from tests.gradients import check_gradients

POINTS = grid.points(grid.Geometry(127, 255, 25, 8, 31.5))
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


def numpy_regions(box):
    """Yields name, assigner and its definition: labels, and which lie at an edge."""
    x0, y0, x1, y1 = box.astype(np.float64)
    center, half = np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0]) / 2
    offset = np.asarray(POINTS, np.float64) - center

    def rectangle(reach):
        distance = np.abs(offset)
        at_edge = (np.abs(distance - reach) < 1e-4).any(-1)
        return (distance < reach).all(-1), at_edge

    inside, _ = rectangle(half)  # On multiples of 1/16 px: exact.
    sure = np.zeros((25, 25), bool)
    middle, middle_edge = rectangle(0.4 * half)
    yield "rectangle", np.where(middle, 1, 0), middle_edge
    yield "whole", np.where(inside, 1, 0), sure
    yield "rim", np.where(middle, 1, np.where(inside, -1, 0)), middle_edge
    least, edge = rectangle(np.maximum(0.4 * half, 8.0625))
    yield "least", np.where(least, 1, 0), edge
    radius = np.hypot(*np.moveaxis(offset, -1, 0))
    at_edge = np.abs(radius[..., None] - [16, 20.5, 41]).min(-1)
    at_edge = (at_edge > 0) & (at_edge < 1e-4)
    yield "circle", np.where(radius <= 16, 1, 0), at_edge
    ring = np.where(radius <= 20.5, 1, np.where(radius <= 41, -1, 0))
    yield "ring", ring, at_edge
    for name, inner, outer in (("ellipse", 0.5, 1.0), ("thin", 0.3, 0.45)):
        one = ((offset / (half * inner)) ** 2).sum(-1)
        two = ((offset / (half * outer)) ** 2).sum(-1)
        at_edge = (np.abs(one - 1) < 1e-4) | (np.abs(two - 1) < 1e-4)
        yield name, np.where(one < 1, 1, np.where(two > 1, 0, -1)), at_edge


ASSIGNERS = {
    "rectangle": regions.center_region,
    "whole": functools.partial(regions.center_region, size=1.0),
    "rim": functools.partial(regions.center_region, ignore_inside=True),
    "least": functools.partial(regions.center_region, min_half=8.0625),
    "circle": regions.circle,
    "ring": functools.partial(regions.circle, radius=20.5, ignore_radius=41.0),
    "ellipse": regions.ellipse,
    "thin": functools.partial(regions.ellipse, inner=0.3, outer=0.45),
}


def test_matches_definition(targets):
    maps = [dict((n, (y, e)) for n, y, e in numpy_regions(box)) for box in targets]
    for name, assigner in ASSIGNERS.items():
        labels = jax.jit(jax.vmap(functools.partial(assigner, POINTS)))(targets)
        assert labels.dtype == jnp.int32
        expected, at_edge = (
            np.stack(m) for m in zip(*(m[name] for m in maps), strict=True)
        )
        assert at_edge.mean() < 2e-3, name
        expected[at_edge] = np.asarray(labels)[at_edge]
        np.testing.assert_array_equal(labels, expected, err_msg=name)
        assert (expected == 1).sum() > 1000, name


def test_disc_drawn(variant):
    # Of (5, 5) with radius 2: the four neighbors at a distance of exactly 2 belong to
    # it. The ring up to 4: (+-2, +-2) at 2.83 and (+-4, 0) at exactly 4, not (+-4, 2).
    box = jnp.array([4.0, 2.0, 6.0, 8.0])
    labels = variant(lambda b: regions.circle(FIVE, b, radius=2.0))(box)
    assert labels.dtype == jnp.int32
    assert drawn(labels) == [".....", "..P..", ".PPP.", "..P..", "....."]
    labels = variant(lambda b: regions.circle(FIVE, b, radius=2.0, ignore_radius=4.0))(
        box
    )
    assert drawn(labels) == ["..i..", ".iPi.", "iPPPi", ".iPi.", "..i.."]


def test_disc_has_the_published_size_whatever_the_target():
    # 16 px are two strides: 13 points with |(i, j)| <= 2.
    for half in (1.0, 10.0, 90.0):
        box = jnp.array([127.5 - half, 127.5 - half, 127.5 + half, 127.5 + half])
        assert regions.circle(POINTS, box).sum() == 13


def test_ellipses_drawn(variant):
    # Around (5, 5), 8 wide and 16 high. E1 has the semi-axes 2 and 4: (5, 1) has the
    # value 1, which is not below 1, and (3, 5) likewise; (5, 3) and (5, 7) have 1/4;
    # (3, 3) has 1 + 1/4. E2 has 4 and 8: (1, 5) has the value 1, not above it, and is
    # ignored; (1, 3) has 1 + 1/16; (3, 1) has 1/4 + 1/4.
    box = jnp.array([1.0, -3.0, 9.0, 13.0])
    labels = variant(lambda b: regions.ellipse(FIVE, b))(box)
    assert labels.dtype == jnp.int32
    assert drawn(labels) == [".iii.", ".iPi.", "iiPii", ".iPi.", ".iii."]
    # With one ellipse for both, of 4 and 8, those on it are ignored.
    labels = variant(lambda b: regions.ellipse(FIVE, b, inner=1.0))(box)
    assert drawn(labels) == [".PPP.", ".PPP.", "iPPPi", ".PPP.", ".PPP."]


@pytest.mark.parametrize("name", ASSIGNERS)
def test_moved_targets_move_all_labels(name):
    assigner = functools.partial(ASSIGNERS[name], POINTS)
    box = jnp.array([90.0, 70.0, 150.0, 170.0])
    labels = assigner(box)
    moved = assigner(box + jnp.array([16.0, 8.0, 16.0, 8.0]))
    np.testing.assert_array_equal(moved[1:, 2:], labels[:-1, :-2])
    assert (labels == regions.POSITIVE).any()


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
    for assigner in ASSIGNERS.values():
        labels = assigner(FIVE, jnp.array(box))
        np.testing.assert_array_equal(labels, regions.NEGATIVE)
    assert not regions.is_box(jnp.array(box))


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
            [3.0, 2.0, 3.0, 2.0],  # The center.
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
    check_gradients(regions.centerness_targets, (ltrb,), rtol=1e-2, eps=1e-2)
    outside = jnp.array([[0.0, 0.0, 0.0, 0.0], [-1.0, 1.0, 6.0, 1.0]])
    gradient = jax.grad(lambda d: regions.centerness_targets(d).sum())(outside)
    np.testing.assert_array_equal(gradient, 0)
