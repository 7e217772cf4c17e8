"""SiamLA's loss, each of its parts switchable for the paper's ablations."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxtrack.assign import localization, regions
from jaxtrack.losses import classification
from jaxtrack.losses.quality import bce_with_logits
from jaxtrack.losses.totals import parts
from jaxtrack.ops.random_subset import random_subset


class LabelRule(NamedTuple):
    """How classification labels are made; the defaults are the paper's.

    Attributes:
      kind: "ladl" (from the predicted boxes' IoUs) or "region" (from lambda alone).
      smoothing: LALS's lambda at the boundary, which is the rest of the box around the
        positive cells; 0 leaves LALS out.
      alpha: see `assign.localization.dynamic_labels`, as are the next three.
      beta: steepness.
      curve: "logistic" or "linear".
      normalize: whether labels are stretched to [0, 1] in each image.
    """

    kind: str = "ladl"
    smoothing: float = 0.2
    alpha: float = 0.5
    beta: float = 10.0
    curve: str = "logistic"
    normalize: bool = True


PUBLISHED = LabelRule()


def siamla_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    keys: jax.Array,
    *,
    points: jax.Array,
    rule: LabelRule = PUBLISHED,
    weight_gradient: bool = True,
    reduction: str = "balanced",
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    hard_negatives: int = 0,
    boundary_regression: bool = True,
    regression: str = "iou",
    quality: str = "iou",
    negative_target: str = "zero",
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamLA's loss.

        loss = w0 L_ladl + w1 L_reg + w2 L_loc

    Nie et al., SiamLA, Eq. 11 (S17) with Eqs. 3 to 7 and 10, without centre-ness (S12).

    Args:
      outputs: "cls", "ltrb" and "localization" or "centerness", `[B, H, W, C]`.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop; an empty box where the
        crop does not show it.
      labels: `[B, H, W]` int32, as `siamcar_loss` takes them; POSITIVE is the centre.
      keys: `[B]` random keys, one an example, which draw the negatives of L_loc.
      points: what each cell looks at, `[H, W, 2]` xy, pixels of the search crop.
      rule: how labels are made.
      weight_gradient: of 1 + c, see `classification.ladl_loss`.
      reduction: of L_ladl (S9): "balanced", c0 mean_pos + c1 mean_neg + c2 mean_hard;
        "positives", sum over the number of positives; "cells", mean over all.
      cls_weights: c0, c1, c2.
      hard_negatives: see `siamcar_loss`.
      boundary_regression: whether LALS's boundary trains regression too (S11).
      regression: "iou" or "giou".
      quality: target of a "centerness" output, "centerness" or "iou".
      negative_target: of L_loc's negatives, "zero" or their own "iou" (S13).
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's shares, as `siamcar_loss` returns them.

    Raises:
      ValueError: for an unknown choice, or shapes that disagree.
    """
    name = _checked_quality(outputs, xyxy, labels, points)
    _check_choices(rule, reduction, regression, quality, negative_target)
    outputs = {name: value.astype(jnp.float32) for name, value in outputs.items()}
    share = partial(parts.share, axis_name=axis_name)
    xyxy = parts.finite_boxes(xyxy)
    is_center = labels == regions.POSITIVE
    smoothing, labels = _lals(labels, xyxy, points, rule.smoothing)
    positive = labels == regions.POSITIVE
    regressed = positive if boundary_regression else is_center
    target = jax.vmap(regions.ltrb_targets, in_axes=(None, 0))(points, xyxy)
    # Elsewhere distances mean nothing, and may be too large even for 0 times a slope.
    ltrb = jnp.where(regressed[..., None], outputs["ltrb"], 0)
    reg = parts.regression(ltrb, target, xyxy, points, kind=regression)
    iou = parts.overlap(outputs["ltrb"], xyxy, points)
    cls = _classification(outputs["cls"][..., 0], iou, smoothing, rule, weight_gradient)
    goal, judged = iou, regressed
    if name == "localization":
        goal = jnp.where(positive | (negative_target == "iou"), iou, 0)
        judged = positive | _as_many_negatives(keys, labels)
    elif quality == "centerness":
        goal = regions.centerness_targets(target)
    how = (cls_weights, hard_negatives, axis_name)
    metrics = {
        "cls": _REDUCTIONS[reduction](cls, labels, *how),
        "reg": share(reg, regressed),
        "quality": share(bce_with_logits(outputs[name][..., 0], goal), judged),
        **parts.overview(iou, positive, share),
    }
    return parts.weighed(metrics, weights)


def _checked_quality(outputs, xyxy, labels, points):
    """Names the map that predicts quality; raises where shapes disagree."""
    name = "localization" if "localization" in outputs else "centerness"
    channels = {"cls": 1, "ltrb": 4, name: 1}
    parts.check_shapes(outputs, xyxy, labels, points, channels=channels)
    return name


def _check_choices(rule, reduction, regression, quality, negative_target):
    """Raises where a choice is unknown."""
    parts.check_choice("labels", rule.kind, ("ladl", "region"))
    parts.check_choice("reduction", reduction, tuple(_REDUCTIONS))
    parts.check_choice("regression", regression, ("iou", "giou"))
    parts.check_choice("quality", quality, ("centerness", "iou"))
    parts.check_choice("negative_target", negative_target, ("zero", "iou"))


def _lals(labels, xyxy, points, smoothing):
    """Returns lambda and, with the boundary positive too, labels, `[B, H, W]` each."""
    if smoothing > 0:
        inside = jax.vmap(partial(regions.center_region, points, size=1.0))(xyxy)
        boundary = (inside == regions.POSITIVE) & (labels != regions.POSITIVE)
    else:
        boundary = jnp.zeros(labels.shape, bool)
    center = labels == regions.POSITIVE
    outside = jnp.where(boundary, regions.IGNORE, regions.NEGATIVE)
    zones = jnp.where(center, regions.POSITIVE, outside)
    labels = jnp.where(boundary, regions.POSITIVE, labels)
    return localization.smoothing_map(zones, smoothing=smoothing), labels


def _as_many_negatives(keys, labels):
    """Draws one negative cell for each positive one of the same image."""
    count = jnp.sum(labels == regions.POSITIVE, axis=(1, 2))
    draw = jax.vmap(random_subset)
    return draw(keys, labels == regions.NEGATIVE, count)


def _classification(logits, iou, smoothing, rule, weight_gradient):
    """Returns unreduced losses `[B, H, W]`."""
    if rule.kind == "region":
        return bce_with_logits(logits, smoothing)
    label = partial(
        localization.dynamic_labels,
        alpha=rule.alpha,
        beta=rule.beta,
        curve=rule.curve,
        normalize=rule.normalize,
    )
    labels = jax.vmap(label)(iou, smoothing)
    return classification.ladl_loss(
        logits, labels, smoothing > 0, weight_gradient=weight_gradient
    )


def _balanced(losses, labels, cls_weights, num_hard, axis_name):
    """Weighs the mean losses of positive, negative and hardest negative cells."""
    share = partial(parts.share, axis_name=axis_name)
    return parts.balanced(losses, labels, cls_weights, num_hard, share)


def _over_positives(losses, labels, cls_weights, num_hard, axis_name):
    """Divides the sum over all cells by the number of positive ones."""
    del cls_weights, num_hard
    judged, positive = labels != regions.IGNORE, labels == regions.POSITIVE
    return parts.share_of_count(losses, judged, positive, axis_name=axis_name)


def _over_cells(losses, labels, cls_weights, num_hard, axis_name):
    """Averages over all cells that are not ignored."""
    del cls_weights, num_hard
    return parts.share(losses, labels != regions.IGNORE, axis_name=axis_name)


_REDUCTIONS = {
    "balanced": _balanced,
    "positives": _over_positives,
    "cells": _over_cells,
}
