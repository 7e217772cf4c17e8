"""Tests for jaxtrack.metrics.regions; goldens/vot_pysot.py made the goldens."""

import numpy as np
import pytest

from jaxtrack.metrics import regions


def corners(*rows):
    return np.concatenate([regions.polygons(np.array([row])) for row in rows])


def overlap(a, b, bounds=None):
    return regions.overlaps(corners(a), corners(b), bounds_wh=bounds)[0]


def test_equals_pysots_region_code(goldens):
    for key, less in [("unbounded", None), ("bounded_wh", 0), ("bounded_wh_minus1", 1)]:
        with np.load(goldens / "vot_pysot.npz") as file:
            a, b = (
                corners(*(row[np.isfinite(row)] for row in file[f"pairs_{side}"]))
                for side in "ab"
            )
            bounds, expected = file["pairs_bounds"], file[f"pairs_{key}"]
        found = []
        for i, wh in enumerate(bounds):
            bounds_wh = None if less is None else tuple(wh - less)
            pair = a[i : i + 1], b[i : i + 1]
            found.append(regions.overlaps(*pair, bounds_wh=bounds_wh)[0])
        assert len(expected) == 84
        np.testing.assert_array_equal(found, expected)


def drawn(polygon, bounds_wh):
    """The set of a polygon's pixels: row by row, between pairs of crossings."""
    points = [
        tuple(int(np.copysign(np.floor(abs(v) + 0.5), v)) for v in point)
        for point in polygon.astype(float)
    ]
    pixels = set()
    for row in range(bounds_wh[1] + 1):
        nodes = []
        for (xi, yi), (xj, yj) in zip(points, points[-1:] + points[:-1], strict=True):
            if yi != yj and min(yi, yj) <= row <= max(yi, yj):
                nodes.append(int(xi + (row - yi) / (yj - yi) * (xj - xi)))
        nodes.sort()
        while len(nodes) > 1:
            if nodes[0] == nodes[1]:
                nodes = nodes[1:]
                continue
            pixels |= {(x, row) for x in range(nodes[0], nodes[1] + 1)}
            nodes = nodes[2:]
    return {(x, y) for x, y in pixels if 0 <= x <= bounds_wh[0]}


def test_matches_sets_of_pixels():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 40, (2, 150, 4, 2)).astype(np.float32)
    a[::2] = np.round(a[::2] * 2) / 2  # Corners on halves, where rounding matters.
    # The origin of both is a corner of the image, so that nothing is shifted.
    for polygon in (a, b):
        polygon[:, 0] = [0, 0]
    for bounds in ((40, 40), (30, 17)):
        found = regions.overlaps(a, b, bounds_wh=bounds)
        for one, other, value in zip(a, b, found, strict=True):
            p, q = drawn(one, bounds), drawn(other, bounds)
            assert value == pytest.approx(len(p & q) / len(p | q), abs=1e-7)


def test_rectangles_by_hand():
    # 21 x 21 pixels each, 11 x 21 of them shared.
    assert overlap([0, 0, 20, 20], [10, 0, 20, 20]) == pytest.approx(231 / 651)
    # Halves are rounded up, from the corner of the box around on: x 2.5 to 6.5 is 3 to
    # 7, y -1.5 to 2.5 is -1 to 3.
    assert overlap([2.5, -1.5, 4, 4], [3, -1, 4, 4]) == 1.0
    # Neighbors share a column: 0..10 and 10..20; but not the box around it.
    assert overlap([0, 0, 10, 10], [10, 0, 10, 10]) == 0.0
    assert overlap([0, 0, 10.5, 10], [10, 0, 10, 10]) == pytest.approx(22 / 231)
    # No size, no overlap, even with itself.
    assert overlap([5, 5, 0, 7], [5, 5, 0, 7]) == 0.0


def test_bounds_keep_both_ends():
    a, b = [0, 0, 20, 9], [5, 0, 30, 9]
    # Columns 0..20 and 5..35 of 10 rows; bounds of 10 leave 0..10 and 5..10.
    assert overlap(a, b) == pytest.approx(16 / 36)
    assert overlap(a, b, (10, 9)) == pytest.approx(6 / 11)
    assert overlap(a, b, (10, 4)) == pytest.approx(6 / 11)
    # Left of the image, above it, and right of it.
    assert overlap([-30, 0, 20, 9], [-30, 0, 20, 9], (50, 50)) == 0.0
    assert overlap([0, -30, 20, 9], [0, -30, 20, 9], (50, 50)) == 0.0
    assert overlap([60, 0, 20, 9], [60, 0, 20, 9], (50, 50)) == 0.0


