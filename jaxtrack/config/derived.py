"""Numbers that follow from the settings."""

import dataclasses
import math
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from jaxtrack.errors import InputError

if TYPE_CHECKING:
    from jaxtrack.ops.preprocess import Preprocessing


def steps_per_epoch(config: ConfigDict) -> int:
    """Returns the whole batches in an epoch's pairs."""
    return config.pairs_per_epoch // config.batch_size


def total_steps(config: ConfigDict) -> int:
    """Returns the optimizer steps of the whole training."""
    return config.num_epochs * steps_per_epoch(config)


def epochs_to_steps(config: ConfigDict, epochs: float) -> int:
    """Returns the step at which `epochs` (a fraction is allowed) have passed."""
    return math.ceil(epochs * steps_per_epoch(config))


def preprocessing(config: ConfigDict) -> "Preprocessing":
    """Returns what the network's weights expect of an image."""
    from jaxtrack.ops.preprocess import Preprocessing  # Settings load without jax.

    p = config.preprocessing
    return Preprocessing(order=p.order, mean=tuple(p.mean), scale=tuple(p.scale))


def fill_dataclass(cls: type, config: ConfigDict, **given):
    """Makes a dataclass whose fields carry the names of settings.

    Args:
      cls: the dataclass.
      config: where fields that `given` leaves out are read.
      **given: fields that are no settings, or differ from them.

    Returns:
      An instance of `cls`.

    Raises:
      InputError: the settings lack a field; it names all that are missing.
    """
    names = [f.name for f in dataclasses.fields(cls) if f.name not in given]
    missing = [name for name in names if name not in config]
    if missing:
        raise InputError(
            f"{cls.__name__} needs config.{', config.'.join(missing)}: start from "
            "jaxtrack.config.get_config, which has every field"
        )
    return cls(**given, **{name: config[name] for name in names})
