"""All that the guards need of jaxtrack, by names that stay when its own change.

Rename, move or regroup what you like: then mend this file, not the guards and not the
values in `expected/`. Settings go by the names of `FIELDS`' keys.
"""

from __future__ import annotations

import importlib
import zlib

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack import models, tracking
from jaxtrack.data.synthetic import SyntheticSource
from jaxtrack.tracking import Frame
from jaxtrack.training import objective

# Setting as the guards call it -> as it is called now, where that is something else.
FIELDS: dict[str, str] = {}
# Key of a report as the guards call it -> as it is called now.
REPORT_KEYS: dict[str, str] = {}


# Networks.


def model_names():
    """Lists the networks that have a name."""
    return tuple(models.MODELS)


def settings(config_name, **changes):
    """Returns the settings of a config file; `changes` have dots as `__`."""
    config = importlib.import_module(f"configs.{config_name}").get_config()
    names = {name.replace("__", "."): value for name, value in changes.items()}
    config.update_from_flattened_dict(
        {FIELDS.get(name, name): value for name, value in names.items()}
    )
    return config


def build(name, **choices):
    """Builds the network of a name with some of its parts chosen."""
    return models.build(name, **choices)


def network(config, *, training=False):
    """Builds the network that settings name."""
    return models.from_config(config, training=training)


def with_backbone(model, backbone):
    """Puts another backbone into a network."""
    return model.clone(backbone=backbone)


def shapes(model):
    """Returns path -> shape of all variables; the first part is the collection."""
    size = model.geometry
    images = [
        jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
        for side in (size.template_size, size.search_size)
    ]
    tree = jax.eval_shape(model.init, jax.random.key(0), *images)
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {tuple(part.key for part in path): leaf.shape for path, leaf in leaves}


def drawn_variables(model, *, seed=0):
    """Draws variables by numpy, each from its path, so that none depends on JAX."""
    tree = {}
    for path, shape in shapes(model).items():
        place = zlib.crc32("/".join(path).encode())
        normal = np.random.default_rng([seed, place]).standard_normal(shape)
        if path[-1] == "kernel":
            value = normal * np.sqrt(2 / np.prod(shape[:-1]))
        else:
            value = 0.1 * normal + (path[-1] in ("scale", "var"))
        branch = tree
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        branch[path[-1]] = value.astype(np.float32)
    return tree


# Training.


def loss(config, model):
    """Returns `(outputs, batch) -> (loss, metrics)`."""
    return objective.make_loss(config, model)


def draw_proposals(config, model):
    """Returns `(maps, batch) -> proposals [B, N, 4]` of CRACT in training."""

    def draw(maps, batch):
        return objective.make_inputs(config, model)(batch)["propose"](maps)

    return draw


# Tracking.


def tracker(config, model):
    """Returns `init(variables, frame, box)` and `step(variables, state, frame)`.

    A frame is what `frame` makes; boxes are cxcywh; a step returns a state, a box and
    a score.
    """
    made = tracking.make_tracker(model, config)

    def step(variables, state, frame):
        state, output = made.step(variables, state, frame)
        return state, output.box, output.score

    return made.init, step


def frame(image):
    """Makes a frame of a picture, without padding."""
    return Frame(np.asarray(image), np.array(image.shape[:2], np.int32))


# Data.


def composed(count, length, hw, *, seed):
    """Yields composed videos: frames `[T, H, W, 3]` RGB and boxes xyxy `[T, 4]`."""
    source = SyntheticSource(
        num_tracks=count, length=length, size=hw, seed=seed, split="eval"
    )
    for track in range(count):
        frames = [source.frame(track, time)[0] for time in range(length)]
        yield np.stack(frames), source.track_boxes(track)
