"""Tests for jaxtrack.tracking.temporal."""

import pickle
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack import session
from jaxtrack.export import stablehlo
from jaxtrack.tracking import siamese, temporal

RULES = temporal.Rules(
    held_below=0.4,
    recovery_ratio=0.85,
    recovery_reach=0.1,
    confident_ratio=0.9,
    shrink_rate=0.5,
    velocity_rate=0.25,
    lost_decay=0.5,
    distractor_penalty=0.8,
)
# Nothing is ever lost, expected elsewhere, or taken for a distractor.
NEUTRAL = {"held_below": 0.0, "recovery_ratio": 0.0, "velocity_rate": 0.0}
NEUTRAL |= {"distractor_penalty": 0.0}
BOX = (50.0, 40.0, 20.0, 10.0)


def over_time(found, scores):
    """Memories and outputs of a target among cells that show nothing."""
    step = jax.jit(partial(temporal.update, rules=RULES))
    nothing = jnp.zeros((2, 2)), jnp.zeros((2, 2, 4))
    memory, told = temporal.start(jnp.array(BOX), RULES), []
    for box, score in zip(np.asarray(found, np.float32), scores, strict=True):
        memory, *output = step(memory, temporal.Result(box, score, *nothing))
        told.append((memory, *output))
    return told


def test_lost_below_a_threshold_and_found_at_a_share_of_the_usual_score():
    # The usual score is 0.8 after the first frame, 0.8 + 0.05 (0.9 - 0.8) = 0.805
    # after the second. A lost one is found at 0.85 * 0.805 * 0.98 ** n = 0.671, 0.657,
    # 0.644 in the first frames after, not at 0.41.
    scores = [0.8, 0.9, 0.39, 0.41, 0.65, 0.65, 0.5]
    told = over_time([BOX] * 7, scores)
    assert [int(memory.lost) for memory, _, _ in told] == [0, 0, 1, 2, 3, 0, 0]
    shown = [float(score) for _, _, score in told]
    np.testing.assert_allclose(shown, [0.8, 0.9, 0.39, 0.4, 0.4, 0.65, 0.5])
    np.testing.assert_allclose(told[4][0].usual_score, 0.805, rtol=1e-6)


def test_a_lost_target_is_held_with_its_trusted_size():
    away, near = (90.0, 70.0, 60.0, 60.0), (55.0, 41.0, 24.0, 12.0)
    told = over_time([BOX, away, near], [0.8, 0.1, 0.9])
    np.testing.assert_allclose(told[1][1], BOX)
    np.testing.assert_array_equal(told[2][1], near)
    # It moved while nobody saw it: that is no velocity.
    np.testing.assert_array_equal(told[2][0].velocity, [0, 0])


def test_a_lost_target_is_found_where_it_can_have_gone():
    # Its size is the root of 20 * 10, 14.1 px: n frames after the loss cells count up
    # to 14.1 (0.4 + 0.1 n) = 7.1, 8.5 px away for n = 1, 2.
    memory = temporal.start(jnp.array(BOX), RULES)
    cls = jnp.ones((1, 1))
    xyxy = jnp.array([[[48.0, 35.0, 68.0, 45.0]]])  # 8 px away.
    for lost, weight in ((0, 1), (1, 0), (2, 1)):
        memory = memory.replace(lost=jnp.int32(lost))
        np.testing.assert_array_equal(temporal.weigh(memory, cls, xyxy, RULES), weight)


def test_nothing_is_held_of_a_fast_target():
    # 20 px a frame, 1.4 sizes: a pace of 0.3, 0.52, 0.70.
    found = [(70, 40, 20, 10), (90, 40, 20, 10), (110, 40, 20, 10)]
    told = over_time(found, [0.8, 0.1, 0.1])
    np.testing.assert_array_equal([box[0] for _, box, _ in told], [70, 90, 110])
    assert int(told[-1][0].lost) == 0 and float(told[-1][2]) == pytest.approx(0.1)


def test_a_trusted_size_grows_fast_and_shrinks_slowly():
    # 20 * (30 / 20) ** 0.3 and 10 * (9 / 10) ** 0.5; in the second frame the width is
    # a fifth less than e ** -0.25 of the trusted one: a fifth of the rate.
    told = over_time([(50, 40, 30, 9), (50, 40, 15, 9)], [0.8, 0.8])
    width, height = 20 * 1.5**0.3, 10 * 0.9**0.5
    np.testing.assert_allclose(told[0][0].trusted_wh, [width, height], rtol=1e-6)
    width, height = width * (15 / width) ** 0.1, height * (9 / height) ** 0.1
    np.testing.assert_allclose(told[1][0].trusted_wh, [width, height], rtol=1e-6)


