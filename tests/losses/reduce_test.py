"""Tests for jaxtrack.losses.reduce."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.losses import reduce
from jaxtrack.losses.balance import classification_share
from jaxtrack.ops import grid

POINTS = grid.points(grid.Geometry(16, 16, 2, 8, 4.0))  # At 4 and 12.


def on_devices(fn, *arrays):
    """Maps over four devices; the first axis is theirs."""
    return jax.pmap(fn, "batch", devices=jax.local_devices()[:4])(*arrays)


def test_share_by_hand(variant):
    # (1 * 2 + 3 * 4) / (1 + 3); the value with weight 0 has no say.
    share = variant(reduce.global_mean_share)(
        jnp.array([2.0, 4.0, 9.0]), jnp.array([1.0, 3.0, 0.0])
    )
    assert share == 3.5


def test_share_takes_bools_and_any_shape():
    values = jnp.arange(6.0).reshape(2, 3)
    weights = jnp.array([[True, False, True], [False, False, True]])
    assert float(reduce.global_mean_share(values, weights)) == pytest.approx(
        (0 + 2 + 5) / 3
    )


def test_share_of_count_by_hand(variant):
    # Three values are added up but two counted: (2 + 4 + 9) / 2.
    values = jnp.array([2.0, 4.0, 9.0])
    share = variant(reduce.global_count_share)(
        values, jnp.ones(3, bool), jnp.array([[True, False], [False, True]])
    )
    assert share == 7.5


@pytest.mark.parametrize("fill", [1.0, np.inf, np.nan])
def test_a_mean_over_nothing_is_zero(variant, fill):
    assert variant(reduce.global_mean_share)(jnp.full(4, fill), jnp.zeros(4, bool)) == 0


def test_a_mean_over_nothing_has_no_slope():
    slope = jax.grad(reduce.global_mean_share)(jnp.ones(4), jnp.zeros(4))
    np.testing.assert_array_equal(slope, 0)


def test_shares_slope_is_the_weights_share():
    weights = jnp.array([1.0, 3.0, 0.0])
    slope = jax.grad(reduce.global_mean_share)(jnp.array([2.0, 4.0, 9.0]), weights)
    np.testing.assert_allclose(slope, [0.25, 0.75, 0], rtol=1e-6)


def test_shares_are_added_up_in_float32():
    # In bfloat16, 256 + 1 is 256.
    ones = jnp.ones(1000, jnp.bfloat16)
    share = reduce.global_count_share(ones, ones, jnp.ones(1))
    assert share.dtype == jnp.float32
    assert share == 1000


@pytest.mark.parametrize("counted", [None, "first"])
def test_shares_of_four_devices_add_up(counted):
    # Devices count 3, 0, 1 and 2; without a sum over them, means of means would come.
    values = np.arange(12, dtype=np.float32).reshape(4, 3) ** 2
    weights = np.array([[1, 1, 1], [0, 0, 0], [0, 1, 0], [1, 0, 1]], np.float32)
    if counted is None:
        shares = on_devices(
            partial(reduce.global_mean_share, axis_name="batch"), values, weights
        )
        expected = np.sum(values * weights) / 6
    else:
        counted = np.array([[1], [0], [0], [1]], np.float32)
        shares = on_devices(
            partial(reduce.global_count_share, axis_name="batch"),
            values,
            weights,
            counted,
        )
        expected = np.sum(values * weights) / 2
    assert shares.shape == (4,)
    assert shares[1] == 0
    np.testing.assert_allclose(np.sum(shares), expected, rtol=1e-6)


def test_devices_without_any_count_share_zero():
    zeros = np.zeros((4, 3), np.float32)
    shares = on_devices(
        partial(reduce.global_mean_share, axis_name="batch"), zeros + 5, zeros
    )
    np.testing.assert_array_equal(shares, 0)


def test_overview_by_hand():
    # Three positive cells of IoU 1, 0 and 1/2, two of them in one example of two.
    iou = jnp.array([[[1.0, 0.9], [0.0, 0.8]], [[0.5, 0.7], [0.6, 0.4]]])
    positive = jnp.array([[[1, 0], [1, 0]], [[1, 0], [0, 0]]], bool)
    metrics = reduce.overview_metrics(iou, positive)
    assert metrics == {"iou": 0.5, "positives": 1.5}


def test_terms_are_weighed_by_hand():
    metrics = {"cls": 2.0, "reg": 3.0, "quality": 5.0, "iou": 7.0}
    loss, result = reduce.weighted_sum(metrics, (1.0, 10.0, 100.0))
    assert loss == 532
    assert result == {**metrics, "loss": 532}
    assert "loss" not in metrics


def test_boxes_that_are_not_finite_are_emptied(variant):
    inf, nan = np.inf, np.nan
    xyxy = np.float32([[1, 2, 3, 4]] * 4)
    xyxy[1, 2], xyxy[2, 0], xyxy[3, 3] = nan, -inf, inf
    finite = variant(reduce.finite_boxes)(xyxy)
    np.testing.assert_array_equal(finite, [[1, 2, 3, 4], *[[0, 0, 0, 0]] * 3])


@pytest.mark.parametrize("shape", [(2, 1, 3), (2, 1, 1, 3)], ids=["cells", "anchors"])
def test_balance_by_hand(shape):
    """Two positive cells of loss 1 and 3, three negative ones of 2, 4 and 9; of the
    two hardest an image, 2 alone is there in the first, and 9 and 4 in the second.
    """
    losses = jnp.array([1.0, 2.0, 50.0, 3.0, 4.0, 9.0])
    labels = jnp.array([1, 0, -1, 1, 0, 0]).reshape(shape)
    balance = partial(reduce.balanced_mean_share, losses.reshape(shape), labels)
    total = balance(cls_weights=(1, 10, 100), num_hard=2)
    np.testing.assert_allclose(total, 2 + 10 * 5 + 100 * 5)
    # There are no more than all cells.
    sizes = [balance(cls_weights=(0, 0, 1), num_hard=n) for n in (1000, 2000)]
    assert sizes[0] == sizes[1]
    total = balance(cls_weights=(1, 10, 0), num_hard=0)
    np.testing.assert_allclose(total, 2 + 10 * 5)


def test_reductions_by_hand():
    """19 is the sum of all that is not ignored: 2 positive cells, 5 in all."""
    losses = jnp.array([[[1.0, 2.0, 50.0, 3.0, 4.0, 9.0]]])
    labels = jnp.array([[[1, 0, -1, 1, 0, 0]]])
    options = {"cls_weights": (1, 10, 0), "num_hard": 0}
    for kind, total in (("balanced", 52), ("positives", 19 / 2), ("cells", 19 / 5)):
        found = classification_share(losses, labels, reduction=kind, **options)
        np.testing.assert_allclose(found, total, rtol=1e-6)
    with pytest.raises(ValueError, match="must be balanced, positives or cells"):
        classification_share(losses, labels, reduction="sum", **options)


def test_a_count_has_a_least():
    values, none = jnp.array([3.0, 5.0]), jnp.zeros(2, bool)
    weigh = partial(reduce.global_count_share, values, jnp.ones(2), none)
    assert weigh() == 0
    assert weigh(least=1.0) == 8
    assert weigh(least=4.0) == 2


def scene():
    """Returns predictions of four cells, a true box, and the truth of each cell.

    The box is 8 by 8 around (8, 8). Predicted: the box itself; its left half; it and
    as much below it; a box of 4 by 4 whose corner touches it.
    """
    xyxy = jnp.array([[4.0, 4.0, 12.0, 12.0]])
    predicted = np.float32(
        [[[4, 4, 12, 12], [4, 4, 8, 12]], [[4, 4, 12, 20], [12, 12, 16, 16]]]
    )
    points = np.asarray(POINTS)

    def ltrb(box):
        distances = [points - box[..., :2], box[..., 2:] - points]
        return jnp.asarray(np.concatenate(distances, -1))[None]

    return ltrb(predicted), ltrb(np.asarray(xyxy)), xyxy


def test_iou_regression_by_hand(variant):
    ltrb, target, xyxy = scene()
    loss = variant(partial(reduce.box_regression, kind="iou"))(
        ltrb, target, xyxy, POINTS
    )
    # -ln((I + 1) / (U + 1)): I, U are 64, 64; 32, 64; 64, 128; 0, 80.
    expected = -np.log([[65 / 65, 33 / 65], [65 / 129, 1 / 81]])
    np.testing.assert_allclose(loss[0], expected, rtol=1e-6)


def test_giou_regression_by_hand(variant):
    ltrb, target, xyxy = scene()
    loss = variant(partial(reduce.box_regression, kind="giou"))(
        ltrb, target, xyxy, POINTS
    )
    # 1 - IoU + (hull - union) / hull; the last hull is 12 by 12, its union 80.
    expected = [[0, 0.5], [0.5, 1 + (144 - 80) / 144]]
    np.testing.assert_allclose(loss[0], expected, rtol=1e-6)


def test_overlap_by_hand(variant):
    ltrb, _, xyxy = scene()
    overlap = variant(reduce.predicted_iou)(ltrb, xyxy, POINTS)
    np.testing.assert_allclose(overlap, [[[1, 0.5], [0.5, 0]]], rtol=1e-6)


def test_overlap_has_no_slope_by_the_prediction():
    ltrb, _, xyxy = scene()
    slope = jax.grad(lambda d: reduce.predicted_iou(d, xyxy, POINTS).sum())(ltrb - 1)
    np.testing.assert_array_equal(slope, 0)


@pytest.mark.parametrize("fill", [0.0, -5.0, 1e30, np.inf, -np.inf, np.nan])
def test_overlap_is_a_fraction_whatever_is_predicted(fill):
    ltrb, _, xyxy = scene()
    for side in ([0], [1, 2], [0, 1, 2, 3]):
        overlap = reduce.predicted_iou(
            ltrb.at[..., jnp.array(side)].set(fill), xyxy, POINTS
        )
        assert ((overlap >= 0) & (overlap <= 1)).all()


@pytest.mark.parametrize("quality", ["centerness", "iou"])
def test_terms_of_points_by_hand(quality):
    """The cells are the corners of the scene's box: centerness 0. The predicted boxes
    have IoUs of 1, 1/2, 1/2 and 0; the last cell is not positive, so its box is empty.
    """
    ltrb, _, xyxy = scene()
    outputs = {"ltrb": ltrb, "centerness": jnp.full((1, 2, 2, 1), np.log(3.0))}
    labels = jnp.array([[[1, 1], [1, 0]]])
    terms = reduce.point_terms(
        outputs, xyxy, labels, POINTS, kind="iou", quality=quality, smoothing=0.0
    )
    np.testing.assert_array_equal(terms.positive, labels == 1)
    np.testing.assert_allclose(terms.iou, [[[1, 0.5], [0.5, 0]]], rtol=1e-6)
    np.testing.assert_array_equal(terms.centerness, np.zeros((1, 2, 2)))
    log2 = np.log(2)
    np.testing.assert_allclose(terms.reg[0, 0], [0, log2], rtol=1e-6, atol=1e-6)
    goal = terms.iou if quality == "iou" else terms.centerness
    np.testing.assert_array_equal(terms.goal, goal)
    # At logit ln 3: ln 4 - t ln 3.
    np.testing.assert_allclose(
        terms.quality, np.log(4) - np.asarray(goal) * np.log(3), rtol=1e-6
    )


def test_choices():
    reduce.check_choice("shade", "dark", ("dark", "light"))
    with pytest.raises(ValueError, match="shade must be dark or light, got 'blue'"):
        reduce.check_choice("shade", "blue", ("dark", "light"))


def check(**changes):
    """Checks shapes that fit but for those given."""
    fitting = {
        "outputs": {"cls": jnp.zeros((3, 2, 5, 1)), "ltrb": jnp.zeros((3, 2, 5, 4))},
        "xyxy": jnp.zeros((3, 4)),
        "labels": jnp.zeros((3, 2, 5), int),
        "places": jnp.zeros((2, 5, 2)),
        "channels": {"cls": 1, "ltrb": 4},
    }
    arguments = {**fitting, **changes}
    channels = arguments.pop("channels")
    reduce.check_shapes(*arguments.values(), channels=channels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": {"depth": 1}}, r"lack \['depth'\]: they have \['cls', 'ltrb'\]"),
        ({"channels": {"cls": 2}}, r"\(3, 2, 5, 1\)"),
        ({"xyxy": jnp.zeros((2, 4))}, r"boxes \(2, 4\)"),
        ({"xyxy": jnp.zeros((3, 5))}, r"boxes \(3, 5\)"),
        ({"labels": jnp.zeros((4, 2, 5), int)}, r"labels \(4, 2, 5\)"),
        ({"places": jnp.zeros((5, 2, 2))}, r"anchors \(5, 2, 2\) disagree"),
        ({"places": jnp.zeros((2, 5, 3))}, r"anchors \(2, 5, 3\) disagree"),
        ({"places": jnp.zeros((2, 5, 4))}, r"anchors \(2, 5, 4\) disagree"),
    ],
)
def test_shapes_that_disagree(changes, message):
    check()
    check(channels={"cls": 1})  # Maps that nobody needs may have any shape.
    with pytest.raises(ValueError, match=message):
        check(**changes)
