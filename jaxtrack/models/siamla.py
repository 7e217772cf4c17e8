"""SiamLA networks: SiamCAR's with one classification logit and a localization branch.

Nie et al., Learning Localization-aware Target Confidence for Siamese Visual Tracking
(SiamLA), Figs. 3 and 5. `localization` chooses what predicts the quality of a box:

    lafa         tower, non-local block, five points (the paper's)
    aggregation  without the non-local block (Table VI)
    non_local    without the five points (Table VI)
    tower        with neither
    centerness   SiamCAR's output beside a tower instead of a branch (Table III)
"""

import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.correlations import PositionedCorrelation, PositionEmbedding
from jaxtrack.models.heads.localization import (
    LocalizationBranch,
    LocalizationHead,
    NonLocal,
    PointAggregation,
    make_tower,
)
from jaxtrack.models.siamcar import siamcar_lite0, siamcar_r50
from jaxtrack.models.siamese import Siamese, choose

LOCALIZATIONS = ("lafa", "aggregation", "non_local", "tower", "centerness")


def siamla_r50(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns SiamLA as published, with ResNet-50; see `jaxtrack.models.build`."""
    localization = choose("siamla_r50", "localization", localization, LOCALIZATIONS)
    base = siamcar_r50(correlation=correlation, dtype=dtype, axis_name=axis_name)
    if localization == "centerness":
        return base.clone(head=base.head.clone(cls_bias=(-4.59512,)))
    return _with_branch(
        base,
        localization,
        car=base.head.clone(cls_bias=(-4.59512,), quality="none"),
        position=PositionEmbedding(256, dtype=dtype),
        non_local=NonLocal(128, dtype=dtype),
        aggregation=PointAggregation(256, base.geometry, dtype=dtype),
        kernel_size=3,
    )


def siamla_lite0(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns the small SiamLA on EfficientNet-Lite0; see `jaxtrack.models.build`.

    Its branch is small too: keys and values of the non-local block are averages of
    2 x 2 cells, and the five points carry 32 channels.
    """
    localization = choose("siamla_lite0", "localization", localization, LOCALIZATIONS)
    base = siamcar_lite0(correlation=correlation, dtype=dtype, axis_name=axis_name)
    if localization == "centerness":
        return base.clone(head=base.head.clone(cls_bias=(-4.0,)))
    return _with_branch(
        base,
        localization,
        car=base.head.clone(cls_bias=(-4.0,), quality="none"),
        position=PositionEmbedding(96, on_search_grid=True, dtype=dtype),
        non_local=NonLocal(48, key_stride=2, dtype=dtype),
        aggregation=PointAggregation(32, base.geometry, dtype=dtype),
        kernel_size=1,
    )


def _with_branch(
    base: Siamese,
    localization: str,
    *,
    car: nn.Module,
    position: nn.Module,
    non_local: nn.Module,
    aggregation: nn.Module,
    kernel_size: int,
) -> Siamese:
    """Puts the chosen parts of a localization branch into a network."""
    if localization not in ("lafa", "non_local"):
        position = non_local = None
    if localization not in ("lafa", "aggregation"):
        aggregation = None
    branch = LocalizationBranch(
        tower=make_tower(car),
        non_local=non_local,
        aggregation=aggregation,
        kernel_size=kernel_size,
        dtype=car.dtype,
    )
    return base.clone(
        correlation=PositionedCorrelation(response=base.correlation, position=position),
        head=LocalizationHead(car=car, branch=branch),
    )
