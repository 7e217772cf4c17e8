"""SiamLA's options, scenes and definition, as its tests need them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import grid
from jaxtrack.trackers import siamla
from tests import labeled

POINTS = grid.points(grid.Geometry(32, 64, 8, 8, 4.0))  # At 4, 12, ..., 60.
KEY = jax.random.key(0)
HALVES = (0.5, 0.5, 0.0)
CHOICES = {
    "kind": ("ladl", "region"),
    "smoothing": (0.2, 0.0, 0.5),
    "curve": ("logistic", "linear"),
    "normalize": (True, False),
    "ignore_inside": (False, True),
    "alpha_beta": ((0.5, 10.0), (0.3, 4.0)),
    "region": ((0.4, 0.0), (0.5, 9.0)),
    "weight_gradient": (True, False),
    "reduction": ("balanced", "positives", "cells"),
    "hard_negatives": (0, 5),
    "boundary_regression": (True, False),
    "regression": ("iou", "giou"),
    # The output, and what it should predict.
    "judge": (
        ("localization", "zero"),
        ("localization", "iou"),
        ("centerness", "iou"),
        ("centerness", "centerness"),
    ),
}
PAPER = {name: values[0] for name, values in CHOICES.items()}
OTHER = {name: values[1] for name, values in CHOICES.items()}
CENTER = {**PAPER, "reduction": "cells", "judge": ("centerness", "centerness")}
RECIPES = pytest.mark.parametrize(
    "choice", [PAPER, OTHER, CENTER], ids=["paper", "other", "centerness"]
)


def drawn_choices(number=24, seed=871):
    """Draws choices of which every two values of two options meet at least once."""
    rng = np.random.default_rng(seed)
    return [
        {name: values[rng.integers(len(values))] for name, values in CHOICES.items()}
        for _ in range(number)
    ]


def bound(choice, labels=None, **options):
    """Returns the loss with a choice's options; `labels` stand in for SiamCAR's."""
    alpha, beta = choice["alpha_beta"]
    size, min_half = choice["region"]
    rule = siamla.LabelRule(
        kind=choice["kind"],
        smoothing=choice["smoothing"],
        alpha=alpha,
        beta=beta,
        curve=choice["curve"],
        normalize=choice["normalize"],
    )
    output, goal = choice["judge"]
    goals = {"negative_target" if output == "localization" else "quality": goal}
    settings = {"rule": rule, "points": POINTS, **goals}
    settings["cls_weights"] = (0.5, 0.35, 0.15) if choice["hard_negatives"] else HALVES
    same = ("weight_gradient", "reduction", "boundary_regression", "regression")
    same += ("hard_negatives",)
    settings |= {name: choice[name] for name in same} | options
    if labels is not None:

        def loss(outputs, xyxy, is_positive, keys):
            del is_positive
            return siamla.siamla_loss(outputs, xyxy, labels, keys, **settings)

        return loss
    settings |= {"positive_size": size, "min_half": min_half}
    settings["ignore_inside"] = choice["ignore_inside"]
    return functools.partial(labeled.siamla_loss, **settings)


def value_and_gradient(choice, batch, **options):
    """Returns ((loss, metrics), gradient by the outputs)."""
    outputs, *rest = jax.tree.map(jnp.asarray, batch)
    loss = bound(choice, **options)
    return jax.value_and_grad(loss, has_aux=True)(outputs, *rest)


def random_batch(choice=PAPER, batch=4, seed=0):
    """Returns outputs, boxes, flags, keys; example 1 lacks a target.

    Example 0's target leaves fewer cells outside of it than inside.
    """
    rng = np.random.default_rng(seed)
    normal = functools.partial(rng.standard_normal, dtype=np.float32)
    outputs = {
        "cls": 2 * normal((batch, 8, 8, 1)),
        "ltrb": np.exp(2.5 + 0.4 * normal((batch, 8, 8, 4))),
        choice["judge"][0]: normal((batch, 8, 8, 1)),
    }
    center, half = rng.uniform(24, 40, (batch, 2)), rng.uniform(10, 19, (batch, 2))
    xyxy = np.concatenate([center - half, center + half], 1).astype(np.float32)
    xyxy[0] = [6, 7, 58, 59]
    is_positive = np.arange(batch) != 1
    return outputs, xyxy, is_positive, jax.random.split(jax.random.key(seed), batch)


def judged_cells(choice, batch, labels=None):
    """Finds the cells of the quality term: those with a slope, `[B, H, W]`.

    Slopes are sigmoid(logit) - label, which random logits do not bring to 0.
    """

    def quality(outputs):
        return bound(choice, labels)(outputs, *batch[1:])[1]["quality"]

    return np.asarray(jax.grad(quality)(batch[0])[choice["judge"][0]][..., 0]) != 0


def log1pexp(x):
    return np.logaddexp(0, x)


def numpy_places(x, y, box, choice):
    """Whether a cell lies in the target's center, and in the target."""
    size, min_half = choice["region"]
    x0, y0, x1, y1 = box
    half_w, half_h = (x1 - x0) / 2, (y1 - y0) / 2
    dx, dy = abs(x - (x0 + x1) / 2), abs(y - (y0 + y1) / 2)
    is_center = dx < max(size * half_w, min_half) and dy < max(size * half_h, min_half)
    return is_center, dx < half_w and dy < half_h


