"""Tracker networks: images or features in, raw maps out; never labels or losses."""

from typing import Any, Literal

from flax import linen as nn
from jax import numpy as jnp
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.models import siamese
from jaxtrack.models.cract import cract_lite0, cract_r18
from jaxtrack.models.siamcar import siamcar_lite0, siamcar_r18, siamcar_r50
from jaxtrack.models.siamfcpp import siamfcpp_googlenet, siamfcpp_lite0
from jaxtrack.models.siamla import siamla_lite0, siamla_r50
from jaxtrack.models.siamrpnpp import (
    rpn_effb0,
    siamrpnpp_lite0,
    siamrpnpp_r50,
    siamrpnpp_r50_otb,
)

MODELS = {
    "siamcar_r50": siamcar_r50,
    "siamcar_r18": siamcar_r18,
    "siamcar_lite0": siamcar_lite0,
    "siamla_r50": siamla_r50,
    "siamla_lite0": siamla_lite0,
    "siamfcpp_googlenet": siamfcpp_googlenet,
    "siamfcpp_lite0": siamfcpp_lite0,
    "siamrpnpp_r50": siamrpnpp_r50,
    "siamrpnpp_r50_otb": siamrpnpp_r50_otb,
    "siamrpnpp_lite0": siamrpnpp_lite0,
    "rpn_effb0": rpn_effb0,
    "cract_r18": cract_r18,
    "cract_lite0": cract_lite0,
}

# Parts of a backbone that work at stride 4 or less; pysot never trains them either.
FROZEN = {
    *("conv1", "bn1", "layer1"),
    *("conv_stem", "bn0", "block0", "block1", "block2"),
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"),
    *("Conv2d_3b_1x1", "Conv2d_4a_3x3"),
}


def build(
    name: str,
    *,
    correlation: str | None = None,
    localization: str | None = None,
    refinement: str | None = None,
    pooling: str | None = None,
    dtype: Any = jnp.float32,
    axis_name: str | None = None,
) -> nn.Module:
    """Builds the network of a tracker.

    Args:
      name: a key of `MODELS`.
      correlation: "depthwise", "pixelwise" or "both", where the network has a choice;
        None takes its own.
      localization: what predicts the quality of a box, where the network has a choice
        (SiamLA: see `jaxtrack.models.siamla`); None takes its own.
      refinement: "cascade" or "parallel", of CRACT alone; None takes the first.
      pooling: of proposals, "pyramid" (6, 3, 1) or "single" (6), of CRACT alone; None
        takes the first.
      dtype: type of the computation, float32 or bfloat16; parameters and outputs are
        float32.
      axis_name: mapped axis over which batch normalisation shares its statistics.

    Returns:
      A module; see `jaxtrack.models.siamese.Siamese` for its methods.

    Raises:
      InputError: if the name is unknown, or a choice is none of the network's.
    """
    if name not in MODELS:
        raise InputError(f"model: {name!r} is none of {', '.join(MODELS)}")
    of_proposals = {"refinement": refinement, "pooling": pooling}
    of_proposals = {what: chosen for what, chosen in of_proposals.items() if chosen}
    if of_proposals and not name.startswith("cract_"):
        raise InputError(f"{', '.join(of_proposals)}: {name} does not refine proposals")
    return MODELS[name](
        correlation=correlation,
        localization=localization,
        dtype=dtype,
        axis_name=axis_name,
        **of_proposals,
    )


def from_config(
    config: ConfigDict, *, training: bool = False, axis_name: str | None = None
) -> nn.Module:
    """Builds the network that settings name.

    Args:
      config: `model`, `correlation`, `localization`, `refinement`, `pooling`, `dtype`
        are read, and `train_search_size`.
      training: whether search crops have the size of training.
      axis_name: see `build`.

    Returns:
      A module, as `build` returns it.

    Raises:
      InputError: see `build`; or no crops of that size fit the network.
    """
    model = build(
        config.model,
        correlation=config.correlation or None,
        localization=config.localization or None,
        refinement=config.refinement or None,
        pooling=config.pooling or None,
        dtype=jnp.dtype(config.dtype),
        axis_name=axis_name,
    )
    if training and config.train_search_size:
        return siamese.resized(model, config.train_search_size)
    return model


def param_group(path: tuple[str, ...]) -> Literal["frozen", "backbone", "head"]:
    """Says how an optimizer is to treat a parameter.

    Args:
      path: its keys in the `params` tree, such as `("backbone", "layer1", ...)`.

    Returns:
      "frozen" (never trained), "backbone" (trained late and slowly) or "head".
    """
    if path[0] != "backbone":
        return "head"
    return "frozen" if path[1] in FROZEN else "backbone"
