"""Tests for benchmarks.session."""

import numpy as np

from benchmarks import session


def test_ratios_are_those_of_turns_side_by_side():
    """Turns of 10 and 30 ms against 5 and 30: ratios 0.5 and 1, the median 0.75.

    The quartiles of two values lie a quarter of the way between them.
    """
    before = np.array([[10.0, 8.0], [30.0, 8.0]])
    after = np.array([[5.0, 4.0], [30.0, 4.0]])
    _, first, second = session.table({"before": before, "after": after})
    assert first.split()[:3] == ["before", "20.00", "8.00"]
    assert second.split()[:3] == ["after", "17.50", "4.00"]
    assert second.endswith("   0.75 [0.62, 0.88], 0.50 [0.50, 0.50]")
