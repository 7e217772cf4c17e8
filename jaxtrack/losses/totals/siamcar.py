"""SiamCAR's loss."""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp

from jaxtrack.losses import classification
from jaxtrack.losses.totals import parts


def siamcar_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    *,
    points: jax.Array,
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
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamCAR's is `assign.regions.center_region`.
      points: what each cell looks at, `[H, W, 2]` xy, pixels of the search crop.
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
    channels = {"cls": 2, "ltrb": 4, "centerness": 1}
    parts.check_shapes(outputs, xyxy, labels, points, channels=channels)
    terms = parts.point_terms(
        outputs, xyxy, labels, points, kind=regression, quality=quality
    )
    importance = terms.centerness if centerness_weighted else 1
    share = partial(parts.share, axis_name=axis_name)
    logits = outputs["cls"].astype(jnp.float32)
    cls = classification.softmax_cross_entropy(logits, labels)
    metrics = {
        "cls": parts.balanced(cls, labels, cls_weights, hard_negatives, share),
        "reg": share(terms.reg, jnp.where(terms.positive, importance, 0)),
        "quality": share(terms.quality, terms.positive),
        **parts.overview(terms.iou, terms.positive, share),
    }
    return parts.weighed(metrics, weights)
