"""From settings to the loss function of a training step."""

from functools import partial

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.losses import totals
from jaxtrack.ops import grid
from jaxtrack.training.step import Batch, LossFn

Outputs = dict[str, jax.Array]
Result = tuple[jax.Array, dict[str, jax.Array]]


def make_loss(config: ConfigDict, model: nn.Module) -> LossFn:
    """Returns the loss that the settings name, bound to the network's grid.

    Args:
      config: see configs/common.py, "Labels and loss".
      model: whose `geometry` places the cells.

    Returns:
      `(outputs, batch, axis_name=) -> (loss, metrics)`.
    """
    points = grid.points(model.geometry)
    common = {"regression": config.regression, "quality": config.quality}
    common |= {"weights": tuple(config.loss_weights), "points": points}
    if config.loss == "siamla":
        return _siamla(config, common)
    return _siamcar(config, common)


def _siamcar(config, common):
    """Binds SiamCAR's loss."""
    bound = partial(
        totals.siamcar_loss,
        **common,
        positive_size=config.positive_size,
        min_half=config.positive_min_half,
        ignore_inside=config.ignore_inside,
        centerness_weighted=config.centerness_weighted,
        hard_negatives=config.hard_negatives,
        cls_weights=tuple(config.cls_weights),
    )

    def loss(outputs: Outputs, batch: Batch, *, axis_name: str | None = None) -> Result:
        return bound(outputs, batch["xyxy"], batch["is_positive"], axis_name=axis_name)

    return loss


def _siamla(config, common):
    """Binds SiamLA's loss."""
    rule = totals.LabelRule(
        kind=config.labels,
        smoothing=config.label_smoothing,
        alpha=config.label_alpha,
        beta=config.label_beta,
        curve=config.label_curve,
        normalize=config.label_normalize,
        positive_size=config.positive_size,
        min_half=config.positive_min_half,
        ignore_inside=config.ignore_inside,
    )
    bound = partial(
        totals.siamla_loss,
        **common,
        rule=rule,
        weight_gradient=config.negative_weight_gradient,
        reduction=config.cls_reduction,
        cls_weights=tuple(config.cls_weights),
        hard_negatives=config.hard_negatives,
        boundary_regression=config.boundary_regression,
        negative_target=config.negative_target,
    )

    def loss(outputs: Outputs, batch: Batch, *, axis_name: str | None = None) -> Result:
        boxes = (batch["xyxy"], batch["is_positive"], batch["key"])
        return bound(outputs, *boxes, axis_name=axis_name)

    return loss
