"""Reductions of unreduced losses to this device's share of a mean over all devices.

A count is summed over `axis_name` before anything is divided by it, and each device
returns its own sum over that count. So the loss of the whole batch is the *sum* of what
the devices return, and so is its gradient: a training step applies `lax.psum` to both,
never `lax.pmean`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.losses import classification
from jaxtrack.losses import quality as quality_losses
from jaxtrack.losses import regression as regression_losses
from jaxtrack.ops import boxes

# Regression losses of boxes that are predicted from points.
REGRESSIONS = ("iou", "giou", "linear_iou")


class PointTerms(NamedTuple):
    """Common terms of the losses of anchor-free networks, unreduced, `[B, H, W]` each.

    Attributes:
      positive: bool, which cells are POSITIVE.
      reg: regression loss; meaningless where not positive.
      iou: IoU of the predicted box with the target, without gradient.
      centerness: target of the centerness.
      goal: target of the quality, centerness or IoU.
      quality: cross-entropy of the predicted quality with `goal`.
    """

    positive: jax.Array
    reg: jax.Array
    iou: jax.Array
    centerness: jax.Array
    goal: jax.Array
    quality: jax.Array


def point_terms(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    points: jax.Array,
    *,
    kind: str,
    quality: str,
    smoothing: float = 1.0,
) -> PointTerms:
    """Computes the terms that the losses of SiamCAR and SiamFC++ have in common.

    Args:
      outputs: "ltrb" `[B, H, W, 4]` pixels, "centerness" `[B, H, W, 1]` logits.
      xyxy: true boxes, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE.
      points: `[H, W, 2]` xy, pixels of the search crop.
      kind: kind of regression loss, see `box_regression`.
      quality: "centerness", or "iou": the IoU of the predicted box.
      smoothing: see `box_regression`.

    Returns:
      The terms.

    Raises:
      ValueError: for an unknown `kind` or `quality`.
    """
    check_choice("regression", kind, REGRESSIONS)
    check_choice("quality", quality, ("centerness", "iou"))
    xyxy = finite_boxes(xyxy)
    target = jax.vmap(regions.ltrb_targets, in_axes=(None, 0))(points, xyxy)
    positive = labels == regions.POSITIVE
    # Elsewhere distances are meaningless, and so large that 0 times a gradient is NaN.
    ltrb = jnp.where(positive[..., None], outputs["ltrb"].astype(jnp.float32), 0)
    centerness = regions.centerness_targets(target)
    iou = predicted_iou(ltrb, xyxy, points)
    goal = centerness if quality == "centerness" else iou
    logits = outputs["centerness"][..., 0].astype(jnp.float32)
    return PointTerms(
        positive=positive,
        reg=box_regression(ltrb, target, xyxy, points, kind=kind, smoothing=smoothing),
        iou=iou,
        centerness=centerness,
        goal=goal,
        quality=quality_losses.bce_with_logits(logits, goal),
    )


def global_mean_share(
    values: jax.Array, weights: jax.Array, *, axis_name: str | None = None
) -> jax.Array:
    """Computes this device's part of the weighted mean over all devices.

        share = sum(w v) / sum over devices of sum(w),  0 where that is 0

    Args:
      values: of any shape.
      weights: of the same shape, not negative; bool counts as 0 and 1.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      `[]`; the shares of all devices add up to the mean.
    """
    return global_count_share(values, weights, weights, axis_name=axis_name)


def global_count_share(
    values: jax.Array,
    weights: jax.Array,
    counted: jax.Array,
    *,
    least: float = 0.0,
    axis_name: str | None = None,
) -> jax.Array:
    """Computes this device's part of a weighted sum divided by a count of all devices.

        share = sum(w v) / max(sum over devices of sum(counted), least),  0 over 0

    Args:
      values: of any shape.
      weights: of the same shape, not negative; bool counts as 0 and 1.
      counted: the entries to count, of any shape.
      least: lower bound of the count.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      `[]`.
    """
    weights, values = weights.astype(jnp.float32), values.astype(jnp.float32)
    whole = jnp.sum(counted.astype(jnp.float32))
    if axis_name is not None:
        whole = lax.psum(whole, axis_name)
    whole = jnp.maximum(whole, least)
    has_any = whole > 0
    return jnp.where(has_any, jnp.sum(weights * values), 0) / jnp.where(
        has_any, whole, 1
    )


def overview_metrics(
    iou: jax.Array, positive: jax.Array, *, axis_name: str | None = None
) -> dict[str, jax.Array]:
    """Computes the metrics that are logged in training.

    Args:
      iou: IoU of predicted boxes, `[B, ...]`.
      positive: `[B, ...]` bool.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      Shares of "iou", the mean over positive cells, and of "positives", cells an
      example.
    """
    per_example = jnp.sum(positive, axis=range(1, positive.ndim))
    return {
        "iou": global_mean_share(iou, positive, axis_name=axis_name),
        "positives": global_mean_share(
            per_example, jnp.ones_like(per_example), axis_name=axis_name
        ),
    }


def weighted_sum(
    metrics: dict[str, jax.Array], weights: tuple[float, float, float]
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Adds the three terms of an anchor-free tracker's loss.

    Args:
      metrics: "cls", "reg", "quality" and others.
      weights: weights of the three.

    Returns:
      The loss, and the metrics with the loss added as "loss".
    """
    terms = (metrics["cls"], metrics["reg"], metrics["quality"])
    loss = sum(weight * term for weight, term in zip(weights, terms, strict=True))
    return loss, {"loss": loss, **metrics}


