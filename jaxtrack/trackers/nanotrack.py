"""NanoTrack v2: MobileNetV3-Small, pixel-wise correlation and separable towers.

There is no paper. The network is that of the ONNX files of OpenCV's model zoo and of
HonglinChu/SiamTrackers, NanoTrack, whose training is SiamBAN's: the same labels and
loss. OpenCV's tracker has its own box selection: `jaxtrack.tracking.opencv`.
"""

from types import MappingProxyType

import jax.numpy as jnp
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.models.backbones import BACKBONES
from jaxtrack.models.correlations import AttentiveCorrelation
from jaxtrack.models.heads.separable import SeparableHead
from jaxtrack.models.necks import LastNeck
from jaxtrack.models.siamese import Siamese, resized
from jaxtrack.ops import grid
from jaxtrack.trackers import describe, siamban
from jaxtrack.trackers.family import (
    Family,
    Preset,
    WeightNames,
    backbone_names,
    choices,
    selection_settings,
)

# Cell i of the released network is trained on pixel index 16 i - 1, though it looks at
# 16 i. Cells of EfficientNet-Lite0 lie in the middle of 16 pixels.
GEOMETRIES = MappingProxyType(
    {
        "mobilenet_v3_small": grid.Geometry(127, 255, 16, 16, -0.5),
        "efficientnet_lite0": grid.Geometry(128, 256, 16, 16, 8.0),
    }
)


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> Siamese:
    """Builds NanoTrack's network; see `jaxtrack.trackers.family.BuildNetwork`."""
    name = config.model.backbone
    if name not in GEOMETRIES or config.model.design != "released":
        raise InputError(
            f"model: {describe(config)} is not built: the backbone is one of "
            f'{", ".join(GEOMETRIES)}, and the design is "released"'
        )
    choices(config, correlation=("pixelwise",))
    shared = {"axis_name": axis_name, "dtype": jnp.dtype(config.model.dtype)}
    built = Siamese(
        backbone=BACKBONES[name].build(**shared),
        neck=LastNeck(),
        correlation=AttentiveCorrelation(**shared),
        head=SeparableHead(**shared),
        template_cells=8,
        geometry=GEOMETRIES[name],
    )
    return resized(built, search_size) if search_size else built


def _tower_index(match):
    """Names a tower's layer in the list depthwise, 1x1, normalization, ReLU6, ..."""
    task, kind, number = match.groups()
    place = 4 * int(number) + ("depthwise", "conv", "bn").index(kind)
    return f"ban_head.{_TASKS[task]}_pw_tower.{place}."


# Task -> the released code's names of its tower, output and correlation.
_TASKS = {"cls": "cls", "box": "bbox"}
_CORRELATIONS = {"cls": "ban_head.corr_pw_cls", "box": "ban_head.corr_pw_reg"}
TORCH_NAMES = (
    (
        r"^correlation\.(cls|box)_(kernel|search)\.",
        lambda match: f"{_CORRELATIONS[match[1]]}.conv_{match[2]}.0.",
    ),
    (
        r"^correlation\.(cls|box)_(kernel|search)_bn\.",
        lambda match: f"{_CORRELATIONS[match[1]]}.conv_{match[2]}.1.",
    ),
    (
        r"^correlation\.(cls|box)_(fc\d)\.",
        lambda match: f"{_CORRELATIONS[match[1]]}.CA_layer.{match[2]}.",
    ),
    (r"^head\.(cls|box)_(depthwise|conv|bn)(\d)\.", _tower_index),
    (r"^head\.(cls|box)_pred\.", lambda m: f"ban_head.{_TASKS[m[1]]}_pred.0."),
)
# Names in the two ONNX files, which lack the names of the parts.
EXPORTED = (
    (r"^(?=features\.)", "backbone."),
    (r"^(?=(corr_pw|cls_p|bbox_p))", "ban_head."),
)


def names(config: ConfigDict) -> WeightNames:
    """Returns the released code's names; its files hold a neck that is not used."""
    named = backbone_names(config, TORCH_NAMES)
    return named._replace(leftover=r"neck\.", exported=EXPORTED)


PRESETS = {
    "nanotrack_opencv": Preset(
        settings=selection_settings("opencv", 0.055, 0.455, 0.37),
        source="opencv/opencv, modules/video, TrackerNano",
    ),
    "nanotrack_v2": Preset(
        settings=selection_settings("pysot", 0.150, 0.490, 0.385),
        source="HonglinChu/SiamTrackers 8211ff3, NanoTrack, configv2.yaml",
    ),
}
FAMILY = Family(network=network, loss=siamban.make_loss, names=names, presets=PRESETS)
