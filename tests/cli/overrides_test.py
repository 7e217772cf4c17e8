"""Tests for `--config.FIELD=VALUE`."""

import pytest

from jaxtrack.cli import overrides
from jaxtrack.config import get_config
from jaxtrack.errors import InputError


def test_settings_are_taken_out_of_a_command_line():
    argv = ["--a", "--config.x=1=2", "--config.y", "3", "--config.z", "--b", "c"]
    changes, rest = overrides.split(argv)
    assert changes == [("x", "1=2"), ("y", "3"), ("z", "true")]
    assert rest == ["--a", "--b", "c"]
    assert overrides.split(["--config.z"])[0] == [("z", "true")]


def test_values_get_the_type_of_the_field():
    config = get_config()
    changes = {
        "run.batch_size": "1_024",
        "optimizer.lr": "1",
        "augment.flip": "5e-1",
        "model.pretrained": "a=b.pth",
        "data.skip_damaged": "True",
        "data.records": "('a', 'b')",
        "loss.weights": "[1, 2.0, 3]",
        "tracking.proposals": "5",
        "online.learns": "false",
    }
    overrides.apply(config, changes.items())
    assert (config.run.batch_size, config.optimizer.lr) == (1024, 1.0)
    assert config.augment.flip == 0.5
    assert type(config.optimizer.lr) is float
    assert config.model.pretrained == "a=b.pth" and config.data.skip_damaged is True
    assert config.data.records == ("a", "b") and config.loss.weights == (1, 2.0, 3)
    assert config.tracking.proposals == 5 and config.online.learns is False


def test_a_tuple_may_be_written_without_quotes_and_parentheses():
    config = get_config()
    for text, expected in (
        ("packed/a", ("packed/a",)),
        ("packed/a, b", ("packed/a", "b")),
        ("'a'", ("a",)),
        ("", ()),
    ):
        overrides.apply(config, [("data.records", text)])
        assert config.data.records == expected
    overrides.apply(config, [("data.record_weights", "0.5")])
    assert config.data.record_weights == (0.5,)


def test_what_does_not_fit_is_refused():
    config = get_config()
    for field, text, message in (
        ("run.batch_size", "8.5", "give a whole number such as 80"),
        ("optimizer.lr", "fast", "give a number such as 0.005"),
        ("data.skip_damaged", "yes", "give true or false such as False"),
        ("data.records", "(a,)", "give numbers or names, joined by commas"),
        ("refine", "1", "is a group: name one of its settings, jittered"),
        ("batch_sise", "8", "did you mean run.batch_size"),
        ("refine.sample", "8", "did you mean refine.samples"),
        ("lr.x", "8", "no setting config.lr.x"),
        ("qqq", "8", "no setting config.qqq: see"),
    ):
        with pytest.raises(InputError, match=message):
            overrides.apply(config, [(field, text)])
    assert config.to_json() == get_config().to_json()
