"""Tests for experiments.figures.positives_plot."""

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from experiments.figures import positives_plot
from jaxtrack.evaluation.plots import color_of


@pytest.fixture
def found():
    """What `positives.run` returns, as JSON keeps it."""
    parts = [[3.0, 0.1], [3.2, 0.1], [3.1, 0.1]]
    row = {"clamp": [3.5, 0.1], "argmax": [2.0, 0.1], "skip": [1.0, 0.1]}
    stream = {"parts": parts, "spread": 0.1, "expected": 0.1}
    return {
        "config": "dla_$x",
        "seed": 0,
        "num_images": 10,
        "anchors": "25 x 25 cells with 5 anchors",
        "rule": "clamp",
        "points": {"7": {**row, "empty": 0.1}, "9": {**row, "empty": 0.0}},
        "stream": {"5": stream, "11": stream},
        "baseline": None,
        "log": None,
    }


def pixels(found):
    data = np.frombuffer(positives_plot.positives_plot(found), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


def count(image, color):
    return int(np.sum(np.all(image == np.round(255 * np.array(to_rgb(color))), axis=2)))


def test_three_rules_and_the_papers_band(found):
    image = pixels(found)
    left, right = np.split(image, 2, axis=1)
    for place in range(3):
        assert count(left, color_of(place)) > 100
    # P from 3 to 4 and K from 7 to 19, half of it in view and grey.
    assert count(left, "0.86") > 3000
    assert count(right, "0.86") < 100
    # Two K along the stream, no third.
    assert count(right, color_of(0)) > 50 and count(right, color_of(1)) > 50
    assert count(right, color_of(2)) == 0


def test_fixed_labels_and_a_log_join_the_stream(found):
    before = pixels(found)
    found["baseline"] = {
        "config": "x",
        "assigner": "iou",
        "positives": [9.0, 0.1],
        "empty": 0.2,
        **found["stream"]["5"],
    }
    found["log"] = {"name": "runs/_$x", "positives": [3.0, 3.3, 2.9]}
    after = pixels(found)
    for color in (color_of(5), color_of(6)):
        assert count(after, color) > count(before, color) + 50


def test_one_part_and_the_same_bytes(found):
    for one in found["stream"].values():
        one["parts"] = one["parts"][:1]
    again = positives_plot.positives_plot(found)
    assert positives_plot.positives_plot(found) == again
