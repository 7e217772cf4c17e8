"""Checks a configuration and derives the numbers that follow from it."""

import dataclasses
import math
import pathlib

from ml_collections import ConfigDict

from jaxtrack.errors import InputError
from jaxtrack.ops.preprocess import Preprocessing

_CHOICES = {
    "correlation": ("", "depthwise", "pixelwise", "both"),
    "localization": ("", "lafa", "aggregation", "non_local", "tower", "centerness"),
    "dtype": ("float32", "bfloat16"),
    "assigner": ("rectangle", "circle", "ellipse", "iou", "dla"),
    "dla_ddof": (0, 1),
    "dla_empty": ("clamp", "argmax", "skip"),
    "negative_pairs": ("all", "window", "positives"),
    "loss": ("siamcar", "siamla", "siamrpnpp", "siamfcpp"),
    "labels": ("ladl", "region"),
    "label_curve": ("logistic", "linear"),
    "cls_reduction": ("balanced", "positives", "cells"),
    "negative_target": ("zero", "iou"),
    "regression": ("iou", "giou"),
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
)
_POSITIVE = (
    *("batch_size", "accumulate", "num_epochs", "pairs_per_epoch", "frame_range"),
    *("log_every", "checkpoint_every", "keep_latest"),
    *("synthetic_tracks", "synthetic_length", "lr", "clip_norm", "label_beta"),
    *("positive_radius", "dla_points", "virtual_anchor"),
)
_COUNTS = (
    *("num_workers", "keep_every", "hard_negatives", "seed", "ignore_radius"),
    *("dla_negatives", "sampled_positives", "sampled_negatives", "focal_gamma"),
    "train_search_size",
)


def check(config: ConfigDict) -> None:
    """Refuses settings that cannot work, before anything is built from them.

    Args:
      config: as `configs.common.get_config` makes it, perhaps changed.

    Raises:
      InputError: naming the field, its value and what it may be.
    """
    for name, choices in _CHOICES.items():
        if config[name] not in choices:
            raise InputError(f"config.{name} is {config[name]!r}: use one of {choices}")
    for name in _FRACTIONS:
        if not 0 <= config[name] <= 1:
            raise InputError(f"config.{name} is {config[name]}: it must lie in [0, 1]")
    for name in _POSITIVE:
        if not config[name] > 0:
            raise InputError(f"config.{name} is {config[name]}: it must be positive")
    for name in _COUNTS:
        if config[name] < 0:
            raise InputError(
                f"config.{name} is {config[name]}: it must not be negative"
            )
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
    if config.iou_low > config.iou_high:
        raise InputError(
            f"config.iou_low is {config.iou_low}, above config.iou_high "
            f"{config.iou_high}: an anchor would be positive and negative"
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
    """
    names = [f.name for f in dataclasses.fields(cls) if f.name not in given]
    return cls(**given, **{n: config[n] for n in names if n in config})
