"""Tests for jaxtrack.evaluation.ope; goldens/ope_toolkits.py made the goldens."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import ope

TRACKERS = ("good", "drift")
NUMBERS = ("auc", "precision", "norm_precision", "ao", "sr50", "sr75")


@pytest.fixture(scope="module")
def toolkits(goldens):
    with np.load(goldens / "ope_toolkits.npz") as file:
        return dict(file)


def part(toolkits, prefix):
    return {
        key.removeprefix(prefix): value
        for key, value in toolkits.items()
        if key.startswith(prefix)
    }


@pytest.mark.parametrize("tracker", TRACKERS)
def test_equals_the_otb_toolkit(toolkits, tracker):
    iou = part(toolkits, f"otb_{tracker}_iou_")
    truth = {name: toolkits[f"truth_{name}"] for name in iou}
    report = ope.score(truth, part(toolkits, f"result_{tracker}_"))
    expected = part(toolkits, f"otb_{tracker}_")
    assert report.auc == pytest.approx(expected["auc"], abs=1e-6)
    assert report.precision == pytest.approx(expected["precision20"], abs=1e-6)
    for curve in ("success_curve", "precision_curve"):
        np.testing.assert_allclose(
            getattr(report, curve), expected[curve], rtol=0, atol=1e-9
        )
    for name, values in iou.items():
        one = report.sequences[name]
        np.testing.assert_allclose(one.iou, values, rtol=0, atol=1e-9)
        center = expected[f"center_{name}"]
        np.testing.assert_allclose(one.center_error, center, rtol=0, atol=1e-9)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_equals_the_got10k_toolkit(toolkits, tracker):
    report = ope.score(
        part(toolkits, "truth_"),
        part(toolkits, f"result_{tracker}_"),
        dialect="got10k",
        visible={n: c > 0 for n, c in part(toolkits, "cover_").items()},
        image_size=part(toolkits, "size_"),
    )
    expected = part(toolkits, f"got10k_{tracker}_")
    assert report.ao == pytest.approx(expected["ao"], abs=1e-6)
    assert report.sr50 == pytest.approx(expected["sr_0.50"], abs=1e-6)
    assert report.sr75 == pytest.approx(expected["sr_0.75"], abs=1e-6)
    curve = expected["succ_curve"]
    np.testing.assert_allclose(report.success_curve, curve, rtol=0, atol=1e-9)
    of_sequences = np.mean([s.ao for s in report.sequences.values()])
    assert of_sequences == pytest.approx(expected["mean_of_sequence_ao"], abs=1e-6)


# Three frames of a 10 x 10 target at (20, 20); the second prediction is half a width
# to the right (IoU 1/3, error 5 px and 0.5 widths), the third misses by 30 px.
TRUTH = {"a": np.tile([20.0, 20, 10, 10], (3, 1))}
RESULT = {"a": np.array([[0.0, 0, 4, 4], [25, 20, 10, 10], [50, 20, 10, 10]])}


def test_otb_by_hand():
    report = ope.score(TRUTH, RESULT)
    # Row 0 counts as right whatever was written there. IoU 1, 1/3, 0.
    np.testing.assert_allclose(report.sequences["a"].iou, [1, 1 / 3, 0], atol=1e-12)
    # Thresholds 0, 0.05, ..., 1: IoU 1 exceeds the first 20, 1/3 the first 7, 0 none.
    assert report.auc == pytest.approx((20 + 7) / 21 / 3)
    assert report.precision == pytest.approx(2 / 3)
    assert report.norm_precision == pytest.approx(1 / 3)
    assert report.ao == pytest.approx((1 + 1 / 3) / 3)
    assert report.sr50 == pytest.approx(1 / 3)
    assert report.sr75 == pytest.approx(1 / 3)
    # Errors 0, 5 and 30 px.
    expected = np.repeat([1 / 3, 2 / 3, 1], [5, 25, 21])
    np.testing.assert_allclose(report.precision_curve, expected)


def test_no_first_by_hand():
    report = ope.score(TRUTH, RESULT, dialect="no_first")
    assert report.auc == pytest.approx(7 / 21 / 2)
    assert report.precision == pytest.approx(1 / 2)
    assert report.ao == pytest.approx(1 / 6)
    assert report.sequences["a"].frames.tolist() == [1, 2]


@pytest.mark.parametrize("bad", [[np.nan] * 4, [0.0, 0, 0, 0], [20, 20, 0, 10]])
def test_frames_without_a_target(bad):
    truth = {"a": TRUTH["a"].copy()}
    truth["a"][2] = bad
    otb = ope.score(truth, RESULT)
    # IoU -1: no success even at threshold 0; centre error -1: precise at any distance.
    assert otb.sequences["a"].iou[2] == -1
    assert otb.auc == pytest.approx((20 + 7) / 21 / 3)
    assert otb.precision == 1.0
    assert otb.ao == pytest.approx((1 + 1 / 3) / 3)
    assert otb.sequences["a"].num_unusable == 1
    for dialect in ("no_first", "got10k"):
        report = ope.score(truth, RESULT, dialect=dialect)
        assert report.ao == pytest.approx(1 / 3)
        assert report.sequences["a"].frames.tolist() == [1]


def test_box_on_the_left_border_is_a_miss_for_otb_alone():
    truth = {"a": np.tile([0.0, 20, 10, 10], (3, 1))}
    assert ope.score(truth, truth).auc == 0.0
    assert ope.score(truth, truth, dialect="no_first").auc == pytest.approx(20 / 21)


def test_sequences_or_frames_are_averaged():
    boxes = np.tile([20.0, 20, 10, 10], (11, 1))
    truth = {"long": boxes, "short": boxes[:3]}
    results = {"long": boxes, "short": boxes[:3] + np.eye(4)[0] * 100}
    assert ope.score(truth, results, dialect="no_first").ao == pytest.approx(1 / 2)
    # 10 frames of IoU 1 and 2 of IoU 0.
    assert ope.score(truth, results, dialect="got10k").ao == pytest.approx(10 / 12)


def test_visibility_flag_counts_where_the_dialect_asks():
    visible = {"a": np.array([True, False, True])}
    report = ope.score(TRUTH, RESULT, dialect="got10k", visible=visible)
    assert report.sequences["a"].frames.tolist() == [2]
    assert ope.score(TRUTH, RESULT, visible=visible).auc == ope.score(TRUTH, RESULT).auc


def test_curves_fall_and_rise_and_numbers_stay_in_range():
    rng = np.random.default_rng(0)
    truth = {n: rng.uniform(1, 60, (30, 4)) for n in "abc"}
    results = {n: t + rng.normal(0, 8, t.shape).clip(-t / 2) for n, t in truth.items()}
    for dialect in ("otb", "no_first", "got10k"):
        report = ope.score(truth, results, dialect=dialect)
        assert np.all(np.diff(report.success_curve) <= 0)
        assert np.all(np.diff(report.precision_curve) >= 0)
        assert np.all(np.diff(report.norm_precision_curve) >= 0)
        assert all(0 <= getattr(report, key) <= 1 for key in NUMBERS)


def test_scoring_changes_no_input():
    result = {"a": RESULT["a"].copy()}
    ope.score(TRUTH, result)
    np.testing.assert_array_equal(result["a"], RESULT["a"])


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, r"no results for 1 sequences: \['a'\]"),
        ({"a": RESULT["a"][:2]}, r"sequence a: results are \(2, 4\)"),
        ({"a": RESULT["a"] * [1, 1, np.nan, 1]}, "frame 0.*finite"),
        ({"a": RESULT["a"] - [[0] * 4, [0] * 4, [0, 0, 11, 0]]}, "frame 2.*negative"),
    ],
)
def test_bad_results(results, message):
    with pytest.raises(InputError, match=message):
        ope.score(TRUTH, results)


def test_nothing_to_score():
    with pytest.raises(InputError, match="no sequences"):
        ope.score({}, {})
    one = {"a": TRUTH["a"][:1]}
    with pytest.raises(InputError, match=r"sequence a: no frame left.*no_first"):
        ope.score(one, one, dialect="no_first")
