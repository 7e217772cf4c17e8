"""Tests for jaxtrack.report.plots.attributes."""

import cv2
import numpy as np
import pytest

from jaxtrack.report.plots import attributes, style

ATTRIBUTES = ("Background Clutter (9)", "Fast Motion", "a_b $x$", "Out-of-View (120)")


def trackers(count, level=0.6):
    names = ("_hidden $x_", "a & b", "a name that is much too long for a legend: 0123")
    return {
        names[i] if i < 3 else f"tracker {i}": np.linspace(level, level - 0.2, 4)
        for i in range(count)
    }


def decoded(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB).astype(int)


def count_of(image, color):
    rgb = np.array(list(bytes.fromhex(color[1:])))
    return int(np.sum(np.all(abs(image - rgb) < 12, axis=-1)))


def drawn(kind, **changes):
    given = {"attributes": ATTRIBUTES, "trackers": trackers(3), "title": "AUC"}
    return decoded(kind(**(given | changes)))


@pytest.mark.parametrize("kind", [attributes.radar, attributes.bars])
def test_each_tracker_is_drawn_in_its_colour(kind):
    image = drawn(kind)
    for place in range(3):
        assert count_of(image, style.color_of(place)) > 200
    assert count_of(image, style.color_of(3)) == 0


def test_bars_are_as_long_as_the_scores():
    image = drawn(attributes.bars, trackers={"a": [0.8] * 4, "b": [0.4] * 4})
    # Numbers are written into one kind of bar and beside the other: a tenth of play.
    long, short = (count_of(image, style.color_of(place)) for place in (0, 1))
    assert long / short == pytest.approx(2, abs=0.35)


def test_bars_are_sorted_best_first():
    rows = {}
    for name, scores in (("first", ([0.8] * 4, [0.4] * 4)), ("last", None)):
        scores = scores or ([0.4] * 4, [0.8] * 4)
        image = drawn(attributes.bars, trackers=dict(zip("ab", scores, strict=True)))
        rgb = np.array(list(bytes.fromhex(style.color_of(0)[1:])))
        rows[name] = np.nonzero(np.all(abs(image - rgb) < 12, axis=-1))[0].mean()
    assert rows["first"] < rows["last"]


def test_radar_is_as_wide_as_the_scores():
    given = {"this": [0.4] * 4, "top": [0.8] * 4}
    image = drawn(attributes.radar, trackers=given)
    # The legend stands on the right.
    image = image[:, : int(image.shape[1] * 0.6)]
    spans = []
    for place in (0, 1):
        rgb = np.array(list(bytes.fromhex(style.color_of(place)[1:])))
        spans.append(np.ptp(np.nonzero(np.all(abs(image - rgb) < 12, axis=-1))[0]))
    # All spokes begin at 0; markers add a few pixels.
    assert spans[0] / spans[1] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", [attributes.radar, attributes.bars])
def test_scores_that_are_missing_are_left_out(kind):
    full = count_of(drawn(kind, trackers={"a": [0.6] * 4}), style.color_of(0))
    holes = {"a": [0.6, np.nan, 0.6, 0.6]}
    assert 0 < count_of(drawn(kind, trackers=holes), style.color_of(0)) < full


def test_the_kind_follows_the_count():
    def kind(num_trackers, num_attributes=4):
        image = drawn(
            attributes.draw,
            attributes=ATTRIBUTES[:num_attributes],
            trackers={n: v[:num_attributes] for n, v in trackers(num_trackers).items()},
        )
        # Only bars fill areas.
        solid = cv2.erode((image == [0, 114, 178]).all(-1).astype(np.uint8), None, 0)
        return "bars" if cv2.erode(solid, np.ones((11, 11))).any() else "radar"

    assert kind(6) == "radar"
    assert kind(7) == "bars"
    assert kind(2, num_attributes=2) == "bars"


def test_everything_lies_in_the_picture():
    many = tuple(f"An attribute of some length {k} (100)" for k in range(16))
    scores = {name: np.full(16, 0.97) for name in trackers(20)}
    for kind in (attributes.radar, attributes.bars):
        image = drawn(kind, attributes=many, trackers=scores)
        border = np.concatenate([image[:3].ravel(), image[-3:].ravel()])
        border = np.concatenate([border, image[:, :3].ravel(), image[:, -3:].ravel()])
        assert border.min() > 250, kind
