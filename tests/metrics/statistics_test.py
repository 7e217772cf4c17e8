"""Tests for jaxtrack.metrics.statistics."""

import math

import numpy as np
import pytest
import scipy.stats

from jaxtrack.metrics.statistics import average_ranks, paired_bootstrap, spearman


def resampled_differences(a, b, num, *, seed, whole_runs):
    """The definition, one resample at a time."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(num):
        drawn = rng.integers(len(a), size=len(a)).tolist()
        means = []
        for values in (a, b):
            size = values.shape[1]
            rows = 1 if whole_runs else len(a)
            runs = rng.integers(size, size=(rows, size)).tolist()
            runs = runs * len(a) if whole_runs else runs
            rows = values.tolist()
            total = 0.0
            for s, of_sequence in zip(drawn, runs, strict=True):
                total += sum(rows[s][r] for r in of_sequence) / size
            means.append(total / len(a))
        found.append(means[1] - means[0])
    return np.array(found)


def test_interval_is_that_of_the_definition():
    for whole_runs in [False, True]:
        rng = np.random.default_rng(1)
        a = rng.normal(0.5, 0.2, (12, 3))
        b = a[:, :2] + 0.03 + rng.normal(0, 0.1, (12, 2)) + [0.05, -0.05]
        got = paired_bootstrap(a, b, whole_runs=whole_runs)
        slow = resampled_differences(a, b, 4000, seed=7, whole_runs=whole_runs)
        assert got.difference == pytest.approx(b.mean() - a.mean(), abs=1e-12)
        # Quantiles of 4000 and 10000 draws scatter by about 2 % of the spread.
        ends = np.quantile(slow, [0.025, 0.975])
        np.testing.assert_allclose((got.low, got.high), ends, atol=0.15 * slow.std())
        assert got.share_above == pytest.approx(np.mean(slow > 0), abs=0.03)


def test_two_sequences_by_hand():
    # Differences 0 and 1: a resample's mean is 0, 1/2, 1 with shares 1/4, 1/2, 1/4.
    got = paired_bootstrap(np.array([0.2, 0.4]), np.array([0.2, 1.4]))
    assert got.difference == pytest.approx(0.5)
    assert (got.low, got.high) == pytest.approx((0.0, 1.0))
    assert got.share_above == pytest.approx(0.75, abs=0.02)
    # The central half lies between the quartiles, of which the middle value has both.
    half = paired_bootstrap(np.array([0, 0.0]), np.array([0, 1.0]), confidence=0.4)
    assert (half.low, half.high) == pytest.approx((0.5, 0.5))


def test_pairing_removes_what_both_share():
    # Sequences differ a lot, but B is better by 0.1 on each: no doubt is left.
    a = np.array([0.1, 0.9, 0.3, 0.7])
    got = paired_bootstrap(a, a + 0.1)
    assert (got.low, got.high, got.share_above) == pytest.approx((0.1, 0.1, 1.0))


def test_luck_of_a_whole_run_does_not_average_out():
    # Each run of B is better or worse by 0.1 on all 20 sequences alike.
    a = np.zeros((20, 2))
    b = np.tile([-0.1, 0.1], (20, 1))
    whole = paired_bootstrap(a, b, whole_runs=True)
    apart = paired_bootstrap(a, b)
    # Two runs drawn from two: both lucky or both unlucky in a quarter of the cases.
    assert (whole.low, whole.high) == pytest.approx((-0.1, 0.1))
    # Anew for each sequence: std of a mean of 2 draws of +-0.1, over sqrt(20).
    assert apart.high == pytest.approx(1.96 * 0.1 / math.sqrt(40), rel=0.1)


def test_swapping_mirrors_and_seed_repeats():
    for whole_runs in [False, True]:
        rng = np.random.default_rng(2)
        a, b = rng.normal(size=(2, 9, 3))
        how = {"whole_runs": whole_runs, "num_samples": 20_000}
        there, back = paired_bootstrap(a, b, **how), paired_bootstrap(b, a, **how)
        assert there.difference == -back.difference
        assert there.low == pytest.approx(-back.high, abs=0.05)
        assert there.share_above == pytest.approx(1 - back.share_above, abs=0.02)
        assert there == paired_bootstrap(a, b, **how)


def test_equal_trackers_are_not_above():
    a = np.array([0.3, 0.1, 0.7])
    assert paired_bootstrap(a, a) == (0.0, 0.0, 0.0, 0.0)


def test_refuses():
    for a, b, message in [
        ([1.0, 2], [1.0], "same S"),
        ([], [], "same S"),
        ([1.0, np.nan], [1.0, 2], "not finite"),
        (np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), r"\[S, R\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            paired_bootstrap(np.array(a), np.array(b))
    with pytest.raises(ValueError, match="confidence"):
        paired_bootstrap(np.zeros(2), np.zeros(2), confidence=1.0)


def test_ranks_by_hand():
    # 7 is third and fourth.
    np.testing.assert_array_equal(average_ranks([7, 1, 7, 3]), [3.5, 1, 3.5, 2])


def test_spearman_is_scipys():
    for num_levels in [2, 5, 1000]:
        rng = np.random.default_rng(num_levels)
        x, y = rng.integers(num_levels, size=(2, 200)) / 7
        y = y + 0.5 * x
        want = scipy.stats.spearmanr(x, y).statistic
        assert spearman(x, y) == pytest.approx(want, abs=1e-12)
        np.testing.assert_allclose(average_ranks(x), scipy.stats.rankdata(x))


def test_spearman_by_hand():
    # Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 sum d^2 / (n (n^2 - 1)) = 1 - 24 / 60.
    x = np.array([0.1, 0.2, 0.3, 0.4])
    assert spearman(x, np.array([5, 4, 9, 8.0])) == pytest.approx(0.6)
    assert spearman(x, np.exp(9 * x)) == 1.0  # Any rising function keeps the ranks.
    assert spearman(x, -x) == -1.0


def test_spearman_is_undefined_where_nothing_varies():
    assert math.isnan(spearman(np.ones(4), np.arange(4.0)))
    assert math.isnan(spearman(np.arange(4.0), np.ones(4)))
    assert math.isnan(spearman(np.array([1.0]), np.array([2.0])))
    assert math.isnan(spearman(np.array([1, np.nan, 2]), np.arange(3.0)))
    with pytest.raises(ValueError, match="alike"):
        spearman(np.zeros(2), np.zeros(3))
