"""SiamFC++'s loss."""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp

from jaxtrack.assign import regions
from jaxtrack.losses import classification
from jaxtrack.losses import quality as quality_losses
from jaxtrack.losses.totals import parts


def siamfcpp_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    *,
    points: jax.Array,
    alpha: float = 0.75,
    gamma: float = 2.0,
    regression: str = "iou",
    quality: str = "centerness",
    weights: tuple[float, float, float] = (1.0, 3.0, 1.0),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamFC++'s loss; the defaults are those of its public code.

        loss = w0 cls + w1 reg + w2 quality
        cls = sum FL / max(P, 1)
        reg = mean_pos -ln IoU
        quality = mean_pos (BCE(l, c) - BCE(logit(c), c))

    Xu et al., SiamFC++ (arXiv:1911.06188), Eq. 2, where the last two sums are over
    positive cells too. P counts the positive cells of the batch; quality is measured
    from its least value, the target's entropy; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, 1]` logits, "ltrb" `[B, H, W, 4]` pixels of the search
        crop, "centerness" `[B, H, W, 1]` logits.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamFC++'s is `assign.regions.center_region` with the whole box.
      points: what each cell looks at, `[H, W, 2]` xy, pixels of the search crop.
      alpha: weight of positive cells, see `classification.focal_loss`.
      gamma: exponent of the focal loss.
      regression: "iou" or "giou".
      quality: "centerness", or "iou": that of the predicted box, taken as constant.
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's shares, as `siamcar_loss` returns them.

    Raises:
      ValueError: for an unknown `regression` or `quality`, or shapes that disagree.
    """
    channels = {"cls": 1, "ltrb": 4, "centerness": 1}
    parts.check_shapes(outputs, xyxy, labels, points, channels=channels)
    terms = parts.point_terms(
        outputs, xyxy, labels, points, kind=regression, quality=quality, smoothing=0.0
    )
    logits = outputs["cls"][..., 0].astype(jnp.float32)
    cls = classification.focal_loss(logits, labels, alpha=alpha, gamma=gamma)
    least = quality_losses.entropy(terms.goal)
    share = partial(parts.share, axis_name=axis_name)
    metrics = {
        "cls": parts.share_of_count(
            cls,
            labels != regions.IGNORE,
            terms.positive,
            least=1.0,
            axis_name=axis_name,
        ),
        "reg": share(terms.reg, terms.positive),
        "quality": share(terms.quality - least, terms.positive),
        **parts.overview(terms.iou, terms.positive, share),
    }
    return parts.weighed(metrics, weights)
