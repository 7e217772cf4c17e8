"""Checks a configuration and derives the numbers that follow from it."""

import dataclasses
import functools
import math
import operator
import pathlib

from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.ops.preprocess import Preprocessing

_CHOICES = {
    "correlation": ("", "depthwise", "pixelwise", "both"),
    "localization": ("", "lafa", "aggregation", "non_local", "tower", "centerness"),
    "refinement": ("", "cascade", "parallel"),
    "pooling": ("", "pyramid", "single"),
    "dtype": ("float32", "bfloat16"),
    "assigner": ("rectangle", "circle", "ellipse", "iou", "dla"),
    "dla_ddof": (0, 1),
    "dla_empty": ("clamp", "argmax", "skip"),
    "negative_pairs": ("all", "window", "positives"),
    "loss": ("siamcar", "siamla", "siamrpnpp", "siamfcpp", "cract"),
    "labels": ("ladl", "region"),
    "label_curve": ("logistic", "linear"),
    "cls_reduction": ("balanced", "positives", "cells"),
    "negative_target": ("zero", "iou"),
    "regression": ("iou", "giou", "smooth_l1"),
    "quality": ("centerness", "iou"),
    "optimizer": ("sgd", "adamw"),
    "schedule": ("log", "cosine"),
    "selection": ("released", "pysot", "clean"),
}
_FRACTIONS = (
    *("negative_ratio", "template_blur", "search_blur", "flip", "gray", "fill_image"),
    *("occluder", "motion_blur", "low_resolution", "noise", "tone"),
    *("window", "size_rate", "ema_decay", "momentum", "adam_b2"),
    *("label_smoothing", "label_alpha", "positive_size"),
    *("iou_high", "iou_low", "focal_alpha"),
    *("refine.train_nms_iou", "refine.positive_iou", "refine.nms_iou"),
    *("refine.weight", "refine.identifier", "refine.window"),
    *("online.success", "online.rate", "online.hard_rate", "online.distractor"),
)
_POSITIVE = (
    *("batch_size", "accumulate", "num_epochs", "pairs_per_epoch", "frame_range"),
    *("log_every", "checkpoint_every", "keep_latest"),
    *("synthetic_tracks", "synthetic_length", "lr", "clip_norm", "label_beta"),
    *("positive_radius", "dla_points", "virtual_anchor"),
    *("refine.train_proposals", "refine.samples", "refine.positives"),
    *("refine.proposals", "online.channels", "online.hidden"),
    *("online.positives", "online.negatives", "online.every"),
)
_COUNTS = (
    *("num_workers", "keep_every", "hard_negatives", "seed", "ignore_radius"),
    *("dla_negatives", "sampled_positives", "sampled_negatives", "focal_gamma"),
    *("train_search_size", "refine.jittered"),
    *("online.first_steps", "online.first_iterations", "online.iterations"),
    "online.short_frames",
)
# Pairs of fields of which the first must not be larger than the second.
_ORDERED = (
    ("iou_low", "iou_high"),
    ("refine.positives", "refine.samples"),
    ("online.positives", "online.first_positives"),
    ("online.negatives", "online.first_negatives"),
    ("online.negatives", "online.candidates"),
)


# Fields that tracking alone reads: they may change after a training.
TRACKING = (
    *("selection", "penalty", "window", "size_rate", "quality_power", "num_boxes"),
    *("rate_by_quality", "refine.proposals", "refine.nms_iou", "refine.weight"),
    *("refine.identifier", "refine.window", "online"),
)


def is_of_tracking(name: str) -> bool:
    """Tells whether tracking alone reads a field.

    Args:
      name: of the field, dotted where it lies in a part of the settings.

    Returns:
      Whether a checkpoint may be tracked with another value of it.
    """
    return name in TRACKING or name.split(".")[0] in TRACKING


def check(config: ConfigDict) -> None:
    """Refuses settings that cannot work, before anything is built from them.

    Args:
      config: as `jaxtrack.configs.common.get_config` makes it, perhaps changed.

    Raises:
      InputError: naming the field, its value and what it may be.
    """
    _check_ranges(config)
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
    if len(config.loss_weights) != 3:
        raise InputError(
            f"config.loss_weights is {config.loss_weights}: give three numbers, for "
            "classification, regression and quality"
        )
    refine = config.refine
    if refine.samples > refine.train_proposals + refine.jittered:
        raise InputError(
            f"config.refine.samples is {refine.samples}: there are but "
            f"{refine.train_proposals} train_proposals and {refine.jittered} jittered"
        )
    if config.online.groups < 2:
        raise InputError(
            f"config.online.groups is {config.online.groups}: give at least 2, for the "
            "first frame and another"
        )
    if not 1 <= config.num_boxes <= 9:
        raise InputError(
            f"config.num_boxes is {config.num_boxes}: a cell and its neighbours are 9"
        )
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
                f"config.records names {folder}, which is no folder: pack one with "
                "python -m jaxtrack.data.build"
            )


def _check_ranges(config):
    """Refuses single values that lie out of their range."""
    for name, choices in _CHOICES.items():
        if (value := _value(config, name)) not in choices:
            raise InputError(f"config.{name} is {value!r}: use one of {choices}")
    for name in _FRACTIONS:
        if not 0 <= (value := _value(config, name)) <= 1:
            raise InputError(f"config.{name} is {value}: it must lie in [0, 1]")
    for name in _POSITIVE:
        if not (value := _value(config, name)) > 0:
            raise InputError(f"config.{name} is {value}: it must be positive")
    for name in _COUNTS:
        if (value := _value(config, name)) < 0:
            raise InputError(f"config.{name} is {value}: it must not be negative")
    for low, high in _ORDERED:
        if _value(config, low) > _value(config, high):
            raise InputError(
                f"config.{low} is {_value(config, low)}, above config.{high} "
                f"{_value(config, high)}: make it at most that"
            )


def _value(config, name):
    """Returns a field; a dot leads into a part of the settings."""
    return functools.reduce(operator.getitem, name.split("."), config)


def steps_per_epoch(config: ConfigDict) -> int:
    """Returns the whole batches in an epoch's pairs."""
    return config.pairs_per_epoch // config.batch_size


def total_steps(config: ConfigDict) -> int:
    """Returns the optimizer steps of the whole training."""
    return config.num_epochs * steps_per_epoch(config)


def epochs_to_steps(config: ConfigDict, epochs: float) -> int:
    """Returns the step at which `epochs` (a fraction is allowed) have passed."""
    return math.ceil(epochs * steps_per_epoch(config))


def preprocessing(config: ConfigDict) -> Preprocessing:
    """Returns what the network's weights expect of an image."""
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
            "configs.common.get_config, which has every field"
        )
    return cls(**given, **{name: config[name] for name in names})
