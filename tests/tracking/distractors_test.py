"""Tests for jaxtrack.tracking.distractors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.tracking import distractors

TARGET = jnp.array([40.0, 40.0, 20.0, 20.0])


def cells(*peaks):
    """Cells every 10 px that show a box around themselves, of these scores."""
    xy = np.stack(np.meshgrid(*[np.arange(0.0, 101, 10)] * 2), -1)
    score = np.full(xy.shape[:2], 0.01)
    for x, y, value in peaks:
        score[y // 10, x // 10] = value
    return jnp.asarray(score, jnp.float32), jnp.asarray(xy, jnp.float32)


def follow(known, *peaks, is_sure=True):
    step = jax.jit(distractors.follow, static_argnames="velocity_rate")
    score, center = cells((40, 40, 0.9), *peaks)
    return step(known, score, center, TARGET, jnp.bool_(is_sure), velocity_rate=0.5)


def test_peaks_away_from_the_target_and_each_other():
    # (50, 40) is half a box from the target: 10 px of 20, not less. (80, 80) is as far
    # from (80, 70). 0.71 is less than 0.8 * 0.9.
    score, center = cells(
        (40, 40, 0.9), (50, 40, 0.85), (80, 70, 0.8), (80, 80, 0.75), (0, 0, 0.71)
    )
    peaks, is_peak = distractors.find_peaks(score, center, TARGET)
    np.testing.assert_array_equal(is_peak, [True, True, True])
    np.testing.assert_array_equal(peaks, [[50, 40], [80, 70], [80, 80]])
    peaks, is_peak = distractors.find_peaks(score, center, TARGET.at[2:].set(24))
    np.testing.assert_array_equal(is_peak, [True, False, False])
    np.testing.assert_array_equal(peaks[0], [80, 70])


def test_a_track_learns_its_velocity_goes_on_unseen_and_is_forgotten():
    known = follow(distractors.none(), (80, 80, 0.8))
    np.testing.assert_array_equal(known.life, [24, 0, 0])
    np.testing.assert_array_equal(known.center[0], [80, 80])
    # 10 px of a target of 20 px: near. The velocity learns half of it.
    known = follow(known, (90, 80, 0.8))
    np.testing.assert_array_equal(known.velocity[0], [5, 0])
    known = follow(known, is_sure=False)
    np.testing.assert_array_equal(known.center[0], [95, 80])
    np.testing.assert_array_equal(known.velocity[0], [4.5, 0])
    np.testing.assert_array_equal(known.life, [23, 0, 0])
    for left in (2, 1, 0):
        known = follow(known)
        np.testing.assert_array_equal(known.life, [left, 0, 0])


def test_nearest_pairs_first_and_new_ones_into_empty_slots():
    known = follow(distractors.none(), (80, 80, 0.8), is_sure=False)
    np.testing.assert_array_equal(known.life, [0, 0, 0])
    known = follow(known, (80, 80, 0.8), (0, 0, 0.75))
    # (90, 90) is 14.1 px from a track and starts none, as 0.7 * 20 = 14; (10, 0)
    # continues the other one.
    known = follow(known, (90, 90, 0.8), (10, 0, 0.75))
    np.testing.assert_array_equal(known.life, [2, 24, 24])
    np.testing.assert_array_equal(known.center, [[80, 80], [10, 0], [90, 90]])


@pytest.mark.parametrize(
    ("x", "weight"),
    [
        (40, 1.0),  # Where the target is expected.
        (60, 1.0),  # As near to the one as to the other.
        (65, 0.6),  # 25 px from the target, 15 from the distractor: half of 20 px.
        (80, 0.2),  # Where the distractor is expected.
    ],
)
def test_weights(x, weight):
    known = distractors.none()
    known = known.replace(
        center=known.center.at[0].set(jnp.array([70.0, 40.0])),
        velocity=known.velocity.at[0].set(jnp.array([10.0, 0.0])),
        life=known.life.at[0].set(3),
    )
    place = jnp.full((1, 1, 2), 40.0).at[..., 0].set(x)
    found = distractors.weights(known, place, TARGET, penalty=0.8)
    np.testing.assert_allclose(found, [[weight]], rtol=1e-6)
    nothing = distractors.weights(distractors.none(), place, TARGET, penalty=0.8)
    np.testing.assert_array_equal(nothing, [[1.0]])
