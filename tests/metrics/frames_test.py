"""Tests for jaxtrack.metrics.frames."""

import re

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics.frames import frame_values, truth_warnings
from jaxtrack.metrics.protocols import PROTOCOLS

NAN, INF = np.nan, np.inf
# Rows: sound; no size; absent, yet with a box; NaN; at the border x = 0.
TRUTH = np.array(
    [[20.0, 20, 10, 10], [20, 20, 0, 10], [20, 20, 10, 10], [NAN] * 4, [0, 20, 10, 10]]
)
RESULT = np.tile([25.0, 20, 10, 10], (5, 1))
RESULT[4, 0] = 0
ABSENT = np.array([0, 0, 1, 0, 0])
COVER = np.array([8, 0, 8, 0, 8])


def values(protocol, *, truth=TRUTH, result=RESULT, **options):
    options = {"absent": ABSENT, "cover": COVER} | options
    return frame_values(truth, result, PROTOCOLS[protocol], **options)


EVERY = [0, 1, 2, 3, 4]


# IoU 1/3 and 5 px or 0.5 widths where the target is half a width to the left.
def test_by_hand():
    third = 1 / 3
    for protocol, frames, iou, center, total, unusable in [
        ("otb", EVERY, [1, -1, third, -1, -1], [0, -1, 5, -1, -1], 5, 3),
        ("lasot", [0, 1, 3, 4], [1, -1, -1, -1], [0, -1, -1, -1], 5, 3),
        # A center error of the box without a width: 25 + 4.5 - (20 - 0.5).
        ("pysot", EVERY, [third, -1, third, -1, 1], [5, 10, 5, -1, 0], 5, 2),
        ("pysot_lasot", [0, 1, 3, 4], [third, -1, -1, 1], [5, 10, -1, 0], 5, 2),
        ("pytracking_uav", EVERY, [1, -1, third, -1, 1], [0, -1, 5, -1, 0], 5, 2),
        ("pytracking_otb", EVERY, [1, -1, third, -1, 1], [0, INF, 5, INF, 0], 5, 2),
        ("pytracking_lasot", EVERY, [1, -1, -1, -1, 1], [0, INF, INF, INF, 0], 5, 2),
        ("got10k_otb", EVERY, [1, 0, third, -1, 1], [0, 10, 5, INF, 0], 5, 0),
        ("got10k_lasot", [0, 1, 2, 4], [1, 0, third, 1], [0, 10, 5, 0], 4, 1),
        ("got10k", [2, 4], [third, 1], [5, 0], 2, 2),
        ("trackingnet", EVERY, [1, 0, third, -1, 1], [0, 10, 5, INF, 0], 5, 0),
        ("no_first", [2, 4], [third, 1], [5, 0], 2, 2),
    ]:
        found = values(protocol)
        assert found.frames.tolist() == frames
        np.testing.assert_allclose(found.iou, iou, atol=1e-12)
        np.testing.assert_allclose(found.center_error, center, atol=1e-12)
        assert (found.total, found.num_unusable) == (total, unusable)
        first = (3 if protocol == "got10k_lasot" else 1) if unusable else None
        assert found.first_unusable == first


def test_norm_error_of_frames_that_pytracking_rejects():
    # Without a size: a hit. Not visible: never one. NaN: not visible in no protocol.
    np.testing.assert_array_equal(values("pytracking_otb").norm_error[[1, 3]], [-1, -1])
    lasot = values("pytracking_lasot").norm_error[[1, 2]]
    np.testing.assert_array_equal(lasot, [-1, INF])


def test_pysot_judges_centers_apart_from_sizes():
    truth = np.array([[20.0, 20, 10, 10], [0, 0, 0, 0], [-20, 5, 10, 10]])
    found = values("pysot", truth=truth, result=truth + 1.0, absent=None)
    # Centers (-0.5, -0.5) and (-15.5, 9.5): hits, though the second has an overlap.
    np.testing.assert_array_equal(found.center_error[1:], [-1, -1])
    np.testing.assert_array_equal(found.norm_error[1:], [-1, -1])
    assert found.iou[1] == -1 and found.iou[2] > 0.5


def test_center_error_of_otb_has_four_decimals():
    result = RESULT + np.array([0.00004, 0, 0, 0])
    assert values("otb", result=result).center_error[2] == 5.0
    assert values("lasot", result=result, absent=None).center_error[2] > 5.0


def test_trackingnet_rounds_to_the_even_pixel():
    result = RESULT + np.array([0.5, 0.5, 0.49, -0.5])
    # 25.5 is 26, 20.5 is 20, 10.49 and 9.5 are 10: IoU 40 / 160.
    found = values("trackingnet", result=result)
    assert found.iou[2] == pytest.approx(40 / 160)
    assert found.center_error[2] == 6.0


def test_bounded_boxes():
    truth = np.array([[0.0, 0, 5, 5], [-50, 0, 20, 20]])
    result = np.array([[0.0, 0, 5, 5], [0, 0, 20, 20]])
    options = {"cover": None, "absent": None, "truth": truth, "result": result}
    assert values("got10k", **options).iou == pytest.approx([0.0])
    bounded = values("got10k", size_wh=(30, 30), **options)
    assert bounded.iou == pytest.approx([1.0])
    assert bounded.center_error == pytest.approx([50.0])


def test_two_boxes_without_an_area():
    truth, result = TRUTH.copy(), RESULT.copy()
    truth[1], result[1] = 0, 0
    with pytest.raises(InputError, match="in frame 1 neither"):
        values("otb", truth=truth, result=result)
    assert values("got10k_otb", truth=truth, result=result).iou[1] == 0
    assert values("trackingnet", truth=truth, result=result).iou[1] == -1


def test_visible_frames_need_a_truth():
    with pytest.raises(InputError, match="frame 3 has cover above 0"):
        values("got10k", cover=np.full(5, 8))


def test_nothing_left():
    options = {"truth": TRUTH[:1], "result": RESULT[:1], "absent": np.ones(1)}
    for protocol in ["lasot", "pysot_lasot", "no_first", "got10k"]:
        with pytest.raises(InputError, match="no frame left"):
            values(protocol, cover=None, **options)


def test_truth_warnings():
    for protocol, said in [
        ("otb", r"2 frames.* is frame 1\) never succeed and count as precise"),
        ("pysot", "2 frames.*where the center is not above 0"),
        ("pytracking_otb", "count in normalized precision, not in precision"),
        ("got10k", r"are left out \(cover is 0 or"),
        (
            "got10k_lasot",
            r"1 frames.* is frame 2\) are left out \(a number is NaN",
        ),
        (
            "got10k_otb",
            "1 frames without ground truth.* is frame 2.*never precise",
        ),
        ("trackingnet", "1 frames of .* first is frame 1.* have no size"),
    ]:
        rules = PROTOCOLS[protocol]
        truth = np.array([[9.0, 9, 9, 9], [9, 9, 0, 9], [np.nan] * 4, [9, 9, 9, 9]])
        predicted = np.full((4, 4), 9.0)
        found = frame_values(truth, predicted, rules)
        text = " | ".join(truth_warnings(truth, found, rules))
        assert re.search(said, text)
        sound = truth[[0, 3]]
        found = frame_values(sound, sound, rules)
        assert truth_warnings(sound, found, rules) == []
