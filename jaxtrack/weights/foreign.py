"""Converts weights of whole trackers from and to the names of public code."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.models import folding
from jaxtrack.trackers import configure, describe, family_of, with_preprocessing
from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights import files, folded, torch
from jaxtrack.weights.bundle import Bundle
from jaxtrack.weights.state_dict import unwrap


def from_state_dict(
    name: str, state_dict: dict[str, np.ndarray], **settings: Any
) -> dict[str, Any]:
    """Maps the state dict of a whole tracker to our variables, strictly.

    Networks as published have the names of SiamCAR's and pysot's code and of
    video_analyst, whose backbone is its `basemodel` except `channel_reduce`; light
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
      InputError: if the name is unknown, or keys or shapes do not fit the network.
    """
    return import_state_dict(configure(name, **settings), state_dict)


def import_state_dict(
    config: ConfigDict, state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Maps the state dict of the tracker named in the config, as `from_state_dict`.

    Args:
      config: the config.
      state_dict: arrays by name.

    Returns:
      `{"params": ..., "batch_stats": ...}`, float32.

    Raises:
      InputError: if keys or shapes do not fit the network.
    """
    shapes = shapes_of(config)
    return torch.fill(names_of(config), shapes, adapted(config, shapes, state_dict))


def adapted(
    config: ConfigDict, shapes: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns a state dict with the names of the public code, from any source.

    ONNX files lack the names of the parts, and batch normalizations, which are folded
    into kernels; see `jaxtrack.weights.folded`. Others stay as they are.

    Args:
      config: the config that names the tracker.
      shapes: of its network's variables.
      state_dict: arrays by name.
    """
    arrays, names = unwrap(state_dict).arrays, names_of(config)
    if any(key.endswith("running_var") for key in arrays):
        return arrays
    renamed = {}
    for key, array in arrays.items():
        for pattern, replacement in names.exported:
            key = re.sub(pattern, replacement, key)
        renamed[key] = array
    if not torch.match(names, shapes, renamed).fitting:
        return arrays
    norms = folding.find(family_of(config).network(config), shapes).norms
    return folded.unfold(names, shapes, renamed, norms)


def import_tracker(config: ConfigDict, paths: Sequence[str | Path]) -> Bundle:
    """Reads the weights of a whole tracker from files of public code.

    Args:
      config: the config that names the network; if it does not set the preprocessing,
        that of the network's public weights is used.
      paths: the files; see `jaxtrack.weights.files.read`.

    Returns:
      The tracker with its provenance.

    Raises:
      InputError: a file cannot be read, or its names or shapes do not fit the network.
    """
    from jaxtrack import __version__

    config = with_preprocessing(config)
    content = files.read_all(paths)
    try:
        variables = import_state_dict(config, content.arrays)
    except InputError as fault:
        names = ", ".join(map(str, paths))
        raise InputError(
            f"{names}: {describe(config)}: {fault}; `jaxtrack weights inspect "
            f"{paths[0]} --fits` says which network has these names"
        ) from fault
    provenance = files.provenance(paths, content) | {
        "network": describe(config),
        "imported_by": f"jaxtrack {__version__}",
    }
    return Bundle(config, jax.tree.map(np.asarray, variables), 0, provenance)


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
    return torch.state_dict_of(names_of(configure(name, **settings)), variables)


def exported(
    config: ConfigDict, variables: dict[str, Any], *, backbone: bool = False
) -> dict[str, np.ndarray]:
    """Maps our variables to PyTorch's names, for export.

    Args:
      config: the config that names the tracker.
      variables: of its network.
      backbone: whether to return only the backbone, named as an ImageNet network.

    Returns:
      Arrays by name.

    Raises:
      InputError: the tracker has no such names.
    """
    names = names_of(config)
    if backbone:
        return torch.backbone_state_dict(names, variables)
    return torch.state_dict_of(names, variables)


def names_of(config: ConfigDict) -> WeightNames:
    """Returns PyTorch's names of the variables of a tracker.

    Args:
      config: the config that names the tracker.

    Raises:
      InputError: it has no such names.
    """
    names = family_of(config).names(config)
    if names is None:
        raise InputError(f"model: {describe(config)} has no names for weights")
    return names


def shapes_of(config: ConfigDict) -> dict[str, Any]:
    """Returns the shapes of a network's variables without computing them.

    Args:
      config: the config that names the tracker.
    """
    network = family_of(config).network(config)
    z, x = (
        jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
        for size in (network.geometry.template_size, network.geometry.search_size)
    )
    return jax.eval_shape(network.init, jax.random.key(0), z, x)
