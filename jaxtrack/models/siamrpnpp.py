"""SiamRPN++ networks, which classify and refine anchors, on three backbones."""

import jax.numpy as jnp

from jaxtrack.models.backbones import efficientnet_b0, resnet
from jaxtrack.models.correlations import BranchCorrelation
from jaxtrack.models.heads.rpn import RpnHead, RpnTowerHead
from jaxtrack.models.necks import AdjustNeck
from jaxtrack.models.siamcar import siamcar_lite0
from jaxtrack.models.siamese import Siamese, choose
from jaxtrack.ops.anchors import anchor_sizes
from jaxtrack.ops.grid import Geometry

ANCHORS = anchor_sizes()
# Anchors of the released networks are centred on pixel index 31 + 8 i.
RELEASED = Geometry(127, 255, 25, 8, 31.5)
# Sides of 8 n + 1 px, on which EfficientNet's cells lie evenly: cell m on pixel index
# 8 m, and 3 cells fewer on each side of the response.
EVEN = Geometry(129, 257, 27, 8, 24.5)


def siamrpnpp_r50(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns SiamRPN++ as published, with ResNet-50; see `jaxtrack.models.build`.

    It learns how much each level counts: pysot's `siamrpn_r50_l234_dwxcorr`.
    """
    choose("siamrpnpp_r50", "correlation", correlation, ("depthwise",))
    choose("siamrpnpp_r50", "localization", localization, ("none",))
    backbone = resnet.resnet50(axis_name=axis_name, dtype=dtype)
    return _three_levels(backbone, RELEASED)


def siamrpnpp_r50_otb(**options) -> Siamese:
    """Returns SiamRPN++ whose levels count alike; see `jaxtrack.models.build`.

    pysot's `siamrpn_r50_l234_dwxcorr_otb`, whose weights fit this network alone.
    """
    base = siamrpnpp_r50(**options)
    return base.clone(head=base.head.clone(weighted=False))


def rpn_effb0(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns RPN-EffB0, SiamRPN++ on EfficientNet-B0; see `jaxtrack.models.build`.

    It stands in for CoSiamRPN, of which public text says no more than that it is an
    anchor-based tracker on EfficientNet-B0; hence the name of its own. Neck,
    correlation and head are `siamrpnpp_r50`'s, on maps of 40, 112 and 320 channels.
    """
    choose("rpn_effb0", "correlation", correlation, ("depthwise",))
    choose("rpn_effb0", "localization", localization, ("none",))
    backbone = efficientnet_b0.EfficientNetB0(axis_name=axis_name, dtype=dtype)
    return _three_levels(backbone, EVEN)


def _three_levels(backbone, geometry):
    """SiamRPN++'s neck, correlation and head on a backbone of stride 8."""
    shared = {"axis_name": backbone.axis_name, "dtype": backbone.dtype}
    return Siamese(
        backbone=backbone,
        neck=AdjustNeck(**shared),
        correlation=BranchCorrelation(**shared),
        head=RpnHead(len(ANCHORS), **shared),
        template_cells=7,
        geometry=geometry,
        anchors=ANCHORS,
    )


def siamrpnpp_lite0(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns the small anchor-based tracker; see `jaxtrack.models.build`.

    `siamcar_lite0` up to the response; light towers; the probability of the target
    starts at sigmoid(-4) = 0.018 and boxes at their anchors.
    """
    choose("siamrpnpp_lite0", "localization", localization, ("none",))
    base = siamcar_lite0(correlation=correlation, dtype=dtype, axis_name=axis_name)
    head = RpnTowerHead(len(ANCHORS), dtype=dtype)
    return base.clone(head=head, anchors=ANCHORS)
