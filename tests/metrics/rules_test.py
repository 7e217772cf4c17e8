"""Tests for jaxtrack.metrics.rules."""

import dataclasses
import inspect
import re

import pytest

from jaxtrack.metrics import rules
from jaxtrack.metrics.dialects import DIALECTS


def test_every_rule_is_described_and_chosen_among():
    text = inspect.getdoc(rules.Dialect)  # Python 3.13 takes the indent off itself.
    described = re.findall(r"^  (\w+):", text, re.MULTILINE)
    fields = [field.name for field in dataclasses.fields(rules.Dialect)]
    assert described == fields


def test_every_rule_tells_some_toolkit_from_another():
    for field in dataclasses.fields(rules.Dialect):
        values = {getattr(dialect, field.name) for dialect in DIALECTS.values()}
        assert len(values) > 1, field.name


def test_rules_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DIALECTS["otb"].at_least = True
