"""Networks of tests by short names, and their shapes and variables without `init`."""

import functools
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxtrack import trackers, weights
from jaxtrack.weights.torch import fill, torch_name, torch_shape
from tests.goldens import draw

_LITE = {"backbone": "efficientnet_lite0", "design": "light"}
# Name -> family and settings; those of the config files, and one that has none.
NETWORKS = {
    "siamcar_r50": ("siamcar", {"backbone": "resnet50"}),
    "siamcar_r18": ("siamcar", {"backbone": "resnet18"}),
    "siamcar_lite0": ("siamcar", _LITE),
    "siamla_r50": ("siamla", {"backbone": "resnet50"}),
    "siamla_lite0": ("siamla", _LITE),
    "siamfcpp_googlenet": ("siamfcpp", {"backbone": "googlenet"}),
    "siamfcpp_lite0": ("siamfcpp", _LITE),
    "siamrpnpp_r50": ("siamrpnpp", {"backbone": "resnet50"}),
    "siamrpnpp_r50_otb": (
        *("siamrpnpp", {"backbone": "resnet50", "level_weights": False}),
    ),
    "siamrpnpp_lite0": ("siamrpnpp", _LITE),
    "rpn_effb0": ("siamrpnpp", {"backbone": "efficientnet_b0"}),
    "cract_r18": ("cract", {"backbone": "resnet18"}),
    "cract_lite0": ("cract", _LITE),
    "siamban_r50": ("siamban", {"backbone": "resnet50"}),
    "siamban_lite0": ("siamban", _LITE),
    "nanotrack_v2": ("nanotrack", {"backbone": "mobilenet_v3_small"}),
}
# Settings of a family that is not built on what others have by default.
FITTING = {"nanotrack": {"backbone": "mobilenet_v3_small"}}


def configure(name, **settings):
    """Returns the settings of a network."""
    family, own = NETWORKS[name]
    return trackers.configure(family, **{**own, **settings})


def build(name, *, search_size=0, axis_name=None, **settings):
    """Builds a network."""
    family, own = NETWORKS[name]
    options = {"search_size": search_size, "axis_name": axis_name}
    return trackers.build(family, **options, **{**own, **settings})


class Levels(nn.Module):
    """Stands for a backbone: zeros in the shapes of its levels, by an image's side."""

    of_side: Mapping[int, Any]

    def __call__(self, image, *, train=False):
        del train
        zeros = lambda level: jnp.zeros(level.shape, level.dtype)  # noqa: E731
        return jax.tree.map(zeros, self.of_side[image.shape[1]])


@functools.cache
def levels_of(backbone, side):
    """Shapes of a backbone's levels and variables on two crops, traced once."""
    image = jax.ShapeDtypeStruct((2, side, side, 3), jnp.float32)
    return jax.eval_shape(backbone.init_with_output, jax.random.key(0), image)


def without_backbone(network):
    """A network whose backbone answers zeros, and shapes of two of each crop."""
    sides = (network.geometry.template_size, network.geometry.search_size)
    levels = {side: levels_of(network.backbone, side)[0] for side in sides}
    crops = [jax.ShapeDtypeStruct((2, s, s, 3), jnp.float32) for s in sides]
    return network.clone(backbone=Levels(levels)), crops


def shapes_of(network):
    """Shapes of a network's outputs and variables on two of its own crops."""
    rest, crops = without_backbone(network)
    outputs, variables = jax.eval_shape(
        rest.init_with_output, jax.random.key(0), *crops
    )
    _, of_backbone = levels_of(network.backbone, network.geometry.search_size)
    return outputs, {
        kind: {"backbone": of_backbone.get(kind, {}), **variables.get(kind, {})}
        for kind in {**variables, **of_backbone}
    }


@functools.cache
def abstract(name, **settings):
    """Shapes of a network's outputs and variables on its own crops."""
    return shapes_of(build(name, **settings))


def count(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def weight_names(name):
    """What PyTorch's code calls the variables of a network."""
    config = configure(name)
    return trackers.family_of(config).names(config)


def from_state_dict(name, state_dict):
    """Maps a state dict to our variables, tracing each network once."""
    return fill(weight_names(name), abstract(name)[1], state_dict)


def to_state_dict(name, variables):
    """Maps our variables to a state dict."""
    family, own = NETWORKS[name]
    return weights.to_state_dict(family, variables, **own)


def same_names_and_values(state_dict, other):
    """Checks that two state dicts are the same, but for counters of batches."""
    other = {k: v for k, v in other.items() if not k.endswith("num_batches_tracked")}
    assert set(state_dict) == set(other)
    for key, value in other.items():
        np.testing.assert_array_equal(state_dict[key], value, strict=True)


def drawn(module, *inputs, seed=0):
    """Draws a module's variables, none of them 0 or 1, without compiling `init`."""
    rng = np.random.default_rng(seed)

    def draw_leaf(path, leaf):
        if path[-1].key in ("scale", "var"):
            return rng.uniform(0.5, 1.5, leaf.shape).astype(np.float32)
        size = np.prod(leaf.shape[:-1]) ** -0.5 if leaf.ndim > 1 else 0.3
        return np.float32(size) * rng.standard_normal(leaf.shape, np.float32)

    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)
    return jax.tree_util.tree_map_with_path(draw_leaf, shapes)


@functools.cache
def draw_variables(name):
    """Draws a network's variables from their names in PyTorch; maps look natural."""
    return from_state_dict(name, _named(name, draw.tensor))


@functools.cache
def number_variables(name):
    """Returns variables of which no two are alike, for tests that read no map."""
    return from_state_dict(name, _named(name, number_tensor))


def number_tensor(key, shape):
    """Returns numbers that belong to a name, without drawing them one by one."""
    start = zlib.crc32(key.encode()) % 100_003
    return _numbers()[start : start + np.prod(shape, dtype=int)].reshape(shape)


@functools.cache
def _numbers():
    return np.random.default_rng(0).random(20_000_000, np.float32)


def _named(name, tensor):
    """Returns the state dict of a network, each entry made from its name and shape."""
    names, (_, shapes) = weight_names(name), abstract(name)
    state_dict = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(shapes)[0]:
        path = tuple(key.key for key in keys[1:])
        key = torch_name(names, path)
        state_dict[key] = tensor(key, torch_shape(names, path, leaf.shape))
    return state_dict
