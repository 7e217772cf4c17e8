"""SiamCAR: anchor-free, with centerness.

Guo et al., SiamCAR (arXiv:1911.07241), following its released code.
"""

import re
from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, make_assigner
from jaxtrack.losses import classification, reduce
from jaxtrack.losses.balance import classification_share
from jaxtrack.models.correlations import LevelCorrelation
from jaxtrack.models.heads.car import CarHead
from jaxtrack.models.light import light_head, light_siamese
from jaxtrack.models.necks import ADJUST_TORCH_NAMES, AdjustNeck
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

# Response cell i of the released networks is trained on pixel index 32 + 8 i, though
# it looks at 31 + 8 i.
RELEASED = grid.Geometry(127, 255, 25, 8, 32.5)
GEOMETRIES = {"resnet18": RELEASED, "resnet34": RELEASED, "resnet50": RELEASED}


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> Siamese:
    """Builds SiamCAR's network; see `jaxtrack.trackers.family.BuildNetwork`."""
    chosen = choices(
        config, correlation=correlations(config), localization=("centerness",)
    )
    built = base(config, chosen["correlation"], axis_name=axis_name)
    return resized(built, search_size) if search_size else built


def base(
    config: ConfigDict, correlation: str, *, axis_name: str | None = None
) -> Siamese:
    """Returns SiamCAR's network; other choices of the config are not checked.

    Args:
      config: the config; backbone, design and dtype are read.
      correlation: one of `jaxtrack.models.light.CORRELATIONS`; light design only.
      axis_name: see `jaxtrack.trackers.family.BuildNetwork`.
    """
    backbone, is_light = backbone_of(config)
    shared = {"axis_name": axis_name, "dtype": jnp.dtype(config.model.dtype)}
    if is_light:
        return light_siamese(
            backbone.build(**shared),
            light_head(cls_bias=(0.0, -4.0), dtype=shared["dtype"]),
            geometry=backbone.geometry(0),
            correlation=correlation,
            dtype=shared["dtype"],
        )
    return Siamese(
        backbone=backbone.build(**shared),
        neck=AdjustNeck(**shared),
        correlation=LevelCorrelation(dtype=shared["dtype"]),
        head=CarHead(dtype=shared["dtype"]),
        template_cells=7,
        geometry=GEOMETRIES.get(config.model.backbone) or backbone.geometry(3),
    )


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
    reduction: str = "balanced",
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    weights: tuple[float, float, float] = (1.0, 3.0, 1.0),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamCAR's loss; the defaults are the released code's.

        loss = w0 cls + w1 reg + w2 quality
        cls = c0 mean_pos CE + c1 mean_neg CE + c2 mean_hard CE
        reg = sum_pos a IoULoss / sum_pos a,  a the centerness target, or 1
        quality = mean_pos BCE

    Guo et al., SiamCAR (arXiv:1911.07241), Eqs. 3-7; a mean over nothing is 0.

    Args:
      outputs: "cls" `[B, H, W, 2]` logits, "ltrb" `[B, H, W, 4]` pixels of the search
        crop, "centerness" `[B, H, W, 1]` logits.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop.
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE, of any assigner;
        SiamCAR's is `assign.regions.center_region`.
      points: position of each cell, `[H, W, 2]` xy, pixels of the search crop.
      regression: one of `losses.reduce.REGRESSIONS`.
      centerness_weighted: whether regression is weighted by the centerness target.
      quality: "centerness", or "iou": the predicted box's, taken as constant.
      hard_negatives: hardest negatives an image in their term; 0 leaves it out.
      reduction: of `cls`; with any other than "balanced" the weights are unused, see
        `balance.classification_share`.
      cls_weights: c0, c1, c2.
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics "loss", "cls", "reg",
      "quality", "iou" (mean over positive cells) and "positives" (cells an example):
      summed over the devices they are the values of the whole batch.

    Raises:
      ValueError: for an unknown choice, or shapes that disagree.
    """
    channels = {"cls": 2, "ltrb": 4, "centerness": 1}
    reduce.check_shapes(outputs, xyxy, labels, points, channels=channels)
    terms = reduce.point_terms(
        outputs, xyxy, labels, points, kind=regression, quality=quality
    )
    importance = terms.centerness if centerness_weighted else 1
    share = partial(reduce.global_mean_share, axis_name=axis_name)
    balance = {"reduction": reduction, "cls_weights": cls_weights}
    balance["num_hard"] = hard_negatives
    logits = outputs["cls"].astype(jnp.float32)
    cls = classification.softmax_cross_entropy(logits, labels)
    metrics = {
        "cls": classification_share(cls, labels, **balance, axis_name=axis_name),
        "reg": share(terms.reg, jnp.where(terms.positive, importance, 0)),
        "quality": share(terms.quality, terms.positive),
        **reduce.overview_metrics(terms.iou, terms.positive, axis_name=axis_name),
    }
    return reduce.weighted_sum(metrics, weights)


def make_loss(
    config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
) -> Loss:
    """Builds SiamCAR's loss; see `jaxtrack.trackers.family.BuildLoss`."""
    assign = assign or make_assigner(config, network.geometry)
    total = partial(
        siamcar_loss,
        points=grid.points(network.geometry),
        regression=config.loss.regression,
        centerness_weighted=config.loss.centerness_weighted,
        quality=config.loss.quality,
        hard_negatives=config.loss.hard_negatives,
        reduction=config.loss.cls_reduction,
        cls_weights=tuple(config.loss.cls_weights),
        weights=tuple(config.loss.weights),
    )
    return label_first(assign, total)


