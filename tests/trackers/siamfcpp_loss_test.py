"""Tests for the loss of jaxtrack.trackers.siamfcpp."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import regions
from jaxtrack.ops import grid
from jaxtrack.trackers import siamfcpp
from tests.devices import check_four_devices
from tests.gradients import check_gradients

from . import degenerate

POINTS = grid.points(grid.Geometry(32, 64, 8, 8, 4.0))
OTHER = {
    "alpha": 0.4,
    "gamma": 1.5,
    "regression": "giou",
    "quality": "iou",
    "weights": (0.8, 2.0, 0.5),
}
RECIPES = pytest.mark.parametrize("options", [{}, OTHER], ids=["published", "other"])


def random_batch(batch=8, seed=0):
    """Returns outputs, boxes and labels.

    Examples 1 and 2 lack a target, and of example 3 every cell is ignored. The labels
    of the others are random: some positives lie outside of the target.
    """
    rng = np.random.default_rng(seed)
    normal = functools.partial(rng.standard_normal, dtype=np.float32)
    outputs = {
        "cls": 2 * normal((batch, 8, 8, 1)),
        "ltrb": np.exp(2.5 + 0.3 * normal((batch, 8, 8, 4))),
        "centerness": normal((batch, 8, 8, 1)),
    }
    center, half = rng.uniform(20, 44, (batch, 2)), rng.uniform(6, 20, (batch, 2))
    xyxy = np.concatenate([center - half, center + half], 1).astype(np.float32)
    draw = rng.random((batch, 8, 8))
    labels = np.where(draw < 0.2, 1, np.where(draw < 0.6, 0, -1)).astype(np.int32)
    xyxy[1:3], labels[1:3] = 0, np.minimum(labels[1:3], 0)
    labels[3:4] = -1
    return outputs, xyxy, labels


def bound(**options):
    """Returns the loss of the small grid."""
    return functools.partial(siamfcpp.siamfcpp_loss, points=POINTS, **options)


@functools.cache
def jitted(**options):
    """Compiles each set of options once."""
    return jax.jit(jax.value_and_grad(bound(**options), has_aux=True))


def value_and_gradient(batch, **options):
    """Returns ((loss, metrics), gradient by the outputs)."""
    return jitted(**options)(*batch)


def xlogy(x, y):
    return x * np.log(y) if x > 0 else 0.0


def numpy_terms(outputs, xyxy, labels, options):
    """The definition in float64, a cell at a time."""
    alpha, gamma = options.get("alpha", 0.75), options.get("gamma", 2.0)
    focal, reg, quality, ious = [], [], [], []
    for b, i, j in zip(*np.nonzero(labels != -1), strict=True):
        x0, y0, x1, y1 = xyxy[b].astype("f8")
        x, y = 4 + 8 * j, 4 + 8 * i
        p = 1 / (1 + np.exp(-float(outputs["cls"][b, i, j, 0])))
        if labels[b, i, j] == 0:
            focal.append(-(1 - alpha) * p**gamma * np.log(1 - p))
            continue
        focal.append(-alpha * (1 - p) ** gamma * np.log(p))
        left, top, right, bottom = outputs["ltrb"][b, i, j].astype("f8")
        px0, py0, px1, py1 = x - left, y - top, x + right, y + bottom
        both = max(0, min(px1, x1) - max(px0, x0))
        both *= max(0, min(py1, y1) - max(py0, y0))
        union = (px1 - px0) * (py1 - py0) + (x1 - x0) * (y1 - y0) - both
        hull = (max(px1, x1) - min(px0, x0)) * (max(py1, y1) - min(py0, y0))
        ious.append(both / union)
        if options.get("regression") == "giou":
            reg.append(1 - both / union + (hull - union) / hull)
        else:
            reg.append(-np.log(max(both / union, 1e-6)))
        c = both / union
        if options.get("quality") != "iou":
            pairs = [sorted(pair) for pair in ((x - x0, x1 - x), (y - y0, y1 - y))]
            is_inside = min(pairs[0][0], pairs[1][0]) > 0
            (l0, l1), (t0, t1) = pairs
            c = np.sqrt(l0 / l1 * t0 / t1) if is_inside else 0
        q = 1 / (1 + np.exp(-float(outputs["centerness"][b, i, j, 0])))
        cross_entropy = -c * np.log(q) - (1 - c) * np.log(1 - q)
        quality.append(cross_entropy + xlogy(c, c) + xlogy(1 - c, 1 - c))
    terms = [sum(focal) / max(len(reg), 1), np.mean(reg), np.mean(quality)]
    weights = options.get("weights", (1, 3, 1))
    return {
        "loss": np.dot(weights, terms),
        **dict(zip(("cls", "reg", "quality"), terms, strict=True)),
        "iou": np.mean(ious),
        "positives": len(reg) / len(xyxy),
    }


@pytest.mark.parametrize("seed", [0, 1])
@RECIPES
def test_matches_definition(variant, options, seed):
    batch = random_batch(seed=seed)
    loss, metrics = variant(bound(**options))(*batch)
    expected = numpy_terms(*batch, options)
    assert metrics.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5, err_msg=name)
    assert loss == metrics["loss"]


def test_by_hand(variant):
    # Two images of two cells, at (4, 4) and (12, 4). All class logits are 0, so that
    # every factor is 1/4 and every logarithm ln 2. One cell is positive, two negative:
    # (3/4 + 2/4) / 4 ln 2, over the one positive.
    points = jnp.array([[[4.0, 4.0], [12.0, 4.0]]])
    # The target reaches 4, 4, 16 and 4 from the first cell, centerness sqrt(4/16); the
    # predicted box is twice as high: areas 160 and 320.
    xyxy = jnp.array([[0.0, 0.0, 20.0, 8.0], [0.0, 0.0, 0.0, 0.0]])
    ltrb = jnp.full((2, 1, 2, 4), 99.0).at[0, 0, 0].set(jnp.array([4, 4, 16, 12.0]))
    # At logit ln 3: -1/2 ln(3/4) - 1/2 ln(1/4), less the least value, ln 2.
    centerness = jnp.full((2, 1, 2, 1), 50.0).at[0, 0, 0].set(np.log(3))
    outputs = {"cls": jnp.zeros((2, 1, 2, 1)), "ltrb": ltrb, "centerness": centerness}
    labels = jnp.array([[[1, 0]], [[-1, 0]]])
    call = functools.partial(siamfcpp.siamfcpp_loss, points=points)
    loss, metrics = variant(call)(outputs, xyxy, labels)
    cls, reg = 5 / 16 * np.log(2), np.log(2)
    quality = np.log(2) - np.log(3) / 2
    np.testing.assert_allclose(metrics["cls"], cls, rtol=1e-6)
    np.testing.assert_allclose(metrics["reg"], reg, rtol=1e-6)
    np.testing.assert_allclose(metrics["quality"], quality, rtol=1e-6)
    assert metrics["iou"] == metrics["positives"] == 0.5
    np.testing.assert_allclose(loss, cls + 3 * reg + quality, rtol=1e-6)


@pytest.mark.parametrize("logit", [-1e4, -3.0, 0.0, 5.0, 1e4])
def test_a_batch_without_positives_still_learns(logit):
    # P is taken for 1: the sum over 30 negatives of p^2 ln(1 + e^l) / 4, as the other
    # cells are ignored.
    outputs, xyxy, _ = random_batch(batch=2)
    outputs["cls"][:] = logit
    labels = np.full((2, 8, 8), -1, np.int32)
    labels[0, 2:5, :] = labels[1, :1, :6] = 0
    (loss, metrics), gradients = value_and_gradient((outputs, xyxy, labels))
    p = 1 / (1 + np.exp(-min(logit, 700.0))) if logit > -700 else 0
    expected = 30 * p**2 * np.logaddexp(0, logit) / 4
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert loss == metrics["cls"]
    has_slope = np.abs(gradients["cls"][labels == 0]) > 0
    assert has_slope.all() == (logit > -1e4)
    np.testing.assert_array_equal(gradients["cls"][labels == -1], 0)
    for name in ("ltrb", "centerness"):
        np.testing.assert_array_equal(gradients[name], 0)


@RECIPES
def test_qualitys_least_value_is_0(options):
    outputs, xyxy, labels = random_batch()
    options = {**options, "quality": "centerness"}
    target = jax.vmap(regions.ltrb_targets, (None, 0))(POINTS, jnp.asarray(xyxy))
    c = np.asarray(regions.centerness_targets(target), np.float64)[..., None]
    with np.errstate(divide="ignore"):
        best = np.clip(np.log(c) - np.log1p(-c), -30, 30).astype(np.float32)

    def quality(logits):
        batch = ({**outputs, "centerness": logits}, xyxy, labels)
        return value_and_gradient(batch, **options)[0][1]["quality"]

    least = quality(best)
    np.testing.assert_allclose(least, 0, atol=1e-6)
    for away in (-0.5, 0.5):
        assert quality(best + np.float32(away)) > least + 1e-3


@RECIPES
def test_four_devices_equal_one(options):
    # Some images have no positives; nor would a local least count of 1 do, where there
    # are none at all.
    outputs, xyxy, labels = random_batch()
    share, whole = bound(axis_name="batch", **options), jitted(**options)
    check_four_devices(share, whole, (outputs, xyxy, labels))
    idle = ("ltrb", "centerness")
    batch = (outputs, xyxy, np.minimum(labels, 0))
    check_four_devices(share, whole, batch, idle=idle)


@RECIPES
def test_gradients(options):
    outputs, xyxy, labels = random_batch(batch=5)
    # The target of "iou" quality is constant by design: leave its slope out here.
    options = {**options, "quality": "centerness"}

    @jax.jit
    def loss(outputs):
        return bound(**options)(outputs, xyxy, labels)[0]

    check_gradients(loss, (outputs,), rtol=2e-2, eps=1e-2)


def test_iou_quality_does_not_move_the_box():
    options = {**OTHER, "weights": (0.0, 0.0, 1.0)}
    _, gradients = value_and_gradient(random_batch(), **options)
    np.testing.assert_array_equal(gradients["ltrb"], 0)
    assert np.abs(gradients["centerness"]).max() > 0


@RECIPES
def test_ignored_cells_do_not_enter(options):
    outputs, xyxy, labels = random_batch()
    ignored = labels == -1
    (_, before), gradients = value_and_gradient((outputs, xyxy, labels), **options)
    for gradient in gradients.values():
        np.testing.assert_array_equal(gradient[ignored], 0)
    assert (gradients["cls"][~ignored] != 0).all()
    outputs["cls"][ignored], outputs["ltrb"][ignored] = 100, np.inf
    outputs["centerness"][ignored] = -100
    (_, after), _ = value_and_gradient((outputs, xyxy, labels), **options)
    assert after == before


@RECIPES
@pytest.mark.parametrize("case", degenerate.CASES)
def test_degenerate_batches_have_finite_gradients(case, options):
    outputs, xyxy, _ = random_batch(batch=2)
    degenerate.spoil(case, xyxy, outputs["ltrb"])
    label = functools.partial(regions.center_region, POINTS, size=1.0)
    labels = jax.vmap(label)(jnp.asarray(xyxy))
    has_target = case not in degenerate.BOXES
    assert jnp.any(labels == 1) == has_target
    result = value_and_gradient((outputs, xyxy, labels), **options)
    idle = () if has_target else ("reg", "quality", "iou", "positives")
    degenerate.check_finite(result, idle)


def test_perfect_boxes_cost_nothing():
    outputs, xyxy, labels = random_batch()
    box, points = xyxy[:, None, None], np.asarray(POINTS)
    ltrb = np.concatenate([points - box[..., :2], box[..., 2:] - points], -1)
    _, metrics = bound()({**outputs, "ltrb": ltrb}, xyxy, labels)
    assert metrics["reg"] == pytest.approx(0, abs=1e-6)
    assert metrics["iou"] == pytest.approx(1, abs=1e-6)


def test_faults():
    outputs, xyxy, labels = random_batch()
    with pytest.raises(ValueError, match="iou, giou or linear_iou, got 'l1'"):
        bound(regression="l1")(outputs, xyxy, labels)
    with pytest.raises(ValueError, match="centerness or iou, got 'none'"):
        bound(quality="none")(outputs, xyxy, labels)
    with pytest.raises(ValueError, match=r"boxes \(7, 4\), labels \(8, 8, 8\)"):
        bound()(outputs, xyxy[:7], labels)
    with pytest.raises(ValueError, match=r"\(8, 8, 8, 2\)"):
        two = np.concatenate([outputs["cls"]] * 2, -1)
        bound()({**outputs, "cls": two}, xyxy, labels)
