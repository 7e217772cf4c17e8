"""One function a tracker: from raw maps and true boxes to a scalar.

Everything is a mean over the examples of all devices. A count is summed over
`axis_name` before anything is divided by it, and each device returns its own sum over
that count. So the loss of the whole batch is the *sum* of what the devices return, and
so is its gradient: a training step applies `lax.psum` to both, never `lax.pmean`.
"""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.losses import classification
from jaxtrack.losses import quality as quality_losses
from jaxtrack.losses import regression as regression_losses
from jaxtrack.ops import boxes


def siamcar_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    is_positive: jax.Array,
    *,
    points: jax.Array,
    positive_size: float = 0.4,
    min_half: float = 0.0,
    ignore_inside: bool = False,
    regression: str = "iou",
    centerness_weighted: bool = True,
    quality: str = "centerness",
    hard_negatives: int = 0,
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    weights: tuple[float, float, float] = (1.0, 3.0, 1.0),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamCAR's loss; the defaults are the released code's.

        loss = w0 cls + w1 reg + w2 quality
        cls = c0 mean_pos CE + c1 mean_neg CE + c2 mean_hard CE
        reg = sum_pos a IoULoss / sum_pos a,  a the centre-ness target, or 1
        quality = mean_pos BCE

    Guo et al., SiamCAR (arXiv:1911.07241), Eqs. 3-7; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, 2]` logits, "ltrb" `[B, H, W, 4]` pixels of the search
        crop, "centerness" `[B, H, W, 1]` logits.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      is_positive: whether the search crop shows the template's target, `[B]` bool;
        where it does not, every cell is NEGATIVE and nothing is regressed.
      points: what each cell looks at, `[H, W, 2]` xy, pixels of the search crop.
      positive_size: see `regions.center_region`, as are `min_half`, `ignore_inside`.
      min_half: in pixels of the search crop.
      ignore_inside: whether the target's rim is IGNORE rather than NEGATIVE.
      regression: "iou" or "giou".
      centerness_weighted: whether regression is weighted by the centre-ness target.
      quality: "centerness", or "iou": that of the predicted box, taken as constant.
      hard_negatives: hardest negatives an image in their term; 0 leaves it out.
      cls_weights: c0, c1, c2.
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics "loss", "cls", "reg",
      "quality", "iou" (mean over positive cells) and "positives" (cells an example):
      summed over the devices they are the values of the whole batch.

    Raises:
      ValueError: for an unknown `regression` or `quality`, or shapes that disagree.
    """
    _check(outputs, xyxy, is_positive, points, regression, quality)
    outputs = {name: value.astype(jnp.float32) for name, value in outputs.items()}
    labels, target, xyxy = _targets(
        xyxy, is_positive, points, positive_size, min_half, ignore_inside
    )
    positive = labels == regions.POSITIVE
    centerness = regions.centerness_targets(target)
    # Elsewhere distances mean nothing, and may be too large even for 0 times a slope.
    ltrb = jnp.where(positive[..., None], outputs["ltrb"], 0)
    reg, iou = _regression(ltrb, target, xyxy, points, regression)
    goal = centerness if quality == "centerness" else iou
    bce = quality_losses.bce_with_logits(outputs["centerness"][..., 0], goal)
    importance = jnp.where(positive, centerness if centerness_weighted else 1, 0)

    share = functools.partial(_share, axis_name=axis_name)
    metrics = {
        "cls": _classification(
            outputs["cls"], labels, hard_negatives, cls_weights, share
        ),
        "reg": share(reg, importance),
        "quality": share(bce, positive),
        "iou": share(iou, positive),
        "positives": share(jnp.sum(positive, (1, 2)), jnp.ones_like(is_positive)),
    }
    terms = (metrics["cls"], metrics["reg"], metrics["quality"])
    loss = sum(weight * term for weight, term in zip(weights, terms, strict=True))
    return loss, {"loss": loss, **metrics}


def _check(outputs, xyxy, is_positive, points, regression, quality):
    """Raises where choices are unknown or shapes disagree."""
    if regression not in ("iou", "giou"):
        raise ValueError(f"regression must be iou or giou, got {regression!r}")
    if quality not in ("centerness", "iou"):
        raise ValueError(f"quality must be centerness or iou, got {quality!r}")
    (batch,) = is_positive.shape
    hw = points.shape[:2]
    channels = {"cls": 2, "ltrb": 4, "centerness": 1}
    expected = {name: (batch, *hw, size) for name, size in channels.items()}
    shapes = {name: outputs[name].shape for name in channels}
    if shapes != expected or xyxy.shape != (batch, 4) or points.shape != (*hw, 2):
        raise ValueError(
            f"outputs {shapes}, boxes {xyxy.shape}, is_positive {is_positive.shape} "
            f"and points {points.shape} disagree"
        )


def _targets(xyxy, is_positive, points, positive_size, min_half, ignore_inside):
    """Returns labels `[B,H,W]`, ltrb `[B,H,W,4]` and boxes `[B,1,1,4]`, all finite."""
    is_usable = is_positive & jnp.all(jnp.isfinite(xyxy), axis=-1)
    xyxy = jnp.where(is_usable[:, None], xyxy, 0)

    def label(xyxy):
        return regions.center_region(
            points,
            xyxy,
            size=positive_size,
            min_half=min_half,
            ignore_inside=ignore_inside,
        )

    labels = jax.vmap(label)(xyxy)
    target = jax.vmap(regions.ltrb_targets, in_axes=(None, 0))(points, xyxy)
    return labels, target, xyxy[:, None, None, :]


def _regression(ltrb, target, xyxy, points, regression):
    """Returns unreduced losses `[B,H,W]` and the IoU, without slope, `[B,H,W]`."""
    predicted = boxes.ltrb_to_xyxy(points, ltrb)
    iou = lax.stop_gradient(boxes.iou(predicted, xyxy))
    if regression == "iou":
        return regression_losses.iou_loss(ltrb, target), iou
    return regression_losses.giou_loss(predicted, xyxy), iou


def _classification(logits, labels, num_hard, cls_weights, share):
    """Weighs the mean losses of positive, negative and hardest negative cells."""
    losses = classification.softmax_cross_entropy(logits, labels)
    total = cls_weights[0] * share(losses, labels == regions.POSITIVE)
    total += cls_weights[1] * share(losses, labels == regions.NEGATIVE)
    if num_hard:
        hardest = classification.hard_negatives(losses, labels, count=num_hard)
        total += cls_weights[2] * share(*hardest)
    return total


def _share(values, weights, axis_name):
    """Returns this device's part of the weighted mean over all of them; 0 of none."""
    weights, values = weights.astype(jnp.float32), values.astype(jnp.float32)
    whole = jnp.sum(weights)
    if axis_name is not None:
        whole = lax.psum(whole, axis_name)
    return jnp.sum(weights * values) / jnp.where(whole > 0, whole, 1)
