"""The mean of several trainings of one network."""

from collections.abc import Mapping

import jax
import numpy as np
from flax.traverse_util import flatten_dict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.weights.bundle import Bundle
from jaxtrack.weights.digests import hash_arrays
from jaxtrack.weights.matching import match


def mean(trackers: Mapping[str, Bundle]) -> Bundle:
    """Averages parameters and statistics, array by array.

        w = (1 / N) sum_n w_n

    Wortsman et al., Model soups (arXiv:2203.05482), section 2: for networks whose
    trainings started from the same weights. Other means are not useful.

    Args:
      trackers: source of each -> the tracker; the tracking settings of the first are
        kept.

    Returns:
      The tracker; its provenance has the SHA-256 of each, as "mean_of", in addition
      to theirs.

    Raises:
      InputError: two are of different networks.
    """
    (source, first), *others = trackers.items()
    shapes = _shapes(first)
    for name, other in others:
        fit = match(shapes, flatten_dict(dict(other.variables), sep="/"))
        if not fit.is_whole or _network(other) != _network(first):
            raise InputError(
                f"{name} is another network than {source}: average only trainings of "
                "one network that started from the same weights"
            )
    if not others:
        return first
    variables = jax.tree.map(
        lambda *arrays: np.mean(arrays, axis=0, dtype=np.float64).astype(np.float32),
        *(one.variables for one in trackers.values()),
    )
    provenance = {}
    for one in trackers.values():
        provenance |= one.provenance
    provenance["mean_of"] = {
        name: hash_arrays(one.variables) for name, one in trackers.items()
    }
    step = max(one.step for one in trackers.values())
    return Bundle(first.config, variables, step, provenance)


def _shapes(loaded):
    """Returns name -> shape of a tracker's arrays."""
    arrays = flatten_dict(dict(loaded.variables), sep="/")
    return {name: array.shape for name, array in arrays.items()}


def _network(loaded):
    """Returns the settings that define a network, without how it was initialized."""
    return {
        name: value
        for name, value in config_lib.of_tracking(loaded.config).items()
        if not config_lib.is_of_tracking(name) and name != "model.pretrained"
    }
