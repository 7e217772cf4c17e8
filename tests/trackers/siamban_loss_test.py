"""Tests for the loss of jaxtrack.trackers.siamban."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import grid
from jaxtrack.trackers import siamban
from tests.gradients import check_gradients

POINTS = grid.points(grid.Geometry(32, 64, 8, 8, 4.0))
OTHER = {"hard_negatives": 5, "cls_weights": (0.5, 0.35, 0.15), "weights": (0.8, 2.0)}
OTHER |= {"regression": "iou"}


def random_batch(batch=6, seed=0):
    """Returns outputs, boxes and labels; example 1 has no target, 2 no label."""
    rng = np.random.default_rng(seed)
    normal = functools.partial(rng.standard_normal, dtype=np.float32)
    outputs = {
        "cls": 2 * normal((batch, 8, 8, 2)),
        "ltrb": np.exp(2.5 + 0.4 * normal((batch, 8, 8, 4))),
    }
    center, half = rng.uniform(24, 40, (batch, 2)), rng.uniform(8, 19, (batch, 2))
    xyxy = np.concatenate([center - half, center + half], 1).astype(np.float32)
    draw = rng.random((batch, 8, 8))
    labels = np.where(draw < 0.1, 1, np.where(draw < 0.5, 0, -1)).astype(np.int32)
    xyxy[1], labels[1], labels[2] = 0, np.minimum(labels[1], 0), -1
    return outputs, xyxy, labels


def numpy_terms(outputs, xyxy, labels, options):
    """The definition in float64, a cell at a time."""
    pos, neg, hard, reg, ious = [], [], [], [], []
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
            left, top, right, bottom = outputs["ltrb"][b, i, j].astype("f8")
            # The code's areas of boxes around one point, which may lie outside.
            wide = min(left, x - x0) + min(right, x1 - x)
            high = min(top, y - y0) + min(bottom, y1 - y)
            inter = max(wide, 0) * max(high, 0)
            union = (left + right) * (top + bottom) + (x1 - x0) * (y1 - y0) - inter
            ratio = (inter + 1) / (union + 1)
            reg.append(-np.log(ratio) if "regression" in options else 1 - ratio)
            ious.append(inter / union)
        neg += negatives
        hard += sorted(negatives)[::-1][: options.get("hard_negatives", 0)]
    shares = options.get("cls_weights", (0.5, 0.5, 0.0))
    cls = np.dot(shares, [np.mean(part or [0]) for part in (pos, neg, hard)])
    return {
        "loss": np.dot(options.get("weights", (1, 1)), [cls, np.mean(reg)]),
        "cls": cls,
        "reg": np.mean(reg),
        "iou": np.mean(ious),
        "positives": len(pos) / len(xyxy),
    }


@functools.cache
def jitted(is_other):
    """Compiles the loss and its slopes, once a choice of options."""
    options = OTHER if is_other else {}
    loss = functools.partial(siamban.siamban_loss, points=POINTS, **options)
    return jax.jit(jax.value_and_grad(loss, has_aux=True))


@pytest.mark.parametrize("is_other", [False, True])
def test_matches_definition(is_other):
    batch = random_batch()
    (loss, metrics), slopes = jitted(is_other)(*batch)
    expected = numpy_terms(*batch, OTHER if is_other else {})
    assert metrics.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5, err_msg=name)
    assert loss == metrics["loss"]
    # Only labeled cells teach, and only positive ones the box.
    assert not np.any(slopes["cls"][batch[2] == -1])
    assert np.all(np.any(slopes["ltrb"], -1) == (batch[2] == 1))


def test_by_hand():
    """One positive cell at (4, 4), one negative; softmax(0, ln 3) is (1/4, 3/4).

    Predicted 4 x 4 around the point in a target of 8 x 4: (16 + 1) / (32 + 1).
    """
    points = jnp.array([[[4.0, 4.0], [12.0, 4.0]]])
    logits = np.float32([[[[0, np.log(3)], [0, np.log(3)]]]])
    outputs = {"cls": logits, "ltrb": np.full((1, 1, 2, 4), 2.0, np.float32)}
    labels, xyxy = np.array([[[1, 0]]]), np.float32([[2, 2, 10, 6]])
    loss, metrics = siamban.siamban_loss(outputs, xyxy, labels, points=points)
    cls = np.log(4 / 3) / 2 + np.log(4) / 2
    np.testing.assert_allclose(metrics["cls"], cls, rtol=1e-6)
    np.testing.assert_allclose(metrics["reg"], 16 / 33, rtol=1e-6)
    np.testing.assert_allclose(loss, cls + 16 / 33, rtol=1e-6)
    np.testing.assert_allclose(metrics["iou"], 0.5, rtol=1e-6)


def test_gradients():
    outputs, *rest = random_batch(batch=3)
    loss = lambda o: siamban.siamban_loss(o, *rest, points=POINTS)[0]  # noqa: E731
    check_gradients(loss, (outputs,), rtol=2e-2)


def test_golden_of_the_class(goldens):
    """pysot's, whose function SiamBAN's code took over; anchors lie side by side."""
    golden = np.load(goldens / "rpn_functions_s1.npz")
    labels = golden["assign_labels_unsampled"].transpose(0, 2, 3, 1)
    logits = golden["loss_cls_logits"].reshape(6, 2, 5, 25, 25)
    outputs = {
        "cls": logits.transpose(0, 3, 4, 2, 1).reshape(6, 25, 125, 2),
        "ltrb": np.ones((6, 25, 125, 4), np.float32),
    }
    given = outputs, np.zeros((6, 4), np.float32), labels.reshape(6, 25, 125)
    _, metrics = siamban.siamban_loss(*given, points=jnp.zeros((25, 125, 2)))
    np.testing.assert_allclose(metrics["cls"], golden["loss_out_cls_reg"][0], rtol=1e-5)


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="regression must be iou, giou or linear"):
        siamban.siamban_loss(*random_batch(3), points=POINTS, regression="smooth_l1")
