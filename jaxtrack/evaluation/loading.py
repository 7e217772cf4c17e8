"""Opens checkpoints for tracking, with the identity of their results."""

import json
import pathlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest
from jaxtrack.trackers import family_of, folded
from jaxtrack.tracking import Tracker
from jaxtrack.training.inference import load_for_inference
from jaxtrack.weights import digests


class Opened(NamedTuple):
    """A checkpoint, ready to be tracked with.

    Attributes:
      config: its settings.
      model: its network.
      tracker: the functions that track with it.
      variables: of the network, on the host, for evaluation alone.
      identity: of weights and settings, as JSON; results of another one are not kept.
      around: versions, device, precision and provenance, as JSON.
    """

    config: ConfigDict
    model: nn.Module
    tracker: Tracker
    variables: Any
    identity: dict
    around: dict


def open_checkpoint(
    checkpoint: str | pathlib.Path,
    *,
    tracking: Mapping[str, Any] = MappingProxyType({}),
) -> Opened:
    """Reads a checkpoint for tracking, with the identity of its results.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      tracking: settings to track with instead of its own, dotted field -> value; see
        `jaxtrack.config.is_of_tracking`.

    Returns:
      Network, weights, settings and their identity.

    Raises:
      InputError: it is missing or damaged, or a setting is not one of tracking.
    """
    loaded = load_for_inference(checkpoint)
    config = loaded.config.copy_and_resolve_references()
    for field in tracking:
        if not config_lib.is_of_tracking(field):
            raise InputError(f"{field} is fixed by the training of {checkpoint}")
    config_lib.update(config, tracking, source=str(checkpoint))
    around = manifest.environment(precision=config.model.dtype)
    around["checkpoint"] = str(checkpoint)
    if loaded.provenance:  # Of weights that another code trained.
        around["provenance"] = dict(loaded.provenance)
    identity = {
        "config": json.loads(config.to_json()),
        "jaxtrack": around["versions"]["jaxtrack"],
        "seed": config.run.seed,
        "step": loaded.step,
        "weights": digests.hash_arrays(loaded.variables),
    }
    family = family_of(config)
    model = family.network(config, search_size=config.tracking.search_size)
    tracker = family.tracker(config, model)
    variables = folded(config, loaded.variables)
    return Opened(config, model, tracker, variables, identity, around)