def test_velocity_and_size_in_float64():
    rng = np.random.default_rng(0)
    found = np.array(BOX) + rng.uniform(-2, 2, (12, 4))
    scores = np.array([0.8, 0.8, 0.8, 0.8, 0.6, 0.8, 0.2, 0.3, 0.8, 0.8, 0.6, 0.8])
    told = over_time(found, scores)
    place, velocity, size = np.array(BOX[:2]), np.zeros(2), np.array(BOX[2:])
    usual, lost, pace, last = None, 0, 0.3, place
    for (memory, box, _), seen, score in zip(told, found, scores, strict=True):
        was_lost, usual = lost, score if usual is None else usual
        is_low = score < (max(0.4, 0.85 * 0.98**lost * usual) if lost else 0.4)
        is_lost = is_low and (was_lost or pace < 0.25)
        lost = was_lost + 1 if is_lost else 0
        change, old = np.log(seen[2:] / size), size
        sure = not is_low and score >= 0.9 * usual and change.min() > -0.25
        if sure and not was_lost:
            velocity = velocity + 0.25 * (seen[:2] - place)
        if lost:
            velocity = 0.5 * velocity
            new = np.concatenate([place, size])
        else:
            new = seen
            velocity = velocity * (not was_lost)
            rate = np.where(change > 0, 0.3, 0.5) * (1 if sure else 0.2)
            size = size * np.exp(rate * change)
            usual += 0.05 * (score - usual)
        if not lost and not was_lost:
            pace += 0.2 * (np.hypot(*(new[:2] - last)) / np.sqrt(old.prod()) - pace)
        place, last = new[:2] + velocity, new[:2]
        np.testing.assert_allclose(memory.pace, pace, rtol=1e-5)
        np.testing.assert_allclose(box, new, rtol=1e-5)
        np.testing.assert_allclose(memory.velocity, velocity, atol=1e-5)
        np.testing.assert_allclose(memory.trusted_wh, size, rtol=1e-5)
        expected = np.concatenate([place, new[2:]])
        np.testing.assert_allclose(memory.expected, expected, rtol=1e-5)


def test_window_fades_while_lost():
    memory = temporal.start(jnp.array(BOX), RULES)
    for lost, share in ((0, 0.4), (2, 0.1), (5, 0.0125)):
        memory = memory.replace(lost=jnp.int32(lost))
        window = temporal.window(memory, 0.4, RULES)
        np.testing.assert_allclose(window, share, rtol=1e-6)


def tracker_of(config, network, **rules):
    config.tracking.over_time = True
    config.tracking.update(rules)
    return siamese.make(config, network)


def scanned(tracker, variables, frames, box):
    """Outputs of the frames after the first one."""
    stack = jax.tree.map(lambda *leaves: np.stack(leaves), *frames[1:])

    @jax.jit
    def track(first, stack):
        state = tracker.init(variables, first, box)
        return lax.scan(partial(tracker.step, variables), state, stack)[1]

    return track(frames[0], stack)


@pytest.mark.parametrize(
    "selection", ["clean", pytest.param("released", marks=pytest.mark.slow)]
)
def test_neutral_rules_change_nothing(tiny_variables, config, draw, pad_all, selection):
    config.tracking.selection = selection
    network, variables = tiny_variables
    images, truth = draw(4)
    frames = pad_all(images)
    plain = scanned(siamese.make(config, network), variables, frames, truth[0])
    tracker = tracker_of(config, network, **NEUTRAL)
    found = scanned(tracker, variables, frames, truth[0])
    jax.tree.map(np.testing.assert_array_equal, found, plain)


@pytest.mark.slow
def test_many_pickled_and_scanned_equal_live(tiny_variables, config, draw, pad_all):
    network, variables = tiny_variables
    tracker = tracker_of(config, network)
    images, truth = draw(6)
    expected = scanned(tracker, variables, pad_all(images), truth[0])
    xywh = np.concatenate([truth[0][:2] - truth[0][2:] / 2, truth[0][2:]])
    with session.Session(tracker, variables) as follower:
        follower.init(images[0], np.stack([xywh, xywh]))
        for number, image in enumerate(images[1:]):
            found, _ = follower.update(image)
            center = found[:, :2] + found[:, 2:] / 2
            np.testing.assert_allclose(center[0], expected.box[number, :2], atol=1e-3)
            np.testing.assert_array_equal(center[0], center[1])
            follower.state = pickle.loads(pickle.dumps(follower.state))


@pytest.mark.slow
def test_exported_equals_live(tiny_variables, config, draw, pad_all, tmp_path):
    network, variables = tiny_variables
    tracker = tracker_of(config, network)
    images, truth = draw(3)
    expected = scanned(tracker, variables, pad_all(images), truth[0])
    stablehlo.write(tmp_path, tracker, variables, platforms=("cpu",))
    init, step = (
        jax.export.deserialize(bytearray((tmp_path / name).read_bytes()))
        for name in stablehlo.FILES
    )
    xywh = np.concatenate([truth[0][:2] - truth[0][2:] / 2, truth[0][2:]])
    state = init.call(images[0], xywh.astype(np.float32))
    for number, image in enumerate(images[1:]):
        state, found, score = step.call(state, image)
        center = found[:2] + found[2:] / 2
        np.testing.assert_allclose(center, expected.box[number, :2], atol=1e-3)
        np.testing.assert_allclose(score, expected.score[number], atol=1e-5)