def test_a_diamond_has_no_pixels_at_its_tips():
    diamond = [5, 0, 10, 5, 5, 10, 0, 5]
    # Rows 1..9 hold 3, 5, 7, 9, 11, 9, 7, 5, 3 pixels; the tips hold none.
    square = [0, 0, 10, 10]
    assert overlap(diamond, square) == pytest.approx(59 / 121)


def test_properties():
    rng = np.random.default_rng(1)
    a = regions.polygons(rng.uniform(1, 50, (200, 4)))
    b = regions.polygons(rng.uniform(0, 50, (200, 8)))
    found = regions.overlaps(a, b)
    assert np.all((found >= 0) & (found <= 1)) and np.mean(found > 0) > 0.4
    np.testing.assert_array_equal(found, regions.overlaps(b, a))
    np.testing.assert_array_equal(regions.overlaps(a, a), np.ones(200))
    # Bounds that hold everything change nothing.
    np.testing.assert_array_equal(found, regions.overlaps(a, b, bounds_wh=(400, 400)))
    # Whole pixels do not matter; sixteenths stay exact in single precision.
    a, b = np.round(a * 16) / 16, np.round(b * 16) / 16
    moved = [p + np.array([32, 64], np.float32) for p in (a, b)]
    np.testing.assert_array_equal(regions.overlaps(*moved), regions.overlaps(a, b))


def test_unknown_corners_have_no_overlap():
    a = corners([0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9])
    b = a.copy()
    b[1, 2, 0] = np.nan
    np.testing.assert_array_equal(regions.overlaps(a, b), [1, np.nan, 1])
    np.testing.assert_array_equal(
        regions.overlaps(b, a, bounds_wh=(20, 20)), [1, np.nan, 1]
    )
    assert regions.overlaps(a[:0], b[:0]).shape == (0,)


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    a, b = (regions.polygons(rng.uniform(0, 60, (50, 8))) for _ in "ab")
    expected = regions.overlaps(a, b)
    monkeypatch.setattr(regions, "_ROWS", 130)
    np.testing.assert_array_equal(regions.overlaps(a, b), expected)
    with pytest.raises(ValueError, match="more than 130 rows: give bounds"):
        regions.overlaps(corners([0, 0, 5, 200]), corners([0, 0, 5, 5]))
    assert overlap([0, 0, 5, 200], [0, 0, 5, 100], (99, 99)) == 1.0


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"not \(2, 5\)"):
        regions.polygons(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"\(1, 4, 2\) and \(2, 4, 2\)"):
        regions.overlaps(np.zeros((1, 4, 2)), np.zeros((2, 4, 2)))


def test_first_box_of_an_upright_polygon():
    # Corners on the centers of the pixels 10..19 and 30..33: these pixels cover
    # 10..20 and 30..34 in continuous pixels.
    box = regions.init_cxcywh(np.array([10, 30, 19, 30, 19, 33, 10, 33]))
    np.testing.assert_allclose(box, [15, 32, 10, 4])
    # The rectangle of these pixels in a VOT file; it counts its pixels.
    np.testing.assert_allclose(regions.init_cxcywh([10, 30, 10, 4]), [15, 32, 10, 4])
    # One pixel, which has no area between corners.
    np.testing.assert_allclose(regions.init_cxcywh([7, 7, 1, 1]), [7.5, 7.5, 1, 1])


def test_first_box_of_a_rotated_polygon():
    # A diamond of half-diagonals 30 and 20: its sides' product is 30² + 20² = 1300, the
    # box around it 60 x 40 = 2400, s = sqrt(13 / 24).
    box = regions.init_cxcywh([80, 50, 50, 70, 20, 50, 50, 30])
    s = np.sqrt(13 / 24)
    np.testing.assert_allclose(box, [50.5, 50.5, 60 * s + 1, 40 * s + 1])


def test_regions_while_running():
    rows = regions.run_regions(np.array([[10, 30, 10, 4]]))
    np.testing.assert_array_equal(rows, [[10, 30, 10, 33, 19, 33, 19, 30]])
    polygon = np.arange(8.0)[None]
    np.testing.assert_array_equal(regions.run_regions(polygon), polygon)


def test_written_box():
    # Continuous 10..20 is centered on 15, index 14.5; pysot keeps the size.
    written = regions.written_xywh(np.array([15.0, 32, 10, 4]))
    np.testing.assert_allclose(written, [9.5, 29.5, 10, 4])
    boxes = np.array([[15.0, 32, 10, 4], [1, 2, 3, 4]])
    np.testing.assert_allclose(regions.written_xywh(boxes)[1], [-1, -0.5, 3, 4])
