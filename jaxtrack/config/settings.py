"""The settings as a locked dictionary, and numbers derived from them."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from jaxtrack.config.describe import unknown
from jaxtrack.config.fields import FIELDS
from jaxtrack.errors import InputError

if TYPE_CHECKING:
    from jaxtrack.ops.preprocess import Preprocessing

# Groups that only tracking reads: they may change after training.
TRACKING = ("tracking", "online")
# Groups and fields that tracking reads: a trained tracker's file keeps them.
_READ_IN_TRACKING = (*TRACKING, "model", "data.context")


def get_config() -> ConfigDict:
    """Returns the default settings: every field of `jaxtrack.config.fields`.

    The dictionary is locked: setting an unknown field, in a config file or by a flag
    such as `--config.batch_sise=8`, is an error.
    """
    config = ConfigDict()
    for field in FIELDS:
        part = config
        *groups, name = field.name.split(".")
        for group in groups:
            if group not in part:
                part[group] = ConfigDict()
            part = part[group]
        part[name] = field.default
    return config.lock()


def flat(config: ConfigDict | Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings as a flat dictionary: dotted field -> value."""
    fields = {}
    for name, value in config.items():
        if isinstance(value, ConfigDict | Mapping):
            fields |= {f"{name}.{inner}": v for inner, v in flat(value).items()}
        else:
            fields[name] = value
    return fields


def from_saved(saved: Mapping[str, Any], *, source: str) -> ConfigDict:
    """Restores settings from JSON, where tuples became lists.

    Args:
      saved: every field, as written by `ConfigDict.to_json`.
      source: the file or folder, for the error message.

    Returns:
      The settings, locked.

    Raises:
      InputError: fields are missing or unknown; names them.
    """
    config = get_config()
    return _filled(config, flat(saved), flat(config), source, "train again")


def of_tracking(config: ConfigDict) -> dict[str, Any]:
    """Returns the fields that tracking reads: dotted field -> value.

    Args:
      config: the settings, such as those of a training.
    """
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in flat(config).items()
        if name in _READ_IN_TRACKING or name.split(".")[0] in _READ_IN_TRACKING
    }


def from_tracking(saved: Mapping[str, Any], *, source: str) -> ConfigDict:
    """Restores settings from the fields of `of_tracking`; all others are the defaults.

    Args:
      saved: dotted field -> value, as read from JSON.
      source: the file, for the error message.

    Returns:
      The settings, locked.

    Raises:
      InputError: fields are missing or unknown; names them.
    """
    config = get_config()
    mend = "write it again with `jaxtrack weights export`"
    return _filled(config, saved, of_tracking(config), source, mend)


def _filled(config, values, known, source, mend):
    """Sets the fields to saved values, which must be complete for this version."""
    faults = {
        "lacks": [name for name in known if name not in values],
        "has the unknown": [name for name in values if name not in known],
    }
    told = [f"{what} {', '.join(names)}" for what, names in faults.items() if names]
    if told:
        raise InputError(
            f"{source} has the settings of another version: it "
            f"{' and '.join(told)}; {mend}"
        )
    update(config, values, source=source)
    return config


def update(config: ConfigDict, values: Mapping[str, Any], *, source: str) -> None:
    """Changes fields in place.

    Args:
      config: the settings.
      values: dotted field -> value; lists, as in JSON, become tuples.
      source: where the values come from, for the error message.

    Raises:
      InputError: a field does not exist (suggests a similar one), or a value does not
        have the type of the field.
    """
    known = flat(config)
    for name, value in values.items():
        if name not in known:
            raise InputError(f"{source}: {unknown(name)}")
        value = tuple(value) if isinstance(value, list) else value
        try:
            config.update_from_flattened_dict({name: value})
        except TypeError:
            kind = type(known[name]).__name__
            raise InputError(
                f"{source}: config.{name} is {value!r}: it must be of type {kind}"
            ) from None


def is_of_tracking(name: str) -> bool:
    """Returns whether only tracking reads a field.

    Such a field can be changed for a trained checkpoint.

    Args:
      name: of the field or a group.
    """
    return name.split(".")[0] in TRACKING


def is_known(name: str) -> bool:
    """Returns whether a dotted name is a setting or a group of settings."""
    return any(f.name == name or f.name.startswith(f"{name}.") for f in FIELDS)


def steps_per_epoch(config: ConfigDict) -> int:
    """Returns the number of whole batches in an epoch."""
    return config.run.pairs_per_epoch // config.run.batch_size


def total_steps(config: ConfigDict) -> int:
    """Returns the number of optimizer steps of the whole training."""
    return config.run.num_epochs * steps_per_epoch(config)


def epochs_to_steps(config: ConfigDict, epochs: float) -> int:
    """Returns the step after `epochs` epochs; fractions are allowed."""
    return math.ceil(epochs * steps_per_epoch(config))


def preprocessing(config: ConfigDict) -> "Preprocessing":
    """Returns the preprocessing that the network's weights expect.

    Raises:
      InputError: it is still left to the backbone.
    """
    from jaxtrack.ops.preprocess import Preprocessing  # Settings load without jax.

    p = config.model.preprocessing
    if not p.order:
        raise InputError(
            'config.model.preprocessing.order is "", the backbone\'s: set it with '
            "jaxtrack.trackers.with_preprocessing"
        )
    return Preprocessing(order=p.order, mean=tuple(p.mean), scale=tuple(p.scale))
