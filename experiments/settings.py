"""Settings of an experiment's trainings: files, a budget of pairs, and changes."""

import json
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack import configs
from jaxtrack.cli import overrides
from jaxtrack.errors import InputError

WARMUP = 0.1  # Share of the steps.
CHECKPOINT_EVERY = 50
# Set by the experiment; the user may not change them.
RESERVED = (
    *(
        "run.seed",
        "run.num_epochs",
        "run.pairs_per_epoch",
        "optimizer.warmup_epochs",
        "optimizer.backbone_from_epoch",
    ),
    *("data.records", "data.record_weights"),
)

# Of these the batches depend on: whole groups, and single fields.
_BATCH_GROUPS = ("data.", "augment.")
_BATCH_FIELDS = ("run.seed", "run.batch_size", "run.num_epochs", "run.pairs_per_epoch")

# Changed settings: pairs of a dotted field and its value as text.
Changes = Sequence[tuple[str, str]]


def find(names: Sequence[str]) -> dict[str, pathlib.Path]:
    """Finds config files.

    Args:
      names: what `jaxtrack.configs.load` takes, or folders of `configs/`, which stand
        for all their files, sorted.

    Returns:
      Name -> file, in the order given. Files of one name are numbered: x_1, x_2.

    Raises:
      InputError: there is no such config.
    """
    files = []
    for name in names:
        inner = [known for known in configs.names() if known.startswith(f"{name}/")]
        files += [configs.find(known) for known in inner or [name]]
    if not files:
        raise InputError("--config: name at least one config")
    total, number = Counter(file.stem for file in files), Counter()
    named = {}
    for file in files:
        number[file.stem] += 1
        suffix = f"_{number[file.stem]}" if total[file.stem] > 1 else ""
        named[file.stem + suffix] = file
    return named


def of_training(
    path: pathlib.Path,
    *,
    pairs: int,
    seed: int,
    data: Mapping[str, Any],
    changes: Changes = (),
) -> ConfigDict:
    """Makes the settings of one training: one epoch of `pairs // batch_size` steps.

    The first tenth of the steps is warm-up. The backbone stays frozen, or trains from
    that share of the training on from which the config trains it.

    Args:
      path: the config file.
      pairs: to train on.
      seed: of the training.
      data: fields that say what to train on.
      changes: what the user changed; it replaces all else.

    Returns:
      The settings, checked.

    Raises:
      InputError: a field or value that cannot be used, or pairs that fill no batch.
    """
    config, changed = configs.load(path), dict(changes)
    if reserved := [name for name in changed if name in RESERVED]:
        raise InputError(f"--config.{reserved[0]}: the experiment itself sets it")
    config.update_from_flattened_dict(data)
    overrides.apply(config, changes)
    steps = pairs // config.run.batch_size
    if steps < 1:
        raise InputError(
            f"--pairs={pairs}: fewer than one batch of {config.run.batch_size}"
        )
    frozen = config.optimizer.backbone_from_epoch / config.run.num_epochs
    schedule = {
        "run.seed": seed,
        "run.num_epochs": 1,
        "run.pairs_per_epoch": steps * config.run.batch_size,
        "optimizer.warmup_epochs": WARMUP,
        "optimizer.backbone_from_epoch": min(frozen, 1.0),
        "run.checkpoint_every": CHECKPOINT_EVERY,
    }
    config.update_from_flattened_dict(
        {name: value for name, value in schedule.items() if name not in changed}
    )
    config_lib.check(config)
    return config


def flat_json(config: ConfigDict) -> dict[str, Any]:
    """Returns dotted field -> value, as JSON holds it (tuples are lists)."""
    return config_lib.flat(json.loads(config.to_json()))


def differences(trainings: Sequence[ConfigDict]) -> dict[str, list[Any]]:
    """Returns the fields that are not the same in all settings.

    Args:
      trainings: the settings.

    Returns:
      Field -> its value in each, in their order.
    """
    fields = [flat_json(config) for config in trainings]
    values = {name: [f[name] for f in fields] for name in sorted(fields[0])}
    return {name: row for name, row in values.items() if row.count(row[0]) < len(row)}


def check_same_batches(trainings: Sequence[ConfigDict]) -> None:
    """Rejects settings that do not draw the same batches.

    Args:
      trainings: the settings.

    Raises:
      InputError: a field that the batches depend on differs.
    """
    for name, values in differences(trainings).items():
        if name.startswith(_BATCH_GROUPS) or name in _BATCH_FIELDS:
            raise InputError(
                f"--together: {name} is {', '.join(map(str, values))}: trainings on "
                "the same batches have one value; leave --together out"
            )
