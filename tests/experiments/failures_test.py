"""Tests for experiments.figures.failures."""

import cv2
import numpy as np
import pytest

from experiments.figures import failures
from experiments.figures.confidence import Frames
from jaxtrack.datasets.sequence import Sequence


def frames(iou):
    """What was tracked of a target that stands still, with these overlaps."""
    iou = np.array(iou, float)
    xywh = np.tile([10.0, 10, 20, 20], (len(iou), 1))
    return Frames(np.linspace(0.9, 0.1, len(iou)), iou, xywh, 1 + np.arange(len(iou)))


def test_the_stretch_that_costs_most_is_found():
    # Before frame 2 the mean is (1 + .8 + .6) / 3 = .8, and .4 < .48 is low, as is 0;
    # .5 is not. It costs (.4 + .8) / 6. At frame 5 the mean is 3.3 / 6 = .55: .3 < .33
    # is low and costs .25 / 6.
    found = failures.worst_stretch(frames([0.8, 0.6, 0.4, 0, 0.5, 0.3]))
    assert (found.first, found.last, found.missed) == (2, 3, 0.5)
    assert (found.before, found.iou) == (pytest.approx(0.8), pytest.approx(0.2))
    assert found.cost == pytest.approx(1.2 / 6)
    assert found.score == pytest.approx((0.58 + 0.42) / 2)


def test_a_stretch_may_last_to_the_end_or_be_absent():
    assert failures.worst_stretch(frames([0.7, 0.65, 0.6])) is None
    found = failures.worst_stretch(frames([0.1, 0.1]))
    assert (found.first, found.last, found.before) == (0, 1, 1)


def test_the_worst_come_first_and_are_drawn(tmp_path):
    path = tmp_path / "0.png"
    cv2.imwrite(str(path), np.full((50, 60, 3), 80, np.uint8))
    tracked = {"a": frames([0.9, 0.4]), "b": frames([0.9, 0]), "c": frames([0.9, 0.9])}
    found = failures.worst(tracked, 2)
    assert list(found) == ["b", "a"]
    xyxy = np.tile([10.0, 10, 30, 30], (3, 1))
    videos = {name: Sequence(name, [path] * 3, xyxy, truth=xyxy) for name in tracked}
    picture = cv2.imdecode(
        np.frombuffer(failures.sheet(found, tracked, videos), np.uint8), 1
    )
    # Two rows of six, and a margin of the style's.
    assert np.allclose(picture.shape[:2], (2 * 180, 6 * 168), atol=12)
    told = failures.markdown(found, tracked, "lite")
    assert "| b | 2 to 2 of 2 | 0.95 | 0.00 | 0.10 | 100% | 0.475 |" in told
    assert "over 3 sequences: 0.667" in told
