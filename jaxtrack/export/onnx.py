"""Exports the two graphs of a Siamese tracker to ONNX, with its settings."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError, require
from jaxtrack.models.siamese import Siamese
from jaxtrack.ops import grid, preprocess
from jaxtrack.ops.plain import plain_forms
from jaxtrack.trackers import describe
from jaxtrack.tracking import decoding, siamese

FILES = ("template.onnx", "search.onnx", "tracker.json")
OPSET = 18  # The oldest that the converter writes correctly.


def write(
    folder: str | Path, config: ConfigDict, network: nn.Module, variables: Any
) -> None:
    """Writes the ONNX graphs of the template and of the search crop.

        template.onnx  template [B, Z, Z, 3] -> features_0, features_1 ...
        search.onnx    search [B, S, S, 3], features -> cls, quality, xyxy [B, N, 4]

    Crops are float32 RGB gray levels, 0 to 255: the network's preprocessing is in the
    graphs. Boxes are pixels of the search crop; N counts cells row by row (and the
    anchors of a cell); B is free. `tracker.json` has the sizes and selection settings.

    Args:
      folder: an existing folder.
      config: settings of the tracker, with its preprocessing.
      network: the network named in them.
      variables: variables of the network, folded or not.

    Raises:
      InputError: the tracker needs more than two graphs, or jax2onnx is not installed.
    """
    if not isinstance(network, Siamese):
        raise InputError(
            f"{describe(config)} learns while it tracks, which two ONNX graphs cannot: "
            "use --format=stablehlo"
        )
    require("jax2onnx")
    folder = Path(folder)
    pixels = config_lib.preprocessing(config)
    geometry = network.geometry
    points = siamese.places(network)
    is_released = config.tracking.selection == "released"

    def template(image):
        z = preprocess.normalize(image, pixels)
        z = network.apply(variables, z, method="encode_template")
        return tuple(jax.tree.leaves(z))

    def decode(outputs):
        outputs = {name: value[None] for name, value in outputs.items()}
        cls, ltrb, quality = decoding.scores_and_boxes(
            outputs, points, stretch=is_released
        )
        center = (points[..., :2] + points[..., -2:]) / 2  # Of an anchor, or the point.
        xyxy = jnp.concatenate([center - ltrb[..., :2], center + ltrb[..., 2:]], -1)
        return cls.reshape(-1), quality.reshape(-1), xyxy.reshape(-1, 4)

    zeros = jnp.zeros((1, geometry.template_size, geometry.template_size, 3))
    z = jax.eval_shape(
        lambda image: network.apply(variables, image, method="encode_template"), zeros
    )
    leaves, tree = jax.tree.flatten(z)

    def search(image, *features):
        x = preprocess.normalize(image, pixels)
        x = network.apply(variables, x, method="encode_search")
        z = jax.tree.unflatten(tree, features)
        return jax.vmap(decode)(network.apply(variables, z, x, method="predict"))

    names = [f"features_{number}" for number in range(len(leaves))]
    side = geometry.template_size
    _convert(folder / FILES[0], template, {"template": ("B", side, side, 3)}, names)
    side = geometry.search_size
    shapes = [("B", *leaf.shape[1:]) for leaf in leaves]
    inputs = {"search": ("B", side, side, 3), **dict(zip(names, shapes, strict=True))}
    _convert(folder / FILES[1], search, inputs, ["cls", "quality", "xyxy"])
    told = json.dumps(settings(config, network, names), indent=2)
    (folder / FILES[2]).write_text(told + "\n")


def settings(
    config: ConfigDict, network: Siamese, features: list[str]
) -> dict[str, Any]:
    """Returns the sizes and settings that a program needs to track with the graphs.

    Args:
      config: settings of the tracker.
      network: the network named in them.
      features: names of the template's features.
    """
    geometry = network.geometry
    names = (*siamese.Settings._fields, "num_boxes", "rate_by_quality", "lost_below")
    names += ("score_slope", "score_middle", "selection")
    return {
        "tracker": describe(config),
        "template_size": geometry.template_size,
        "search_size": geometry.search_size,
        "context": float(config.data.context),
        "cells": [*grid.points(geometry).shape[:2], max(len(network.anchors), 1)],
        "features": features,
        **{name: config.tracking[name] for name in names},
    }


def _convert(path, function, inputs, outputs):
    """Writes a function as an ONNX graph."""
    import jax2onnx  # Late: an extra.

    with plain_forms():
        jax2onnx.to_onnx(
            function,
            list(inputs.values()),
            model_name=path.stem,
            opset=OPSET,
            return_mode="file",
            output_path=path,
            input_names=list(inputs),
            output_names=outputs,
        )
