"""Folds batch normalizations into the kernels before them, once, for evaluation."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import traverse_util
from flax.core import unfreeze

from jaxtrack.models.backbones.efficientnet import EfficientNetLite0, standardisation
from jaxtrack.models.norms import BatchNorm

Path = tuple[str, ...]


class Parts(NamedTuple):
    """The batch normalizations of a network that can be folded.

    Attributes:
      norms: path of a convolution -> path and epsilon of the batch normalization that
        `jaxtrack.models.layers.conv_bn` applies after it.
      standardising: paths of the backbones that standardize their maps.
    """

    norms: dict[Path, tuple[Path, float]]
    standardising: set[Path]


def fold(network: nn.Module, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Folds batch normalizations into the convolutions before them, for evaluation.

        W' = a W,  b' = beta - a mean,  a = gamma / sqrt(var + eps)

    in float64; a bias of the convolution itself is multiplied by a. The zero padding is
    convolved before b' is added, so borders are exact, too.

    The network accepts the result as its variables: a normalization that has only b'
    is folded (see `jaxtrack.models.norms.BatchNorm`).
    EfficientNet-Lite0 standardizes its maps by numbers of its normalizations, which
    are kept as two vectors a map. A convolution that `conv_bn` does not apply, as in
    GoogLeNet, is unchanged, and so is what was folded before.

    Args:
      network: a module such as `jaxtrack.models.siamese.Siamese`.
      variables: its parameters and statistics.

    Returns:
      Variables for evaluation only, numpy arrays.
    """
    tree = jax.device_get(unfreeze(variables))
    if not tree.get("batch_stats"):  # There is nothing to fold.
        return tree
    parts = find(network, variables)
    for path in parts.standardising:
        params = functools.reduce(dict.__getitem__, path, tree["params"])
        params["standard"] = jax.device_get(standardisation(params))
    flat = traverse_util.flatten_dict(tree)
    for conv, (norm, epsilon) in parts.norms.items():
        params, stats = ("params", *norm), ("batch_stats", *norm)
        mean, var = (np.float64(flat.pop((*stats, name))) for name in ("mean", "var"))
        a = flat.pop((*params, "scale")) / np.sqrt(var + epsilon)
        changed = {(*params, "bias"): flat[*params, "bias"] - a * mean}
        for name in ("kernel", "bias"):
            if (key := ("params", *conv, name)) in flat:
                changed[key] = a * flat[key]
        flat |= {key: leaf.astype(np.float32) for key, leaf in changed.items()}
    return traverse_util.unflatten_dict(flat)


def find(network: nn.Module, variables: Mapping[str, Any]) -> Parts:
    """Finds the batch normalizations that can be folded, by tracing the network.

    Args:
      network: see `fold`.
      variables: see `fold`.
    """
    parts, affines = Parts({}, set()), []

    def watch(method, args, kwargs, context):
        result = method(*args, **kwargs)
        module, given = context.module, kwargs.get("affine")
        if isinstance(module, BatchNorm) and context.method_name == "affine":
            if not module.is_folded:
                affines.append((result, module))
        elif isinstance(module, EfficientNetLite0):
            parts.standardising.add(module.path)
        elif given is not None:
            for norm in (norm for affine, norm in affines if affine is given):
                parts.norms[module.path] = norm.path, norm.epsilon
        return result

    geometry = network.geometry
    sizes = (geometry.template_size, geometry.search_size)
    images = [jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32) for size in sizes]
    with nn.intercept_methods(watch):
        jax.eval_shape(network.apply, variables, *images)
    return parts
