"""Refuses settings that cannot work."""

import functools
import operator

from ml_collections import ConfigDict

from jaxtrack.config.fields import FIELDS
from jaxtrack.errors import InputError

# Pairs of fields of which the first must not be larger than the second.
_ORDERED = (
    ("labels.iou_low", "labels.iou_high"),
    ("refine.positives", "refine.samples"),
    ("online.positives", "online.first_positives"),
    ("online.negatives", "online.first_negatives"),
    ("online.negatives", "online.candidates"),
)


def check(config: ConfigDict) -> None:
    """Refuses settings that cannot work, before anything is built from them.

    Args:
      config: as `get_config` makes it, perhaps changed.

    Raises:
      InputError: naming the field, its value and what it may be.
    """
    check_ranges(config)
    for low, high in _ORDERED:
        if _value(config, low) > _value(config, high):
            raise InputError(
                f"config.{low} is {_value(config, low)}, above config.{high} "
                f"{_value(config, high)}: make it at most that"
            )
    _check_counts(config)
    _check_data(config)


def check_ranges(config: ConfigDict) -> None:
    """Refuses values that their own fields do not allow.

    Args:
      config: as `get_config` makes it, perhaps changed.

    Raises:
      InputError: naming the field, its value and what it may be.
    """
    for field in FIELDS:
        value = _value(config, field.name)
        if problem := field.problem(value):
            raise InputError(f"config.{field.name} is {value!r}: {problem}")


def _check_counts(config):
    """Refuses numbers that leave too little of something."""
    run, labels, refine = config.run, config.labels, config.refine
    if run.pairs_per_epoch < run.batch_size:
        raise InputError(
            f"config.run.pairs_per_epoch is {run.pairs_per_epoch}, less than "
            f"config.run.batch_size {run.batch_size}: an epoch would have no step"
        )
    if labels.dla_points <= labels.dla_ddof:
        raise InputError(
            f"config.labels.dla_points is {labels.dla_points}: a deviation with "
            f"config.labels.dla_ddof {labels.dla_ddof} needs more"
        )
    if refine.samples > refine.train_proposals + refine.jittered:
        raise InputError(
            f"config.refine.samples is {refine.samples}: there are but "
            f"{refine.train_proposals} train_proposals and {refine.jittered} jittered"
        )


def _check_data(config):
    """Refuses sources of training pairs that do not go together."""
    data = config.data
    per_folder = {
        f"config.data.{name}": len(data[name])
        for name in ("record_weights", "num_use", "frame_ranges")
        if data[name]
    }
    wrong = {n: count for n, count in per_folder.items() if count != len(data.records)}
    if wrong:
        raise InputError(
            f"{' and '.join(f'{name} has {n} numbers' for name, n in wrong.items())} "
            f"for {len(data.records)} folders in config.data.records: give one each, "
            "or ()"
        )
    if data.record_weights and data.num_use:
        raise InputError(
            "config.data.record_weights and config.data.num_use both say how often a "
            "folder is shown: leave one of them ()"
        )
    if len(data.track_patterns) != len(data.track_weights):
        raise InputError(
            f"config.data.track_weights has {len(data.track_weights)} numbers for "
            f"{len(data.track_patterns)} config.data.track_patterns: give one each"
        )
    if not data.records and not data.composed_weight > 0:
        raise InputError(
            "there is nothing to train on: name packed folders in config.data.records, "
            "or set config.data.composed_weight above 0"
        )


def _value(config, name):
    """Returns a field by its dotted name."""
    return functools.reduce(operator.getitem, name.split("."), config)
