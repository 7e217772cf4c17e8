"""Networks of tests: shapes and variables without the compilation that `init` costs."""

import functools

import jax
import jax.numpy as jnp

from jaxtrack import trackers
from jaxtrack.weights import from_state_dict
from jaxtrack.weights.torch import torch_name, torch_shape
from tests.goldens import draw


def shapes_of(network, batch=2):
    """Shapes of a network's outputs and variables on its own crops."""
    sizes = (network.geometry.template_size, network.geometry.search_size)
    z, x = (jax.ShapeDtypeStruct((batch, s, s, 3), jnp.float32) for s in sizes)
    return jax.eval_shape(network.init_with_output, jax.random.key(0), z, x)


@functools.cache
def abstract(name, **settings):
    """Shapes of a tracker's outputs and variables on its own crops."""
    return shapes_of(trackers.build(name, **settings))


def count(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def weight_names(name, **settings):
    """What PyTorch's code calls the variables of a tracker's network."""
    config = trackers.configure(name, **settings)
    return trackers.family_of(config).names(config)


@functools.cache
def draw_variables(name, **settings):
    """Draws a tracker's variables from their names in PyTorch."""
    names = weight_names(name, **settings)
    _, shapes = abstract(name, **settings)
    state_dict = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(shapes)[0]:
        path = tuple(key.key for key in keys[1:])
        shape = torch_shape(names, path, leaf.shape)
        key = torch_name(names, path)
        state_dict[key] = draw.tensor(key, shape)
    return from_state_dict(name, state_dict, **settings)
