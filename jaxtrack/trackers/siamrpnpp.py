"""SiamRPN++: anchors, classified and refined.

Li et al., SiamRPN++ (arXiv:1812.11703), following pysot's code.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, make_assigner, regions
from jaxtrack.losses import classification, reduce
from jaxtrack.losses import regression as regression_losses
from jaxtrack.losses.balance import classification_share
from jaxtrack.models.backbones import Backbone, Rules
from jaxtrack.models.correlations import BranchCorrelation
from jaxtrack.models.heads.rpn import RpnHead, RpnTowerHead
from jaxtrack.models.light import light_siamese
from jaxtrack.models.necks import ADJUST_TORCH_NAMES, AdjustNeck
from jaxtrack.models.siamese import Siamese, resized
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes, grid
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

ANCHORS = anchor_boxes.anchor_sizes()


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> Siamese:
    """Builds SiamRPN++'s network; see `jaxtrack.trackers.family.BuildNetwork`."""
    backbone, is_light = backbone_of(config)
    chosen = choices(config, correlation=correlations(config))
    shared = {"axis_name": axis_name, "dtype": jnp.dtype(config.model.dtype)}
    if is_light:
        built = light(backbone, chosen["correlation"], **shared)
    else:
        built = released(backbone, weighted=config.model.level_weights, **shared)
    return resized(built, search_size) if search_size else built


def released(
    backbone: Backbone,
    *,
    weighted: bool,
    dtype: jnp.dtype = jnp.float32,
    axis_name: str | None = None,
) -> Siamese:
    """Returns pysot's `siamrpn_r50_l234_dwxcorr` on a backbone of stride 8.

    Args:
      backbone: one whose levels have stride 8.
      weighted: whether weights of levels are learned; otherwise they are equal, as in
        pysot's `siamrpn_r50_l234_dwxcorr_otb`, whose weights fit that network alone.
      dtype: dtype of the computation.
      axis_name: mapped axis of the batch normalizations.
    """
    shared = {"axis_name": axis_name, "dtype": dtype}
    return Siamese(
        backbone=backbone.build(**shared),
        neck=AdjustNeck(**shared),
        correlation=BranchCorrelation(**shared),
        head=RpnHead(len(ANCHORS), weighted=weighted, **shared),
        template_cells=7,
        geometry=backbone.geometry(3),
        anchors=ANCHORS,
    )


def light(
    backbone: Backbone,
    correlation: str,
    *,
    dtype: jnp.dtype = jnp.float32,
    axis_name: str | None = None,
) -> Siamese:
    """Returns the light network; initially it predicts its anchors.

    Args:
      backbone: one with any levels.
      correlation: one of `jaxtrack.models.light.CORRELATIONS`.
      dtype: dtype of the computation.
      axis_name: mapped axis of the backbone's batch normalizations.
    """
    return light_siamese(
        backbone.build(axis_name=axis_name, dtype=dtype),
        RpnTowerHead(len(ANCHORS), dtype=dtype),
        geometry=backbone.geometry(0),
        correlation=correlation,
        anchors=ANCHORS,
        dtype=dtype,
    )


