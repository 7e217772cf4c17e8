"""Tests for jaxtrack.data.composed.motion."""

import numpy as np

from jaxtrack.data.composed import motion

TIMES = np.arange(400)


def test_drift_is_a_sum_of_sines():
    """Here of one period P: x(t + P) = x(t) and x(t + P / 2) = -x(t)."""
    drift = motion.random_drift(np.random.default_rng(0), TIMES, [1.0], period=(8, 8))
    np.testing.assert_allclose(drift[8:], drift[:-8], atol=1e-9)
    np.testing.assert_allclose(drift[4:], -drift[:-4], atol=1e-9)
    # sin^2 + cos^2: a quarter period apart, squares add up to the amplitude's.
    squares = drift[2:] ** 2 + drift[:-2] ** 2
    assert np.ptp(squares) < 1e-9


def test_drift_keeps_its_bounds():
    for seed in range(5):
        rng, most = np.random.default_rng(seed), [50.0, 10.0]
        path = motion.random_drift(rng, TIMES, most, period=(5, 40), max_speed=1.5)
        assert (np.abs(path) <= most).all()
        assert np.abs(np.diff(path, axis=0)).max() <= 1.5
        assert np.ptp(path, axis=0).min() > 1.0  # It moves at all.


def displacement(ripple, points, t):
    """How far from its rest point the point drawn at `points [N, 2]` is at `t [N]`."""
    waves = points @ ripple.wave.T
    angles = waves + 2 * np.pi * (t[:, None] * ripple.frequency + ripple.phase)
    return np.sin(angles) @ ripple.push


def test_ripple_inverse_is_inverse_at_full_strength():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        ripple = motion.random_ripple(rng, 1.0)
        rest, times = rng.uniform(-1, 1, (200, 2)), rng.uniform(0, 100, 200)
        drawn = ripple.inverse(rest, times)
        again = drawn + displacement(ripple, drawn, times)
        np.testing.assert_allclose(again, rest, atol=1e-4)
        assert np.abs(drawn - rest).max() > 0.01


def test_ripple_of_no_strength_is_the_identity():
    ripple = motion.random_ripple(np.random.default_rng(0), 0.0)
    rest = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    np.testing.assert_array_equal(ripple.inverse(rest, 3), rest)


def passage(seed, crossing=200, **changes):
    options = {"bearing": 0.3, "distance": (2.0, 2.5), "miss": (0.2, 0.4), **changes}
    return motion.random_passage(
        np.random.default_rng(seed), TIMES, crossing, **options
    )


def test_a_passage_misses_the_origin_once_and_lingers_on_both_sides():
    for seed in range(8):
        check_passage(seed)


def check_passage(seed):
    path = passage(seed)
    away = np.linalg.norm(path, axis=1)
    # At the crossing tanh(0) = 0 and sech(0) = 1: the distance is the miss.
    assert 0.2 <= away[200] <= 0.4 and away[200] <= away.min() + 1e-9
    far = np.delete(away, np.arange(160, 241))  # More than three durations away.
    # tanh(3.3) = 0.997, sech(3.3) = 0.07; the sway adds 8 %.
    assert 2.0 * 0.92 * 0.997 <= far.min() and far.max() <= 2.5 * 1.08 + 0.01
    # 12 frames later, at tanh(1) = 0.76 or more of the way out.
    assert away[212] > 0.75 * 2.0 * 0.92 and away[188] > 0.75 * 2.0 * 0.92
    bearings = np.arctan2(path[:, 1], path[:, 0])
    assert np.abs(bearings[240:] - 0.3).max() < 0.7 + 0.02
    back = np.angle(np.exp(1j * (bearings[:160] - 0.3 - np.pi)))
    assert np.abs(back).max() < 0.7 + 0.02


def test_a_passage_turns_with_its_bearing_and_passes_on_either_side():
    for seed in range(5):
        path, turned = passage(seed), passage(seed, bearing=0.3 + np.pi / 2)
        np.testing.assert_allclose(turned, path @ [[0, 1], [-1, 0]], atol=1e-9)
    cosine, sine = np.cos(0.3), np.sin(0.3)
    sides = {np.sign(passage(seed)[200] @ [-sine, cosine]) for seed in range(12)}
    assert sides == {-1.0, 1.0}


def test_an_early_passage_is_as_far_away_at_first():
    for seed in range(5):
        away = np.linalg.norm(passage(seed, crossing=6), axis=1)
        # sqrt((1.84 tanh(2.7))^2 + (0.2 sech(2.7))^2) = 1.823 at least.
        assert away[0] > 1.82 and away[6] <= 0.4


def test_turns_come_after_stretches():
    # A quarter turn takes (2, 0) to (0, 2) and (0, 3) to (-3, 0).
    found = motion.turned(np.array([0.0, np.pi / 2]), 2.0, np.array([5.0, 3.0]))
    expected = [[[2, 0], [0, 5]], [[0, -3], [2, 0]]]
    np.testing.assert_allclose(found, expected, atol=1e-12)
