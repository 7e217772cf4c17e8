"""Tests for the loss of jaxtrack.trackers.cract."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.trackers import cract, siamrpnpp
from tests.devices import check_four_devices
from tests.gradients import check_gradients

SIZES = ((16.0, 24.0), (20.0, 20.0))
ANCHORS = anchor_boxes.tile(grid.points(grid.Geometry(32, 64, 4, 16, 8.0)), SIZES)
OTHER = {
    "offset_weights": (2.0, 3.0, 4.0, 5.0),
    "iou_threshold": 0.4,
    "num_positives": 3,
    "classifies_aligned": False,
    "hard_negatives": 3,
    "cls_weights": (0.5, 0.35, 0.15),
    "weights": (0.5, 2.0, 3.0, 0.7),
    "distance": "l1",
}
RECIPES = pytest.mark.parametrize("options", [{}, OTHER], ids=["paper", "other"])
REFINED = ("refine", "identity", "refined_iou", "proposal_iou")
REFINED += ("refined_positives", "identified")


def around(rng, xyxy, spread, count=12):
    """Draws boxes about as large as others, and more or less on them."""
    center, wh = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
    noise = spread * rng.standard_normal((len(xyxy), count, 4))
    center = center[:, None] + noise[..., :2] * wh[:, None]
    half = wh[:, None] * np.exp(noise[..., 2:]) / 2
    return np.concatenate([center - half, center + half], -1).astype(np.float32)


def random_batch(batch=8, seed=0):
    """Returns outputs, boxes and labels; examples 1 and 2 lack a target.

    Of example 3 no proposal is positive; of others few are, or more than 3.
    """
    rng = np.random.default_rng(seed)
    normal = functools.partial(rng.standard_normal, dtype=np.float32)
    center, half = rng.uniform(24, 40, (batch, 2)), rng.uniform(6, 14, (batch, 2))
    xyxy = np.concatenate([center - half, center + half], 1).astype(np.float32)
    outputs = {
        "cls": 2 * normal((batch, 4, 4, 2, 2)),
        "deltas": 0.7 * normal((batch, 4, 4, 2, 4)),
        "proposals": around(rng, xyxy, 0.25),
        "aligned": around(rng, xyxy, 0.2),
        "offsets": 2 * normal((batch, 12, 4)),
        "identity": 2 * normal((batch, 12, 2)),
    }
    labels = rng.integers(-1, 2, (batch, 4, 4, 2)).astype(np.int32)
    xyxy[1:3], labels[1:3] = 0, np.minimum(labels[1:3], 0)
    outputs["proposals"][3:4] += 60
    return outputs, xyxy, labels


def bound(**options):
    """Returns the loss of the small grid."""
    return functools.partial(cract.cract_loss, **({"anchors": ANCHORS} | options))


@functools.cache
def jitted(**options):
    """Compiles each set of options once."""
    return jax.jit(jax.value_and_grad(bound(**options), has_aux=True))


def value_and_gradient(batch, **options):
    """Returns ((loss, metrics), gradient by the outputs)."""
    return jitted(**options)(*batch)


def numpy_iou(a, b):
    """IoU in float64 of two boxes with a size."""
    both = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    both *= max(0, min(a[3], b[3]) - max(a[1], b[1]))
    whole = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)) - both
    return both / whole


def numpy_labels(found, box, options):
    """A label a box: 1, 0 or, for positives too many, -1."""
    labels, count = [], 0
    for xyxy in found:
        iou = numpy_iou(xyxy, box) if box[2] > box[0] else 0
        threshold = options.get("iou_threshold", 0.5)
        assert abs(iou - threshold) > 1e-5
        count += iou > threshold
        most = options.get("num_positives", 16)
        labels.append(0 if iou <= threshold else 1 if count <= most else -1)
    return labels


def numpy_terms(outputs, xyxy, options):
    """Section 3.4's two terms of proposals in float64, a proposal at a time."""
    refine, identity, right, ious, labels = [], [], [], {}, []
    out = {name: value.astype("f8") for name, value in outputs.items()}
    is_cascade = options.get("classifies_aligned", True)
    for b, box in enumerate(xyxy.astype("f8")):
        positive = numpy_labels(out["proposals"][b], box, options)
        classified = out["aligned" if is_cascade else "proposals"][b]
        labels.append((positive, numpy_labels(classified, box, options)))
        for n, (is_pos, label) in enumerate(zip(*labels[-1], strict=True)):
            background, target = out["identity"][b, n]
            if label >= 0:
                wrong = background - target if label else target - background
                identity.append(np.logaddexp(0, wrong))
                right.append((target > background) == label)
            if is_pos != 1:
                continue
            x0, y0, x1, y1 = out["proposals"][b, n]
            goal = [(box[0] + box[2] - x0 - x1) / 2 / (x1 - x0)]
            goal += [(box[1] + box[3] - y0 - y1) / 2 / (y1 - y0)]
            goal += [np.log((box[2] - box[0]) / (x1 - x0))]
            goal += [np.log((box[3] - box[1]) / (y1 - y0))]
            goal = np.multiply(goal, options.get("offset_weights", (5, 5, 10, 10)))
            d = np.abs(out["offsets"][b, n] - goal)
            refine.append(np.where(d < 1, d**2 / 2, d - 0.5).sum())
            for name in ("proposals", "aligned"):
                iou = numpy_iou(out[name][b, n], box)
                ious.setdefault(name, []).append(iou)
    means = refine, identity, ious["aligned"], ious["proposals"]
    values = [*map(np.mean, means), len(refine) / len(xyxy), np.mean(right)]
    return dict(zip(REFINED, values, strict=True)), np.array(labels)


