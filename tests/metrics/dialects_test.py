"""Tests for jaxtrack.metrics.dialects."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import dialects

ISSUE = (
    *("otb", "lasot", "pysot", "pysot_lasot"),
    *("pytracking_otb", "pytracking_uav", "pytracking_lasot"),
    *("got10k_otb", "got10k_uav123", "got10k_lasot", "got10k", "trackingnet"),
)


def test_names_are_the_keys():
    for name, dialect in dialects.DIALECTS.items():
        assert dialects.dialect_named(name) is dialect
        assert dialect.name == name
        assert dialect.summary.endswith(".")
    assert tuple(dialects.DIALECTS) == (*ISSUE, "no_first")


def test_no_two_toolkits_share_all_rules_but_got10k_on_uav123_and_lasot():
    rules = {}
    for name, dialect in dialects.DIALECTS.items():
        fields = {**vars(dialect), "name": "", "summary": ""}
        rules.setdefault(tuple(fields.values()), []).append(name)
    shared = [names for names in rules.values() if len(names) > 1]
    assert shared == [["got10k_uav123", "got10k_lasot"]]


@pytest.mark.parametrize("name", [n for n in dialects.DIALECTS if n != "got10k"])
def test_success_grid(name):
    grid = np.array(dialects.DIALECTS[name].success_thresholds)
    np.testing.assert_allclose(grid, 0.05 * np.arange(21), atol=1e-12)


def test_grids_hold_the_reported_points():
    for dialect in dialects.DIALECTS.values():
        middle = (len(dialect.success_thresholds) - 1) // 2
        assert dialect.success_thresholds[middle] == 0.5
        assert dialect.success_thresholds[middle * 3 // 2] == 0.75
        if dialect.precision_is == "at":
            assert dialect.precision_thresholds[20] == 20.0
        if dialect.norm_precision_is == "at":
            assert dialect.norm_thresholds[20] == 0.2


def test_trackingnet_has_steps_of_two_and_a_half_px():
    grid = dialects.TRACKINGNET.precision_thresholds
    np.testing.assert_array_equal(grid, 2.5 * np.arange(21))
    assert dialects.TRACKINGNET.norm_thresholds[-1] == 0.5


def test_unknown_dialect_lists_those_there_are():
    with pytest.raises(InputError, match=r"'vot'.*otb, lasot, .*no_first"):
        dialects.dialect_named("vot")
