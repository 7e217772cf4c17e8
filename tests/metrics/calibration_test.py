"""Tests for jaxtrack.metrics.calibration."""

import numpy as np
import pytest

from jaxtrack.metrics import calibration


def by_pairs(score, positive):
    """The definition: over all pairs, how often the positive's score is lower."""
    p, n = score[positive][:, None], score[~positive][None]
    return np.mean((p < n) + 0.5 * (p == n))


def test_roc_auc_is_the_share_of_ordered_pairs():
    rng = np.random.default_rng(0)
    for _ in range(20):
        score = rng.integers(0, 6, 30) / 5  # With ties.
        positive = rng.random(30) < 0.3
        positive[:2] = True, False
        found = calibration.roc_auc(score, positive)
        assert found == pytest.approx(by_pairs(score, positive), abs=1e-12)
        assert calibration.roc_auc(score, ~positive) == pytest.approx(1 - found)
        # Any rising function of the score is as good.
        assert calibration.roc_auc(score**3, positive) == pytest.approx(found)
    lost = np.array([True, True, False, False])
    assert calibration.roc_auc(np.array([0.1, 0.2, 0.3, 0.9]), lost) == 1
    assert calibration.roc_auc(np.ones(4), lost) == 0.5
    assert np.isnan(calibration.roc_auc(np.ones(4), np.ones(4, bool)))


def test_reliability_by_hand():
    score = np.array([0.9, 0.1, 0.3, 0.7])
    value = np.array([1.0, 0.0, 0.5, 0.5])
    found = calibration.reliability(score, value, num_groups=2)
    np.testing.assert_allclose(found.score, [0.2, 0.8])
    np.testing.assert_allclose(found.value, [0.25, 0.75])
    np.testing.assert_array_equal(found.count, [2, 2])
    assert found.error == pytest.approx(0.05)
    one = calibration.reliability(score, value, num_groups=10)
    np.testing.assert_array_equal(one.count, np.ones(4))
    assert calibration.reliability(value, value).error == 0


def test_what_a_threshold_finds_by_hand():
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    lost = np.array([True, False, True, False, False])
    found = calibration.alarm(score, lost, 0.25)
    assert found == (0.5, pytest.approx(1 / 3), 0.5)
    found = calibration.alarm(score, lost, 0.05)
    assert found[:2] == (0, 0) and np.isnan(found.precision)
    assert np.isnan(calibration.alarm(score, ~lost & lost, 0.3).recall)


def test_the_logistic_curve_is_found_again():
    score = np.linspace(0.6, 0.98, 200)
    value = 1 / (1 + np.exp(-25 * (score - 0.86)))
    slope, middle = calibration.fit_logistic(score, value)
    assert slope == pytest.approx(25, rel=1e-6)
    assert middle == pytest.approx(0.86, rel=1e-6)
    # At the maximum of the likelihood the mean is kept, whatever the values.
    value = np.random.default_rng(0).random(200) * score
    slope, middle = calibration.fit_logistic(score, value)
    fitted = 1 / (1 + np.exp(-slope * (score - middle)))
    assert fitted.mean() == pytest.approx(value.mean(), abs=1e-9)
    assert (fitted * score).mean() == pytest.approx((value * score).mean(), abs=1e-9)
    parted = np.arange(6.0), np.arange(6) > 2
    for data in ((np.ones(5), value[:5]), parted):
        with pytest.raises(ValueError, match="no such curve"):
            calibration.fit_logistic(*data)


def test_what_is_no_score_is_refused():
    for function in (calibration.roc_auc, calibration.reliability):
        with pytest.raises(ValueError, match=r"scores \(3,\), values \(2,\)"):
            function(np.ones(3), np.ones(2))
        with pytest.raises(ValueError, match="not finite"):
            function(np.array([np.nan]), np.ones(1))
    with pytest.raises(ValueError, match="no frame"):
        calibration.reliability(np.ones(0), np.ones(0))