@RECIPES
def test_matches_definition(variant, options):
    outputs, xyxy, labels = random_batch()
    loss, metrics = variant(bound(**options))(outputs, xyxy, labels)
    terms, of_proposals = numpy_terms(outputs, xyxy, options)
    positive = (of_proposals[:, 0] == 1).sum(1)
    assert (positive[1:4] == 0).all()
    assert positive.max() > 2
    assert (of_proposals == -1).any() == ("num_positives" in options)
    for name, value in terms.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5, err_msg=name)
    # The other terms are SiamRPN++'s, which has its own definition.
    of_rpn = ("hard_negatives", "cls_weights")
    shared = {name: options[name] for name in of_rpn if name in options}
    distance = options.get("distance", "smooth_l1")
    _, rpn = jax.jit(
        functools.partial(
            siamrpnpp.siamrpnpp_loss, anchors=ANCHORS, distance=distance, **shared
        )
    )(outputs, xyxy, labels)
    for name in set(rpn) - {"loss"}:
        np.testing.assert_allclose(metrics[name], rpn[name], rtol=1e-6, err_msg=name)
    assert metrics.keys() == rpn.keys() | terms.keys()
    parts = [rpn["cls"], rpn["reg"], terms["refine"], terms["identity"]]
    weights = options.get("weights", (1, 1, 1, 1))
    np.testing.assert_allclose(loss, np.dot(weights, parts), rtol=1e-5)
    assert loss == metrics["loss"]


def hand_made():
    """Returns one image of one anchor, which is the target, and two proposals.

    The first is the target moved by 2 of its 8 px: IoU 48 / 80; its offsets should be
    (-5/4, 0, 0, 0). Aligned it is half of the target. The second has IoU 64 / 256, and
    is aligned with the target.
    """
    box, log3 = [4.0, 4, 12, 12], np.log(3)
    outputs = {
        "cls": [[[[[0, log3]]]]],
        "deltas": [[[[[0.5, 0, 0, 0]]]]],
        "proposals": [[[6, 4, 14, 12], [4, 4, 20, 20]]],
        "aligned": [[[4, 4, 12, 8], box]],
        "offsets": [[[-0.75, 0, 0, 2], [9, 9, 9, 9]]],
        "identity": [[[0, log3], [0, 0]]],
    }
    outputs = {name: jnp.array(v, jnp.float32) for name, v in outputs.items()}
    return outputs, jnp.array([box]), jnp.ones((1, 1, 1, 1), jnp.int32)


