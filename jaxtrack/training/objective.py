"""From settings to the loss function of a training step."""

from functools import partial

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.losses import totals
from jaxtrack.ops import grid
from jaxtrack.training.step import Batch, LossFn


def make_loss(config: ConfigDict, model: nn.Module) -> LossFn:
    """Returns the loss that the settings name, bound to the network's grid.

    Args:
      config: see configs/common.py, "Labels and loss".
      model: whose `geometry` places the cells.

    Returns:
      `(outputs, batch, axis_name=) -> (loss, metrics)`.
    """
    siamcar = partial(
        totals.siamcar_loss,
        points=grid.points(model.geometry),
        positive_size=config.positive_size,
        min_half=config.positive_min_half,
        ignore_inside=config.ignore_inside,
        regression=config.regression,
        centerness_weighted=config.centerness_weighted,
        quality=config.quality,
        hard_negatives=config.hard_negatives,
        cls_weights=tuple(config.cls_weights),
        weights=tuple(config.loss_weights),
    )

    def loss(
        outputs: dict[str, jax.Array], batch: Batch, *, axis_name: str | None = None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        return siamcar(
            outputs, batch["xyxy"], batch["is_positive"], axis_name=axis_name
        )

    return loss
