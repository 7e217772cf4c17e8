"""Tests for jaxtrack.metrics.faults."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import faults
from jaxtrack.metrics.protocols import PROTOCOLS

NAN = np.nan
TRUTH = np.tile([20.0, 20, 10, 10], (5, 1))
RESULT = TRUTH + np.arange(5.0)[:, None] * [1, 0, 0, 0]
STRICT = ("otb", "pysot", "pysot_lasot", "got10k", "no_first")
CUTTING = tuple(name for name in PROTOCOLS if name not in STRICT)


def fit(protocol, predicted, truth=TRUTH, name="a"):
    return faults.fix_results(name, truth, predicted, PROTOCOLS[protocol])


def test_sound_results_stay_as_they_are():
    for protocol in PROTOCOLS:
        fitted = fit(protocol, RESULT)
        np.testing.assert_array_equal(fitted.predicted, RESULT)
        np.testing.assert_array_equal(fitted.truth, TRUTH)
        assert fitted.warnings == []
        assert fitted.predicted is not RESULT


def test_lasot_repeats_the_box_before():
    for bad in [[NAN] * 4, [1, NAN, 3, 4], [1, 2, 0, 4], [1, 2, 3, -4]]:
        damaged = RESULT.copy()
        damaged[[2, 3]] = bad
        fitted = fit("lasot", damaged)
        np.testing.assert_array_equal(fitted.predicted[:, 0], [20, 21, 21, 21, 24])
        assert fitted.warnings[0].startswith(
            "2 results without a proper size, the first in frame 2"
        )


def test_lasot_repeats_nothing_where_there_is_no_truth():
    truth, damaged = TRUTH.copy(), RESULT.copy()
    truth[2], damaged[2] = NAN, NAN
    np.testing.assert_array_equal(fit("lasot", damaged, truth).predicted[2], [NAN] * 4)
    damaged[3] = NAN  # Would repeat frame 2, which has no box.
    with pytest.raises(InputError, match="result of frame 3"):
        fit("lasot", damaged, truth)


def test_lasot_does_not_mend_the_first_frame():
    damaged = RESULT.copy()
    damaged[0] = NAN
    np.testing.assert_array_equal(fit("lasot", damaged).predicted[1:], RESULT[1:])
    damaged[1] = NAN
    with pytest.raises(InputError, match="result of frame 1"):
        fit("lasot", damaged)


def test_pytracking_repeats_boxes_without_a_size():
    for protocol in ("pytracking_otb", "pytracking_uav", "pytracking_lasot"):
        damaged = RESULT.copy()
        damaged[[0, 2, 3], [2, 2, 3]] = 0
        fitted = fit(protocol, damaged)
        np.testing.assert_array_equal(fitted.predicted[:, 0], [20, 21, 21, 21, 24])
        said = "2 results without a proper size, the first in frame 2"
        assert said in fitted.warnings[0]
        for bad in (NAN, -1):
            damaged[4, 2] = bad
            with pytest.raises(InputError, match="frame 4"):
                fit(protocol, damaged)


def test_boxes_without_a_size_are_never_silent():
    for protocol in PROTOCOLS:
        damaged = RESULT.copy()
        damaged[3, 2] = 0
        (note,) = fit(protocol, damaged).warnings
        assert "in frame 3" in note


def test_too_many_results():
    for protocol in PROTOCOLS:
        surplus = np.concatenate([RESULT, RESULT[:2]])
        if protocol in CUTTING:
            fitted = fit(protocol, surplus)
            np.testing.assert_array_equal(fitted.predicted, RESULT)
            assert "7 results for 5 frames; those from frame 5 on" in fitted.warnings[0]
        else:
            with pytest.raises(InputError, match=r"results are \(7, 4\).*\(5, 4\)"):
                fit(protocol, surplus)


def test_pysot_cuts_monkey_17_alone():
    surplus = np.concatenate([RESULT, RESULT[:2]])
    assert len(fit("pysot_lasot", surplus, name="monkey-17").predicted) == 5
    with pytest.raises(InputError, match="results are"):
        fit("pysot", surplus, name="monkey-17")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_too_few_results(protocol):
    short = RESULT[:3]
    rule = PROTOCOLS[protocol].missing_rows
    if rule == "refused":
        with pytest.raises(InputError, match=r"results are \(3, 4\)"):
            fit(protocol, short)
        return
    fitted = fit(protocol, short)
    assert "results end before frame 3; the last 2 of 5 frames" in fitted.warnings[0]
    np.testing.assert_array_equal(fitted.predicted[:3], short)
    if rule == "cut":
        assert len(fitted.predicted) == len(fitted.truth) == 3
    else:
        value = {"zeros": 0.0, "lost": NAN}[rule]
        np.testing.assert_array_equal(fitted.predicted[3:], np.full((2, 4), value))


def test_too_few_results_by_toolkit():
    rules = {name: protocol.missing_rows for name, protocol in PROTOCOLS.items()}
    zeros = dict.fromkeys(("pytracking_otb", "pytracking_uav"), "zeros")
    cut = dict.fromkeys(("got10k_otb", "got10k_uav123", "got10k_lasot"), "cut")
    others = {n: rule for n, rule in rules.items() if rule != "refused"}
    assert others == {**zeros, **cut, "trackingnet": "lost"}


def test_truth_with_nan_stops_pytracking():
    for protocol in ["pytracking_otb", "pytracking_lasot"]:
        truth = TRUTH.copy()
        truth[3, 1] = NAN
        with pytest.raises(InputError, match="ground truth of frame 3.*stops at NaN"):
            fit(protocol, RESULT, truth)
        assert fit("pytracking_uav", RESULT, truth).warnings == []


def test_impossible_truth():
    for protocol in PROTOCOLS:
        truth = TRUTH.copy()
        truth[1, 0] = np.inf
        with pytest.raises(InputError, match="ground truth of frame 1"):
            fit(protocol, RESULT, truth)


def test_truth_of_negative_size_where_nothing_tests_it():
    for protocol in ["got10k_otb", "got10k_lasot", "trackingnet"]:
        truth = TRUTH.copy()
        truth[1, 2] = -3
        with pytest.raises(InputError, match="frame 1.*negative size"):
            fit(protocol, RESULT, truth)


def test_what_is_no_table_of_boxes():
    for rows, message in [
        ([], r"results is \(0,\), not \[N, 4\]"),
        (np.zeros((3, 5)), r"\(3, 5\)"),
        ([[1, 2, 3, 4], [1, 2]], "not rows of four numbers"),
        ([["a", 2, 3, 4]], "not rows of four numbers"),
    ]:
        with pytest.raises(InputError, match=message):
            faults.check_boxes(rows, "results")


def test_flags_are_cut_only_of_zeros():
    assert faults.check_flags(None, "a", 3, "absent") is None
    flags = faults.check_flags({"a": [False, True, False, False]}, "a", 3, "absent")
    np.testing.assert_array_equal(flags, [0, 1, 0])


def test_bad_flags():
    for values, message in [
        ({"b": [0, 1, 0]}, "no flags of absent"),
        ({"a": [0, 1]}, "2 flags for 3 frames"),
        ({"a": [0, 1, 0, 1]}, "4 flags for 3 frames"),
        ({"a": [0, NAN, 0]}, "some NaN"),
        ({"a": ["x", 1, 0]}, "not numbers"),
    ]:
        with pytest.raises(InputError, match=message):
            faults.check_flags(values, "a", 3, "absent")


OTB, TRACKINGNET = PROTOCOLS["otb"], PROTOCOLS["trackingnet"]


def test_name_warnings():
    assert faults.name_warnings({"a": 1}, {"a": 1}, OTB) == []
    (note,) = faults.name_warnings({"a": 1}, {"a": 1, "c": 1, "b": 1}, OTB)
    assert "2 sequences of the results" in note and "b, c" in note
    with pytest.raises(InputError, match=r"\['a'\]; results without.*\['A'\]: run"):
        faults.name_warnings({"a": 1}, {"A": 1}, OTB)
    notes = faults.name_warnings({"a": 1, "b": 1}, {"b": 1}, TRACKINGNET)
    assert notes == ["sequence a: no results; scored as boxes of 0"]
    for none_fits in ({}, {"A": 1}):
        with pytest.raises(InputError, match="no results for 1 sequences"):
            faults.name_warnings({"a": 1}, none_fits, TRACKINGNET)


def test_argument_warnings():
    found = {
        name: len(faults.argument_warnings(protocol, None, None, None))
        for name, protocol in PROTOCOLS.items()
    }
    read = {"lasot": 1, "pysot_lasot": 1, "pytracking_lasot": 1, "got10k": 2}
    assert found == dict.fromkeys(PROTOCOLS, 0) | read
    for protocol in PROTOCOLS.values():
        assert faults.argument_warnings(protocol, {}, {}, {}) == []
