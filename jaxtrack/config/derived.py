"""Numbers that follow from the settings."""

import math
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from jaxtrack.errors import InputError

if TYPE_CHECKING:
    from jaxtrack.ops.preprocess import Preprocessing


def steps_per_epoch(config: ConfigDict) -> int:
    """Returns the whole batches in an epoch's pairs."""
    return config.run.pairs_per_epoch // config.run.batch_size


def total_steps(config: ConfigDict) -> int:
    """Returns the optimizer steps of the whole training."""
    return config.run.num_epochs * steps_per_epoch(config)


def epochs_to_steps(config: ConfigDict, epochs: float) -> int:
    """Returns the step at which `epochs` (a fraction is allowed) have passed."""
    return math.ceil(epochs * steps_per_epoch(config))


def preprocessing(config: ConfigDict) -> "Preprocessing":
    """Returns what the network's weights expect of an image.

    Raises:
      InputError: it is left to the backbone, and not settled yet.
    """
    from jaxtrack.ops.preprocess import Preprocessing  # Settings load without jax.

    p = config.model.preprocessing
    if not p.order:
        raise InputError(
            'config.model.preprocessing.order is "", the backbone\'s: settle it by '
            "jaxtrack.trackers.with_preprocessing"
        )
    return Preprocessing(order=p.order, mean=tuple(p.mean), scale=tuple(p.scale))