def siamrpnpp_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    *,
    anchors: jax.Array,
    hard_negatives: int = 0,
    reduction: str = "balanced",
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
    plain L1 distance of the four deltas where SiamRPN's text has smooth L1. P_b counts
    the positive anchors of image b; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, A, 2]` logits, "deltas" `[B, H, W, A, 4]` relative to
        the anchors.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W, A]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamRPN++'s is `assign.anchors.iou_labels`, subsampled.
      anchors: `[H, W, A, 4]` xyxy, pixels of the search crop.
      hard_negatives: hardest negatives an image in their term; 0 leaves it out.
      reduction: of `cls`; with any other than "balanced" the weights are unused, see
        `balance.classification_share`.
      cls_weights: c0, c1, c2.
      weights: w0, w1.
      distance: of the deltas, "l1" or "smooth_l1".
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics "loss", "cls", "reg", "iou"
      (mean over positive anchors) and "positives" (anchors an example): summed over the
      devices they are the values of the whole batch.

    Raises:
      ValueError: for shapes that disagree, another distance or reduction.
    """
    reduce.check_choice("distance", distance, ("l1", "smooth_l1"))
    channels = {"cls": 2, "deltas": 4}
    reduce.check_shapes(outputs, xyxy, labels, anchors, channels=channels)
    outputs = {name: value.astype(jnp.float32) for name, value in outputs.items()}
    xyxy = reduce.finite_boxes(xyxy)
    positive = labels == regions.POSITIVE
    # Elsewhere deltas are meaningless, and so large that 0 times a gradient is NaN.
    deltas = jnp.where(positive[..., None], outputs["deltas"], 0)
    boxes_of_cells = xyxy[:, None, None, None]
    target = anchor_boxes.encode(anchors[None], boxes_of_cells)
    if distance == "l1":
        reg = jnp.sum(jnp.abs(deltas - target), axis=-1)
    else:
        reg = regression_losses.smooth_l1(deltas, target)
    share = partial(reduce.global_mean_share, axis_name=axis_name)
    decoded = anchor_boxes.decode(anchors[None], lax.stop_gradient(deltas))
    iou = boxes.iou(decoded, boxes_of_cells)
    cls = classification.softmax_cross_entropy(outputs["cls"], labels)
    balance = {"reduction": reduction, "cls_weights": cls_weights}
    balance["num_hard"] = hard_negatives
    per_image = _mean_of_each(reg, positive)
    metrics = {
        "cls": classification_share(cls, labels, **balance, axis_name=axis_name),
        "reg": share(per_image, jnp.ones_like(per_image)),
        **reduce.overview_metrics(iou, positive, axis_name=axis_name),
    }
    loss = weights[0] * metrics["cls"] + weights[1] * metrics["reg"]
    return loss, {"loss": loss, **metrics}


def _mean_of_each(values, mask):
    """Averages each image's `[B, ...]` values where the mask is true; else 0."""
    axes = tuple(range(1, values.ndim))
    count = jnp.sum(mask.astype(values.dtype), axes)
    return jnp.sum(jnp.where(mask, values, 0), axes) / jnp.maximum(count, 1)


def anchor_options(config: ConfigDict, network: nn.Module) -> dict[str, Any]:
    """Returns the common arguments of the losses of anchor-based networks.

    Args:
      config: the config.
      network: the network whose anchors are tiled.
    """
    points = grid.points(network.geometry)
    return {
        "anchors": anchor_boxes.tile(points, network.anchors),
        "distance": config.loss.regression
        if config.loss.regression == "smooth_l1"
        else "l1",
        "hard_negatives": config.loss.hard_negatives,
        "reduction": config.loss.cls_reduction,
        "cls_weights": tuple(config.loss.cls_weights),
    }


def make_loss(
    config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
) -> Loss:
    """Builds SiamRPN++'s loss; see `jaxtrack.trackers.family.BuildLoss`."""
    assign = assign or make_assigner(config, network.geometry, anchors=network.anchors)
    weights = tuple(config.loss.weights)[:2]
    options = anchor_options(config, network)
    total = partial(siamrpnpp_loss, weights=weights, **options)
    return label_first(assign, total)


def level_names(box: str) -> Rules:
    """Returns the names of a level's correlations and heads in pysot-like code.

    Args:
      box: prefix of the name of a level's branches, such as "rpn_head.rpn".
    """
    return (
        *ADJUST_TORCH_NAMES,
        (r"^correlation\.(...)(\d)_(kernel|search)\.", rf"{box}\2.\1.conv_\3.0."),
        (r"^correlation\.(...)(\d)_(kernel|search)_bn\.", rf"{box}\2.\1.conv_\3.1."),
        (r"^head\.(cls|loc)(\d)_conv\.", rf"{box}\2.\1.head.0."),
        (r"^head\.(cls|loc)(\d)_bn\.", rf"{box}\2.\1.head.1."),
        (r"^head\.(cls|loc)(\d)_out\.", rf"{box}\2.\1.head.3."),
    )


# pysot's names of the parts after the backbone.
TORCH_NAMES = (*level_names("rpn_head.rpn"), (r"^head\.$", "rpn_head."))


def names(config: ConfigDict) -> WeightNames:
    """Returns pysot's names, or ours where its network differs."""
    is_light = backbone_of(config)[1]
    return backbone_names(config, () if is_light else TORCH_NAMES)


def _preset(variant, penalty, window, size_rate):
    """Returns a preset; arguments are in the order of pysot's files."""
    return Preset(
        settings=selection_settings("pysot", penalty, window, size_rate),
        source="STVIR/pysot d04028f, experiments/, SiamRPN++ with ResNet-50, "
        f"{variant}",
    )


PRESETS = {
    "siamrpnpp_r50_vot": _preset("r50", 0.05, 0.42, 0.38),
    "siamrpnpp_r50_otb": _preset("r50", 0.24, 0.5, 0.25),
    "siamrpnpp_8gpu_vot": _preset("8gpu", 0.04, 0.44, 0.33),
    "siamrpnpp_8gpu_otb": _preset("8gpu", 0.24, 0.5, 0.25),
    "siamrpnpp_16gpu_vot": _preset("16gpu", 0.01, 0.40, 0.38),
}
FAMILY = Family(network=network, loss=make_loss, names=names, presets=PRESETS)
