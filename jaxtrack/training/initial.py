"""Initial parameters: trained weights, and random values for the rest."""

import pathlib
import zlib
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack import weights
from jaxtrack.errors import InputError
from jaxtrack.models.backbones import param_group
from jaxtrack.models.layers import kaiming
from jaxtrack.trackers import with_preprocessing
from jaxtrack.trackers.family import Family, WeightNames
from jaxtrack.training import inference
from jaxtrack.weights import pretrained, shipped
from jaxtrack.weights.matching import match
from jaxtrack.weights.pretrained import Start


def initial_variables(
    config: ConfigDict, family: Family, network: nn.Module
) -> tuple[dict[str, Any], str]:
    """Draws a network's variables from the seed, then loads the weights named.

    Args:
      config: the settings, with their preprocessing.
      family: names the variables in PyTorch's code.
      network: to initialize.

    Returns:
      Its variables, and what was loaded, or "".

    Raises:
      InputError: see `start_from`.
    """
    geometry = network.geometry

    def init(key):
        sizes = (geometry.template_size, geometry.search_size)
        crops = (jnp.zeros((1, size, size, 3)) for size in sizes)
        variables = network.init(key, *crops)
        if config.run.head_init == "kaiming":
            variables = {**variables, "params": kaiming_heads(key, variables["params"])}
        return variables

    # The program runs once: on a CPU, optimizing it takes longer than running it.
    on_cpu = jax.default_backend() == "cpu"
    options = {"xla_backend_optimization_level": 0} if on_cpu else None
    variables = jax.jit(init, compiler_options=options)(jax.random.key(config.run.seed))
    if config.model.pretrained:
        return start_from(config, family.names(config), variables)
    return variables, ""


def kaiming_heads(key: jax.Array, params: dict[str, Any]) -> dict[str, Any]:
    """Redraws all kernels outside of the backbone, and sets their biases to 0.

        w ~ N(0, 2 / (k k Cout))

    Cai et al., SiamDLA, section 4.1 (D15); He et al. (arXiv:1502.01852), whose fan is
    taken to be that of the outputs, as pysot does.

    Args:
      key: random key; the values of a kernel depend on its name.
      params: of a network.

    Returns:
      Parameters of the same shapes; scales and the backbone are unchanged.
    """

    def draw(keys, leaf):
        path = tuple(part.key for part in keys)
        if param_group(path) != "head":
            return leaf
        if path[-1] == "bias":
            return jnp.zeros_like(leaf)
        if path[-1] != "kernel":
            return leaf
        own = jax.random.fold_in(key, zlib.crc32("/".join(path).encode()))
        return kaiming(own, leaf.shape, leaf.dtype)

    return jax.tree_util.tree_map_with_path(draw, params)


def check_file(config: ConfigDict) -> None:
    """Checks that the file of initial weights exists, before data are opened.

    Args:
      config: the settings.

    Raises:
      InputError: `model.pretrained` names a file that is not there.
    """
    source = config.model.pretrained
    is_name = source in ("", "imagenet", *shipped.SHIPPED)
    places = map(pathlib.Path, (source, *source.split(",")))
    if not is_name and not any(place.exists() for place in places):
        raise InputError(f"config.model.pretrained={source}: no such file of weights")


def start_from(
    config: ConfigDict, names: WeightNames | None, variables: dict[str, Any]
) -> Start:
    """Loads the trained weights named by `model.pretrained` into a network.

    Args:
      config: the settings, with their preprocessing.
      names: the names of the variables in PyTorch's code, if there are any.
      variables: of the network, drawn.

    Returns:
      Variables of the same shapes, and what was taken: of a trained tracker all that
      fits, if its whole backbone does.

    Raises:
      InputError: the source is unknown, unreadable, of another backbone, or expects
        other pixels.
    """
    source, pixels = config.model.pretrained, config_lib.preprocessing(config)
    if source == "imagenet" or not inference.has_settings(source):
        return weights.load_pretrained(source, names, variables, preprocessing=pixels)
    loaded = inference.load_for_inference(source)
    expected = config_lib.preprocessing(with_preprocessing(loaded.config))
    if expected != pixels:
        raise InputError(
            f"pretrained: {source!r} expects other pixels than this network gets: add "
            f"{pretrained.pixel_options(expected)}"
        )
    own = flatten_dict(variables, sep="/")
    others = flatten_dict(loaded.variables, sep="/")
    fit = match({name: leaf.shape for name, leaf in own.items()}, others)
    description = pretrained.taken(source, fit, lambda name: "/backbone/" in name)
    own |= {name: jnp.asarray(others[name], jnp.float32) for name in fit.fitting}
    return Start({**variables, **unflatten_dict(own, sep="/")}, description)
