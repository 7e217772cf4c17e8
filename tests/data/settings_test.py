"""Tests for jaxtrack.data.settings."""

import dataclasses

import pytest

from jaxtrack.config import get_config
from jaxtrack.data.settings import Augmentation, PairSettings


def test_augmentation_is_a_group_of_the_settings():
    names = {field.name for field in dataclasses.fields(Augmentation)}
    assert names == set(get_config().augment)


def test_settings_do_not_change():
    settings = PairSettings(127, 255, context=0.5, frame_range=100, negative_ratio=0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.frame_range = 3
