"""Common parts of the light networks: pixel-wise cosines and a narrow head."""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.correlations import SearchCorrelation
from jaxtrack.models.heads.car import CarHead
from jaxtrack.models.necks import PyramidNeck
from jaxtrack.models.siamese import Siamese
from jaxtrack.ops.grid import Geometry

CORRELATIONS = ("pixelwise", "depthwise", "both")


def light_head(
    *, cls_bias: tuple[float, ...], quality: str = "box", dtype: Any = jnp.float32
) -> CarHead:
    """Returns a light head; initially ltrb is 32 px, the target's probability 0.018.

    Args:
      cls_bias: initial class logits: the target's is 4 less than the background's.
      quality: the tower of the centerness, "box" or "cls"; "none" omits that output.
      dtype: dtype of the computation.
    """
    return CarHead(
        depth=3,
        groups=8,
        separable=True,
        quality=quality,
        box_unit=8.0,
        cls_bias=cls_bias,
        box_bias=1.386294,  # ln 4.
        dtype=dtype,
    )


def light_siamese(
    backbone: nn.Module,
    head: nn.Module,
    *,
    geometry: Geometry,
    correlation: str,
    anchors: tuple[tuple[float, float], ...] = (),
    dtype: Any = jnp.float32,
) -> Siamese:
    """Returns a light network: one map of all levels, correlated on the search grid.

    Args:
      backbone: one with levels at stride 8, or at strides 8, 16, 16, ...
      head: response to raw maps.
      geometry: its response has the same cells as the search crop's features.
      correlation: one of `CORRELATIONS`.
      anchors: anchors of the head.
      dtype: dtype of the computation.
    """
    return Siamese(
        backbone=backbone,
        neck=PyramidNeck(dtype=dtype),
        correlation=SearchCorrelation(
            depthwise=correlation in ("depthwise", "both"),
            pixelwise=correlation in ("pixelwise", "both"),
            dtype=dtype,
        ),
        head=head,
        template_cells=8 if geometry.response_size % 2 == 0 else 7,
        geometry=geometry,
        anchors=anchors,
    )
