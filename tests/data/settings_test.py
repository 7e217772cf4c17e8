"""Tests for jaxtrack.data.settings."""

import dataclasses

import pytest

from jaxtrack.config import get_config
from jaxtrack.data.settings import Augmentation, PairSettings


def test_defaults_are_those_of_the_config():
    config = get_config()
    for field in dataclasses.fields(Augmentation):
        assert getattr(Augmentation(), field.name) == config[field.name], field.name
    for name in ("context", "frame_range", "negative_ratio"):
        assert getattr(PairSettings(), name) == config[name], name


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PairSettings().frame_range = 3