@pytest.mark.parametrize("is_cascade", [True, False])
def test_by_hand(variant, is_cascade):
    outputs, xyxy, labels = hand_made()
    anchors = xyxy[:, None, None]
    options = {"anchors": anchors, "classifies_aligned": is_cascade}
    loss, metrics = variant(bound(**options))(outputs, xyxy, labels)
    # softmax(0, ln 3) = (1/4, 3/4). Half of the target is not above the threshold, so
    # the aligned are negative, at ln 4, and positive, at ln 2, which no logit says;
    # the proposals are positive, at ln(4/3), and negative.
    identity = (np.log(4 if is_cascade else 4 / 3) + np.log(2)) / 2
    expected = {
        "cls": 0.5 * np.log(4 / 3),
        "reg": 1 / 8,
        "refine": 1 / 8 + 3 / 2,  # Distances 1/2 and 2.
        "identity": identity,
        "refined_iou": 1 / 2,
        "proposal_iou": 48 / 80,
        "refined_positives": 1,
        "identified": 0 if is_cascade else 1,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-6, err_msg=name)
    whole = sum(expected[name] for name in ("cls", "reg", "refine", "identity"))
    np.testing.assert_allclose(loss, whole, rtol=1e-6)


@RECIPES
def test_four_devices_equal_one(options):
    share, whole = bound(axis_name="batch", **options), jitted(**options)
    learnt = ("cls", "deltas", "offsets", "identity")
    check_four_devices(share, whole, random_batch(), learnt=learnt)


@RECIPES
def test_gradients(options):
    outputs, xyxy, labels = random_batch(batch=5)
    places = {name: outputs.pop(name) for name in ("proposals", "aligned")}

    @jax.jit
    def loss(outputs):
        return bound(**options)(outputs | places, xyxy, labels)[0]

    check_gradients(loss, (outputs,), rtol=2e-2, eps=1e-3)


@pytest.mark.parametrize(
    ("term", "learns"), [*enumerate(({"cls"}, {"deltas"}, {"offsets"}, {"identity"}))]
)
def test_each_output_learns_through_its_own_term(term, learns):
    weights = tuple(float(i == term) for i in range(4))
    _, gradients = value_and_gradient(random_batch(), weights=weights)
    moved = {name for name, g in gradients.items() if np.abs(g).max() > 0}
    assert moved == learns  # Never the places: "proposals", "aligned".


@RECIPES
def test_slopes_lie_where_the_labels_say(options):
    # Images without the target teach the identifier, and the regression nothing.
    outputs, xyxy, labels = random_batch()
    _, gradients = value_and_gradient((outputs, xyxy, labels), **options)
    _, of_proposals = numpy_terms(outputs, xyxy, options)
    positive, identities = of_proposals[:, 0] == 1, of_proposals[:, 1]
    has_slope = np.abs(gradients["offsets"]).max(-1) > 0
    np.testing.assert_array_equal(has_slope, positive)
    has_slope = np.abs(gradients["identity"]).max(-1) > 0
    np.testing.assert_array_equal(has_slope, identities != -1)
    assert has_slope[1:3].all()
    # Towards the target's logit for positives, away from it for negatives.
    towards = np.sign(-gradients["identity"][..., 1])
    expected = np.where(identities == 1, 1, np.where(identities == 0, -1, 0))
    np.testing.assert_array_equal(towards, expected)


