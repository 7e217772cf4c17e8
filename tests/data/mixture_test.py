"""Tests for jaxtrack.data.mixture."""

import pytest

from jaxtrack.config import get_config
from jaxtrack.configs import demo
from jaxtrack.data import mixture
from jaxtrack.errors import InputError


def test_frame_ranges_follow_the_sources_that_are_used():
    """A folder without a share is no source; composed scenes come last."""
    data = get_config().data
    assert mixture.frame_ranges(data) == ()
    data.records, data.frame_ranges = ("a", "b", "c"), (3, 50, 100)
    assert mixture.frame_ranges(data) == (3, 50, 100, data.frame_range)
    data.record_weights, data.composed_weight = (1.0, 0.0, 1.0), 0.0
    assert mixture.frame_ranges(data) == (3, 100)


def test_cutouts_are_found_by_pattern(tmp_path):
    config = demo.get_config()
    config.data.composed_cutouts = str(tmp_path)
    config.data.composed_patterns = ("davis_*",)
    with pytest.raises(InputError, match=r"no sequence davis_\*"):
        mixture.make_sources(config)
