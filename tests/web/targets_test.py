"""Tests for jaxtrack.web.targets."""

import numpy as np
import pytest

from jaxtrack.tracking.video import pad
from jaxtrack.web.targets import Targets
from tests.drift import drifting

FRAME = pad(np.zeros((41, 60, 3), np.uint8), (256, 256))
FIRST = np.array([[10.0, 12, 20, 16], [5.0, 6, 10, 12]])


def step(targets, numbers):
    for number in numbers:
        targets.step(number, FRAME)


def lefts(targets, target):
    """Left borders of a target's boxes."""
    return [row.xywh[target, 0] for row in targets.rows.values()]


@pytest.fixture(scope="module")
def session():
    return drifting()


def test_a_corrected_target_catches_up_alone(session):
    targets = Targets(session, 0, FIRST)
    step(targets, range(5))
    assert lefts(targets, 0) == [10, 11, 12, 13, 14]
    targets.give(2, {1: np.array([30.0, 6, 10, 12])})
    assert (targets.next, targets.is_behind) == (2, True)
    step(targets, range(2, 5))
    assert not targets.is_behind
    step(targets, range(5, 7))
    assert lefts(targets, 0) == [10, 11, 12, 13, 14, 15, 16]
    assert lefts(targets, 1) == [5, 6, 30, 31, 32, 33, 34]
    # Each target's score falls from where it began: 6 and 4 frames ago.
    last = targets.rows[6]
    np.testing.assert_allclose(last.score, [0.9**6, 0.9**4], rtol=1e-5)
    np.testing.assert_array_equal(last.lost, [True, False])
    assert targets.changes == [0, 1, 2, 3, 4, 2, 3, 4, 5, 6]


def test_boxes_that_were_given_stay(session):
    targets = Targets(session, 0, FIRST[:1])
    step(targets, range(5))
    targets.give(3, {0: np.array([40.0, 12, 20, 16])})
    step(targets, range(3, 5))
    targets.give(1, {0: np.array([20.0, 12, 20, 16])})
    step(targets, range(1, 5))
    assert lefts(targets, 0) == [10, 20, 21, 40, 41]


def test_frames_that_were_not_to_be_had_are_left_out(session):
    targets = Targets(session, 3, FIRST)
    step(targets, [5, 6])  # 3 and 4 passed while the boxes were drawn.
    assert list(targets.rows) == [5, 6]
    assert lefts(targets, 0) == [10, 11]