def numpy_overlap(x, y, ltrb, box):
    """Intersection, union and hull of a cell's box with the target; its centerness."""
    x0, y0, x1, y1 = box
    left, top, right, bottom = ltrb
    px0, py0, px1, py1 = x - left, y - top, x + right, y + bottom
    inter = max(0, min(px1, x1) - max(px0, x0))
    inter *= max(0, min(py1, y1) - max(py0, y0))
    union = (left + right) * (top + bottom) + (x1 - x0) * (y1 - y0) - inter
    hull = (max(px1, x1) - min(px0, x0)) * (max(py1, y1) - min(py0, y0))
    sides = [sorted(s) for s in ((x - x0, x1 - x), (y - y0, y1 - y))]
    inner = max(0, sides[0][0]) * max(0, sides[1][0])
    return inter, union, hull, np.sqrt(inner / (sides[0][1] * sides[1][1]))


def numpy_goals(cells, choice):
    """Eqs. 3 to 6: labels of one example's cells, `(logit, iou, smoothing)` each."""
    if choice["kind"] != "ladl":
        return [smooth for _, _, smooth in cells]
    alpha, beta = choice["alpha_beta"]
    goals = [
        (iou if choice["curve"] == "linear" else 1 / (1 + np.exp((alpha - iou) * beta)))
        ** (1 / smooth)
        for _, iou, smooth in cells
    ]
    low, high = min(goals, default=0), max(goals, default=0)
    if choice["normalize"] and high - low >= 1e-6:
        return [(goal - low) / (high - low) for goal in goals]
    return goals


def numpy_terms(batch, judged, choice, labels=None):
    """Eqs. 3 to 7 and 10 in float64, a cell at a time, with S1 to S13.

    The center and what is ignored are SiamCAR's, unless there are `labels`.

    Returns the terms, and how many cells are positive, judged negatives and
    negatives, an example each.
    """
    outputs, xyxy, is_positive, _ = batch
    output, goal = choice["judge"]
    pos, neg, hard, reg, bce, ious, counts = [], [], [], [], [], [], []
    for b, box in enumerate(xyxy.astype("f8")):
        cells, negatives, drawn = [], [], 0
        for i, j in np.ndindex(8, 8):
            x, y = 4 + 8 * j, 4 + 8 * i
            is_center, is_inside = numpy_places(x, y, box, choice)
            ignored = is_positive[b] and is_inside and choice["ignore_inside"]
            if labels is not None:
                is_center, ignored = labels[b, i, j] == 1, labels[b, i, j] == -1
            ltrb = outputs["ltrb"][b, i, j].astype("f8")
            inter, union, hull, centerness = numpy_overlap(x, y, ltrb, box)
            iou = inter / union if is_positive[b] else 0
            quality, logit = (float(outputs[n][b, i, j, 0]) for n in (output, "cls"))
            smooth = 1 if is_center else choice["smoothing"] if is_inside else 0
            if not is_positive[b] or smooth == 0:
                if not ignored:
                    weight = (
                        1 + 1 / (1 + np.exp(-logit)) if choice["kind"] == "ladl" else 1
                    )
                    negatives.append(weight * log1pexp(logit))
                    drawn += bool(judged[b, i, j])
                if output == "localization" and judged[b, i, j]:
                    assert not ignored
                    label = iou if goal == "iou" else 0
                    bce.append(log1pexp(quality) - label * quality)
                continue
            cells.append((logit, iou, smooth))
            regressed = is_center or choice["boundary_regression"]
            if regressed and choice["regression"] == "iou":
                reg.append(-np.log((inter + 1) / (union + 1)))
            elif regressed:
                reg.append(1 - iou + (hull - union) / hull)
            if output == "localization" or regressed:
                label = centerness if goal == "centerness" else iou
                bce.append(log1pexp(quality) - label * quality)
        goals = numpy_goals(cells, choice)
        pos += [log1pexp(c[0]) - y * c[0] for c, y in zip(cells, goals, strict=True)]
        ious += [iou for _, iou, _ in cells]
        neg += negatives
        hard += sorted(negatives)[::-1][: choice["hard_negatives"]]
        counts.append((len(cells), drawn, len(negatives)))
    weights = (0.5, 0.35, 0.15) if choice["hard_negatives"] else HALVES
    cls = {
        "balanced": np.dot(weights, [np.mean(pos), np.mean(neg), np.mean(hard or 0)]),
        "positives": (sum(pos) + sum(neg)) / len(pos),
        "cells": np.mean(pos + neg),
    }[choice["reduction"]]
    terms = {"cls": cls, "reg": np.mean(reg), "quality": np.mean(bce)}
    terms |= {"iou": np.mean(ious), "positives": len(pos) / len(xyxy)}
    return terms, np.array(counts)


def hand_made():
    """Returns four by four cells with a box around one center and eight others.

    Points at 4, 12, 20, 28. The box is 22 by 22 around (20, 20): the center's |d| <
    4.4 holds one point, the boundary's |d| < 11 the eight around it, and seven lie
    outside. Predicted are boxes of IoU 1 in the center and right of it, and of IoU
    22 * 22 / (22 * 44) = 1/2 elsewhere. Positive logits are ln 3 (c = 3/4), others 0.
    """
    points = grid.points(grid.Geometry(16, 32, 4, 8, 4.0))
    predicted = np.tile(np.float32([9, 9, 31, 53]), (4, 4, 1))
    predicted[2, 2:4] = [9, 9, 31, 31]
    xy = np.asarray(points)
    ltrb = np.concatenate([xy - predicted[..., :2], predicted[..., 2:] - xy], -1)
    logits = np.zeros((1, 4, 4, 1), np.float32)
    logits[:, 1:, 1:] = np.log(3)
    outputs = {"cls": logits, "ltrb": ltrb[None], "localization": logits}
    batch = (outputs, np.float32([[9, 9, 31, 31]]), np.ones(1, bool))
    return points, (*jax.tree.map(jnp.asarray, batch), jax.random.split(KEY, 1))
