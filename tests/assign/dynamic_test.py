"""Tests for the positives of jaxtrack.assign.dynamic."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import dynamic
from jaxtrack.ops import anchors

from .conftest import FIVE, NO_BOXES, TILES, box_at, positives

VIRTUAL, ANCHORS = TILES["virtual"], TILES["five"]


def numpy_iou(anchor, box):
    width = min(anchor[2], box[2]) - max(anchor[0], box[0])
    height = min(anchor[3], box[3]) - max(anchor[1], box[1])
    both = max(width, 0) * max(height, 0)
    sizes = [(b[2] - b[0]) * (b[3] - b[1]) for b in (anchor, box)]
    return both / (sum(sizes) - both)


def numpy_positives(tiles, box, num_points=9, ddof=1, empty="clamp"):
    """Algorithm 1 in float64, an anchor at a time, and whether rounding decides.

    Returns the chosen (row, column, anchor), and the least distance of an IoU to the
    threshold that it was compared with, tolerance included.
    """
    x0, y0, x1, y1 = box
    xs = (tiles[0, :, 0, 0] + tiles[0, :, 0, 2]) / 2
    ys = (tiles[:, 0, 0, 1] + tiles[:, 0, 0, 3]) / 2
    distances = (ys[:, None] - (y0 + y1) / 2) ** 2 + (xs - (x0 + x1) / 2) ** 2
    # Equal distances stay in the order of row and column.
    order = np.argsort(distances.ravel(), kind="stable")[:num_points]
    places = [divmod(k, len(xs)) for k in order.tolist()]
    iou = {
        (*place, a): numpy_iou(anchor, box)
        for place in places
        for a, anchor in enumerate(tiles[place].tolist())
    }
    inside = [
        (i, j)
        for i, j in places
        if min(xs[j] - x0, x1 - xs[j], ys[i] - y0, y1 - ys[i]) > 0.01
    ]
    candidates = [at for at in iou if at[:2] in inside]
    values = list(iou.values())
    mean = sum(values) / len(values)
    squares = sum((v - mean) ** 2 for v in values)
    threshold = mean + math.sqrt(squares / (len(values) - ddof)) - 1e-6
    margin = min(abs(iou[at] - threshold) for at in iou)
    chosen = [at for at in candidates if iou[at] >= threshold]
    if chosen or empty == "skip":
        return chosen, margin
    only_first = empty == "argmax" or not candidates
    candidates = candidates or [at for at in iou if at[:2] == places[0]]
    best = max(iou[at] for at in candidates) - 1e-6
    chosen = [at for at in candidates if iou[at] >= best]
    margin = min(margin, *(abs(iou[at] - best) for at in candidates))
    return chosen[:1] if only_first else chosen, margin


def drawn(positive, anchor=0):
    return ["".join("P" if p else "." for p in row) for row in positive[..., anchor]]


@functools.cache
def random_targets(count=2000):
    """Targets as the search crops of training show them.

    Of the exemplar's size, sqrt((w + p) (h + p)) = 127 with p = (w + h) / 2, and log
    aspect N(0, 1/2); stretched by up to 18 % and moved by up to 64 px on each axis.
    """
    rng = np.random.default_rng(0)
    root = np.exp(rng.normal(0, 0.5, count) / 2)
    size = np.stack([root, 1 / root], axis=1)
    context = size.sum(1, keepdims=True) / 2
    size *= 127 / np.sqrt((size + context).prod(1, keepdims=True))
    size /= 1 + rng.uniform(-0.18, 0.18, (count, 2))
    low = 127.5 + rng.uniform(-64, 64, (count, 2)) - size / 2
    return np.concatenate([low, low + size], axis=1).astype(np.float32)


@pytest.mark.parametrize("tiles", TILES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"empty": "argmax", "num_points": 19},
        {"empty": "skip", "ddof": 0},
        {"num_points": 4},
    ],
    ids=str,
)
def test_matches_definition(targets, tiles, options):
    positive = np.asarray(positives(tiles, **options)(targets))
    assert positive.dtype == bool
    exact = np.asarray(TILES[tiles], np.float64)
    near, total = 0, 0
    for box, map_ in zip(targets.astype(np.float64).tolist(), positive, strict=True):
        chosen, margin = numpy_positives(exact, box, **options)
        if margin < 4e-7:  # An IoU of float32 is not that exact.
            near += 1
            continue
        assert list(zip(*np.nonzero(map_), strict=True)) == sorted(chosen), box
        total += len(chosen)
    assert near <= 10
    assert total > 500


def test_the_nearest_points_are_those_of_float64():
    # In 1/32 px, 42 of these 4,000 targets had another ninth-nearest point.
    boxes = random_targets(4000)
    flat = np.asarray(VIRTUAL).reshape(-1, 4)
    found = jax.jit(jax.vmap(lambda box: dynamic._nearest(flat, box, 9)))(boxes)
    points = (flat[:, :2] + flat[:, 2:]).astype(np.float64) / 2
    centers = (boxes[:, :2] + boxes[:, 2:]).astype(np.float64) / 2
    squares = np.sum((points - centers[:, None]) ** 2, axis=-1)
    expected = np.argsort(squares, axis=1, kind="stable")[:, :9]
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(expected, axis=1))


def test_virtual_anchors_by_hand(variant):
    squares = variant(dynamic.virtual_anchors)(FIVE)
    assert squares.shape == (5, 5, 1, 4)
    # Around (x, y) = (28, 12).
    assert squares[1, 3].tolist() == [[-4.0, -20.0, 60.0, 44.0]]
    small = dynamic.virtual_anchors(FIVE, side=6.0)
    assert small[1, 3].tolist() == [[25.0, 9.0, 31.0, 15.0]]


def test_threshold_by_hand(variant):
    # Squares of 16 px at (20, 20), (28, 20), (20, 28), (28, 28); the target is another
    # at (27, 24.25), 7 and 1 px away in x and 4.25 and 3.75 in y. Intersections are
    # 9 * 11.75 = 105.75, 15 * 11.75 = 176.25, 110.25 and 183.75, unions 512 less those,
    # IoUs .26031, .52494, .27442 and .55979. Their mean is .40487 and the squares of
    # what they differ by sum to .076331, so with ddof 1, as in ATSS's code (D6), T =
    # .40487 + sqrt(.076331 / 3) = .56438, above the best of .55979.
    tiles, box = dynamic.virtual_anchors(FIVE, side=16.0), box_at(27.0, 24.25, 8, 8)
    choose = functools.partial(dynamic.dynamic_positives, num_points=4, empty="skip")
    assert not variant(choose)(tiles, box).any()
    # With ddof 0, T = .40487 + sqrt(.076331 / 4) = .54301 < .55979.
    zero = variant(functools.partial(choose, ddof=0))(tiles, box)
    assert drawn(zero) == [".....", ".....", ".....", "...P.", "....."]
    for empty in ("clamp", "argmax"):
        lowered = functools.partial(choose, empty=empty)
        np.testing.assert_array_equal(variant(lowered)(tiles, box), zero)


@pytest.mark.parametrize(
    ("num_points", "expected"),
    [
        (9, [".....", ".PPP.", ".PPP.", ".PPP.", "....."]),
        (5, [".....", "..P..", ".PPP.", "..P..", "....."]),
        # Ties go to the first row, then to the first column (D5).
        (3, [".....", "..P..", ".PP..", ".....", "....."]),
        (7, [".....", ".PPP.", ".PPP.", "..P..", "....."]),
        # All points, and no more than there are.
        (25, ["PPPPP"] * 5),
        (99, ["PPPPP"] * 5),
    ],
)
def test_nearest_points_by_hand(num_points, expected):
    # The target covers all anchors, whose IoUs are all 64 / 1600: T = mean = IoU, which
    # the tolerance lets pass (D7). Nearest to (20, 20) are itself, four points at 8 px
    # and four at 11.3.
    tiles, box = dynamic.virtual_anchors(FIVE, side=8.0), box_at(20.0, 20.0, 20, 20)
    choose = functools.partial(dynamic.dynamic_positives, num_points=num_points)
    assert (
        drawn(jax.jit(functools.partial(choose, empty="skip"))(tiles, box)) == expected
    )


@pytest.mark.parametrize("offset", [0.11, 0.49, 2.9])
def test_ties_are_ties_in_float32(offset):
    # As far right of its nearest point as it is below: the next points right and below
    # are equally near, and the one to the right has the lower row. Corners in float32
    # tell x and y apart by 1e-5 px, which must not decide. All IoUs are equal, so that
    # the two nearest points are seen.
    cells = np.random.default_rng(0).integers(0, 24, (1000, 2))
    centers = 31.5 + 8 * cells[:, ::-1] + offset
    boxes = np.concatenate([centers - 99, centers + 99], axis=1).astype(np.float32)
    nearest = positives("virtual", num_points=2, empty="skip")(boxes)
    expected = np.zeros((1000, 25, 25, 1), bool)
    for k in (0, 1):
        expected[np.arange(1000), cells[:, 0], cells[:, 1] + k] = True
    np.testing.assert_array_equal(nearest, expected)


def test_clamped_and_single_best_by_hand(variant):
    # Squares of 8 px and a target from 8 to 32 in x and y. Of the 13 nearest points
    # nine have an IoU of 64 / 576 = 1/9; four, 16 px away, lie outside and have 0.
    # T = 1/13 + 1/9 sqrt((9 * 4 / 13) / 12) = .0769 + .0534 = .1303, above all (D7).
    tiles, box = dynamic.virtual_anchors(FIVE, side=8.0), box_at(20.0, 20.0, 12, 12)
    choose = functools.partial(dynamic.dynamic_positives, num_points=13)
    skip = variant(functools.partial(choose, empty="skip"))(tiles, box)
    assert not skip.any()
    clamp = variant(choose)(tiles, box)
    assert drawn(clamp) == [".....", ".PPP.", ".PPP.", ".PPP.", "....."]
    # Equally good, the nearest is the one.
    best = variant(functools.partial(choose, empty="argmax"))(tiles, box)
    assert drawn(best) == [".....", ".....", "..P..", ".....", "....."]


def test_anchors_equal_but_for_rounding_are_equally_good():
    # Midway between two columns and nearer to a row: of four IoUs a, a, b, b the mean
    # and .577 (a - b) more lie above a. Both a are the best, though the sides left and
    # right of 32 round differently.
    rng = np.random.default_rng(0)
    half, y = rng.uniform(7, 8, (1000, 2)), rng.uniform(21, 22, 1000)
    centers = np.stack([np.full(1000, 32), y], axis=1)
    boxes = np.concatenate([centers - half, centers + half], 1).astype(np.float32)
    tiles = dynamic.virtual_anchors(FIVE, side=16.0)
    choose = functools.partial(dynamic.dynamic_positives, tiles, num_points=4)
    positive = jax.jit(jax.vmap(choose))(boxes)
    expected = np.zeros((5, 5, 1), bool)
    expected[2, 3:] = True
    np.testing.assert_array_equal(positive, np.broadcast_to(expected, positive.shape))


@pytest.mark.parametrize("empty", ["clamp", "argmax"])
def test_target_between_points_gets_the_nearest_points_best_anchor(variant, empty):
    # 2 x 2 px around (25, 23): no point inside; the nearest is (28, 20). All anchors
    # cover it, so the best is the smallest: 104 * 32 = 3328, 3520, 4096, 3200, 3072.
    tiles = anchors.tile(FIVE, anchors.anchor_sizes())
    choose = functools.partial(dynamic.dynamic_positives, empty=empty)
    positive = variant(choose)(tiles, box_at(25.0, 23.0, 1, 1))
    assert np.argwhere(positive).tolist() == [[2, 3, 4]]
    assert not dynamic.dynamic_positives(
        tiles, box_at(25.0, 23.0, 1, 1), empty="skip"
    ).any()


@pytest.mark.parametrize("empty", ["clamp", "argmax"])
def test_target_off_the_map_gets_the_first_anchor_of_the_nearest_point(empty):
    # Below and right of all anchors: every IoU is 0.
    tiles = anchors.tile(FIVE, anchors.anchor_sizes())
    box = box_at(900.0, 700.0, 20, 20)
    positive = dynamic.dynamic_positives(tiles, box, empty=empty)
    assert np.argwhere(positive).tolist() == [[4, 4, 0]]


def test_points_at_the_border_are_outside():
    # All nine squares of 64 px cover the target: equal IoUs. The outer eight of the
    # nearest points lie 1/128 = .0078 px from its border, less than .01 (D8), or .0156.
    tiles = dynamic.virtual_anchors(FIVE)
    choose = functools.partial(dynamic.dynamic_positives, empty="skip")
    near = choose(tiles, box_at(20.0, 20.0, 8 + 1 / 128, 8 + 1 / 128))
    assert drawn(near) == [".....", ".....", "..P..", ".....", "....."]
    inside = choose(tiles, box_at(20.0, 20.0, 8 + 1 / 64, 8 + 1 / 64))
    assert drawn(inside) == [".....", ".PPP.", ".PPP.", ".PPP.", "....."]
    # Likewise on one side alone: x from 12 to 28.1.
    sided = choose(tiles, jnp.array([12.0, 11.5, 28.1, 28.5]))
    assert drawn(sided) == [".....", "..PP.", "..PP.", "..PP.", "....."]


@pytest.mark.parametrize("tiles", TILES)
@pytest.mark.parametrize("empty", ["clamp", "argmax"])
def test_every_target_has_a_positive(targets, tiles, empty):
    positive = np.asarray(positives(tiles, empty=empty)(targets))
    count = positive.sum((1, 2, 3))
    assert count.min() == 1
    assert count.max() <= 9 * TILES[tiles].shape[2]
    skipped = np.asarray(positives(tiles, empty="skip")(targets))
    has_some = skipped.any((1, 2, 3))
    np.testing.assert_array_equal(positive[has_some], skipped[has_some])
    # Where T is lowered: the best, or all that are as good.
    assert 50 < (~has_some).sum() < 950
    assert (count[~has_some].max() > 1) == (empty == "clamp")


def test_share_without_positives_and_their_number():
    """A simulation with the same law, 4,000 targets: 28 %, 3.65 and 7.8 (D7)."""
    targets = random_targets()
    count = np.asarray(positives("virtual", empty="skip")(targets)).sum((1, 2, 3))
    assert 0.22 < (count == 0).mean() < 0.34
    assert 1.8 < count.mean() < 2.6
    count = np.asarray(positives("virtual")(targets)).sum((1, 2, 3))
    assert 3.2 < count.mean() < 4.1
    count = np.asarray(positives("five", empty="skip")(targets)).sum((1, 2, 3))
    assert (count == 0).mean() < 0.01
    assert 6.5 < count.mean() < 9


@pytest.mark.parametrize("tiles", TILES)
@pytest.mark.parametrize("empty", ["clamp", "argmax", "skip"])
def test_moved_targets_move_their_positives(targets, tiles, empty):
    # The first 200 lie far from the map's border; two cells right and one down.
    inner = targets[:200]
    inner = inner[(inner.min(1) > 32) & (inner.max(1) < 200)]
    assert len(inner) > 50
    choose = positives(tiles, empty=empty)
    positive, moved = choose(inner), choose(inner + np.float32([16, 8, 16, 8]))
    np.testing.assert_array_equal(moved[:, 1:, 2:], positive[:, :-1, :-2])


@pytest.mark.parametrize("empty", ["clamp", "argmax", "skip"])
def test_no_box_has_no_positive(targets, empty):
    # In one batch with boxes, which compiles nothing new.
    boxes = np.concatenate([np.float32(NO_BOXES), targets[len(NO_BOXES) :]])
    assert not positives("five", empty=empty)(boxes)[: len(NO_BOXES)].any()


def test_faults():
    box = jnp.array([90.0, 70.0, 150.0, 170.0])
    choose = functools.partial(dynamic.dynamic_positives, VIRTUAL, box)
    with pytest.raises(ValueError, match="clamp, argmax or skip, got 'mean'"):
        choose(empty="mean")
    with pytest.raises(ValueError, match="ddof must be 0 or 1, got 2"):
        choose(ddof=2)
    with pytest.raises(ValueError, match="num_points must be at least 1, got 0"):
        choose(num_points=0)
    with pytest.raises(ValueError, match="1 candidates are too few for ddof 1"):
        choose(num_points=1)
    # These are just enough.
    jax.eval_shape(functools.partial(choose, num_points=1, ddof=0))
    five = functools.partial(dynamic.dynamic_positives, ANCHORS, box, num_points=1)
    jax.eval_shape(five)
    with pytest.raises(ValueError, match="got 'mean'"):
        dynamic.dynamic_labels(jax.random.key(0), VIRTUAL, box, empty="mean")
