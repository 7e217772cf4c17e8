"""Checks that settings can work."""

import functools
import operator

from ml_collections import ConfigDict

from jaxtrack.config.fields import FIELDS
from jaxtrack.errors import InputError

# Pairs of fields; the first must not be larger than the second.
_ORDERED = (
    ("labels.iou_low", "labels.iou_high"),
    ("refine.positives", "refine.samples"),
    ("online.positives", "online.first_positives"),
    ("online.negatives", "online.first_negatives"),
    ("online.negatives", "online.candidates"),
)


def check(config: ConfigDict) -> None:
    """Checks that settings can work, before anything is built from them.

    Args:
      config: the settings.

    Raises:
      InputError: a value is not allowed; names the field and what is.
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
    """Checks every value against the range of its field.

    Args:
      config: the settings.

    Raises:
      InputError: a value is not allowed; names the field and what is.
    """
    for field in FIELDS:
        value = _value(config, field.name)
        if problem := field.problem(value):
            raise InputError(f"config.{field.name} is {value!r}: {problem}")


def _check_counts(config):
    """Checks numbers that limit each other."""
    run, labels, refine = config.run, config.labels, config.refine
    if run.pairs_per_epoch < run.batch_size:
        raise InputError(
            f"config.run.pairs_per_epoch is {run.pairs_per_epoch}, less than "
            f"config.run.batch_size {run.batch_size}: give an epoch at least one batch"
        )
    if labels.dla_points <= labels.dla_ddof:
        raise InputError(
            f"config.labels.dla_points is {labels.dla_points}: a standard deviation "
            f"with config.labels.dla_ddof {labels.dla_ddof} needs more"
        )
    if refine.samples > refine.train_proposals + refine.jittered:
        raise InputError(
            f"config.refine.samples is {refine.samples}: there are only "
            f"{refine.train_proposals} train_proposals and {refine.jittered} jittered"
        )


def _check_data(config):
    """Checks that the sources of training pairs go together."""
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
            "config.data.record_weights and config.data.num_use both set how often a "
            "folder is sampled: leave one of them ()"
        )
    if len(data.track_patterns) != len(data.track_weights):
        raise InputError(
            f"config.data.track_weights has {len(data.track_weights)} numbers for "
            f"{len(data.track_patterns)} config.data.track_patterns: give one each"
        )
    if data.unlabeled and not config.loss.teachers:
        raise InputError(
            "config.data.unlabeled: nothing can be learned from photographs without "
            "boxes unless a teacher looks at them: name a trained tracker in "
            'config.loss.teachers, or set config.data.unlabeled to ""'
        )
    if not data.records and not data.composed_weight > 0 and not data.unlabeled:
        raise InputError(
            "no training data: name packed folders in config.data.records, or set "
            "config.data.composed_weight above 0"
        )


def _value(config, name):
    """Returns the value of a field by its dotted name."""
    return functools.reduce(operator.getitem, name.split("."), config)
