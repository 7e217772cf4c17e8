"""SiamBAN: every cell predicts class and box, without anchors or centerness.

Chen et al., SiamBAN (arXiv:2003.06761), following its public code.
"""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, make_assigner, regions
from jaxtrack.losses import classification, reduce
from jaxtrack.losses.balance import classification_share
from jaxtrack.models.correlations import BranchCorrelation
from jaxtrack.models.heads.rpn import BanHead
from jaxtrack.models.light import light_head, light_siamese
from jaxtrack.models.necks import AdjustNeck
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
from jaxtrack.trackers.siamrpnpp import level_names


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> Siamese:
    """Builds SiamBAN's network; see `jaxtrack.trackers.family.BuildNetwork`."""
    backbone, is_light = backbone_of(config)
    chosen = choices(config, correlation=correlations(config))
    shared = {"axis_name": axis_name, "dtype": jnp.dtype(config.model.dtype)}
    if is_light:
        built = light_siamese(
            backbone.build(**shared),
            light_head(cls_bias=(0.0, -4.0), quality="none", dtype=shared["dtype"]),
            geometry=backbone.geometry(0),
            correlation=chosen["correlation"],
            dtype=shared["dtype"],
        )
    else:
        built = Siamese(
            backbone=backbone.build(**shared),
            neck=AdjustNeck(**shared),
            correlation=BranchCorrelation(**shared),
            head=BanHead(weighted=config.model.level_weights, **shared),
            template_cells=7,
            geometry=backbone.geometry(3),
        )
    return resized(built, search_size) if search_size else built


def siamban_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    *,
    points: jax.Array,
    regression: str = "linear_iou",
    hard_negatives: int = 0,
    reduction: str = "balanced",
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    weights: tuple[float, float] = (1.0, 1.0),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamBAN's loss; the defaults are the released code's.

        loss = w0 cls + w1 reg
        cls = c0 mean_pos CE + c1 mean_neg CE + c2 mean_hard CE
        reg = mean_pos (1 - IoU)

    Chen et al., SiamBAN (arXiv:2003.06761), Eqs. 4 and 5, with the IoU of the code,
    which adds 1 to both areas; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, 2]` logits, "ltrb" `[B, H, W, 4]` pixels of the search
        crop.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamBAN's is `assign.regions.ellipse`.
      points: position of each cell, `[H, W, 2]` xy, pixels of the search crop.
      regression: one of `losses.reduce.REGRESSIONS`.
      hard_negatives: hardest negatives an image in their term; 0 leaves it out.
      reduction: of `cls`; with any other than "balanced" the weights are unused, see
        `balance.classification_share`.
      cls_weights: c0, c1, c2.
      weights: w0, w1.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics "loss", "cls", "reg", "iou"
      (mean over positive cells) and "positives" (cells an example): summed over the
      devices they are the values of the whole batch.

    Raises:
      ValueError: for an unknown choice, or shapes that disagree.
    """
    reduce.check_choice("regression", regression, reduce.REGRESSIONS)
    channels = {"cls": 2, "ltrb": 4}
    reduce.check_shapes(outputs, xyxy, labels, points, channels=channels)
    xyxy = reduce.finite_boxes(xyxy)
    target = jax.vmap(regions.ltrb_targets, in_axes=(None, 0))(points, xyxy)
    positive = labels == regions.POSITIVE
    # Elsewhere distances are meaningless, and so large that 0 times a gradient is NaN.
    ltrb = jnp.where(positive[..., None], outputs["ltrb"].astype(jnp.float32), 0)
    reg = reduce.box_regression(ltrb, target, xyxy, points, kind=regression)
    iou = reduce.predicted_iou(ltrb, xyxy, points)
    logits = outputs["cls"].astype(jnp.float32)
    cls = classification.softmax_cross_entropy(logits, labels)
    balance = {"reduction": reduction, "cls_weights": cls_weights}
    balance["num_hard"] = hard_negatives
    metrics = {
        "cls": classification_share(cls, labels, **balance, axis_name=axis_name),
        "reg": reduce.global_mean_share(reg, positive, axis_name=axis_name),
        **reduce.overview_metrics(iou, positive, axis_name=axis_name),
    }
    loss = weights[0] * metrics["cls"] + weights[1] * metrics["reg"]
    return loss, {"loss": loss, **metrics}


def make_loss(
    config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
) -> Loss:
    """Builds SiamBAN's loss; see `jaxtrack.trackers.family.BuildLoss`."""
    assign = assign or make_assigner(config, network.geometry)
    total = partial(
        siamban_loss,
        points=grid.points(network.geometry),
        regression=config.loss.regression,
        hard_negatives=config.loss.hard_negatives,
        reduction=config.loss.cls_reduction,
        cls_weights=tuple(config.loss.cls_weights),
        weights=tuple(config.loss.weights)[:2],
    )
    return label_first(assign, total)


# The released code's names of the parts after the backbone.
TORCH_NAMES = level_names("head.box")


def names(config: ConfigDict) -> WeightNames:
    """Returns the released code's names, or ours where its network differs."""
    is_light = backbone_of(config)[1]
    return backbone_names(config, () if is_light else TORCH_NAMES)


def _preset(folder, tuned_on, penalty, window, size_rate):
    """Returns the preset in a folder of the code's experiments."""
    return Preset(
        settings=selection_settings("pysot", penalty, window, size_rate),
        source=f"hqucv/siamban 1cfdfeb, experiments/{folder}/config.yaml",
        tuned_on=tuned_on,
    )


PRESETS = {
    "siamban_vot2018": _preset(
        *("siamban_r50_l234", "VOT2018"),
        *(0.08513642556896711, 0.4632532824922313, 0.44418184746462425),
    ),
    "siamban_vot2019": _preset(
        *("siamban_r50_l234", "VOT2019"),
        *(0.0012159181005195463, 0.334450048565355, 0.46386814967815493),
    ),
    "siamban_otb100": _preset(
        *("siamban_r50_l234_otb", "OTB100"),
        *(0.020530504470126613, 0.3850733326567302, 0.4730770315643308),
    ),
}
FAMILY = Family(network=network, loss=make_loss, names=names, presets=PRESETS)
