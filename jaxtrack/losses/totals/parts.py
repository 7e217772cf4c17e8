"""What the totals of several trackers are made of."""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.losses import regression as regression_losses
from jaxtrack.ops import boxes


def share(
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
    return share_of_count(values, weights, weights, axis_name=axis_name)


def share_of_count(
    values: jax.Array,
    weights: jax.Array,
    counted: jax.Array,
    *,
    axis_name: str | None = None,
) -> jax.Array:
    """Computes this device's part of a weighted sum over a count of all devices.

        share = sum(w v) / sum over devices of sum(counted),  0 where that is 0

    Args:
      values: of any shape.
      weights: of the same shape, not negative; bool counts as 0 and 1.
      counted: what is counted, of any shape.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      `[]`.
    """
    weights, values = weights.astype(jnp.float32), values.astype(jnp.float32)
    whole = jnp.sum(counted.astype(jnp.float32))
    if axis_name is not None:
        whole = lax.psum(whole, axis_name)
    has_any = whole > 0
    return jnp.where(has_any, jnp.sum(weights * values), 0) / jnp.where(
        has_any, whole, 1
    )


def overview(
    iou: jax.Array, positive: jax.Array, share: Callable[..., jax.Array]
) -> dict[str, jax.Array]:
    """Computes the metrics that say how a training goes.

    Args:
      iou: of predicted boxes, `[B, H, W]`.
      positive: `[B, H, W]` bool.
      share: `share` with its `axis_name`.

    Returns:
      Shares of "iou", the mean over positive cells, and of "positives", cells an
      example.
    """
    per_example = jnp.sum(positive, axis=(1, 2))
    return {
        "iou": share(iou, positive),
        "positives": share(per_example, jnp.ones_like(per_example)),
    }


def weighed(
    metrics: dict[str, jax.Array], weights: tuple[float, float, float]
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Adds the three terms of an anchor-free tracker's loss.

    Args:
      metrics: "cls", "reg", "quality" and others.
      weights: of the three.

    Returns:
      The loss, and the metrics with it as "loss".
    """
    terms = (metrics["cls"], metrics["reg"], metrics["quality"])
    loss = sum(weight * term for weight, term in zip(weights, terms, strict=True))
    return loss, {"loss": loss, **metrics}


def usable_boxes(xyxy: jax.Array, is_positive: jax.Array) -> jax.Array:
    """Empties the boxes that nothing is to be learnt from.

    Args:
      xyxy: `[B, 4]` xyxy, pixels.
      is_positive: `[B]` bool, whether the search crop shows the target.

    Returns:
      `[B, 4]`, all finite: zeros where the target is missing or not finite, in which
      every assigner finds only negatives.
    """
    is_usable = is_positive & jnp.all(jnp.isfinite(xyxy), axis=-1)
    return jnp.where(is_usable[:, None], xyxy, 0)


def regression(
    ltrb: jax.Array,
    target: jax.Array,
    xyxy: jax.Array,
    points: jax.Array,
    *,
    kind: str,
) -> jax.Array:
    """Computes regression losses, unreduced.

    Args:
      ltrb: predicted distances, `[B, H, W, 4]`, pixels of the search crop.
      target: true distances, `[B, H, W, 4]`.
      xyxy: true boxes, `[B, 4]` xyxy, pixels of the search crop.
      points: `[H, W, 2]` xy, pixels of the search crop.
      kind: "iou" or "giou".

    Returns:
      Losses, `[B, H, W]`.
    """
    if kind == "iou":
        return regression_losses.iou_loss(ltrb, target)
    predicted = boxes.ltrb_to_xyxy(points, ltrb)
    return regression_losses.giou_loss(predicted, xyxy[:, None, None, :])


def overlap(ltrb: jax.Array, xyxy: jax.Array, points: jax.Array) -> jax.Array:
    """Computes the IoU of every cell's predicted box with the target, without slope.

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
        raise ValueError(f"{name} must be {' or '.join(choices)}, got {value!r}")


def check_shapes(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    is_positive: jax.Array,
    points: jax.Array,
    *,
    channels: Mapping[str, int],
) -> None:
    """Raises unless a network's maps, boxes and points fit each other.

    Args:
      outputs: maps by name, `[B, H, W, C]`.
      xyxy: `[B, 4]`.
      is_positive: `[B]`.
      points: `[H, W, 2]`.
      channels: name of a map that is needed -> C.

    Raises:
      ValueError: a map is missing, or shapes disagree.
    """
    (batch,) = is_positive.shape
    hw = points.shape[:2]
    if missing := [name for name in channels if name not in outputs]:
        raise ValueError(f"outputs lack {missing}: they have {sorted(outputs)}")
    expected = {name: (batch, *hw, size) for name, size in channels.items()}
    shapes = {name: outputs[name].shape for name in channels}
    if shapes != expected or xyxy.shape != (batch, 4) or points.shape != (*hw, 2):
        raise ValueError(
            f"outputs {shapes}, boxes {xyxy.shape}, is_positive {is_positive.shape} "
            f"and points {points.shape} disagree"
        )
