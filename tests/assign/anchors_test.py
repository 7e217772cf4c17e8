"""Tests for jaxtrack.assign.anchors."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import anchors, regions
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes, grid

POINTS = grid.points(grid.Geometry(127, 255, 25, 8, 31.5))
ANCHORS = anchor_boxes.tile(POINTS, anchor_boxes.anchor_sizes())
LABELS = [regions.POSITIVE, regions.NEGATIVE, regions.IGNORE]
NO_BOXES = [
    [0.0, 0.0, 0.0, 0.0],
    [50.0, 50.0, 50.0, 90.0],
    [90.0, 10.0, 10.0, 90.0],
    [np.nan] * 4,
    [0.0, 0.0, np.inf, 90.0],
]


def keys(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


def numpy_iou(tiles, box):
    """IoU in float64, a side at a time."""
    left, top, right, bottom = np.moveaxis(np.asarray(tiles, np.float64), -1, 0)
    x0, y0, x1, y1 = box.astype(np.float64)
    width = np.maximum(np.minimum(right, x1) - np.maximum(left, x0), 0)
    height = np.maximum(np.minimum(bottom, y1) - np.maximum(top, y0), 0)
    both = (right - left) * (bottom - top) + (x1 - x0) * (y1 - y0)
    return width * height / (both - width * height)


def test_iou_labels_match_definition(targets):
    labels = np.array(
        jax.jit(jax.vmap(lambda b: anchors.iou_labels(ANCHORS, b)))(targets)
    )
    assert labels.dtype == np.int32
    iou = np.stack([numpy_iou(ANCHORS, box) for box in targets])
    at_edge = np.minimum(abs(iou - 0.6), abs(iou - 0.3)) < 1e-5
    assert at_edge.mean() < 1e-4
    expected = np.where(iou > 0.6, 1, np.where(iou < 0.3, 0, -1))
    np.testing.assert_array_equal(labels[~at_edge], expected[~at_edge])
    for label in LABELS:
        assert (expected == label).sum() > 400


def test_golden_labels(goldens):
    """pysot's IoUs and positives, (box, anchor, row, column); it kept no negatives."""
    golden = np.load(goldens / "rpn_functions_s1.npz")
    targets = jnp.asarray(golden["assign_box_xyxy"] + 0.5, jnp.float32)
    labels = jax.vmap(lambda b: anchors.iou_labels(ANCHORS, b))(targets)
    expected = golden["assign_labels_unsampled"].transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(labels == 1, expected == 1)
    assert (expected == 1).sum() == 28
    iou = jax.vmap(lambda b: boxes.iou(ANCHORS, b))(targets)
    expected = golden["assign_iou"].transpose(0, 2, 3, 1)
    np.testing.assert_allclose(iou, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(labels == 0, expected < 0.3)


def test_iou_labels_by_hand(variant):
    # Anchors 8 high and 8, 16, 32 wide in the target's corner, 16 x 8: IoU 1/2, 1, 1/2.
    tiles = jnp.array([[[[0.0, 0.0, w, 8.0] for w in (8.0, 16.0, 32.0, 64.0)]]])
    box = jnp.array([0.0, 0.0, 16.0, 8.0])
    label = variant(lambda b: anchors.iou_labels(tiles, b))
    assert label(box).tolist() == [[[-1, 1, -1, 0]]]  # The last has 1/4.
    # Neither threshold is beyond itself: > high, < low.
    label = variant(lambda b: anchors.iou_labels(tiles, b, high=0.5, low=0.25))
    assert label(box).tolist() == [[[-1, 1, -1, -1]]]
    label = variant(lambda b: anchors.iou_labels(tiles, b, high=0.4, low=0.26))
    assert label(box).tolist() == [[[1, 1, 1, 0]]]


def test_moved_targets_move_iou_labels():
    box = jnp.array([90.0, 70.0, 150.0, 170.0])
    labels = anchors.iou_labels(ANCHORS, box)
    moved = anchors.iou_labels(ANCHORS, box + jnp.array([16.0, 8.0, 16.0, 8.0]))
    np.testing.assert_array_equal(moved[1:, 2:], labels[:-1, :-2])
    assert {-1, 0, 1} == set(np.unique(labels))


@pytest.mark.parametrize("box", NO_BOXES)
def test_no_box_is_all_negative(box):
    labels = anchors.iou_labels(ANCHORS, jnp.array(box), low=0.0)
    np.testing.assert_array_equal(labels, regions.NEGATIVE)


def random_labels(shape=(4, 5, 3)):
    """Labels of which 17 are positive, 23 negative, and 20 ignored."""
    labels = np.repeat(LABELS, [17, 23, 20])
    return np.random.default_rng(0).permutation(labels).reshape(shape)


@pytest.mark.parametrize(
    ("most", "expected"),
    [((16, 48), (16, 23)), ((0, 5), (0, 5)), ((99, 0), (17, 0)), ((99, 99), (17, 23))],
)
def test_subsample_keeps_at_most_so_many(variant, most, expected):
    labels = jnp.asarray(random_labels(), jnp.int32)
    sample = functools.partial(
        anchors.subsample, num_positives=most[0], num_negatives=most[1]
    )
    kept = np.asarray(variant(sample)(jax.random.key(1), labels))
    assert kept.dtype == np.int32
    assert ((kept == 1).sum(), (kept == 0).sum()) == expected
    is_kept = kept != regions.IGNORE
    np.testing.assert_array_equal(kept[is_kept], labels[is_kept])


def test_subsample_keeps_published_counts():
    kept = anchors.subsample(jax.random.key(0), jnp.arange(6250) % 2)
    assert ((kept == 1).sum(), (kept == 0).sum()) == (16, 48)
    few = jnp.zeros(60, jnp.int32).at[:3].set(1)
    kept = anchors.subsample(jax.random.key(0), few)
    assert ((kept == 1).sum(), (kept == 0).sum()) == (3, 48)


def test_every_anchor_is_as_likely_to_be_kept():
    labels = jnp.asarray(random_labels())
    sample = functools.partial(anchors.subsample, num_positives=5, num_negatives=9)
    kept = np.asarray(jax.jit(jax.vmap(sample, (0, None)))(keys(4000), labels))
    for label, count, total in ((1, 5, 17), (0, 9, 23)):
        times = (kept == label).sum(0)[np.asarray(labels) == label]
        mean = 4000 * count / total
        # Five standard deviations of a binomial.
        assert np.abs(times - mean).max() < 5 * math.sqrt(mean * (1 - count / total))


def test_same_keys_agree_and_different_keys_differ():
    labels = anchors.iou_labels(ANCHORS, jnp.array([90.0, 70.0, 150.0, 170.0]))
    window = functools.partial(
        anchors.window_negatives,
        points=POINTS,
        xyxy=jnp.array([90.0, 70.0, 150.0, 170.0]),
        **{"num_anchors": 5, "stride": 8, "search_size": 255},
    )
    for draw in (functools.partial(anchors.subsample, labels=labels), window):
        first, again, other = (draw(jax.random.key(seed)) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


def numpy_window(box, radius=3):
    """pysot's slices, from indices of pixels: half a pixel less."""
    x0, y0, x1, y1 = (float(v) - 0.5 for v in box)
    column = 25 // 2 + math.ceil(((x0 + x1) / 2 - 255 // 2) / 8 + 0.5)
    row = 25 // 2 + math.ceil(((y0 + y1) / 2 - 255 // 2) / 8 + 0.5)
    window = np.full((25, 25, 5), regions.IGNORE)
    rows = slice(max(0, row - radius), max(0, row + radius + 1))
    columns = slice(max(0, column - radius), max(0, column + radius + 1))
    window[rows, columns] = regions.NEGATIVE
    return window


def all_of_window(box, **options):
    """Draws more than a window has, which leaves all of it."""
    return anchors.window_negatives(
        jax.random.key(0),
        POINTS,
        box,
        num_anchors=5,
        stride=8,
        search_size=255,
        count=10_000,
        **options,
    )


@pytest.mark.parametrize("radius", [0, 3])
def test_window_matches_definition(targets, radius):
    windows = jax.jit(jax.vmap(functools.partial(all_of_window, radius=radius)))(
        targets
    )
    assert windows.dtype == jnp.int32
    expected = np.stack([numpy_window(box, radius) for box in targets])
    np.testing.assert_array_equal(windows, expected)


@pytest.mark.parametrize(
    ("center", "first"),
    # The window's first column. ceil((x - 127.5) / 8 + 1/2) is 1 in the middle, which
    # leaves (12 + 1) - 3 = 10; 3.5 px less are 0.0625 and still 1, 4 px less are 0;
    # 4 px more are 1, 4.5 px more 1.0625 and so 2.
    [(127.5, 10), (124.0, 10), (123.5, 9), (131.5, 10), (132.0, 11), (31.5, 0)],
)
def test_window_by_hand(variant, center, first):
    box = jnp.array([center - 20, 107.5, center + 20, 147.5])
    window = np.asarray(variant(all_of_window)(box)) == regions.NEGATIVE
    rows, columns = (np.flatnonzero(window.any((a, 2))) for a in (1, 0))
    assert rows.tolist() == list(range(10, 17))
    # At x = 31.5: 12 + ceil(-11.5) = 1, and of -2 to 4 the map has 0 to 4.
    assert columns.tolist() == list(range(first, first + 7 if first else 5))
    assert window.sum() == rows.size * columns.size * 5


def test_window_of_an_even_map_and_another_crop():
    # 32 // 2 + ceil((132 - 128) / 8 + 1/2) = 17 in x, and at 123 ceil(-0.125) = 0: 16.
    points = grid.points(grid.Geometry(128, 256, 32, 8, 4.0))
    window = anchors.window_negatives(
        jax.random.key(0),
        points,
        jnp.array([122.0, 113.0, 142.0, 133.0]),
        **{"num_anchors": 1, "stride": 8, "search_size": 256, "count": 99, "radius": 1},
    )
    rows, columns, _ = np.nonzero(np.asarray(window) == regions.NEGATIVE)
    assert set(rows) == {15, 16, 17}
    assert set(columns) == {16, 17, 18}


@pytest.mark.parametrize("box", NO_BOXES)
def test_window_without_a_box_is_in_the_middle(box):
    window = all_of_window(jnp.array(box))
    expected = np.full((25, 25, 5), regions.IGNORE)
    expected[9:16, 9:16] = regions.NEGATIVE
    np.testing.assert_array_equal(window, expected)


def test_window_keeps_a_few_and_no_positives(targets):
    draw = functools.partial(
        anchors.window_negatives, **{"num_anchors": 5, "stride": 8, "search_size": 255}
    )
    labels = np.asarray(
        jax.jit(jax.vmap(draw, (0, None, 0)))(keys(1000), POINTS, targets)
    )
    windows = np.stack([numpy_window(box) for box in targets]) == regions.NEGATIVE
    is_negative = labels == regions.NEGATIVE
    np.testing.assert_array_equal(labels[~is_negative], regions.IGNORE)
    assert not (is_negative & ~windows).any()
    count = np.minimum(windows.sum((1, 2, 3)), 16)
    np.testing.assert_array_equal(is_negative.sum((1, 2, 3)), count)