def test_the_order_of_proposals_does_not_matter():
    outputs, xyxy, labels = random_batch()
    order = np.random.default_rng(0).permutation(12)
    permuted = {
        name: value[:, order] if value.ndim == 3 else value
        for name, value in outputs.items()
    }
    (_, before), _ = value_and_gradient((outputs, xyxy, labels))
    (_, after), _ = value_and_gradient((permuted, xyxy, labels))
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("fill", ["no target", np.nan, np.inf])
def test_batches_without_a_target_have_finite_gradients(fill):
    outputs, xyxy, labels = random_batch()
    xyxy[:] = 0 if fill == "no target" else fill
    batch = outputs, xyxy, np.minimum(labels, 0)
    (loss, metrics), gradients = value_and_gradient(batch)
    assert np.isfinite(loss)
    assert all(np.isfinite(m) for m in metrics.values())
    names = ("refine", "refined_iou", "proposal_iou", "refined_positives")
    assert [metrics[name] for name in names] == [0, 0, 0, 0]
    for name in ("offsets", "deltas"):
        np.testing.assert_array_equal(gradients[name], 0)
    assert (np.abs(gradients["identity"]) > 0).all()
    assert all(np.isfinite(g).all() for g in gradients.values())


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_no_positive_may_be_anything(value):
    outputs, xyxy, labels = random_batch()
    _, of_proposals = numpy_terms(outputs, xyxy, {})
    is_other = of_proposals[:, 0] != 1
    (_, before), _ = value_and_gradient((outputs, xyxy, labels), weights=(1, 1, 1, 0))
    for name in ("proposals", "aligned", "offsets"):
        outputs[name][is_other] = value
    (_, after), gradients = value_and_gradient(
        (outputs, xyxy, labels), weights=(1, 1, 1, 0)
    )
    for name in set(REFINED) - {"identity", "identified"}:
        assert after[name] == before[name]
    assert after["loss"] == before["loss"]
    assert np.isfinite(after["identity"])
    assert all(np.isfinite(g).all() for g in gradients.values())


def test_perfect_offsets_cost_nothing():
    outputs, xyxy, labels = random_batch()
    weights = (5.0, 5.0, 10.0, 10.0)
    goal = anchor_boxes.encode(outputs["proposals"], xyxy[:, None], weights=weights)
    decoded = anchor_boxes.decode(outputs["proposals"], goal, weights=weights)
    perfect = {**outputs, "offsets": goal, "aligned": decoded}
    (_, metrics), _ = value_and_gradient((perfect, xyxy, labels))
    assert metrics["refine"] < 1e-10  # XLA rounds the same logarithm in two ways.
    assert metrics["refined_iou"] == pytest.approx(1, abs=1e-5)
    assert metrics["proposal_iou"] < 0.9


def test_bfloat16_outputs_are_taken_as_float32():
    outputs, xyxy, labels = random_batch()
    half = jax.tree.map(lambda a: jnp.asarray(a, jnp.bfloat16), outputs)
    full = jax.tree.map(lambda a: a.astype(jnp.float32), half)
    (loss, _), _ = value_and_gradient((half, xyxy, labels))
    (expected, _), _ = value_and_gradient((full, xyxy, labels))
    assert loss.dtype == jnp.float32
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_faults():
    outputs, xyxy, labels = random_batch()
    missing = {name: v for name, v in outputs.items() if name != "aligned"}
    with pytest.raises(ValueError, match=r"lack \['aligned'\]"):
        bound()(missing, xyxy, labels)
    for name in ("proposals", "offsets", "aligned", "identity"):
        for wrong in (outputs[name][:, :5], outputs[name][..., :1], outputs[name][:7]):
            with pytest.raises(ValueError, match=r"refined outputs .* disagree"):
                bound()({**outputs, name: wrong}, xyxy, labels)
    fewer = {k: v[:7] if v.ndim == 3 else v for k, v in outputs.items()}
    with pytest.raises(ValueError, match=r"and boxes \(8, 4\) disagree"):
        bound()(fewer, xyxy, labels)
    with pytest.raises(ValueError, match=r"labels \(8, 4, 4, 1\)"):
        bound()(outputs, xyxy, labels[..., :1])
    with pytest.raises(ValueError, match="distance must be"):
        bound(distance="l2")(outputs, xyxy, labels)
