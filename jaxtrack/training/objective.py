"""From settings to what a training step minimises."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import proposals as proposal_labels
from jaxtrack.errors import InputError
from jaxtrack.losses import totals
from jaxtrack.models.refine import OFFSET_WEIGHTS
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid, proposals
from jaxtrack.training.assigners import Assigner, make_assigner
from jaxtrack.training.step import Batch, LossFn

Outputs = dict[str, jax.Array]
Result = tuple[jax.Array, dict[str, jax.Array]]


def make_loss(
    config: ConfigDict, model: nn.Module, *, assign: Assigner | None = None
) -> LossFn:
    """Returns the loss that the settings name, bound to the network's grid.

    Args:
      config: see docs/settings.md.
      model: whose `geometry` places the cells, and whose `anchors` lie there.
      assign: labels one example; None takes the assigner that the settings name.

    Returns:
      `(outputs, batch, axis_name=) -> (loss, metrics)`.

    Raises:
      InputError: the loss is not one for a network with, or without, anchors.
    """
    _check(config, model)
    assign = jax.vmap(assign or make_assigner(config, model))
    total = _TOTALS[config.loss](config, model)

    def loss(outputs: Outputs, batch: Batch, *, axis_name: str | None = None) -> Result:
        is_positive = batch["is_positive"]
        # What the loss draws itself is independent of what the labels draw.
        keys = jax.vmap(jax.random.fold_in, (0, None))(batch["key"], 1)
        labels = assign(keys, batch["xyxy"], is_positive)
        xyxy = jnp.where(is_positive[:, None], batch["xyxy"], 0)
        drawn = (batch["key"],) if config.loss == "siamla" else ()
        return total(outputs, xyxy, labels, *drawn, axis_name=axis_name)

    return loss


def make_inputs(
    config: ConfigDict, model: nn.Module
) -> Callable[[Batch], dict[str, Any]]:
    """Returns what a network wants in training besides its two images.

    Args:
      config: see docs/settings.md.
      model: the network.

    Returns:
      `batch -> keyword arguments`: none, but for CRACT, which pools the target's
      features and refines proposals that are drawn by what they show.
    """
    if config.loss != "cract":
        return lambda batch: {}
    anchors = anchor_boxes.tile(grid.points(model.geometry), model.anchors)
    refine = config.refine

    def of_one(key, cls, deltas, xyxy, is_positive):
        found = proposals.decode_maps(deltas, anchors)
        ranked = proposals.target_probability(cls).reshape(-1)
        best = proposals.best(
            found,
            ranked,
            count=refine.train_proposals,
            iou_threshold=refine.train_nms_iou,
            candidates=8 * refine.train_proposals,
        )
        return proposal_labels.sample_proposals(
            jax.random.fold_in(key, 2),
            found[best],
            xyxy,
            is_positive,
            count=refine.samples,
            num_positives=refine.positives,
            iou_threshold=refine.positive_iou,
            num_jittered=refine.jittered,
        )

    def inputs(batch: Batch) -> dict[str, Any]:
        def propose(outputs):
            maps = outputs["cls"], outputs["deltas"]
            truth = batch["xyxy"], batch["is_positive"]
            return jax.vmap(of_one)(batch["key"], *maps, *truth)

        return {"z_xyxy": batch["z_xyxy"], "propose": propose}

    return inputs


def _check(config, model):
    """Refuses a loss that does not fit the network."""
    if hasattr(model, "refiner"):
        has, fitting = "refines proposals", '"cract"'
    elif model.anchors:
        has, fitting = "has anchors", '"siamrpnpp"'
    else:
        has, fitting = "has no anchors", '"siamcar", "siamla" or "siamfcpp"'
    if f'"{config.loss}"' not in fitting:
        raise InputError(
            f"config.loss is {config.loss!r}, but {config.model} {has}: use {fitting}"
        )


def _of_points(config, model):
    """Options that the losses of anchor-free networks share."""
    return {
        "points": grid.points(model.geometry),
        "regression": config.regression,
        "quality": config.quality,
        "weights": tuple(config.loss_weights),
    }


def _balance(config):
    """Options of the losses that weigh positive, negative and hard cells."""
    return {
        "hard_negatives": config.hard_negatives,
        "cls_weights": tuple(config.cls_weights),
    }


def _siamcar(config, model):
    """Binds SiamCAR's loss."""
    return partial(
        totals.siamcar_loss,
        **_of_points(config, model),
        **_balance(config),
        centerness_weighted=config.centerness_weighted,
    )


def _siamla(config, model):
    """Binds SiamLA's loss."""
    rule = totals.LabelRule(
        kind=config.labels,
        smoothing=config.label_smoothing,
        alpha=config.label_alpha,
        beta=config.label_beta,
        curve=config.label_curve,
        normalize=config.label_normalize,
    )
    return partial(
        totals.siamla_loss,
        **_of_points(config, model),
        **_balance(config),
        rule=rule,
        weight_gradient=config.negative_weight_gradient,
        reduction=config.cls_reduction,
        boundary_regression=config.boundary_regression,
        negative_target=config.negative_target,
    )


def _of_anchors(config, model):
    """Options that the losses of anchor-based networks share."""
    points = grid.points(model.geometry)
    return {
        "anchors": anchor_boxes.tile(points, model.anchors),
        "distance": config.regression if config.regression == "smooth_l1" else "l1",
        **_balance(config),
    }


def _siamrpnpp(config, model):
    """Binds SiamRPN++'s loss."""
    weights = tuple(config.loss_weights)[:2]
    options = _of_anchors(config, model)
    return partial(totals.siamrpnpp_loss, weights=weights, **options)


def _cract(config, model):
    """Binds CRACT's loss."""
    return partial(
        totals.cract_loss,
        weights=tuple(config.loss_weights)[:2] + tuple(config.refine.loss_weights),
        offset_weights=OFFSET_WEIGHTS,
        iou_threshold=config.refine.positive_iou,
        num_positives=config.refine.positives,
        classifies_aligned=model.refiner.refinement == "cascade",
        **_of_anchors(config, model),
    )


def _siamfcpp(config, model):
    """Binds SiamFC++'s loss."""
    return partial(
        totals.siamfcpp_loss,
        **_of_points(config, model),
        alpha=config.focal_alpha,
        gamma=config.focal_gamma,
    )


_TOTALS = {
    "siamcar": _siamcar,
    "siamla": _siamla,
    "siamrpnpp": _siamrpnpp,
    "siamfcpp": _siamfcpp,
    "cract": _cract,
}
