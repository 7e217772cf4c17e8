"""Settings of an experiment's trainings: from files, the command line and a budget."""

import ast
import importlib.util
import json
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError

CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"
WARMUP = 0.1  # Share of the steps.
CHECKPOINT_EVERY = 50
# Set by the experiment; `--set` may not change them.
RESERVED = (
    *("seed", "num_epochs", "pairs_per_epoch", "warmup_epochs", "backbone_from_epoch"),
    *("records", "record_weights"),
)


def find(
    names: Sequence[str], folder: pathlib.Path = CONFIGS
) -> dict[str, pathlib.Path]:
    """Finds config files.

    Args:
      names: paths that end in `.py`; names of files anywhere in `folder`; or names of
        folders in it, which stand for all their files, sorted.
      folder: where names are looked for.

    Returns:
      Name -> file, in the order given. Files of one name are numbered: x_1, x_2.

    Raises:
      InputError: a name fits no file, or several.
    """
    files = []
    for name in names:
        if name.endswith(".py"):
            found = [path for path in [pathlib.Path(name)] if path.is_file()]
        elif (folder / name).is_dir():
            found = sorted((folder / name).glob("[!_]*.py"))
        else:
            found = sorted(folder.rglob(f"{name}.py"))
            if len(found) > 1:
                places = " and ".join(map(str, found))
                raise InputError(f"--configs: {name} is both {places}: give a path")
        if not found:
            raise InputError(f"--configs: no config {name}: see the folder {folder}")
        files += found
    total, seen = Counter(file.stem for file in files), Counter()
    named = {}
    for file in files:
        seen[file.stem] += 1
        suffix = f"_{seen[file.stem]}" if total[file.stem] > 1 else ""
        named[file.stem + suffix] = file
    return named


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
      Field, dotted where it lies in a group, -> value.

    Raises:
      InputError: not of that form, a field twice, or one that the experiment sets.
    """
    fields: dict[str, Any] = {}
    for entry in entries:
        name, separator, text = entry.partition("=")
        if not (name and separator):
            raise InputError(f"--set={entry}: expected FIELD=VALUE")
        if name in fields:
            raise InputError(f"--set={entry}: {name} is given twice")
        if name in RESERVED:
            raise InputError(f"--set={entry}: the experiment itself sets {name}")
        try:
            fields[name] = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            fields[name] = text
    return fields


def override(config: ConfigDict, fields: Mapping[str, Any], *, source: str) -> None:
    """Changes fields in place.

    Args:
      config: the settings.
      fields: name, dotted where it lies in a group, -> value.
      source: where the fields come from, for messages.

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


def of_training(
    path: str | pathlib.Path,
    *,
    pairs: int,
    seed: int,
    data: Mapping[str, Any],
    overrides: Mapping[str, Any],
) -> ConfigDict:
    """Makes the settings of one training: one epoch of `pairs // batch_size` steps.

    The first tenth of the steps is warm-up, and the backbone stays frozen.

    Args:
      path: the config file.
      pairs: to train on.
      seed: of the training.
      data: fields that say what to train on.
      overrides: fields that the user set; they replace all others.

    Returns:
      The settings, checked.

    Raises:
      InputError: a field or value that cannot be used, or pairs that fill no batch.
    """
    config = load(path)
    override(config, data, source=f"{path}:")
    override(config, overrides, source="--set:")
    steps = pairs // config.batch_size
    if steps < 1:
        raise InputError(
            f"--pairs={pairs}: fewer than one batch of {config.batch_size}"
        )
    schedule = {
        "seed": seed,
        "num_epochs": 1,
        "pairs_per_epoch": steps * config.batch_size,
        "warmup_epochs": WARMUP,
        "backbone_from_epoch": 1.0,
        "checkpoint_every": CHECKPOINT_EVERY,
    }
    left = {name: v for name, v in schedule.items() if name not in overrides}
    override(config, left, source=f"{path}:")
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


def differences(configs: Sequence[ConfigDict]) -> dict[str, list[Any]]:
    """Returns the fields that are not the same in all settings.

    Args:
      configs: the settings.

    Returns:
      Field -> its value in each, in their order; None where one has no such field.
    """
    fields = [flat(config) for config in configs]
    values = {n: [f.get(n) for f in fields] for n in sorted(set().union(*fields))}
    return {name: row for name, row in values.items() if row.count(row[0]) < len(row)}


def from_json(saved: Mapping[str, Any]) -> ConfigDict:
    """Makes settings of what JSON kept of them: its lists were tuples."""

    def restored(value):
        if isinstance(value, Mapping):
            return {name: restored(part) for name, part in value.items()}
        return tuple(map(restored, value)) if isinstance(value, list) else value

    return ConfigDict(restored(saved)).lock()
