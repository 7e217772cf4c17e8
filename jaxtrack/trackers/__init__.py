"""Trackers: one file per family; other modules use only its `FAMILY`."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from jaxtrack.config import get_config
from jaxtrack.errors import InputError, suggest

if TYPE_CHECKING:  # Networks take seconds to import.
    from flax import linen as nn

    from jaxtrack.trackers.family import Family, Preset
    from jaxtrack.tracking import Tracker

# Name of a family -> module that defines it as FAMILY, imported on first use.
FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "siamcar": "jaxtrack.trackers.siamcar",
        "siamla": "jaxtrack.trackers.siamla",
        "siamrpnpp": "jaxtrack.trackers.siamrpnpp",
        "siamfcpp": "jaxtrack.trackers.siamfcpp",
        "cract": "jaxtrack.trackers.cract",
        "siamban": "jaxtrack.trackers.siamban",
        "nanotrack": "jaxtrack.trackers.nanotrack",
    }
)

# Name of a preset of public code -> name of the family that has it in `presets`.
PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "siamrpnpp_r50_vot": "siamrpnpp",
        "siamrpnpp_r50_otb": "siamrpnpp",
        "siamrpnpp_8gpu_vot": "siamrpnpp",
        "siamrpnpp_8gpu_otb": "siamrpnpp",
        "siamrpnpp_16gpu_vot": "siamrpnpp",
        "siamcar_otb100": "siamcar",
        "siamcar_got10k": "siamcar",
        "siamcar_uav123": "siamcar",
        "siamcar_lasot": "siamcar",
        "siamcar_old_otb50": "siamcar",
        "siamcar_old_got10k": "siamcar",
        "siamcar_old_uav123": "siamcar",
        "siamcar_old_lasot": "siamcar",
        "siamcar_old_vot2019": "siamcar",
        "siamla_otb100": "siamla",
        "siamla_got10k": "siamla",
        "siamla_uav123": "siamla",
        "siamla_lasot": "siamla",
        "siamfcpp": "siamfcpp",
        "siamfcpp_otb100": "siamfcpp",
        "cract": "cract",
        "siamban_vot2018": "siamban",
        "siamban_vot2019": "siamban",
        "siamban_otb100": "siamban",
        "nanotrack_opencv": "nanotrack",
        "nanotrack_v2": "nanotrack",
    }
)


def family_of(config: ConfigDict) -> "Family":
    """Returns the family of the tracker named in the config.

    Args:
      config: the config; only `model.name` is read.

    Raises:
      InputError: the name is unknown.
    """
    name = config.model.name
    if name not in FAMILIES:
        raise InputError(f"model.name: {name!r} is not one of {', '.join(FAMILIES)}")
    return _imported(name)


def with_preprocessing(config: ConfigDict) -> ConfigDict:
    """Returns the image preprocessing that the network's weights expect.

    Args:
      config: the config; the backbone's preprocessing is used where it sets none.

    Raises:
      InputError: mean or scale are set without the order.
    """
    if config.model.preprocessing.order:
        return config
    from jaxtrack.models.backbones import BACKBONES

    config = config.copy_and_resolve_references()
    given, default = config.model.preprocessing, get_config().model.preprocessing
    if given.to_dict() != default.to_dict():
        raise InputError("model.preprocessing: mean and scale need order: set it too")
    given.update(BACKBONES[config.model.backbone].preprocessing._asdict())
    return config


def network_of(
    config: ConfigDict, *, training: bool = False, axis_name: str | None = None
) -> "nn.Module":
    """Builds the network named in the config.

    Args:
      config: the config.
      training: whether search crops have the training size or the tracking size.
      axis_name: mapped axis over which batch normalization shares its statistics.

    Raises:
      InputError: the tracker is unknown, or it does not support that crop size.
    """
    group = config.data if training else config.tracking
    options = {"search_size": group.search_size, "axis_name": axis_name}
    return family_of(config).network(config, **options)


def tracker_of(config: ConfigDict) -> "Tracker":
    """Builds the network named in the config, and its tracker.

    Args:
      config: the config, for example that stored in a checkpoint.

    Raises:
      InputError: the tracker is unknown.
    """
    network = network_of(config)
    return family_of(config).tracker(with_preprocessing(config), network)


def folded(config: ConfigDict, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a network's variables folded for faster tracking (not for training).

    Args:
      config: the config that names the network.
      variables: of the network; see `jaxtrack.models.folding.fold`.

    Raises:
      InputError: the tracker is unknown.
    """
    from jaxtrack.models import folding

    return folding.fold(network_of(config), variables)


def configure(name: str, **settings: Any) -> ConfigDict:
    """Returns the settings of a tracker.

    Args:
      name: a key of `FAMILIES`.
      **settings: fields of the group `model` that differ from their defaults, such as
        `backbone="efficientnet_lite0", design="light"` or `dtype="bfloat16"`.

    Raises:
      InputError: the name or a field is unknown, or a value has another type.
    """
    config = get_config()
    config.model.name = name
    try:
        config.model.update(settings)
    except (KeyError, TypeError) as fault:
        raise InputError(f"{name}: {fault.args[0]}") from fault
    family_of(config)
    return config


def build(
    name: str, *, search_size: int = 0, axis_name: str | None = None, **settings: Any
) -> "nn.Module":
    """Builds the network of a tracker.

    Args:
      name: a key of `FAMILIES`.
      search_size: side of the search crop, pixels; 0 takes the network's own.
      axis_name: mapped axis over which batch normalization shares its statistics.
      **settings: see `configure`.

    Returns:
      A module; see `jaxtrack.models.siamese.Siamese` for its methods.

    Raises:
      InputError: the name or a field is unknown, or the network lacks that choice.
    """
    config = configure(name, **settings)
    options = {"search_size": search_size, "axis_name": axis_name}
    return family_of(config).network(config, **options)


def find_preset(name: str) -> "Preset":
    """Returns the tracking settings that public code used on one dataset.

    Args:
      name: name of the preset.

    Raises:
      InputError: the name is unknown.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}: {suggest(name, PRESETS)}")
    return _imported(PRESETS[name]).presets[name]


def describe(config: ConfigDict) -> str:
    """Describes the network of the config, such as "siamcar (resnet50, released)"."""
    model = config.model
    return f"{model.name} ({model.backbone}, {model.design})"


def _imported(name: str) -> "Family":
    """Returns the family of that name."""
    return importlib.import_module(FAMILIES[name]).FAMILY
