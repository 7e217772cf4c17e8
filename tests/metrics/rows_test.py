"""Tests for jaxtrack.metrics.rows, and what comes of it in scores."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import ope, rows
from jaxtrack.metrics.protocols import PROTOCOLS

NAN = np.nan
TRUTH = np.array([[10.0 + k, 20, 8, 6] for k in range(9)])


def test_tiger1_begins_with_its_sixth_frame_where_five_rows_are_missing():
    for name in ("Tiger1", "tiger1"):
        placed = rows.place_rows(name, TRUTH, TRUTH[5:], fills_end=False)
        assert placed.start == 5 and "frames 6 to 9" in placed.warnings[0]
    for name, results in (("Tiger2", TRUTH[5:]), ("Tiger1", TRUTH)):
        placed = rows.place_rows(name, TRUTH, results, fills_end=False)
        assert placed.start == 0 and not placed.warnings
    # Perfect boxes of the last four frames, under a rule that reads flags of all.
    given = {"absent": {"Tiger1": np.eye(9)[6]}}
    one = ope.score({"Tiger1": TRUTH}, {"Tiger1": TRUTH[5:]}, protocol="lasot", **given)
    score = one.sequences["Tiger1"]
    assert score.frames.tolist() == [5, 7, 8]
    # 3 of 4 frames pass 20 of 21 thresholds; the absent one stays in the count.
    assert score.auc == pytest.approx(3 / 4 * 20 / 21)


@pytest.mark.parametrize("empty", [[0.0] * 4, [NAN] * 4, [5, 5, -1, 3]])
def test_rows_that_truth_without_size_has_none_for(empty):
    truth = TRUTH.copy()
    truth[[2, 3, 8]] = empty
    sized = np.delete(truth, [2, 3, 8], axis=0)
    placed = rows.place_rows("a", truth, sized, fills_end=False)
    expected = TRUTH.copy()
    expected[[2, 3]], expected[8] = TRUTH[1], TRUTH[7]
    np.testing.assert_array_equal(placed.predicted, expected)
    assert "6 results for 9 frames" in placed.warnings[0]
    # At the end alone.
    truth = TRUTH.copy()
    truth[[1, 7, 8]] = empty
    placed = rows.place_rows("a", truth, truth[:7], fills_end=True)
    assert len(placed.predicted) == 9
    assert len(rows.place_rows("a", truth, truth[:7], fills_end=False).predicted) == 7


def test_other_lengths_are_still_refused():
    truth = TRUTH.copy()
    truth[2] = 0
    for results in (TRUTH[:7], np.concatenate([TRUTH, TRUTH])):
        with pytest.raises(InputError, match="needs one box a frame"):
            ope.score({"a": truth}, {"a": results}, protocol="otb")


def test_a_first_row_of_corners_is_noticed():
    corners = TRUTH.copy()
    corners[0, 2:] = corners[0, :2] + corners[0, 2:]
    report = ope.score({"a": TRUTH}, {"a": corners}, protocol="otb")
    assert "corners x1, y1, x2, y2" in report.warnings[0]
    for first in ([10, 20, 8, 6], [10, 20, 9, 7], [0, 0, 18, 26]):
        corners[0] = first
        assert not ope.score({"a": TRUTH}, {"a": corners}, protocol="otb").warnings
    # Near the origin both readings are the same.
    assert not rows.first_row_warnings(
        np.array([0.5, 0.5, 8, 6]), np.array([0, 0, 8, 6])
    )


def test_a_first_row_of_fractions_is_noticed():
    truth = np.array([60.0, 40, 20, 30])
    size = np.array([640, 480, 640, 480])
    (said,) = rows.first_row_warnings(truth, truth / size)
    assert "fractions of the picture" in said
    assert not rows.first_row_warnings(truth, np.zeros(4))
    assert not rows.first_row_warnings(truth / size, truth / size)


def test_repetitions_are_pooled():
    rng = np.random.default_rng(3)
    runs = [TRUTH + rng.uniform(-6, 6, TRUTH.shape) * [1, 1, 0, 0] for _ in range(3)]
    given = {"absent": {"a": np.eye(9)[4]}, "cover": {"a": np.full(9, 8)}}
    for protocol in PROTOCOLS:
        pooled = ope.score({"a": TRUTH}, {"a": runs}, protocol=protocol, **given)
        alone = [
            ope.score({"a": TRUTH}, {"a": run}, protocol=protocol, **given)
            for run in runs
        ]
        for number in ope.NUMBERS:
            mean = np.mean([getattr(one, number) for one in alone])
            # Curves of float32 are rounded once, not three times.
            assert getattr(pooled, number) == pytest.approx(mean, abs=1e-7), number
        frames, iou = pooled.sequences["a"].first_repetition()
        first = alone[0].sequences["a"]
        np.testing.assert_array_equal(frames, first.frames)
        np.testing.assert_array_equal(iou, first.iou)
    # Sequences of more repetitions weigh more where frames are pooled, as in got10k.
    two = {"a": runs, "b": [TRUTH]}
    report = ope.score({"a": TRUTH, "b": TRUTH}, two, protocol="got10k")
    of_a = ope.score({"a": TRUTH}, {"a": runs}, protocol="got10k").ao
    assert report.ao == pytest.approx((3 * of_a + 1) / 4)


def test_refusals_are_those_of_the_score():
    bad = TRUTH.copy()
    bad[3, 2] = -2
    results = {"a": TRUTH, "b": bad, "c": TRUTH[:4]}
    truth = dict.fromkeys(results, TRUTH)
    found = ope.refusals(truth, results, protocol="otb")
    assert list(found) == ["b", "c"] and "result of frame 3" in found["b"]
    assert not ope.refusals({"a": TRUTH}, {"a": TRUTH}, protocol="got10k")
