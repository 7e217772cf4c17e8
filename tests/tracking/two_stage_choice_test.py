"""Tests for jaxtrack.tracking.two_stage with a network that follows a script."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.refine import Refiner
from jaxtrack.ops import grid
from jaxtrack.tracking import Frame, two_stage
from jaxtrack.tracking.two_stage import TwoStageState, _rules
from tests.tracking.conftest import small_cract_config

ATOL = 1e-3


class Stub:
    """A network that answers what its variables say, and notes what it was asked."""

    geometry = grid.Geometry(32, 64, 9, 4, 16.0)
    refiner = Refiner("cascade", (2,), 4.0, 2.0)

    def __init__(self, *anchors):
        self.anchors = anchors
        self.asked = {}

    def apply(self, variables, *arguments, method):
        self.asked[method] = arguments
        if method == "predict":
            return {name: variables[name] for name in ("cls", "deltas")}
        if method == "refine":
            aligned = arguments[2] + variables["move"]
            return {"aligned": aligned, "identity": variables["identity"]}
        return {"fused": jnp.zeros((1, 16, 16, 3))}


def answers(peaks, identity, *, anchors=1, move=(0, 0, 0, 0)):
    """Variables of `Stub`: `{(row, column, anchor): (probability, deltas)}`."""
    probability = np.full((1, 9, 9, anchors), 1e-4, np.float32)
    deltas = np.zeros((1, 9, 9, anchors, 4), np.float32)
    for place, (p, d) in peaks.items():
        probability[(0, *place)], deltas[(0, *place)] = p, d
    identity = np.asarray(identity, np.float32)[None]
    return {
        "cls": jnp.stack([jnp.log(1 - probability), jnp.log(probability)], axis=-1),
        "deltas": jnp.asarray(deltas),
        "identity": jnp.stack([jnp.log(1 - identity), jnp.log(identity)], axis=-1),
        "move": jnp.broadcast_to(
            jnp.array(move, jnp.float32), (1, len(identity[0]), 4)
        ),
    }


@pytest.fixture
def scene():
    return Frame(jnp.zeros((96, 128, 3), jnp.uint8), jnp.array([90, 120], jnp.int32))


def stubbed(config, *anchors, proposals=1, window=0.0, **settings):
    """A tracker without a discriminator, penalty and windows, and its network."""
    config.tracking.identifier_weight, config.tracking.proposals = 1.0, proposals
    config.tracking.refined_window = window
    config.tracking.window = config.tracking.penalty = 0.0
    config.tracking.size_rate = 1.0
    for name, value in settings.items():
        config.tracking[f"refined_{name}"] = value
    model = Stub(*(anchors or ((16.0, 16.0),)))
    return two_stage.make(config, model), model


def settings_of(config, **changes):
    """The settings of the selection, changed."""
    return two_stage.make(config, Stub((16.0, 16.0))).settings._replace(**changes)


def state_of(box):
    return TwoStageState(None, jnp.array(box, jnp.float32), jnp.zeros(3), None)


def test_from_the_crop_to_the_picture(cract_config, scene, variant):
    tracker_, _ = stubbed(cract_config)
    # The context of a square of 20 is 40: 0.8 crop pixels a picture pixel. Cell (5, 2)
    # looks at (16 + 2 * 4, 16 + 5 * 4) = (24, 36); its anchor, moved by 1/4 and -1/2 of
    # 16 and widened by half, is (28, 28, 24, 16) = 16, 20, 40, 36 xyxy, and is aligned
    # to 19, 21, 39, 41 = (29, 31, 20, 20).
    variables = answers(
        {(5, 2, 0): (0.9, (0.25, -0.5, np.log(1.5), 0))}, [0.7], move=(3, 1, -1, 5)
    )
    state, output = variant(tracker_.step)(variables, state_of((50, 40, 20, 20)), scene)
    # 50 + (29 - 32) / 0.8, 40 + (31 - 32) / 0.8, and 20 / 0.8.
    np.testing.assert_allclose(output.box, [46.25, 38.75, 25, 25], atol=ATOL)
    np.testing.assert_array_equal(state.box, output.box)
    # Eq. 10 with beta = 0.8.
    np.testing.assert_allclose(output.score, 0.8 * 0.7 + 0.2 * 0.9, rtol=1e-5)


def test_settings_are_traced(cract_config, scene):
    step = stubbed(cract_config)[0].step
    peaks = {(5, 2, 0): (0.9, (0.25, -0.5, np.log(1.5), 0))}
    variables = answers(peaks, [0.7], move=(3, 1, -1, 5))

    def box(size_rate):
        settings = settings_of(cract_config, size_rate=size_rate)
        return step(variables, state_of((50, 40, 20, 20)), scene, settings=settings)[
            1
        ].box

    # The aligned size, 25, none of it, and half way from 20; the center is the same.
    found = jax.jit(jax.vmap(box))(jnp.array([1.0, 0.0, 0.5]))
    np.testing.assert_allclose(found[:, 2], [25, 20, 22.5], rtol=1e-5)
    np.testing.assert_allclose(found[:, :2], np.tile([46.25, 38.75], (3, 1)), rtol=1e-5)


def test_penalty_and_window_decide_what_is_proposed(cract_config, scene):
    step = stubbed(cract_config, (16.0, 16.0), (32.0, 16.0), weight=0.0)[0].step

    def run(variables, penalty, window):
        settings = settings_of(cract_config, penalty=penalty, window=window)
        return step(variables, state_of((50, 40, 20, 20)), scene, settings=settings)[1]

    run = jax.jit(jax.vmap(run, (None, 0, 0)))
    zeros = (0, 0, 0, 0)
    # The wide box changes the aspect twofold and the context side by
    # sqrt((32 + 24) (16 + 24)) / 32 = 1.479: exp(-(2 * 1.479 - 1) 0.2) = 0.676.
    peaks = {(4, 4, 0): (0.6, zeros), (4, 4, 1): (0.8, zeros)}
    variables = answers(peaks, [0.5], anchors=2)
    output = run(variables, jnp.array([0.0, 0.2]), jnp.zeros(2))
    np.testing.assert_allclose(output.box[:, 2], [40, 20], rtol=1e-5)
    np.testing.assert_allclose(output.score, [0.8, 0.6], rtol=1e-5)
    # At column 2 of 9 the window is 1/2, in the middle 1.
    peaks = {(4, 2, 0): (0.9, zeros), (4, 4, 0): (0.5, zeros)}
    variables = answers(peaks, [0.5], anchors=2)
    output = run(variables, jnp.zeros(2), jnp.array([0.4, 0.5]))
    np.testing.assert_allclose(output.box[:, 0], [40, 50], rtol=1e-5)
    expected = [0.6 * 0.9 + 0.4 * 0.5, 0.5 * 0.5 + 0.5]
    np.testing.assert_allclose(output.score, expected, rtol=1e-5)


TWO = {(4, 0, 0): (0.9, (0, 0, 0, 0)), (4, 4, 0): (0.6, (0, 0, 0, 0))}


@pytest.fixture(scope="module")
def choose():
    """`(variables, frame, settings) -> output` of two proposals, compiled once."""
    tracker_, _ = stubbed(small_cract_config(), proposals=2)

    def step(variables, frame, settings):
        state = state_of((50, 40, 20, 20))
        return tracker_.step(variables, state, frame, settings=settings)[1]

    return jax.jit(step)


@pytest.mark.parametrize(
    ("weight", "x", "score"),
    # Of the left box RPN and identifier say 0.9 and 0.2, of the one in the middle 0.6
    # and 0.7.
    [(0.0, 30, 0.9), (1.0, 50, 0.7), (0.3, 30, 0.69), (0.5, 50, 0.65)],
)
def test_weight_of_the_refinement(cract_config, scene, choose, weight, x, score):
    settings = stubbed(cract_config, weight=weight)[0].settings
    output = choose(answers(TWO, [0.2, 0.7]), scene, settings)
    np.testing.assert_allclose(output.box, [x, 40, 20, 20], atol=ATOL)
    np.testing.assert_allclose(output.score, score, atol=1e-5)


@pytest.mark.parametrize(
    ("window", "x", "score"),
    # The left box's center is a quarter of the crop from its side: a window of 1/2.
    [(0.0, 30, 0.8), (0.2, 50, 0.8 * 0.7 + 0.2), (0.1, 30, 0.9 * 0.8 + 0.1 * 0.5)],
)
def test_final_window(cract_config, scene, choose, window, x, score):
    settings = stubbed(cract_config, window=window, weight=1.0)[0].settings
    output = choose(answers(TWO, [0.8, 0.7]), scene, settings)
    np.testing.assert_allclose(output.box[0], x, atol=ATOL)
    np.testing.assert_allclose(output.score, score, atol=1e-5)


def test_the_target_in_the_template_crop(cract_config, scene):
    tracker_, model = stubbed(cract_config)
    # p = (30 + 10) / 2 = 20, the side sqrt(50 * 30) = 38.730: 30 x 10 pixels are
    # 24.787 x 8.262 in a crop of 32, around its middle (16, 16).
    tracker_.init({}, scene, jnp.array([60.0, 40.0, 30.0, 10.0]))
    z_image, z_xyxy = model.asked["encode_template"]
    assert z_image.shape == (1, 32, 32, 3)
    expected = [[3.6066, 11.8689, 28.3934, 20.1311]]
    np.testing.assert_allclose(z_xyxy, expected, atol=1e-3)


@pytest.mark.parametrize(("learns", "identifier"), [(False, 0.4), (True, 1.0)])
def test_without_a_discriminator_nothing_is_kept(
    cract_config, scene, learns, identifier
):
    tracker_, _ = stubbed(cract_config, proposals=2, weight=1.0)
    cract_config.online.learns = learns
    cract_config.tracking.identifier_weight = identifier
    tracker_ = two_stage.make(cract_config, Stub((16.0, 16.0)))
    variables = answers(TWO, [0.3, 0.7])
    box = jnp.array([50.0, 40.0, 20.0, 20.0])
    state = jax.jit(tracker_.init)(variables, scene, box)
    assert state.online is None
    state, output = jax.jit(tracker_.step)(variables, state, scene)
    assert state.online is None
    # The identifier alone.
    np.testing.assert_allclose(output.score, 0.7, atol=1e-5)


def test_rules_are_the_settings(cract_config):
    cract_config.online.every = 7
    rules = _rules(cract_config)
    settings = cract_config.online.to_dict()
    assert settings.pop("learns")
    assert rules._asdict() == settings
    assert rules.every == 7
