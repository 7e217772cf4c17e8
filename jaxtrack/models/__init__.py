"""Tracker networks: images or features in, raw maps out; never labels or losses."""

from typing import Any, Literal

from flax import linen as nn
from jax import numpy as jnp
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.models.siamcar import siamcar_lite0, siamcar_r18, siamcar_r50
from jaxtrack.models.siamla import siamla_lite0, siamla_r50

MODELS = {
    "siamcar_r50": siamcar_r50,
    "siamcar_r18": siamcar_r18,
    "siamcar_lite0": siamcar_lite0,
    "siamla_r50": siamla_r50,
    "siamla_lite0": siamla_lite0,
}

# Parts of a backbone that work at stride 4 or less; pysot never trains them either.
FROZEN = {
    *("conv1", "bn1", "layer1"),
    *("conv_stem", "bn0", "block0", "block1", "block2"),
}


def build(
    name: str,
    *,
    correlation: str | None = None,
    localization: str | None = None,
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
    return MODELS[name](
        correlation=correlation,
        localization=localization,
        dtype=dtype,
        axis_name=axis_name,
    )


def from_config(config: ConfigDict, *, axis_name: str | None = None) -> nn.Module:
    """Builds the network that settings name.

    Args:
      config: `model`, `correlation`, `localization` and `dtype` are read; one of an
        older checkpoint may lack `localization`.
      axis_name: see `build`.

    Returns:
      A module, as `build` returns it.

    Raises:
      InputError: see `build`.
    """
    return build(
        config.model,
        correlation=config.correlation or None,
        localization=config.get("localization") or None,
        dtype=jnp.dtype(config.dtype),
        axis_name=axis_name,
    )


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
