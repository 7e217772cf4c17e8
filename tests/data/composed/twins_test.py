"""Tests for jaxtrack.data.composed.lookalikes."""

import pathlib

import numpy as np
import pytest

from jaxtrack.data.composed import cutouts, lookalikes, motion, shapes, sprites

LENGTH = 12


def make_target(skin=None, tint=None):
    rng = np.random.default_rng(0)
    curve, photo = shapes.blob(rng), pathlib.Path("a.jpg")
    paint = sprites.Paint(curve, photo, np.array([50.0, -60.0]), np.array([200.0, 150]))
    times = np.arange(LENGTH)
    return sprites.Sprite(
        skin or paint,
        np.stack([times + 40.0, 2.0 * times + 30], -1),
        motion.turned(0.02 * times, 20.0 + times, 30.0),
        motion.random_ripple(rng, 0.5),
        marking=paint._replace(curve=0.4 * curve),
        tint=tint,
        relief=0.3,
        shutter=0.5,
    )


def draw(difference, seed=0, **changes):
    target = make_target(**changes)
    rng = np.random.default_rng(seed)
    return target, lookalikes.twin(rng, target, difference=difference)


def angles(target, other):
    """Turn of one against the other, `[T]`, and their ratio of size."""
    change = other.matrix @ np.linalg.inv(target.matrix)
    scale = np.sqrt(np.linalg.det(change))
    np.testing.assert_allclose(  # A rotation times a number, whatever the stretch.
        change @ change.swapaxes(1, 2), scale[:, None, None] ** 2 * np.eye(2), atol=1e-9
    )
    return np.arctan2(change[:, 1, 0], change[:, 0, 0]), scale


def test_an_identical_twin_differs_in_its_bends_and_turns_only():
    target, other = draw(0.0, tint=np.diag([1.1, 0.9, 0.7]))
    for one, two in zip(other.skin, target.skin, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(other.marking.curve, target.marking.curve)
    np.testing.assert_allclose(other.tint, target.tint, atol=1e-12)
    np.testing.assert_array_equal(other.centre, target.centre)
    assert (other.relief, other.shutter) == (0.3, 0.5)
    turn, scale = angles(target, other)
    np.testing.assert_allclose(scale, 1, rtol=1e-9)
    assert turn[0] == pytest.approx(0, abs=1e-12) and np.abs(turn).max() > 0.01
    assert (other.ripple.phase != target.ripple.phase).all()
    for one, two in zip(other.ripple[:3], target.ripple[:3], strict=True):
        np.testing.assert_array_equal(one, two)


def test_differences_grow_with_the_share_and_keep_their_bounds():
    sizes, gains, shifts, marks, mirrors = [], [], [], [], 0
    for seed in range(200):
        (target, half), (_, full) = (
            draw(difference, seed) for difference in (0.5, 1.0)
        )
        logs = [np.log(angles(target, other)[1][0]) for other in (half, full)]
        np.testing.assert_allclose(logs[1], 2 * logs[0], rtol=1e-6)
        sizes.append(logs[1])
        # Grays keep their hue, so a row's sum is the change of brightness.
        gain = full.tint.sum(1)
        np.testing.assert_allclose(gain, gain[0])
        gains.append(gain[0])
        shift = full.skin.offset - target.skin.offset
        shifts.append(shift / [50, 60])  # Photograph px a rest unit.
        marks.append((full.marking.curve - target.marking.curve)[0])
        mirrors += full.skin.scale[0] < 0
    gains = np.subtract(gains, 1)
    bounds = (sizes, 0.12), (gains, 0.25), (shifts, 0.5), (marks, 0.5)
    for values, bound in bounds:
        assert bound * 0.9 < np.max(values) <= bound
        assert -bound <= np.min(values) < -bound * 0.9
    assert 70 < mirrors < 130  # Of 200 with probability 1/2: 100, deviation 7.


def test_as_many_numbers_are_drawn_whatever_the_share():
    after = []
    for difference in (0.0, 0.3, 1.0):
        rng = np.random.default_rng(5)
        lookalikes.twin(rng, make_target(), difference=difference)
        after.append(rng.random())
    assert after[0] == after[1] == after[2]


def test_a_cutout_keeps_its_video(cutout_folder):
    video = cutouts.read_cutout(cutouts.find_cutouts(cutout_folder)[0])
    skin = sprites.Footage(video, np.zeros(LENGTH, int), False)
    mirrors = 0
    for seed in range(40):
        _, other = draw(1.0, seed, skin=skin)
        assert other.skin.cutout is video and other.skin.frames is skin.frames
        mirrors += other.skin.mirror
    assert 8 < mirrors < 32
    assert not draw(0.0, skin=skin)[1].skin.mirror


def test_hues_turn_about_gray():
    third = lookalikes.hue_turn(2 * np.pi / 3)
    # Red to green, green to blue, blue to red.
    np.testing.assert_allclose(third, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-12)
    some = lookalikes.hue_turn(0.4)
    np.testing.assert_allclose(some @ np.ones(3), np.ones(3), atol=1e-12)
    np.testing.assert_allclose(some @ some.T, np.eye(3), atol=1e-12)
    # About an axis, cos of the angle is (trace - 1) / 2.
    assert np.trace(some) == pytest.approx(1 + 2 * np.cos(0.4))