def finite_boxes(xyxy: jax.Array) -> jax.Array:
    """Replaces boxes that are not finite by empty ones, which have no positive cells.

    Args:
      xyxy: `[B, 4]` xyxy, pixels.

    Returns:
      `[B, 4]`, zeros where a coordinate is not finite.
    """
    is_finite = jnp.all(jnp.isfinite(xyxy), axis=-1, keepdims=True)
    return jnp.where(is_finite, xyxy, 0)


def balanced_mean_share(
    losses: jax.Array,
    labels: jax.Array,
    *,
    cls_weights: tuple[float, float, float],
    num_hard: int,
    axis_name: str | None = None,
) -> jax.Array:
    """Computes the weighted sum of mean losses of positive, negative and hard cells.

        c0 mean_pos + c1 mean_neg + c2 mean_hard

    Args:
      losses: of every cell, or of every anchor, `[B, ...]`.
      labels: `[B, ...]` int32 of POSITIVE, NEGATIVE, IGNORE.
      cls_weights: c0, c1, c2.
      num_hard: hardest negatives an image, at most the number of cells; 0
        omits their term.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      `[]`.
    """
    share = partial(global_mean_share, axis_name=axis_name)
    total = cls_weights[0] * share(losses, labels == regions.POSITIVE)
    total += cls_weights[1] * share(losses, labels == regions.NEGATIVE)
    if num_hard:
        flat = (len(labels), labels.shape[1], -1)
        hardest = classification.hard_negatives(
            losses.reshape(flat),
            labels.reshape(flat),
            count=min(num_hard, losses[0].size),
        )
        total += cls_weights[2] * share(*hardest)
    return total


def box_regression(
    ltrb: jax.Array,
    target: jax.Array,
    xyxy: jax.Array,
    points: jax.Array,
    *,
    kind: str,
    smoothing: float = 1.0,
) -> jax.Array:
    """Computes regression losses, unreduced.

    Args:
      ltrb: predicted distances, `[B, H, W, 4]`, pixels of the search crop.
      target: true distances, `[B, H, W, 4]`.
      xyxy: true boxes, `[B, 4]` xyxy, pixels of the search crop.
      points: `[H, W, 2]` xy, pixels of the search crop.
      kind: one of `REGRESSIONS`.
      smoothing: for all kinds but "giou", square pixels; see `regression.iou_loss`.

    Returns:
      Losses, `[B, H, W]`.
    """
    if kind == "iou":
        return regression_losses.iou_loss(ltrb, target, smoothing=smoothing)
    if kind == "linear_iou":
        return regression_losses.linear_iou_loss(ltrb, target, smoothing=smoothing)
    predicted = boxes.ltrb_to_xyxy(points, ltrb)
    return regression_losses.giou_loss(predicted, xyxy[:, None, None, :])


def predicted_iou(ltrb: jax.Array, xyxy: jax.Array, points: jax.Array) -> jax.Array:
    """Computes the IoU of each cell's predicted box with the target, no gradient.

    Args:
      ltrb: predicted distances, `[B, H, W, 4]`, pixels of the search crop.
      xyxy: true boxes, `[B, 4]` xyxy, pixels of the search crop.
      points: `[H, W, 2]` xy, pixels of the search crop.

    Returns:
      `[B, H, W]` in [0, 1].
    """
    predicted = boxes.ltrb_to_xyxy(points, lax.stop_gradient(ltrb))
    return boxes.iou(predicted, xyxy[:, None, None, :])


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises `ValueError` unless `value` is one of `choices`."""
    if value not in choices:
        *others, last = choices
        known = f"{', '.join(others)} or {last}"
        raise ValueError(f"{name} must be {known}, got {value!r}")


def check_shapes(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    places: jax.Array,
    *,
    channels: Mapping[str, int],
) -> None:
    """Raises unless the shapes of maps, boxes, labels and positions match.

    Args:
      outputs: maps by name, `[B, H, W, C]`, or `[B, H, W, A, C]` of A anchors.
      xyxy: `[B, 4]`.
      labels: `[B, H, W]` or `[B, H, W, A]`.
      places: points `[H, W, 2]`, or anchors `[H, W, A, 4]`.
      channels: name of each required map -> C.

    Raises:
      ValueError: a map is missing, or shapes disagree.
    """
    if missing := [name for name in channels if name not in outputs]:
        raise ValueError(f"outputs lack {missing}: they have {sorted(outputs)}")
    expected = {name: (*labels.shape, size) for name, size in channels.items()}
    shapes = {name: outputs[name].shape for name in channels}
    if (
        shapes != expected
        or xyxy.shape != (len(labels), 4)
        or places.shape != (*labels.shape[1:], 2 if labels.ndim == 3 else 4)
    ):
        raise ValueError(
            f"outputs {shapes}, boxes {xyxy.shape}, labels {labels.shape} "
            f"and points or anchors {places.shape} disagree"
        )