def _tower_index(match: re.Match) -> str:
    """Names a tower's layer in the list convolution, normalization, ReLU, ..."""
    tower, kind, number = match.groups()
    return f"{tower}.{3 * int(number) + (kind == 'norm')}."


# The released code's names of the parts after the backbone.
TORCH_NAMES = (
    *ADJUST_TORCH_NAMES,
    (r"^correlation\.down\.", "down."),
    (r"(_tower)\.(conv|norm)(\d+)\.", _tower_index),
    (r"^head\.", "car_head."),
)


def names(config: ConfigDict) -> WeightNames:
    """Returns the released code's names, or ours where its network differs."""
    if backbone_of(config)[1]:
        return backbone_names(config, ())
    down = (("correlation", "down"),)
    return backbone_names(config, TORCH_NAMES)._replace(transposed=down)


SOURCE = "ohhhyeahhh/SiamCAR 76ddd52, HP_SEARCH of its configuration"
_OLD_SOURCE = "ohhhyeahhh/SiamCAR bd85ec9"


def _preset(size_rate, penalty, window):
    """Returns a preset; arguments are in the order of the code's lists, lr first."""
    return Preset(
        settings=selection_settings("released", penalty, window, size_rate),
        source=SOURCE,
        note="The code keeps a set for each test set and names it HP_SEARCH: it was "
        "probably tuned on that test set itself.",
    )


def _old_preset(size_rate, penalty, window):
    """Returns only numbers: that commit averages the two best of 9 cells."""
    settings = selection_settings("released", penalty, window, size_rate)
    del settings["tracking.selection"]
    note = "Only numbers: that commit's selection is not implemented here."
    return Preset(settings=settings, source=_OLD_SOURCE, note=note)


PRESETS = {
    "siamcar_otb100": _preset(0.35, 0.2, 0.45),
    "siamcar_got10k": _preset(0.7, 0.06, 0.1),
    "siamcar_uav123": _preset(0.4, 0.2, 0.3),
    "siamcar_lasot": _preset(0.33, 0.04, 0.3),
    "siamcar_old_otb50": _old_preset(0.15, 0.1, 0.4),
    "siamcar_old_got10k": _old_preset(0.6, 0.04, 0.1),
    "siamcar_old_uav123": _old_preset(0.39, 0.04, 0.37),
    "siamcar_old_lasot": _old_preset(0.33, 0.04, 0.4),
    "siamcar_old_vot2019": _old_preset(0.41, 0.04, 0.3),
}
FAMILY = Family(network=network, loss=make_loss, names=names, presets=PRESETS)
