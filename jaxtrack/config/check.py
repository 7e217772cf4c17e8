"""Refuses settings that cannot work."""

import functools
import operator
import pathlib

from ml_collections import ConfigDict

from jaxtrack.config.fields import FIELDS
from jaxtrack.errors import InputError

# Pairs of fields of which the first must not be larger than the second.
_ORDERED = (
    ("iou_low", "iou_high"),
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
    for field in FIELDS:
        value = _value(config, field.name)
        if problem := field.problem(value):
            raise InputError(f"config.{field.name} is {value!r}: {problem}")
    for low, high in _ORDERED:
        if _value(config, low) > _value(config, high):
            raise InputError(
                f"config.{low} is {_value(config, low)}, above config.{high} "
                f"{_value(config, high)}: make it at most that"
            )
    _check_counts(config)
    _check_data(config)


def _check_counts(config):
    """Refuses numbers that leave too little of something."""
    if config.pairs_per_epoch < config.batch_size:
        raise InputError(
            f"config.pairs_per_epoch is {config.pairs_per_epoch}, less than "
            f"config.batch_size {config.batch_size}: an epoch would have no step"
        )
    if config.dla_points <= config.dla_ddof:
        raise InputError(
            f"config.dla_points is {config.dla_points}: a deviation with "
            f"config.dla_ddof {config.dla_ddof} needs more"
        )
    refine = config.refine
    if refine.samples > refine.train_proposals + refine.jittered:
        raise InputError(
            f"config.refine.samples is {refine.samples}: there are but "
            f"{refine.train_proposals} train_proposals and {refine.jittered} jittered"
        )


def _check_data(config):
    """Refuses sources of training pairs that are not there."""
    weights = config.record_weights
    if weights and len(weights) != len(config.records):
        raise InputError(
            f"config.record_weights has {len(weights)} numbers for "
            f"{len(config.records)} folders in config.records: give one each"
        )
    if not config.records and not config.synthetic_weight > 0:
        raise InputError(
            "there is nothing to train on: name packed folders in config.records, "
            "or set config.synthetic_weight above 0"
        )
    for folder in config.records:
        if not pathlib.Path(folder).is_dir():
            raise InputError(
                f"config.records names {folder}, which is no folder: make one "
                "by `jaxtrack pack`"
            )


def _value(config, name):
    """Returns a field by its dotted name."""
    return functools.reduce(operator.getitem, name.split("."), config)
