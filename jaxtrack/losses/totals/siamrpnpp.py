"""SiamRPN++'s loss."""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.losses import classification
from jaxtrack.losses import regression as regression_losses
from jaxtrack.losses.totals import parts
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes

# Of a decoded size's logarithm in the metric "iou", where boxes may be anything.
_MOST_LOG_SCALE = 4.0


def siamrpnpp_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    *,
    anchors: jax.Array,
    hard_negatives: int = 0,
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    weights: tuple[float, float] = (1.0, 1.2),
    distance: str = "l1",
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamRPN++'s loss; the defaults are pysot's code.

        loss = w0 cls + w1 reg
        cls = c0 mean_pos CE + c1 mean_neg CE + c2 mean_hard CE
        reg = 1/B sum_b 1/P_b sum_pos |d - d*|_1

    Li et al., SiamRPN++ (arXiv:1812.11703), section 3.4, and its code, which takes the
    plain L1 distance of the four deltas where SiamRPN's text smooths it. P_b counts the
    positive anchors of image b; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, A, 2]` logits, "deltas" `[B, H, W, A, 4]` relative to
        the anchors.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W, A]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamRPN++'s is `assign.anchors.iou_labels`, subsampled.
      anchors: `[H, W, A, 4]` xyxy, pixels of the search crop.
      hard_negatives: hardest negatives an image in their term; 0 leaves it out.
      cls_weights: c0, c1, c2.
      weights: w0, w1.
      distance: of the deltas, "l1" or "smooth_l1".
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics "loss", "cls", "reg", "iou"
      (mean over positive anchors) and "positives" (anchors an example): summed over the
      devices they are the values of the whole batch.

    Raises:
      ValueError: for shapes that disagree, or another distance.
    """
    parts.check_choice("distance", distance, ("l1", "smooth_l1"))
    channels = {"cls": 2, "deltas": 4}
    parts.check_shapes(outputs, xyxy, labels, anchors, channels=channels)
    outputs = {name: value.astype(jnp.float32) for name, value in outputs.items()}
    xyxy = parts.finite_boxes(xyxy)
    positive = labels == regions.POSITIVE
    # Elsewhere deltas mean nothing, and may be too large even for 0 times a slope.
    deltas = jnp.where(positive[..., None], outputs["deltas"], 0)
    boxes_of_cells = xyxy[:, None, None, None]
    target = anchor_boxes.encode(anchors[None], boxes_of_cells)
    if distance == "l1":
        reg = jnp.sum(jnp.abs(deltas - target), axis=-1)
    else:
        reg = regression_losses.smooth_l1(deltas, target)
    share = partial(parts.share, axis_name=axis_name)
    decoded = anchor_boxes.decode(
        anchors[None], lax.stop_gradient(deltas), max_log_scale=_MOST_LOG_SCALE
    )
    iou = boxes.iou(decoded, boxes_of_cells)
    cls = classification.softmax_cross_entropy(outputs["cls"], labels)
    per_image = _mean_of_each(reg, positive)
    metrics = {
        "cls": parts.balanced(cls, labels, cls_weights, hard_negatives, share),
        "reg": share(per_image, jnp.ones_like(per_image)),
        **parts.overview(iou, positive, share),
    }
    loss = weights[0] * metrics["cls"] + weights[1] * metrics["reg"]
    return loss, {"loss": loss, **metrics}


def _mean_of_each(values, mask):
    """Averages each image's `[B, ...]` values where the mask is true; else 0."""
    axes = tuple(range(1, values.ndim))
    count = jnp.sum(mask.astype(values.dtype), axes)
    return jnp.sum(jnp.where(mask, values, 0), axes) / jnp.maximum(count, 1)
