"""Tests for jaxtrack.config.check."""

import re

import pytest

from jaxtrack import config as config_lib
from jaxtrack.config.fields import FIELDS
from jaxtrack.errors import InputError

# Field, value -> what the error says.
REFUSED = (
    ("schedule", "linear", 'config.schedule is \'linear\': use one of "log", "cosine'),
    ("flip", 1.5, "config.flip is 1.5: it must be in [0, 1]"),
    ("flip", float("nan"), "config.flip is nan: it must be in [0, 1]"),
    ("batch_size", 0, "config.batch_size is 0: it must be above 0"),
    ("num_workers", -1, "config.num_workers is -1: it must be at least 0"),
    ("batch_size", 10_000_000, "an epoch would have no step"),
    ("synthetic_weight", 0.0, "nothing to train on"),
    ("localization", "lava", "config.localization is 'lava'"),
    ("num_boxes", 10, "config.num_boxes is 10: it must be in [1, 9]"),
    ("num_boxes", 0, "config.num_boxes is 0"),
    ("records", ("no/such",), "no/such, which is no folder"),
    ("record_weights", (1.0,), "1 numbers for 0 folders"),
    ("record_weights", (1.0, -1.0), "config.record_weights is (1.0, -1.0): it must be"),
    ("preprocessing.scale", (1.0, 0.0, 1.0), "(1.0, 0.0, 1.0): it must be above 0"),
    ("preprocessing.mean", (1.0,), "config.preprocessing.mean is (1.0,): give 3"),
    ("preprocessing.order", "GRB", "config.preprocessing.order is 'GRB'"),
    ("assigner", "square", "config.assigner is 'square'"),
    ("dla_ddof", 2, "config.dla_ddof is 2: use one of 0, 1"),
    ("dla_empty", "none", "config.dla_empty is 'none'"),
    ("negative_pairs", "some", "config.negative_pairs is 'some'"),
    ("positive_radius", 0.0, "config.positive_radius is 0.0: it must be above 0"),
    ("dla_points", 0, "config.dla_points is 0: it must be above 0"),
    ("dla_points", 1, "config.dla_points is 1: a deviation with config.dla_ddof 1"),
    ("loss_weights", (1.0, 1.2), "config.loss_weights is (1.0, 1.2): give 3 numbers"),
    ("virtual_anchor", 0.0, "config.virtual_anchor is 0.0: it must be above 0"),
    ("ignore_radius", -1.0, "config.ignore_radius is -1.0: it must be at least 0"),
    ("dla_negatives", -1, "config.dla_negatives is -1: it must be at least 0"),
    ("sampled_positives", -1, "config.sampled_positives is -1"),
    ("sampled_negatives", -1, "config.sampled_negatives is -1"),
    ("focal_gamma", -0.5, "config.focal_gamma is -0.5"),
    ("train_search_size", -1, "config.train_search_size is -1"),
    ("focal_alpha", 1.1, "config.focal_alpha is 1.1: it must be in [0, 1]"),
    ("iou_low", -0.1, "config.iou_low is -0.1: it must be in [0, 1]"),
    ("iou_high", 0.2, "config.iou_low is 0.3, above config.iou_high 0.2"),
    ("refinement", "both", "config.refinement is 'both': use one of"),
    ("pooling", "roialign", "config.pooling is 'roialign': use one of"),
    ("regression", "l2", "config.regression is 'l2'"),
    ("lr", 0.0, "config.lr is 0.0: it must be above 0"),
    ("refine.train_proposals", 0, "config.refine.train_proposals is 0: it must be"),
    ("refine.jittered", -1, "config.refine.jittered is -1: it must be at least 0"),
    ("refine.positive_iou", 1.5, "config.refine.positive_iou is 1.5: it must be in"),
    ("refine.weight", -0.1, "config.refine.weight is -0.1: it must be in"),
    ("refine.identifier", 2.0, "config.refine.identifier is 2.0: it must be in"),
    ("refine.window", 1.1, "config.refine.window is 1.1: it must be in"),
    ("refine.proposals", 0, "config.refine.proposals is 0: it must be above 0"),
    (
        *("refine.positives", 33),
        "config.refine.positives is 33, above config.refine.samples 32: make it at",
    ),
    (
        *("refine.samples", 73),
        "refine.samples is 73: there are but 64 train_proposals and 8 jittered",
    ),
    ("online.every", 0, "config.online.every is 0: it must be above 0"),
    ("online.iterations", -1, "config.online.iterations is -1: it must be at least 0"),
    ("online.short_frames", -1, "config.online.short_frames is -1: it must be"),
    ("online.rate", 1.01, "config.online.rate is 1.01: it must be in"),
    ("online.success", -0.5, "config.online.success is -0.5: it must be in"),
    ("online.groups", 1, "config.online.groups is 1: it must be at least 2"),
    (
        *("online.positives", 201),
        "online.positives is 201, above config.online.first_positives 200",
    ),
    (
        *("online.first_negatives", 150),
        "online.negatives is 200, above config.online.first_negatives 150",
    ),
    (
        *("online.candidates", 199),
        "online.negatives is 200, above config.online.candidates 199",
    ),
)
TAKEN = (
    ("refine.positives", 32),  # As many as refine.samples.
    ("refine.samples", 72),  # 64 and 8 jittered.
    ("refine.jittered", 0),
    ("online.positives", 200),
    ("online.candidates", 200),
    ("online.groups", 2),
    ("online.iterations", 0),
    ("refine.positive_iou", 1.0),
    ("refine.weight", 0.0),
)


def changed(field, value):
    config = config_lib.get_config()
    config.update_from_flattened_dict({field: value})
    return config


def test_what_cannot_work_is_refused():
    for field, value, message in REFUSED:
        with pytest.raises(InputError, match=re.escape(message)):
            config_lib.check(changed(field, value))


def test_what_just_works_is_taken():
    for field, value in TAKEN:
        config_lib.check(changed(field, value))


def beyond(field):
    """Returns a number or text just out of a field's range; None where all are in."""
    if field.choices:
        return "none" if isinstance(field.default, str) else 99
    if field.above is not None:
        return field.above
    if field.least is not None:
        return field.least - 1
    return field.within and field.within[1] + 1


def test_every_limit_of_the_table_holds():
    for field in FIELDS:
        value = beyond(field)
        if value is None:
            continue
        if isinstance(field.default, tuple):
            value = (float(value),) * max(field.length, 1)
        value = type(field.default)(value)
        with pytest.raises(InputError, match=rf"config\.{field.name} is "):
            config_lib.check(changed(field.name, value))
