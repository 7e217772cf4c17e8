"""Tests for jaxtrack.data.synthetic.motion."""

import numpy as np
import pytest

from jaxtrack.data.synthetic import motion

TIMES = np.arange(400)


def test_drift_is_the_sum_of_its_sines():
    drift = motion.Drift(
        np.array([[2.0], [1.0]]), np.array([[0.25], [0.5]]), np.array([[0.0], [0.25]])
    )
    # t = 1: 2 sin(pi / 2) + sin(pi + pi / 2) = 2 - 1.
    np.testing.assert_allclose(drift(1), [1.0], atol=1e-12)
    np.testing.assert_allclose(drift([0, 1]), [[1.0], [1.0]], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_drift_keeps_its_bounds(seed):
    rng = np.random.default_rng(seed)
    drift = motion.random_drift(rng, [50.0, 10.0], period=(5, 40), max_speed=1.5)
    path = drift(TIMES)
    assert (np.abs(path) <= [50.0, 10.0]).all()
    assert np.abs(np.diff(path, axis=0)).max() <= 1.5
    assert np.ptp(path, axis=0).min() > 1.0  # It moves at all.


def test_a_slow_drift_keeps_its_period():
    fast = motion.random_drift(np.random.default_rng(0), [1.0], period=(8, 8))
    np.testing.assert_allclose(fast(TIMES + 8), fast(TIMES), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_ripple_inverse_is_inverse_at_full_strength(seed):
    rng = np.random.default_rng(seed)
    ripple = motion.random_ripple(rng, 1.0)
    rest = rng.uniform(-1, 1, (200, 2))
    times = rng.uniform(0, 100, 200)
    drawn = ripple.inverse(rest, times)
    again = drawn + ripple.displacement(drawn, times)
    np.testing.assert_allclose(again, rest, atol=1e-4)
    assert np.abs(drawn - rest).max() > 0.01


def test_ripple_of_no_strength_is_the_identity():
    ripple = motion.random_ripple(np.random.default_rng(0), 0.0)
    rest = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    np.testing.assert_array_equal(ripple.inverse(rest, 3), rest)
