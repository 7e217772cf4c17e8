"""Tests for jaxtrack.metrics.ope; goldens/ope_toolkits.py made the goldens."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import ope
from jaxtrack.metrics.protocols import PROTOCOLS
from tests.metrics import naive_ope

TRACKERS = ("good", "drift")
NUMBERS = ("auc", "precision", "norm_precision", "ao", "sr50", "sr75")
TOOLKITS = [name for name in PROTOCOLS if name != "no_first"]
CHECKED = [d for d in TOOLKITS if not d.startswith(("pytracking", "trackingnet"))]


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


def report_of(toolkits, protocol, tracker):
    truth = part(toolkits, "truth_")
    if protocol == "otb":
        del truth["absent"]  # Not among those that OTB's toolkit was run on.
    return ope.score(
        truth,
        part(toolkits, f"result_{tracker}_"),
        protocol=protocol,
        absent=part(toolkits, "absent_"),
        cover=part(toolkits, "cover_"),
        image_size=part(toolkits, "size_"),
    )


def test_equals_the_toolkit(toolkits):
    for tracker in TRACKERS:
        for protocol in CHECKED:
            report = report_of(toolkits, protocol, tracker)
            expected = part(toolkits, f"{protocol}/{tracker}/")
            assert len(expected) >= 3
            for key, value in expected.items():
                field, _, sequence = key.partition("/")
                ours = report.sequences[sequence] if sequence else report
                np.testing.assert_allclose(
                    getattr(ours, field), value, rtol=0, atol=1e-9, err_msg=key
                )


def test_toolkits_that_average_otherwise(toolkits):
    lasot = report_of(toolkits, "lasot", "drift")
    # The Matlab toolkit's other ranking: the mean of the same curve.
    assert lasot.norm_precision_curve.mean() == pytest.approx(0.21193102830032684)
    got10k = report_of(toolkits, "got10k", "drift")
    of_sequences = np.mean([s.ao for s in got10k.sequences.values()])
    assert of_sequences == pytest.approx(0.22790895666146246, abs=1e-9)
    assert got10k.ao != pytest.approx(of_sequences, abs=1e-6)


# Random videos: whole and broken numbers, targets at the border and outside, absent,
# without a size, without truth.
def random_truth(rng, length, kind):
    xy = rng.uniform(-10, 60, (length, 2))
    wh = rng.uniform(3, 40, (length, 2))
    truth = np.concatenate([xy, wh], axis=1)
    if kind == "whole":
        truth = truth.round()
        truth[rng.random(length) < 0.1, :2] = 0
    absent = rng.random(length) < 0.15
    truth[absent & (rng.random(length) < 0.7)] = 0
    truth[rng.random(length) < 0.05, 2 + rng.integers(2)] = 0
    truth[0, 2:] = 9  # OTB's toolkit divides by zero where the first box has no size.
    return truth, absent


def random_case(seed, *, nan):
    rng = np.random.default_rng(seed)
    truth, results, absent, cover = {}, {}, {}, {}
    for place, kind in enumerate(("whole", "broken", "whole", "broken")):
        name, length = f"{kind}{place}", 25 + 7 * place
        truth[name], absent[name] = random_truth(rng, length, kind)
        shift = np.array([6, 6, 4, 4]) * rng.standard_normal((length, 4))
        results[name] = truth[name] + shift * (rng.random((length, 1)) < 0.9)
        results[name][:, 2:] = np.maximum(results[name][:, 2:], 1)
        if kind == "whole":
            results[name] = results[name].round()
        cover[name] = rng.integers(0, 9, length) * ~absent[name]
        if nan:
            truth[name][rng.random(length) < 0.1] = np.nan
            results[name] = np.where(np.isnan(results[name]), 9.0, results[name])
        results[name][np.isnan(results[name])] = 5.0
        cover[name][np.isnan(truth[name]).any(axis=1)] = 0
    sizes = dict.fromkeys(truth, (64.0, 48.0))
    return truth, results, absent, cover, sizes


def test_equals_the_definition_a_frame_at_a_time():
    for seed in range(4):
        for protocol in TOOLKITS:
            nan = seed % 2 == 1 and PROTOCOLS[protocol].accepts_nan_truth
            truth, results, absent, cover, sizes = random_case(seed, nan=nan)
            expected = naive_ope.score(protocol, truth, results, absent, cover, sizes)
            options = {"absent": absent, "cover": cover, "image_size": sizes}
            report = ope.score(truth, results, protocol=protocol, **options)
            atol = 1e-6 if PROTOCOLS[protocol].single_precision else 1e-12
            for key, value in expected.items():
                what = {"rtol": 0, "atol": atol, "err_msg": f"{protocol} {key}"}
                np.testing.assert_allclose(getattr(report, key), value, **what)


def test_errors_and_overlaps_on_a_threshold_fall_as_in_the_toolkit():
    """Whole numbers put many frames exactly on a threshold: 6 / 10, 20 px, 0.2 w."""
    for protocol in TOOLKITS:
        rng = np.random.default_rng(5)
        truth = {"a": np.tile([100.0, 100, 40, 20], (200, 1))}
        results = {"a": truth["a"] + rng.integers(-12, 13, (200, 4)) * [2, 1, 1, 0]}
        flags, size = {"a": np.zeros(200)}, {"a": (640.0, 480.0)}
        visible = {"a": np.full(200, 8)}
        expected = naive_ope.score(protocol, truth, results, flags, visible, size)
        options = {"absent": flags, "cover": visible, "image_size": size}
        report = ope.score(truth, results, protocol=protocol, **options)
        for key in ("success_curve", "precision_curve", "norm_precision_curve"):
            np.testing.assert_allclose(
                getattr(report, key), expected[key], atol=1e-7, err_msg=protocol
            )


# Three frames of a 10 x 10 target at (20, 20); the second prediction is half a width
# to the right (IoU 1/3, error 5 px and 0.5 widths), the third misses by 30 px.
TRUTH = {"a": np.tile([20.0, 20, 10, 10], (3, 1))}
RESULT = {"a": np.array([[0.0, 0, 4, 4], [25, 20, 10, 10], [50, 20, 10, 10]])}


def test_otb_by_hand():
    report = ope.score(TRUTH, RESULT, protocol="otb")
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
    assert report.warnings == ()


def test_trackingnet_by_hand():
    report = ope.score(TRUTH, RESULT, protocol="trackingnet")
    # IoU 1 reaches all 21 thresholds, 1/3 those to 0.3, IoU 0 the threshold 0.
    reached = np.array([3] + [2] * 6 + [1] * 14) / 3
    np.testing.assert_allclose(report.success_curve, reached)
    # Trapezoids: the ends count half.
    assert report.auc == pytest.approx((reached.sum() - (1 + 1 / 3) / 2) / 20)
    # Errors 0, 5, 30 px on a grid of 2.5 px; 0, 0.5, 3 widths on one of 0.025.
    within = np.array([1] * 2 + [2] * 10 + [3] * 9) / 3
    assert report.precision == pytest.approx((within.sum() - (1 / 3 + 1) / 2) / 20)
    within = np.array([1] * 20 + [2]) / 3
    assert report.norm_precision == pytest.approx((within.sum() - 0.5) / 20)
    half = {"a": RESULT["a"] + [0.4, -0.4, 0.4, 0.4]}
    assert ope.score(TRUTH, half, protocol="trackingnet").auc == report.auc


def test_pytracking_keeps_curves_in_single_precision():
    report = ope.score(TRUTH, RESULT, protocol="pytracking_otb")
    assert report.success_curve[0] == float(np.float32(2 / 3)) != 2 / 3
    # Its average overlap is over frames with a target, missed or not: 1, 1/3 and 0.
    assert report.ao == pytest.approx(4 / 9)
    truth = {"a": TRUTH["a"].copy()}
    truth["a"][2, 2] = 0
    ao = ope.score(truth, RESULT, protocol="pytracking_otb").ao
    assert ao == pytest.approx(2 / 3)


def test_no_first_by_hand():
    report = ope.score(TRUTH, RESULT, protocol="no_first")
    assert report.auc == pytest.approx(7 / 21 / 2)
    assert report.precision == pytest.approx(1 / 2)
    assert report.ao == pytest.approx(1 / 6)
    assert report.sequences["a"].frames.tolist() == [1, 2]


def test_frames_without_a_target():
    for bad in [[np.nan] * 4, [0.0, 0, 0, 0], [20, 20, 0, 10]]:
        truth = {"a": TRUTH["a"].copy()}
        truth["a"][2] = bad
        otb = ope.score(truth, RESULT, protocol="otb")
        # IoU -1: no success even at threshold 0; error -1: precise at any distance.
        assert otb.sequences["a"].iou[2] == -1
        assert otb.auc == pytest.approx((20 + 7) / 21 / 3)
        assert otb.precision == 1.0
        assert otb.ao == pytest.approx((1 + 1 / 3) / 3)
        assert otb.sequences["a"].num_unusable == 1
        assert "1 frames of the ground truth (the first is frame 2)" in otb.warnings[0]
        for protocol in ("no_first", "got10k"):
            report = ope.score(truth, RESULT, protocol=protocol)
            assert report.ao == pytest.approx(1 / 3)
            assert report.sequences["a"].frames.tolist() == [1]


def test_absent_frames_by_hand():
    """The third frame is absent; IoU 1, 1/3 remain (pysot: 0, 1/3)."""
    absent = {"a": np.array([0, 0, 1])}

    def scored(protocol):
        return ope.score(TRUTH, RESULT, protocol=protocol, absent=absent)

    # Out of the numerator, not of the denominator.
    assert scored("lasot").auc == pytest.approx((20 + 7) / 21 / 3)
    assert scored("lasot").precision_curve[50] == pytest.approx(2 / 3)
    assert scored("pysot_lasot").auc == pytest.approx(7 / 21 / 3)
    assert scored("pytracking_lasot").precision_curve[50] == pytest.approx(2 / 3)
    for protocol in ("otb", "pysot", "pytracking_otb", "got10k_lasot", "trackingnet"):
        plain = ope.score(TRUTH, RESULT, protocol=protocol)
        assert scored(protocol).precision_curve[-1] == plain.precision_curve[-1] == 1.0


def test_box_on_the_left_border_is_a_miss_for_otb_and_lasot_alone():
    truth = {"a": np.tile([0.0, 20, 10, 10], (3, 1))}
    options = {"absent": {"a": np.zeros(3)}}
    assert ope.score(truth, truth, protocol="otb").auc == 0.0
    with pytest.raises(InputError, match="success curve is 0 everywhere"):
        ope.score(truth, truth, protocol="lasot", **options)
    for protocol in ("pysot", "pytracking_uav", "got10k_otb", "no_first"):
        assert ope.score(truth, truth, protocol=protocol).auc == pytest.approx(20 / 21)
    assert ope.score(truth, truth, protocol="trackingnet").auc == 1.0


def test_lasot_leaves_out_sequences_of_zeros():
    lost = np.tile([0.0, 20, 10, 10], (3, 1))
    truth, absent = {"a": TRUTH["a"], "b": lost}, {n: np.zeros(3) for n in "ab"}
    results = RESULT | {"b": lost}
    report = ope.score(truth, results, protocol="lasot", absent=absent)
    assert report.auc == report.sequences["a"].auc
    assert report.precision == pytest.approx((2 / 3 + 1) / 2)
    assert "1 sequences whose success curve is 0" in " ".join(report.warnings)


def test_sequences_or_frames_are_averaged():
    boxes = np.tile([20.0, 20, 10, 10], (11, 1))
    truth = {"long": boxes, "short": boxes[:3]}
    results = {"long": boxes, "short": boxes[:3] + np.eye(4)[0] * 100}
    assert ope.score(truth, results, protocol="no_first").ao == pytest.approx(1 / 2)
    # 10 frames of IoU 1 and 2 of IoU 0.
    assert ope.score(truth, results, protocol="got10k").ao == pytest.approx(10 / 12)


def test_cover_counts_where_the_protocol_asks():
    cover = {"a": np.array([8, 0, 1])}
    report = ope.score(TRUTH, RESULT, protocol="got10k", cover=cover)
    assert report.sequences["a"].frames.tolist() == [2]
    with_cover = ope.score(TRUTH, RESULT, protocol="otb", cover=cover)
    assert with_cover.auc == ope.score(TRUTH, RESULT, protocol="otb").auc


def test_warns_of_what_was_left_out():
    cover, size = ope.score(TRUTH, RESULT, protocol="got10k").warnings
    assert "no cover given" in cover and "no image sizes" in size
    (absence,) = ope.score(TRUTH, RESULT, protocol="lasot").warnings
    assert "no flags of absence" in absence


def test_curves_fall_and_rise_and_numbers_stay_in_range():
    for protocol in PROTOCOLS:
        rng = np.random.default_rng(0)
        truth = {n: rng.uniform(1, 60, (30, 4)) for n in "abc"}
        results = {
            n: t + rng.normal(0, 8, t.shape).clip(-t / 2) for n, t in truth.items()
        }
        report = ope.score(truth, results, protocol=protocol)
        assert np.all(np.diff(report.success_curve) <= 0)
        assert np.all(np.diff(report.precision_curve) >= 0)
        assert np.all(np.diff(report.norm_precision_curve) >= 0)
        assert all(0 <= getattr(report, key) <= 1 for key in NUMBERS)
        assert all(0 < getattr(report, key) for key in NUMBERS)


def test_scoring_changes_no_input():
    for protocol in PROTOCOLS:
        truth, result = {"a": TRUTH["a"] - 40.2}, {"a": RESULT["a"].copy()}
        truth["a"][:, 2:] = 10
        before = truth["a"].copy()
        options = {"absent": {"a": np.array([0, 0, 1])}, "image_size": {"a": (30, 30)}}
        try:
            ope.score(truth, result, protocol=protocol, **options)
        except InputError as fault:
            assert "0 everywhere" in str(fault)  # LaSOT: x is not above 0.
        np.testing.assert_array_equal(result["a"], RESULT["a"])
        np.testing.assert_array_equal(truth["a"], before)


def test_bad_results():
    for results, message in [
        ({}, r"no results for 1 sequences: \['a'\]"),
        ({"A": RESULT["a"]}, r"without ground truth: \['A'\]"),
        ({"a": RESULT["a"][:2]}, r"sequence a: results are \(2, 4\)"),
        ({"a": RESULT["a"] - [[0] * 4, [0] * 4, [0, 0, 11, 0]]}, "frame 2.*negative"),
    ]:
        with pytest.raises(InputError, match=message):
            ope.score(TRUTH, results, protocol="otb")


def test_a_missing_sequence_is_zeros_for_trackingnet_alone():
    truth, absent = TRUTH | {"b": TRUTH["a"]}, {n: np.zeros(3) for n in "ab"}
    report = ope.score(truth, RESULT, protocol="trackingnet")
    assert report.warnings[0] == "sequence b: no results; scored as boxes of 0"
    # Frame 0 is given; the others have IoU 0, which reaches the threshold 0.
    curve = report.sequences["b"].success_curve
    np.testing.assert_allclose(curve, [1] + [1 / 3] * 20)
    for protocol in set(TOOLKITS) - {"trackingnet"}:
        with pytest.raises(InputError, match="no results for 1 sequences"):
            ope.score(truth, RESULT, protocol=protocol, absent=absent)


def test_damaged_results_never_make_a_silent_number():
    for protocol in PROTOCOLS:
        for bad in [np.nan, np.inf]:
            results = {"a": RESULT["a"].copy()}
            results["a"][1, 0] = bad
            try:
                report = ope.score(TRUTH, results, protocol=protocol)
            except InputError as fault:
                assert "frame 1" in str(fault)
                assert PROTOCOLS[protocol].not_finite == "refused"
                continue
            said = " ".join(report.warnings)
            if protocol == "lasot":
                assert np.isnan(bad) and "replaced by the box before" in said
                continue
            assert "1 results are NaN or infinite, the first in frame 1" in said
            # Comparisons with NaN are false: a frame that reaches no threshold.
            one = report.sequences["a"]
            (place,) = np.flatnonzero(one.frames == 1)
            assert one.iou[place] == -1 and one.center_error[place] == np.inf


def test_bad_arguments():
    with pytest.raises(InputError, match="unknown scoring protocol"):
        ope.score(TRUTH, RESULT, protocol="vot")
    with pytest.raises(InputError, match=r"sequence a: absent: 2 flags for 3 frames"):
        ope.score(TRUTH, RESULT, protocol="lasot", absent={"a": [0, 1]})
    with pytest.raises(InputError, match="sequence a: image_size is"):
        ope.score(TRUTH, RESULT, protocol="got10k", image_size={"a": (0, 9)})


def test_nothing_to_score():
    with pytest.raises(InputError, match="no sequences"):
        ope.score({}, {}, protocol="otb")
    one = {"a": TRUTH["a"][:1]}
    with pytest.raises(InputError, match=r"sequence a: no frame left.*no_first"):
        ope.score(one, one, protocol="no_first")
