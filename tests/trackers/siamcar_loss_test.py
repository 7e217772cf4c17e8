"""Tests for the loss of jaxtrack.trackers.siamcar."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import grid
from jaxtrack.trackers import siamcar
from tests import labeled
from tests.devices import check_four_devices
from tests.gradients import check_gradients

from . import degenerate

POINTS = grid.points(grid.Geometry(32, 64, 8, 8, 4.0))
LITE = {
    "positive_size": 0.5,
    "min_half": 4.0,
    "ignore_inside": True,
    "regression": "giou",
    "centerness_weighted": False,
    "quality": "iou",
    "hard_negatives": 5,
    "cls_weights": (0.5, 0.35, 0.15),
    "weights": (1.0, 2.0, 0.5),
}
RECIPES = pytest.mark.parametrize("options", [{}, LITE], ids=["released", "lite"])


def random_batch(batch=8, seed=0):
    """Returns outputs, boxes and flags; examples 1 and 2 lack a target."""
    rng = np.random.default_rng(seed)
    normal = functools.partial(rng.standard_normal, dtype=np.float32)
    outputs = {
        "cls": normal((batch, 8, 8, 2)),
        "ltrb": np.exp(2.5 + 0.3 * normal((batch, 8, 8, 4))),
        "centerness": normal((batch, 8, 8, 1)),
    }
    center, half = rng.uniform(20, 44, (batch, 2)), rng.uniform(6, 20, (batch, 2))
    xyxy = np.concatenate([center - half, center + half], 1).astype(np.float32)
    is_positive = np.ones(batch, bool)
    is_positive[1:3] = False
    return outputs, xyxy, is_positive


def bound(**options):
    """Returns the loss of the small grid."""
    return functools.partial(labeled.siamcar_loss, points=POINTS, **options)


@functools.cache
def jitted(**options):
    """Compiles each set of options once."""
    return jax.jit(jax.value_and_grad(bound(**options), has_aux=True))


def numpy_labels(xyxy, is_positive, options):
    """Both recipes' labels, a cell at a time: `[B, 8, 8]`."""
    size, least = options.get("positive_size", 0.4), options.get("min_half", 0)
    labels = np.zeros((len(xyxy), 8, 8), np.int32)
    for b, i, j in np.ndindex(labels.shape):
        x0, y0, x1, y1 = xyxy[b].astype("f8")
        dx, dy = abs(4 + 8 * j - (x0 + x1) / 2), abs(4 + 8 * i - (y0 + y1) / 2)
        half_w, half_h = (x1 - x0) / 2, (y1 - y0) / 2
        if not is_positive[b]:
            continue
        if dx < max(size * half_w, least) and dy < max(size * half_h, least):
            labels[b, i, j] = 1
        elif options.get("ignore_inside") and dx < half_w and dy < half_h:
            labels[b, i, j] = -1
    return labels


def numpy_loss(outputs, xyxy, labels, options):
    """Both recipes in float64, a cell at a time: (cls, reg, quality)."""
    pos, neg, hard, reg, weights, bce = [], [], [], [], [], []
    for b in range(len(xyxy)):
        x0, y0, x1, y1 = xyxy[b].astype("f8")
        negatives = []
        for i, j in np.ndindex(8, 8):
            x, y = 4 + 8 * j, 4 + 8 * i
            background, target = outputs["cls"][b, i, j].astype("f8")
            if labels[b, i, j] == 0:
                negatives.append(np.logaddexp(0, target - background))
            if labels[b, i, j] != 1:
                continue
            pos.append(np.logaddexp(0, background - target))
            dl, dt, dr, db = outputs["ltrb"][b, i, j].astype("f8")
            tl, tt, tr, tb = x - x0, y - y0, x1 - x, y1 - y
            inter = max(0, min(dl, tl) + min(dr, tr))
            inter *= max(0, min(dt, tt) + min(db, tb))
            union = (dl + dr) * (dt + db) + (tl + tr) * (tt + tb) - inter
            sides = max(dl, tl) + max(dr, tr), max(dt, tt) + max(db, tb)
            hull = sides[0] * sides[1]
            worst = min(tl, tt, tr, tb)
            center = (
                np.sqrt(min(tl, tr) / max(tl, tr) * min(tt, tb) / max(tt, tb))
                if worst > 0
                else 0
            )
            if options:
                reg.append(1 - (inter / union - (hull - union) / hull))
                weights.append(1)
                goal = inter / union
            else:
                reg.append(-np.log((inter + 1) / (union + 1)))
                weights.append(center)
                goal = center
            logit = float(outputs["centerness"][b, i, j, 0])
            bce.append(np.logaddexp(0, logit) - goal * logit)
        neg += negatives
        hard += sorted(negatives)[::-1][: options.get("hard_negatives", 0)]
    shares = options.get("cls_weights", (0.5, 0.5, 0.0))
    cls = shares[0] * np.mean(pos) + shares[1] * np.mean(neg)
    cls += shares[2] * np.mean(hard) if hard else 0
    return cls, np.average(reg, weights=weights), np.mean(bce)


@RECIPES
def test_matches_definition(variant, options):
    batch = random_batch()
    loss, metrics = variant(bound(**options))(*batch)
    labels = numpy_labels(*batch[1:], options)
    check_terms(loss, metrics, numpy_loss(*batch[:2], labels, options), options)


