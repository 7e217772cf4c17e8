"""Tests for the loss of jaxtrack.trackers.siamrpnpp."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import anchors as anchor_labels
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.trackers import siamrpnpp
from tests.devices import check_four_devices
from tests.gradients import check_gradients

from . import degenerate

POINTS = grid.points(grid.Geometry(32, 64, 8, 8, 4.0))
SIZES = ((12.0, 24.0), (18.0, 18.0), (32.0, 10.0))
ANCHORS = anchor_boxes.tile(POINTS, SIZES)
OTHER = {"hard_negatives": 5, "cls_weights": (0.5, 0.35, 0.15), "weights": (0.8, 2.0)}
SMOOTH = {"distance": "smooth_l1", "weights": (1.0, 1.0)}
RECIPES = pytest.mark.parametrize(
    "options", [{}, OTHER, SMOOTH], ids=["pysot", "other", "smooth"]
)


def random_batch(batch=8, seed=0):
    """Returns outputs, boxes and labels.

    Examples 1 and 2 lack a target, and of example 3 every anchor is ignored. The
    others have many positives or few, wherever these lie.
    """
    rng = np.random.default_rng(seed)
    normal = functools.partial(rng.standard_normal, dtype=np.float32)
    outputs = {
        "cls": 2 * normal((batch, 8, 8, 3, 2)),
        "deltas": 0.7 * normal((batch, 8, 8, 3, 4)),
    }
    center, half = rng.uniform(20, 44, (batch, 2)), rng.uniform(6, 20, (batch, 2))
    xyxy = np.concatenate([center - half, center + half], 1).astype(np.float32)
    share = rng.uniform(0.01, 0.2, (batch, 1, 1, 1))
    draw = rng.random((batch, 8, 8, 3))
    labels = np.where(draw < share, 1, np.where(draw < 0.5, 0, -1)).astype(np.int32)
    xyxy[1:3], labels[1:3] = 0, np.minimum(labels[1:3], 0)
    labels[3:4] = -1
    return outputs, xyxy, labels


def bound(**options):
    """Returns the loss of the small grid."""
    return functools.partial(
        siamrpnpp.siamrpnpp_loss, **({"anchors": ANCHORS} | options)
    )


@functools.cache
def jitted(**options):
    """Compiles each set of options once."""
    return jax.jit(jax.value_and_grad(bound(**options), has_aux=True))


def value_and_gradient(batch, **options):
    """Returns ((loss, metrics), gradient by the outputs)."""
    return jitted(**options)(*batch)


def numpy_terms(outputs, xyxy, labels, options):
    """The definition in float64, an anchor at a time."""
    pos, neg, hard, reg, ious = [], [], [], [], []
    for b in range(len(xyxy)):
        x0, y0, x1, y1 = xyxy[b].astype("f8")
        negatives, distances = [], []
        for i, j, k in np.ndindex(8, 8, 3):
            (x, y), (w, h) = (4 + 8 * j, 4 + 8 * i), SIZES[k]
            background, target = outputs["cls"][b, i, j, k].astype("f8")
            if labels[b, i, j, k] == 0:
                negatives.append(np.logaddexp(0, target - background))
            if labels[b, i, j, k] != 1:
                continue
            pos.append(np.logaddexp(0, background - target))
            dx, dy, dw, dh = outputs["deltas"][b, i, j, k].astype("f8")
            goal = [((x0 + x1) / 2 - x) / w, ((y0 + y1) / 2 - y) / h]
            goal += [np.log((x1 - x0) / w), np.log((y1 - y0) / h)]
            distance = np.abs(np.array([dx, dy, dw, dh]) - goal)
            if options.get("distance") == "smooth_l1":
                distance = np.where(distance < 1, distance**2 / 2, distance - 0.5)
            distances.append(distance.sum())
            cx, cy, pw, ph = x + dx * w, y + dy * h, w * np.exp(dw), h * np.exp(dh)
            both = max(0, min(cx + pw / 2, x1) - max(cx - pw / 2, x0))
            both *= max(0, min(cy + ph / 2, y1) - max(cy - ph / 2, y0))
            ious.append(both / (pw * ph + (x1 - x0) * (y1 - y0) - both))
        neg += negatives
        hard += sorted(negatives)[::-1][: options.get("hard_negatives", 0)]
        reg.append(np.mean(distances) if distances else 0)
    shares = options.get("cls_weights", (0.5, 0.5, 0.0))
    cls = np.dot(shares, [np.mean(part or [0]) for part in (pos, neg, hard)])
    weights = options.get("weights", (1, 1.2))
    return {
        "loss": np.dot(weights, [cls, np.mean(reg)]),
        "cls": cls,
        "reg": np.mean(reg),
        "iou": np.mean(ious),
        "positives": len(pos) / len(xyxy),
    }


@pytest.mark.parametrize("seed", [0, 1])
@RECIPES
def test_matches_definition(variant, options, seed):
    batch = random_batch(seed=seed)
    per_image = (batch[2] == 1).sum((1, 2, 3))
    assert per_image.min() == 0
    assert len(set(per_image)) > 4
    loss, metrics = variant(bound(**options))(*batch)
    expected = numpy_terms(*batch, options)
    assert metrics.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5, err_msg=name)
    assert loss == metrics["loss"]


def hand_made():
    """Returns anchors, and a batch of two images of 1 x 2 cells with two anchors each.

    Centers are (8, 8) and (24, 8), sizes 8 x 8 and 16 x 8. The first image's target is
    the 8 x 8 anchor at (8, 8); the second has none.
    """
    points = jnp.array([[[8.0, 8.0], [24.0, 8.0]]])
    log3, many = np.log(3), 1000.0
    cls = [
        [[[0, log3], [log3, 0]], [[0, 0], [0, many]]],
        [[[log3, 0], [many, 0]], [[0, many], [0, log3]]],
    ]
    deltas = np.full((2, 1, 2, 2, 4), 50.0, np.float32)
    deltas[0, 0, 0] = [[0.25, -0.25, 0, 0], [0, 0, np.log(2), 0]]
    labels = [[[1, 1], [0, -1]], [[0, -1], [-1, 0]]]
    batch = (
        {"cls": np.float32(cls)[:, None], "deltas": deltas},
        np.float32([[4, 4, 12, 12], [0, 0, 0, 0]]),
        np.int32(labels)[:, None],
    )
    sizes = [(8.0, 8.0), (16.0, 8.0)]
    return anchor_boxes.tile(points, sizes), jax.tree.map(jnp.asarray, batch)


def test_by_hand(variant):
    # softmax(0, ln 3) = (1/4, 3/4). Positives cost ln(4/3) and ln 4, negatives ln 2,
    # ln(4/3) and ln 4; the hardest of each image are ln 2 and ln 4.
    anchors, batch = hand_made()
    positives, negatives = np.log(16 / 3) / 2, np.log(32 / 3) / 3
    options = {"hard_negatives": 1, "cls_weights": (0.2, 0.3, 0.5)}
    call = functools.partial(siamrpnpp.siamrpnpp_loss, anchors=anchors, **options)
    loss, metrics = variant(call)(*batch)
    cls = 0.2 * positives + 0.3 * negatives + 0.5 * 1.5 * np.log(2)
    np.testing.assert_allclose(metrics["cls"], cls, rtol=1e-6)
    # Deltas should be 0 and (0, 0, ln(8 / 16), 0): 1/4 + 1/4 and 2 ln 2 away. Their
    # mean counts half, as the other image's is 0.
    reg = (0.5 + 2 * np.log(2)) / 2 / 2
    np.testing.assert_allclose(metrics["reg"], reg, rtol=1e-6)
    np.testing.assert_allclose(loss, cls + 1.2 * reg, rtol=1e-6)
    # The boxes are the target moved by (2, -2): 36 / (128 - 36), and one of 32 x 8
    # around it: 64 / 256.
    np.testing.assert_allclose(metrics["iou"], (36 / 92 + 1 / 4) / 2, rtol=1e-6)
    assert metrics["positives"] == 1


def test_defaults_by_hand():
    anchors, batch = hand_made()
    loss, metrics = siamrpnpp.siamrpnpp_loss(*batch, anchors=anchors)
    cls = np.log(16 / 3) / 4 + np.log(32 / 3) / 6
    np.testing.assert_allclose(metrics["cls"], cls, rtol=1e-6)
    np.testing.assert_allclose(loss, cls + 1.2 * (1 + 4 * np.log(2)) / 8, rtol=1e-6)


def test_smooth_distance_by_hand(variant):
    # Distances as above, (1/4, 1/4, 0, 0) and (0, 0, 2 ln 2, 0): twice 1/32, and, as
    # 2 ln 2 > 1, 2 ln 2 - 1/2. The other image's mean is 0.
    anchors, batch = hand_made()
    call = functools.partial(siamrpnpp.siamrpnpp_loss, anchors=anchors, **SMOOTH)
    loss, metrics = variant(call)(*batch)
    reg = (1 / 16 + 2 * np.log(2) - 1 / 2) / 2 / 2
    np.testing.assert_allclose(metrics["reg"], reg, rtol=1e-6)
    cls = np.log(16 / 3) / 4 + np.log(32 / 3) / 6
    np.testing.assert_allclose(loss, cls + reg, rtol=1e-6)


def test_golden(goldens):
    """pysot's losses, (.., anchor, row, column), half a pixel less than ours.

    Its labels are not subsampled, and have no negatives: those cost nothing.
    """
    golden = np.load(goldens / "rpn_functions_s1.npz")
    labels = golden["assign_labels_unsampled"].transpose(0, 2, 3, 1)
    outputs = {
        name: golden[f"loss_{key}"].reshape(6, -1, 5, 25, 25).transpose(0, 3, 4, 2, 1)
        for name, key in {"cls": "cls_logits", "deltas": "deltas"}.items()
    }
    points = grid.points(grid.Geometry(127, 255, 25, 8, 31.5))
    anchors = anchor_boxes.tile(points, anchor_boxes.anchor_sizes())
    xyxy = np.float32(golden["assign_box_xyxy"] + 0.5)
    targets = anchor_boxes.encode(anchors[None], jnp.asarray(xyxy)[:, None, None, None])
    theirs = golden["assign_deltas"].transpose(0, 3, 4, 2, 1)
    np.testing.assert_allclose(targets, theirs, rtol=1e-5, atol=2e-6)
    loss, metrics = siamrpnpp.siamrpnpp_loss(outputs, xyxy, labels, anchors=anchors)
    cls, reg = golden["loss_out_cls_reg"]
    np.testing.assert_allclose(metrics["cls"], cls, rtol=1e-5)
    np.testing.assert_allclose(metrics["reg"], reg, rtol=1e-5)
    np.testing.assert_allclose(loss, cls + 1.2 * reg, rtol=1e-5)
    # pysot weighs each positive anchor of an image by 1 over their number, so its sum
    # over the batch size is ours; three images have none.
    weight = golden["loss_delta_weight"].transpose(0, 2, 3, 1)
    count = (labels == 1).sum((1, 2, 3), keepdims=True)
    ours = (labels == 1) / np.maximum(count, 1)
    np.testing.assert_allclose(weight, ours, rtol=1e-6)
    assert count.reshape(-1).tolist() == [0, 7, 13, 8, 0, 0]


def test_every_image_counts_alike_in_regression():
    batch = random_batch()
    _, metrics = bound()(*batch)
    call = jax.jit(bound())
    of_each = [
        call(*jax.tree.map(lambda a, b=b: a[b : b + 1], batch))[1]["reg"]
        for b in range(8)
    ]
    assert of_each[1] == of_each[2] == of_each[3] == 0
    np.testing.assert_allclose(metrics["reg"], np.mean(of_each), rtol=1e-6)


@RECIPES
def test_four_devices_equal_one(options):
    share, whole = bound(axis_name="batch", **options), jitted(**options)
    check_four_devices(share, whole, random_batch())


@RECIPES
def test_gradients(options):
    outputs, xyxy, labels = random_batch(batch=5)

    @jax.jit
    def loss(outputs):
        return bound(**options)(outputs, xyxy, labels)[0]

    check_gradients(loss, (outputs,), rtol=2e-2, eps=1e-3)


def test_slopes_of_deltas_are_signs_over_counts():
    outputs, xyxy, labels = random_batch()
    _, gradients = value_and_gradient((outputs, xyxy, labels), weights=(0.0, 3.0))
    goal = anchor_boxes.encode(ANCHORS[None], jnp.asarray(xyxy)[:, None, None, None])
    is_positive = labels == 1
    count = np.maximum(is_positive.sum((1, 2, 3)), 1)[:, None, None, None, None]
    expected = 3 / 8 * np.sign(outputs["deltas"] - goal) / count
    expected *= is_positive[..., None]
    np.testing.assert_allclose(gradients["deltas"], expected, rtol=1e-6)
    np.testing.assert_array_equal(gradients["cls"], 0)


def test_ignored_anchors_have_no_say():
    outputs, xyxy, labels = random_batch()
    ignored = labels == -1
    (_, before), gradients = value_and_gradient((outputs, xyxy, labels), **OTHER)
    np.testing.assert_array_equal(gradients["cls"][ignored], 0)
    np.testing.assert_array_equal(gradients["deltas"][ignored], 0)
    assert (np.abs(gradients["cls"][labels == 1]) > 0).all()
    outputs["cls"][ignored] = [0, 100]
    outputs["deltas"][ignored] = np.inf
    (_, after), _ = value_and_gradient((outputs, xyxy, labels), **OTHER)
    assert after == before


def test_perfect_deltas_cost_nothing():
    outputs, xyxy, labels = random_batch()
    goal = anchor_boxes.encode(ANCHORS[None], jnp.asarray(xyxy)[:, None, None, None])
    _, metrics = bound()({**outputs, "deltas": goal}, xyxy, labels)
    assert metrics["reg"] == 0
    assert metrics["iou"] == pytest.approx(1, abs=1e-5)


@RECIPES
@pytest.mark.parametrize("case", [*degenerate.CASES, "far"])
def test_degenerate_batches_have_finite_gradients(case, options):
    outputs, xyxy, _ = random_batch(batch=2)
    if case == "far":  # exp would overflow, and shifts leave float32's range.
        outputs["deltas"][0] = [3e37, -3e37, 200, -200]
    else:
        degenerate.spoil(case, xyxy, outputs["deltas"])
    label = functools.partial(anchor_labels.iou_labels, ANCHORS, high=0.4)
    labels = jax.vmap(label)(jnp.asarray(xyxy))
    has_target = case not in degenerate.BOXES
    assert jnp.any(labels == 1) == has_target
    assert not jnp.any(labels[1] == 1)
    result = value_and_gradient((outputs, xyxy, labels), **options)
    degenerate.check_finite(result, () if has_target else ("reg", "iou", "positives"))


@pytest.mark.parametrize("fill", [np.nan, np.inf, 0.0])
def test_positives_of_no_box_are_finite(fill):
    # Other labels than the assigners' own: whatever they say, nothing blows up.
    outputs, xyxy, labels = random_batch(batch=2)
    xyxy[:, 2:] = fill
    (loss, _), gradients = value_and_gradient((outputs, xyxy, labels))
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradients))


def test_a_batch_that_is_all_ignored_costs_nothing():
    outputs, xyxy, labels = random_batch()
    (loss, _), gradients = value_and_gradient((outputs, xyxy, labels * 0 - 1), **OTHER)
    assert loss == 0
    for gradient in gradients.values():
        np.testing.assert_array_equal(gradient, 0)


def test_faults():
    outputs, xyxy, labels = random_batch()
    with pytest.raises(ValueError, match=r"boxes \(7, 4\), labels \(8, 8, 8, 3\)"):
        bound()(outputs, xyxy[:7], labels)
    with pytest.raises(ValueError, match=r"\(8, 8, 8, 3, 1\)"):
        bound()({**outputs, "cls": outputs["cls"][..., :1]}, xyxy, labels)
    with pytest.raises(ValueError, match=r"labels \(8, 8, 8, 2\)"):
        bound()(outputs, xyxy, labels[..., :2])
    with pytest.raises(ValueError, match=r"anchors \(8, 8, 3, 2\) disagree"):
        bound(anchors=ANCHORS[..., :2])(outputs, xyxy, labels)
    with pytest.raises(ValueError, match=r"lack \['deltas'\]"):
        bound()({"cls": outputs["cls"]}, xyxy, labels)
    with pytest.raises(ValueError, match="distance must be l1 or smooth_l1, got 'l2'"):
        bound(distance="l2")(outputs, xyxy, labels)
