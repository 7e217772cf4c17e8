"""Tests for jaxtrack.evaluation.dialects."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import dialects


def test_names_are_the_keys():
    for name, dialect in dialects.DIALECTS.items():
        assert dialects.dialect_named(name) is dialect
        assert dialect.name == name


@pytest.mark.parametrize(
    ("name", "count", "step"), [("otb", 21, 0.05), ("no_first", 21, 0.05)]
)
def test_success_grid(name, count, step):
    grid = np.array(dialects.DIALECTS[name].success_thresholds)
    np.testing.assert_allclose(grid, step * np.arange(count), atol=1e-12)


def test_got10k_reads_sr75_from_its_grid():
    assert dialects.GOT10K.success_thresholds[75] == 0.75
    assert len(dialects.GOT10K.success_thresholds) == 101


def test_precision_grids_hold_the_reported_points():
    for dialect in dialects.DIALECTS.values():
        assert dialect.precision_thresholds[20] == 20.0
        assert dialect.norm_thresholds[20] == 0.2


def test_unknown_dialect_lists_those_there_are():
    with pytest.raises(InputError, match=r"'vot'.*otb, no_first, got10k"):
        dialects.dialect_named("vot")
