"""Variables for tests, without the compilation that `init` costs."""

import functools

import jax
import jax.numpy as jnp
import pytest

from jaxtrack import models
from jaxtrack.weights import from_state_dict
from jaxtrack.weights.torch import torch_name, torch_shape
from tests.goldens import draw


@functools.cache
def draw_variables(name):
    """Draws a tracker's variables from their names in PyTorch."""
    model = models.build(name)
    sizes = (model.geometry.template_size, model.geometry.search_size)
    z, x = (jax.ShapeDtypeStruct((1, s, s, 3), jnp.float32) for s in sizes)
    shapes = jax.eval_shape(model.init, jax.random.key(0), z, x)
    state_dict = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(shapes)[0]:
        path = tuple(key.key for key in keys[1:])
        shape = torch_shape(name, path, leaf.shape)
        state_dict[torch_name(name, path)] = draw.tensor(torch_name(name, path), shape)
    return from_state_dict(name, state_dict)


@pytest.fixture
def lite_variables():
    return draw_variables("siamcar_lite0")
