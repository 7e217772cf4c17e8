"""SiamLA: SiamCAR with one classification logit and a localization branch.

Nie et al., Learning Localization-aware Target Confidence for Siamese Visual Tracking
(SiamLA), Figs. 3 and 5. Each part of network and loss can be switched for the paper's
ablations.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, label_batch, localization, make_assigner, regions
from jaxtrack.losses import classification, reduce
from jaxtrack.losses.balance import REDUCTIONS, classification_share
from jaxtrack.losses.quality import bce_with_logits
from jaxtrack.models.correlations import PositionedCorrelation, PositionEmbedding
from jaxtrack.models.heads.localization import (
    LocalizationBranch,
    LocalizationHead,
    NonLocal,
    PointAggregation,
    make_tower,
)
from jaxtrack.models.siamese import Siamese, resized
from jaxtrack.ops import grid
from jaxtrack.trackers import siamcar
from jaxtrack.trackers.family import (
    Batch,
    Family,
    Loss,
    Metrics,
    Outputs,
    Preset,
    WeightNames,
    backbone_names,
    backbone_of,
    choices,
    correlations,
    selection_settings,
)

# The predictors of the quality of a box: tower, non-local block and five points (the
# paper's); without the block; without the points (Table VI); with neither; SiamCAR's
# output beside a tower instead of a branch (Table III).
LOCALIZATIONS = ("lafa", "aggregation", "non_local", "tower", "centerness")
WITH_POINTS = ("lafa", "aggregation")


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> Siamese:
    """Builds SiamLA's network; see `jaxtrack.trackers.family.BuildNetwork`.

    The light design's branch is small too: keys and values of the non-local block are
    averages of 2 x 2 cells, if their number is even, and five points of 32 channels.
    """
    allowed = {"localization": LOCALIZATIONS}
    if (config.model.localization or LOCALIZATIONS[0]) in WITH_POINTS:
        allowed["aggregation_center"] = ("point", "box")
    chosen = choices(config, correlation=correlations(config), **allowed)
    base = siamcar.base(config, chosen["correlation"], axis_name=axis_name)
    # Needed first: the five points depend on the geometry.
    base = resized(base, search_size) if search_size else base
    _, is_light = backbone_of(config)
    bias = -4.0 if is_light else -4.59512
    car = base.head.clone(cls_bias=(bias,))
    localization = chosen["localization"]
    if localization == "centerness":
        return base.clone(head=car)
    dtype = car.dtype
    position = non_local = aggregation = None
    if localization in ("lafa", "non_local") and is_light:
        position = PositionEmbedding(96, on_search_grid=True, dtype=dtype)
        key_stride = 1 if base.geometry.response_size % 2 else 2
        non_local = NonLocal(48, key_stride=key_stride, dtype=dtype)
    elif localization in ("lafa", "non_local"):
        position = PositionEmbedding(256, dtype=dtype)
        non_local = NonLocal(128, dtype=dtype)
    if localization in WITH_POINTS:
        features = 32 if is_light else 256
        aggregation = PointAggregation(
            features, base.geometry, chosen["aggregation_center"], dtype=dtype
        )
    branch = LocalizationBranch(
        tower=make_tower(car),
        non_local=non_local,
        aggregation=aggregation,
        kernel_size=1 if is_light else 3,
        dtype=dtype,
    )
    return base.clone(
        correlation=PositionedCorrelation(response=base.correlation, position=position),
        head=LocalizationHead(car=car.clone(quality="none"), branch=branch),
    )


class LabelRule(NamedTuple):
    """How classification labels are made; the defaults are the paper's.

    Attributes:
      kind: "ladl" (from the predicted boxes' IoUs) or "region" (only from lambda).
      smoothing: LALS's lambda at the boundary, which is the rest of the box around the
        positive cells; 0 leaves LALS out.
      alpha: see `assign.localization.dynamic_labels`, as are the next three.
      beta: steepness.
      curve: "logistic" or "linear".
      normalize: whether labels are stretched to [0, 1] in each image.
    """

    kind: str = "ladl"
    smoothing: float = 0.2
    alpha: float = 0.5
    beta: float = 10.0
    curve: str = "logistic"
    normalize: bool = True


PUBLISHED = LabelRule()


def siamla_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    keys: jax.Array,
    *,
    points: jax.Array,
    rule: LabelRule = PUBLISHED,
    weight_gradient: bool = True,
    reduction: str = "balanced",
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    hard_negatives: int = 0,
    boundary_regression: bool = True,
    regression: str = "iou",
    quality: str = "iou",
    negative_target: str = "zero",
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes SiamLA's loss.

        loss = w0 L_ladl + w1 L_reg + w2 L_loc

    Nie et al., SiamLA, Eq. 11 (S17) with Eqs. 3 to 7 and 10, without centerness (S12).

    Args:
      outputs: "cls", "ltrb" and "localization" or "centerness", `[B, H, W, C]`.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop; an empty box where the
        crop does not show it.
      labels: `[B, H, W]` int32, as `siamcar_loss` takes them; POSITIVE is the center.
      keys: `[B]` random keys, one an example, which draw the negatives of L_loc.
      points: position of each cell, `[H, W, 2]` xy, pixels of the search crop.
      rule: the label rule.
      weight_gradient: whether 1 + c is differentiated, see `classification.ladl_loss`.
      reduction: of L_ladl (S9), see `balance.classification_share`.
      cls_weights: c0, c1, c2.
      hard_negatives: see `siamcar_loss`.
      boundary_regression: whether LALS's boundary trains the regression too (S11).
      regression: "iou" or "giou".
      quality: target of a "centerness" output, "centerness" or "iou".
      negative_target: of L_loc's negatives, "zero" or their own "iou" (S13).
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's shares, as `siamcar_loss` returns them.

    Raises:
      ValueError: for an unknown choice, or shapes that disagree.
    """
    name = _checked_quality(outputs, xyxy, labels, points)
    _check_choices(rule, reduction, regression, quality, negative_target)
    outputs = {name: value.astype(jnp.float32) for name, value in outputs.items()}
    xyxy = reduce.finite_boxes(xyxy)
    regressed = labels == regions.POSITIVE
    lals = partial(localization.add_boundary, points=points, smoothing=rule.smoothing)
    smoothing, labels = jax.vmap(lals)(labels, xyxy)
    positive = labels == regions.POSITIVE
    regressed = positive if boundary_regression else regressed
    target = jax.vmap(regions.ltrb_targets, in_axes=(None, 0))(points, xyxy)
    # Elsewhere distances are meaningless, and so large that 0 times a gradient is NaN.
    ltrb = jnp.where(regressed[..., None], outputs["ltrb"], 0)
    reg = reduce.box_regression(ltrb, target, xyxy, points, kind=regression)
    iou = reduce.predicted_iou(outputs["ltrb"], xyxy, points)
    cls = _classification(outputs["cls"][..., 0], iou, smoothing, rule, weight_gradient)
    goal, judged = iou, regressed
    if name == "localization":
        goal, judged = _localization_targets(keys, labels, iou, negative_target)
    elif quality == "centerness":
        goal = regions.centerness_targets(target)
    balance = {"reduction": reduction, "cls_weights": cls_weights}
    balance["num_hard"] = hard_negatives
    share = partial(reduce.global_mean_share, axis_name=axis_name)
    metrics = {
        "cls": classification_share(cls, labels, **balance, axis_name=axis_name),
        "reg": share(reg, regressed),
        "quality": share(bce_with_logits(outputs[name][..., 0], goal), judged),
        **reduce.overview_metrics(iou, positive, axis_name=axis_name),
    }
    return reduce.weighted_sum(metrics, weights)


def _checked_quality(outputs, xyxy, labels, points):
    """Returns the name of the quality map; raises if shapes disagree."""
    name = "localization" if "localization" in outputs else "centerness"
    channels = {"cls": 1, "ltrb": 4, name: 1}
    reduce.check_shapes(outputs, xyxy, labels, points, channels=channels)
    return name


def _localization_targets(keys, labels, iou, negative_target):
    """Returns the localization branch's targets and their mask (S13)."""
    positive = labels == regions.POSITIVE
    goal = jnp.where(positive | (negative_target == "iou"), iou, 0)
    return goal, positive | jax.vmap(localization.draw_negatives)(keys, labels)


def _check_choices(rule, reduction, regression, quality, negative_target):
    """Raises if a choice is unknown."""
    reduce.check_choice("labels", rule.kind, ("ladl", "region"))
    reduce.check_choice("reduction", reduction, REDUCTIONS)
    reduce.check_choice("regression", regression, ("iou", "giou"))
    reduce.check_choice("quality", quality, ("centerness", "iou"))
    reduce.check_choice("negative_target", negative_target, ("zero", "iou"))


def _classification(logits, iou, smoothing, rule, weight_gradient):
    """Returns unreduced losses `[B, H, W]`."""
    if rule.kind == "region":
        return bce_with_logits(logits, smoothing)
    label = partial(
        localization.dynamic_labels,
        alpha=rule.alpha,
        beta=rule.beta,
        curve=rule.curve,
        normalize=rule.normalize,
    )
    labels = jax.vmap(label)(iou, smoothing)
    return classification.ladl_loss(
        logits, labels, smoothing > 0, weight_gradient=weight_gradient
    )


def make_loss(
    config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
) -> Loss:
    """Builds SiamLA's loss; see `jaxtrack.trackers.family.BuildLoss`."""
    assign = assign or make_assigner(config, network.geometry)
    rule = LabelRule(
        kind=config.labels.kind,
        smoothing=config.labels.smoothing,
        alpha=config.labels.alpha,
        beta=config.labels.beta,
        curve=config.labels.curve,
        normalize=config.labels.normalize,
    )
    total = partial(
        siamla_loss,
        points=grid.points(network.geometry),
        rule=rule,
        weight_gradient=config.loss.negative_weight_gradient,
        reduction=config.loss.cls_reduction,
        cls_weights=tuple(config.loss.cls_weights),
        hard_negatives=config.loss.hard_negatives,
        boundary_regression=config.loss.boundary_regression,
        regression=config.loss.regression,
        quality=config.loss.quality,
        negative_target=config.loss.negative_target,
        weights=tuple(config.loss.weights),
    )

    def loss(
        outputs: Outputs, batch: Batch, *, axis_name: str | None = None
    ) -> tuple[jax.Array, Metrics]:
        xyxy, labels = label_batch(assign, batch)
        return total(outputs, xyxy, labels, batch["key"], axis_name=axis_name)

    return loss


def names(config: ConfigDict) -> WeightNames:
    """Returns SiamCAR's names up to the neck, and ours after it (no public code)."""
    is_light = backbone_of(config)[1]
    return backbone_names(config, () if is_light else siamcar.TORCH_NAMES)


def _preset(size_rate, penalty, window):
    """Returns a preset; the paper says "the same testing strategy with SiamCAR"."""
    settings = selection_settings("clean", penalty, window, size_rate)
    return Preset(
        settings=settings
        | {"tracking.num_boxes": 3, "tracking.rate_by_quality": False},
        source=f"Nie et al., SiamLA, section IV-A; numbers of {siamcar.SOURCE}",
        note="The paper tests as SiamCAR does, whose numbers these are.",
    )


PRESETS = {
    "siamla_otb100": _preset(0.35, 0.2, 0.45),
    "siamla_got10k": _preset(0.7, 0.06, 0.1),
    "siamla_uav123": _preset(0.4, 0.2, 0.3),
    "siamla_lasot": _preset(0.33, 0.04, 0.3),
}
FAMILY = Family(network=network, loss=make_loss, names=names, presets=PRESETS)