def check_terms(loss, metrics, expected, options):
    """Compares a loss and its terms with the definition's."""
    for name, value in zip(("cls", "reg", "quality"), expected, strict=True):
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5, err_msg=name)
    weights = options.get("weights", (1, 3, 1))
    np.testing.assert_allclose(loss, np.dot(weights, expected), rtol=1e-5)
    assert loss == metrics["loss"]


@pytest.mark.parametrize("seed", [0, 1])
@RECIPES
def test_labels_may_come_from_any_assigner(options, seed):
    # As DLA makes them: a few positives, some negatives, and the rest ignored.
    outputs, xyxy, _ = random_batch(seed=seed)
    draw = np.random.default_rng(seed).random((8, 8, 8))
    labels = np.where(draw < 0.06, 1, np.where(draw < 0.3, 0, -1)).astype(np.int32)
    labels[1:3] = np.minimum(labels[1:3], 0)
    made_with = ("positive_size", "min_half", "ignore_inside")
    rest = {name: value for name, value in options.items() if name not in made_with}
    loss, metrics = siamcar.siamcar_loss(outputs, xyxy, labels, points=POINTS, **rest)
    check_terms(loss, metrics, numpy_loss(outputs, xyxy, labels, options), options)
    assert metrics["positives"] == (labels == 1).sum() / 8


def test_golden(goldens):
    """The public SiamCAR code's losses; its boxes are half a pixel less than ours."""
    golden = np.load(goldens / "car_functions_s1.npz")
    nhwc = {"cls": "cls_logits", "ltrb": "ltrb", "centerness": "cen_logits"}
    outputs = {
        name: jnp.asarray(np.moveaxis(golden[f"loss_{key}"], 1, -1))
        for name, key in nhwc.items()
    }
    points = grid.points(grid.Geometry(127, 255, 25, 8, 32.5))
    xyxy = jnp.asarray(golden["loss_box_xyxy"]) + 0.5
    loss, metrics = labeled.siamcar_loss(
        outputs, xyxy, jnp.ones(4, bool), points=points
    )
    ours = [metrics[name] for name in ("cls", "reg", "quality")]
    np.testing.assert_allclose(ours, golden["loss_out_cls_reg_cen"], rtol=1e-5)
    np.testing.assert_allclose(
        loss, golden["loss_out_cls_reg_cen"] @ [1, 3, 1], rtol=1e-5
    )


@RECIPES
def test_four_devices_equal_one(options):
    share = bound(axis_name="batch", **options)
    check_four_devices(share, jitted(**options), random_batch())


@RECIPES
def test_gradients(options):
    outputs, xyxy, is_positive = random_batch(batch=4)
    # The target of "iou" quality is constant by design: leave its slope out here.
    options = {**options, "quality": "centerness"}

    @jax.jit
    def loss(outputs):
        return bound(**options)(outputs, xyxy, is_positive)[0]

    check_gradients(loss, (outputs,), rtol=2e-2, eps=1e-2)


def test_iou_quality_does_not_move_the_box():
    options = {**LITE, "weights": (0.0, 0.0, 1.0)}
    _, gradients = jitted(**options)(*random_batch(batch=4))
    np.testing.assert_array_equal(gradients["ltrb"], 0)
    assert np.abs(gradients["centerness"]).max() > 0


@RECIPES
@pytest.mark.parametrize("case", degenerate.CASES)
def test_degenerate_batches_have_finite_gradients(case, options):
    outputs, xyxy, is_positive = random_batch(batch=2)
    is_positive = np.array([case != "no target", False])
    degenerate.spoil(case, xyxy, outputs["ltrb"])
    result = jitted(**options)(outputs, xyxy, is_positive)
    idle = ("reg", "quality", "positives") if case in degenerate.BOXES else ()
    degenerate.check_finite(result, idle)


def test_perfect_outputs_cost_little():
    outputs, xyxy, is_positive = random_batch()
    box = xyxy[:, None, None]
    points = np.asarray(POINTS)
    distances = np.concatenate([points - box[..., :2], box[..., 2:] - points], -1)
    outputs["ltrb"] = np.maximum(distances, 1)
    _, metrics = bound()(outputs, xyxy, is_positive)
    assert metrics["reg"] == pytest.approx(0, abs=1e-6)
    assert metrics["iou"] == pytest.approx(1, abs=1e-6)


def test_negative_pair_is_all_negative():
    outputs, xyxy, _ = random_batch()
    call = bound(cls_weights=(0.0, 1.0, 0.0))
    _, metrics = call(outputs, xyxy, np.zeros(8, bool))
    difference = outputs["cls"][..., 1] - outputs["cls"][..., 0]
    expected = np.mean(np.logaddexp(0, difference))
    assert metrics["cls"] == pytest.approx(expected, rel=1e-5)


def test_faults():
    outputs, xyxy, is_positive = random_batch()
    call = bound()
    with pytest.raises(ValueError, match="iou, giou or linear_iou, got 'l1'"):
        call(outputs, xyxy, is_positive, regression="l1")
    with pytest.raises(ValueError, match="centerness or iou, got 'none'"):
        call(outputs, xyxy, is_positive, quality="none")
    with pytest.raises(ValueError, match=r"boxes \(7, 4\), labels \(7, 8, 8\)"):
        call(outputs, xyxy[:7], is_positive[:7])
    with pytest.raises(ValueError, match=r"\(8, 8, 8, 1\)"):
        call({**outputs, "cls": outputs["cls"][..., :1]}, xyxy, is_positive)
