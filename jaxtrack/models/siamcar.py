"""SiamCAR networks: the released ones, and a small one."""

import jax.numpy as jnp

from jaxtrack.models.backbones import efficientnet, resnet
from jaxtrack.models.correlations import LevelCorrelation, SearchCorrelation
from jaxtrack.models.heads.car import CarHead
from jaxtrack.models.necks import AdjustNeck, PyramidNeck
from jaxtrack.models.siamese import Siamese, choose
from jaxtrack.ops.grid import Geometry

# Response cell i of the released networks is trained on pixel index 32 + 8 i.
RELEASED = Geometry(127, 255, 25, 8, 32.5)
LITE = Geometry(128, 256, 32, 8, 4.0)


def siamcar_r50(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns SiamCAR as published, with ResNet-50; see `jaxtrack.models.build`."""
    backbone = resnet.resnet50(axis_name=axis_name, dtype=dtype)
    choose("siamcar_r50", "localization", localization, ("centerness",))
    return _released("siamcar_r50", backbone, correlation, dtype, axis_name)


def siamcar_r18(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns SiamCAR with ResNet-18; see `jaxtrack.models.build`."""
    backbone = resnet.resnet18(axis_name=axis_name, dtype=dtype)
    choose("siamcar_r18", "localization", localization, ("centerness",))
    return _released("siamcar_r18", backbone, correlation, dtype, axis_name)


def _released(name, backbone, correlation, dtype, axis_name):
    """SiamCAR's own neck, correlation and head on a ResNet."""
    choose(name, "correlation", correlation, ("depthwise",))
    return Siamese(
        backbone=backbone,
        neck=AdjustNeck(axis_name=axis_name, dtype=dtype),
        correlation=LevelCorrelation(dtype=dtype),
        head=CarHead(dtype=dtype),
        template_cells=7,
        geometry=RELEASED,
    )


def siamcar_lite0(
    *, correlation=None, localization=None, dtype=jnp.float32, axis_name=None
) -> Siamese:
    """Returns the small tracker on EfficientNet-Lite0; see `jaxtrack.models.build`.

    Pixel-wise correlation by default; light towers; ltrb starts at 32 px and the
    probability of the target at sigmoid(-4) = 0.018.
    """
    names = ("pixelwise", "depthwise", "both")
    correlation = choose("siamcar_lite0", "correlation", correlation, names)
    choose("siamcar_lite0", "localization", localization, ("centerness",))
    return Siamese(
        backbone=efficientnet.EfficientNetLite0(axis_name=axis_name, dtype=dtype),
        neck=PyramidNeck(dtype=dtype),
        correlation=SearchCorrelation(
            depthwise=correlation in ("depthwise", "both"),
            pixelwise=correlation in ("pixelwise", "both"),
            dtype=dtype,
        ),
        head=CarHead(
            depth=3,
            groups=8,
            separable=True,
            quality="box",
            box_unit=8.0,
            cls_bias=(0.0, -4.0),
            box_bias=1.386294,  # ln 4.
            dtype=dtype,
        ),
        template_cells=8,
        geometry=LITE,
    )
