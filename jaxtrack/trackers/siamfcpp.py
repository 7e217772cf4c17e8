"""SiamFC++: anchor-free, with a correlation for the class and one for the box.

Xu et al., SiamFC++ (arXiv:1911.06188), following video_analyst's code.
"""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, make_assigner, regions
from jaxtrack.losses import classification, reduce
from jaxtrack.losses import quality as quality_losses
from jaxtrack.models.correlations import TaskCorrelation
from jaxtrack.models.heads.densebox import DenseboxHead
from jaxtrack.models.light import light_head, light_siamese
from jaxtrack.models.necks import TaskNeck
from jaxtrack.models.siamese import Siamese, resized
from jaxtrack.ops import grid
from jaxtrack.trackers.family import (
    Family,
    Loss,
    Preset,
    WeightNames,
    backbone_names,
    backbone_of,
    choices,
    correlations,
    label_first,
    selection_settings,
)

# Response cell i of the released network is tested on pixel index 79 + 8 i, though it
# looks at 77 + 8 i.
GEOMETRIES = {"googlenet": grid.Geometry(127, 303, 19, 8, 79.5)}


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> Siamese:
    """Builds SiamFC++'s network; see `jaxtrack.trackers.family.BuildNetwork`.

    The light design has a single class logit, and predicts centerness in that tower.
    """
    backbone, is_light = backbone_of(config)
    chosen = choices(
        config, correlation=correlations(config), localization=("centerness",)
    )
    shared = {"axis_name": axis_name, "dtype": jnp.dtype(config.model.dtype)}
    if is_light:
        built = light_siamese(
            backbone.build(**shared),
            light_head(cls_bias=(-4.0,), quality="cls", dtype=shared["dtype"]),
            geometry=backbone.geometry(0),
            correlation=chosen["correlation"],
            dtype=shared["dtype"],
        )
    else:
        built = Siamese(
            backbone=backbone.build(**shared),
            neck=TaskNeck(**shared),
            correlation=TaskCorrelation(),
            head=DenseboxHead(**shared),
            template_cells=5,
            # 4 cells of border, 1 and 2 of convolutions, 1 of the template's 3.
            geometry=GEOMETRIES.get(config.model.backbone) or backbone.geometry(8),
        )
    return resized(built, search_size) if search_size else built


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
    positive cells too. P counts the positive cells of the batch; quality has its
    least value, the target's entropy, subtracted; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, 1]` logits, "ltrb" `[B, H, W, 4]` pixels of the search
        crop, "centerness" `[B, H, W, 1]` logits.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamFC++'s is `assign.regions.center_region` with the whole box.
      points: position of each cell, `[H, W, 2]` xy, pixels of the search crop.
      alpha: weight of positive cells, see `classification.focal_loss`.
      gamma: exponent of the focal loss.
      regression: one of `losses.reduce.REGRESSIONS`.
      quality: "centerness", or "iou": the predicted box's, taken as constant.
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's shares, as `siamcar_loss` returns them.

    Raises:
      ValueError: for an unknown `regression` or `quality`, or shapes that disagree.
    """
    channels = {"cls": 1, "ltrb": 4, "centerness": 1}
    reduce.check_shapes(outputs, xyxy, labels, points, channels=channels)
    terms = reduce.point_terms(
        outputs, xyxy, labels, points, kind=regression, quality=quality, smoothing=0.0
    )
    logits = outputs["cls"][..., 0].astype(jnp.float32)
    cls = classification.focal_loss(logits, labels, alpha=alpha, gamma=gamma)
    least = quality_losses.entropy(terms.goal)
    share = partial(reduce.global_mean_share, axis_name=axis_name)
    metrics = {
        "cls": reduce.global_count_share(
            cls,
            labels != regions.IGNORE,
            terms.positive,
            least=1.0,
            axis_name=axis_name,
        ),
        "reg": share(terms.reg, terms.positive),
        "quality": share(terms.quality - least, terms.positive),
        **reduce.overview_metrics(terms.iou, terms.positive, axis_name=axis_name),
    }
    return reduce.weighted_sum(metrics, weights)


def make_loss(
    config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
) -> Loss:
    """Builds SiamFC++'s loss; see `jaxtrack.trackers.family.BuildLoss`."""
    assign = assign or make_assigner(config, network.geometry)
    total = partial(
        siamfcpp_loss,
        points=grid.points(network.geometry),
        alpha=config.loss.focal_alpha,
        gamma=config.loss.focal_gamma,
        regression=config.loss.regression,
        quality=config.loss.quality,
        weights=tuple(config.loss.weights),
    )
    return label_first(assign, total)


# video_analyst's names of all parts: its backbone is `basemodel`.
TORCH_NAMES = (
    (r"^backbone\.", "basemodel."),
    (r"^neck\.reduce_conv\.", "basemodel.channel_reduce.0."),
    (r"^neck\.reduce_bn\.", "basemodel.channel_reduce.1."),
    (r"^neck\.cls_z_", "c_z_k."),
    (r"^neck\.cls_x_", "c_x."),
    (r"^neck\.box_z_", "r_z_k."),
    (r"^neck\.box_x_", "r_x."),
    (r"^head\.(cls|bbox)_conv(\d)\.", r"head.\1_p5_conv\2.conv."),
    (r"^head\.(\w+)_(conv|bn)\.", r"head.\1_p5.\2."),
)


def names(config: ConfigDict) -> WeightNames:
    """Returns video_analyst's names, or ours where its network differs."""
    if backbone_of(config)[1]:
        return backbone_names(config, ())
    return backbone_names(config, TORCH_NAMES)._replace(backbone="basemodel.")


def _preset(penalty, window, size_rate):
    """Returns a preset of SiamFC++ with GoogLeNet."""
    return Preset(
        settings=selection_settings("video_analyst", penalty, window, size_rate),
        source="MegviiDetection/video_analyst f4d1bcc, SiamFC++ with GoogLeNet",
        note="Its HPO.md describes tuning on validation data.",
    )


PRESETS = {
    "siamfcpp": _preset(0.04, 0.21, 0.52),
    "siamfcpp_otb100": _preset(0.0433, 0.2369, 0.5384),
}
FAMILY = Family(network=network, loss=make_loss, names=names, presets=PRESETS)
