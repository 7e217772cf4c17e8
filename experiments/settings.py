"""Settings of a study's trainings: from files, the command line and a budget."""

import ast
import importlib.util
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError

WARMUP = 0.1  # Share of the steps.
CHECKPOINT_EVERY = 50
# The study's own; `--set` may not change them.
_OWN = (
    *("seed", "num_epochs", "pairs_per_epoch", "warmup_epochs", "backbone_from_epoch"),
    *("records", "record_weights"),
)


def load(path: str | pathlib.Path) -> ConfigDict:
    """Reads the settings of a file such as configs/siamcar_lite0.py.

    Args:
      path: a Python file with `get_config()`.

    Returns:
      Its settings, locked.

    Raises:
      InputError: there is no such file, or no such function in it.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"no config file {path}: see the folder configs/")
    spec = importlib.util.spec_from_file_location(f"_config_{path.stem}", path)
    if spec is None:
        raise InputError(f"config file {path}: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise InputError(f"config file {path}: it has no function get_config()")
    return module.get_config()


def parse_overrides(entries: Sequence[str]) -> dict[str, Any]:
    """Reads the `FIELD=VALUE` of the command line.

    Args:
      entries: as typed; a value is a Python literal, or else a text as it stands.

    Returns:
      Field, perhaps dotted, -> value.

    Raises:
      InputError: not of that form, a field twice, or one that the study sets.
    """
    fields: dict[str, Any] = {}
    for entry in entries:
        name, separator, text = entry.partition("=")
        if not (name and separator):
            raise InputError(f"--set={entry}: expected FIELD=VALUE")
        if name in fields:
            raise InputError(f"--set={entry}: {name} is given twice")
        if name in _OWN:
            raise InputError(f"--set={entry}: the study itself sets {name}")
        try:
            fields[name] = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            fields[name] = text
    return fields


def override(config: ConfigDict, fields: Mapping[str, Any], *, source: str) -> None:
    """Changes fields in place.

    Args:
      config: the settings.
      fields: name, perhaps dotted, -> value.
      source: what messages call the origin of the fields.

    Raises:
      InputError: a field does not exist, or has another type.
    """
    for name, value in fields.items():
        *groups, last = name.split(".")
        try:
            part = config
            for group in groups:
                part = part[group]
            part[last] = value
        except (AttributeError, KeyError, TypeError) as fault:
            reason = str(fault.args[0]).split("\n")[0]
            raise InputError(f"{source} {name}={value!r}: {reason}") from None


def with_budget(config: ConfigDict, *, pairs: int) -> dict[str, Any]:
    """Fields that give a training `pairs // batch_size` steps and scale its schedule.

    One epoch is the whole training; its first tenth is warm-up, and the backbone stays
    frozen.

    Args:
      config: the settings; its `batch_size` counts.
      pairs: to train on.

    Returns:
      Field -> value, for `override`.

    Raises:
      InputError: the pairs do not fill a batch.
    """
    steps = pairs // config.batch_size
    if steps < 1:
        raise InputError(
            f"--pairs={pairs}: fewer than one batch of {config.batch_size}"
        )
    return {
        "num_epochs": 1,
        "pairs_per_epoch": steps * config.batch_size,
        "warmup_epochs": WARMUP,
        "backbone_from_epoch": 1.0,
        "checkpoint_every": CHECKPOINT_EVERY,
    }


def finish(
    path: str | pathlib.Path,
    *,
    overrides: Mapping[str, Any],
    given: Mapping[str, Any],
    pairs: int,
    seed: int,
) -> ConfigDict:
    """Makes the settings of one training.

    Args:
      path: the config file.
      overrides: fields that the user set.
      given: fields that the study sets first; the user's go over them.
      pairs: to train on.
      seed: of the training.

    Returns:
      The settings, checked.

    Raises:
      InputError: a field or value that cannot be used.
    """
    config = load(path)
    override(config, given, source=f"{path}:")
    override(config, overrides, source="--set:")
    budget = {**with_budget(config, pairs=pairs), "seed": seed}
    override(
        config,
        {k: v for k, v in budget.items() if k not in overrides},
        source=f"{path}:",
    )
    config_lib.check(config)
    return config


def flat(config: ConfigDict | Mapping[str, Any]) -> dict[str, Any]:
    """Returns dotted field -> value, as JSON holds it (tuples are lists)."""
    fields: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, (ConfigDict, Mapping)):
            fields |= {f"{name}.{n}": v for n, v in flat(value).items()}
        else:
            fields[name] = json.loads(json.dumps(value))
    return fields


def differences(a: ConfigDict, b: ConfigDict) -> dict[str, list]:
    """Says in which fields two settings differ.

    Args:
      a: the one.
      b: the other.

    Returns:
      Field -> its two values; None where one has no such field.
    """
    a, b = flat(a), flat(b)
    names = sorted(set(a) | set(b))
    return {n: [a.get(n), b.get(n)] for n in names if a.get(n) != b.get(n)}


def revive(saved: Mapping[str, Any]) -> ConfigDict:
    """Makes settings of what JSON kept of them: its lists were tuples."""

    def inner(value):
        if isinstance(value, Mapping):
            return {name: inner(part) for name, part in value.items()}
        return tuple(inner(v) for v in value) if isinstance(value, list) else value

    return ConfigDict(inner(saved)).lock()
