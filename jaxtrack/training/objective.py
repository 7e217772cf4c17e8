"""From settings to the loss function of a training step."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.losses import totals
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.training.assigners import Assigner, make_assigner
from jaxtrack.training.step import Batch, LossFn

Outputs = dict[str, jax.Array]
Result = tuple[jax.Array, dict[str, jax.Array]]


def make_loss(
    config: ConfigDict, model: nn.Module, *, assign: Assigner | None = None
) -> LossFn:
    """Returns the loss that the settings name, bound to the network's grid.

    Args:
      config: see configs/common.py, "Labels" and "Loss".
      model: whose `geometry` places the cells, and whose `anchors` lie there.
      assign: labels one example; None takes the assigner that the settings name.

    Returns:
      `(outputs, batch, axis_name=) -> (loss, metrics)`.

    Raises:
      InputError: the loss is not one for a network with, or without, anchors.
    """
    if (config.loss == "siamrpnpp") != bool(model.anchors):
        has = "has" if model.anchors else "has no"
        raise InputError(
            f"config.loss is {config.loss!r}, but {config.model} {has} anchors: "
            'use "siamrpnpp" where there are anchors, and only there'
        )
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


def _siamrpnpp(config, model):
    """Binds SiamRPN++'s loss."""
    points = grid.points(model.geometry)
    return partial(
        totals.siamrpnpp_loss,
        anchors=anchor_boxes.tile(points, model.anchors),
        weights=tuple(config.loss_weights)[:2],
        **_balance(config),
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
}
