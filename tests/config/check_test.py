"""Tests for jaxtrack.config.check."""

import re

import pytest

from jaxtrack import config as config_lib
from jaxtrack.config.fields import FIELDS
from jaxtrack.errors import InputError

# Field, value out of its range -> what the error says it must be.
OUT_OF_RANGE = (
    ("optimizer.schedule", "linear", 'use one of "log", "cosine"'),
    ("augment.flip", 1.5, "it must be in [0, 1]"),
    ("augment.flip", float("nan"), "it must be in [0, 1]"),
    ("run.batch_size", 0, "it must be above 0"),
    ("data.num_workers", -1, "it must be at least 0"),
    ("tracking.num_boxes", 10, "it must be in [1, 9]"),
    ("data.record_weights", (1.0, -1.0), "it must be at least 0"),
    ("model.preprocessing.scale", (1.0, 0.0, 1.0), "it must be above 0"),
    ("model.preprocessing.mean", (1.0,), "give 3 numbers"),
    ("model.preprocessing.order", "GRB", 'use one of "", "RGB", "BGR"'),
    ("labels.dla_ddof", 2, "use one of 0, 1"),
    ("loss.weights", (1.0, 1.2), "give 3 numbers"),
    ("online.groups", 1, "it must be at least 2"),
)
# Field, value that does not go with the other settings -> what the error says.
DISAGREE = (
    ("run.batch_size", 10_000_000, "give an epoch at least one batch"),
    ("data.composed_weight", 0.0, "no training data"),
    ("data.unlabeled", "photos", "name a trained tracker in config.loss.teachers"),
    ("data.record_weights", (1.0,), "1 numbers for 0 folders"),
    ("data.frame_ranges", (3,), "frame_ranges has 1 numbers for 0 folders"),
    ("data.num_use", (-1, 3), "num_use has 2 numbers for 0 folders"),
    ("data.track_patterns", ("a*",), "0 numbers for 1 config.data.track_patterns"),
    ("labels.dla_points", 1, "a standard deviation with config.labels.dla_ddof 1"),
    ("labels.iou_high", 0.2, "labels.iou_low is 0.3, above config.labels.iou_high 0.2"),
    ("refine.positives", 33, "positives is 33, above config.refine.samples 32: make"),
    ("refine.samples", 73, "is 73: there are only 64 train_proposals and 8 jittered"),
    ("online.positives", 201, "is 201, above config.online.first_positives 200"),
    ("online.first_negatives", 150, "is 200, above config.online.first_negatives 150"),
    ("online.candidates", 199, "negatives is 200, above config.online.candidates 199"),
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
    ("tracking.refined_weight", 0.0),
)


def changed(field, value):
    config = config_lib.get_config()
    config.update_from_flattened_dict({field: value})
    return config


def test_what_is_out_of_range_is_named_with_its_range():
    for field, value, range_ in OUT_OF_RANGE:
        message = re.escape(f"config.{field} is {value!r}: {range_}")
        with pytest.raises(InputError, match=message):
            config_lib.check(changed(field, value))


def test_what_disagrees_is_refused_and_what_just_works_is_taken():
    for field, value in TAKEN:
        config_lib.check(changed(field, value))
    for field, value, message in DISAGREE:
        with pytest.raises(InputError, match=re.escape(message)):
            config_lib.check(changed(field, value))


def beyond(field):
    """Returns a number or text just out of a field's range; None where all are in."""
    if field.choices:
        return "nothing of the kind" if isinstance(field.default, str) else 99
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
