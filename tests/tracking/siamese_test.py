"""Tests for jaxtrack.tracking.siamese."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import boxes
from jaxtrack.tracking import run, selection, siamese


@pytest.fixture(scope="module")
def jitted(tiny):
    """The tiny tracker, compiled once for all tests here."""
    return run.compile_tracker(tiny[0])


def overlaps(found, truth):
    return boxes.iou(boxes.cxcywh_to_xyxy(found), boxes.cxcywh_to_xyxy(truth))


@pytest.mark.parametrize("selection", ["clean", "released"])
def test_follows_a_square(tiny_variables, config, draw, pad_all, selection):
    config.tracking.selection = selection
    if selection == "clean":  # What is told is at most sigmoid(4 (1 - 1)).
        config.tracking.score_slope, config.tracking.score_middle = 4.0, 1.0
    model, variables = tiny_variables
    drivers = run.compile_tracker(siamese.make(config, model))
    images, truth = draw(20)
    frames = pad_all(images)
    state, found = drivers.init(variables, frames[0], truth[0]), [truth[0]]
    for frame in frames[1:]:
        state, output = drivers.step(variables, state, frame)
        found.append(output.box)
    assert jnp.min(overlaps(jnp.stack(found), truth)) > 0.7
    assert 0 < output.score <= (0.5 if selection == "clean" else 1)


@pytest.mark.parametrize("variant", ["pmap"], indirect=True)
def test_pmap_equals_jit(variant, tiny, jitted, draw, pad_all):
    tracker, variables = tiny
    init, step = tracker.init, tracker.step
    images, truth = draw(2)
    first, second = pad_all(images)

    def both(variables, first, second, box):
        return step(variables, init(variables, first, box), second)[1]

    output = variant(both)(variables, first, second, truth[0])
    state = jitted.init(variables, first, truth[0])
    _, expected = jitted.step(variables, state, second)
    np.testing.assert_allclose(output.box, expected.box, atol=1e-3)
    np.testing.assert_allclose(output.score, expected.score, atol=1e-5)


def test_settings_are_traced(tiny, jitted, draw, pad_all):
    step, variables = tiny[0].step, tiny[1]
    images, truth = draw(4)
    frames = pad_all(images)
    state = jitted.init(variables, frames[0], truth[0])
    settings = siamese.Settings(
        *(jnp.full(2, v) for v in (0.05, 0.1, 0.33)), quality_power=jnp.ones(2)
    )._replace(window=jnp.array([0.0, 1.0]))
    many = jax.jit(
        jax.vmap(lambda s: step(variables, state, frames[3], settings=s)[1].box)
    )
    moved, still = many(settings)
    # A window of 1 leaves only the Hann window, whose peak is the crop's center.
    np.testing.assert_allclose(still[:2], truth[0][:2], atol=1e-3)
    np.testing.assert_allclose(moved[:2], truth[3][:2], atol=2)


def test_a_frame_that_overflows_keeps_the_box(tiny, jitted, draw, pad_all):
    variables = tiny[1]
    images, truth = draw(2)
    frames = pad_all(images)
    state = jitted.init(variables, frames[0], truth[0])
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, variables)
    state, output = jitted.step(broken, state, frames[1])
    np.testing.assert_array_equal(output.box, truth[0])
    assert output.score == 0


@pytest.mark.parametrize("selection", ["clean", "released"])
def test_probe_shows_what_step_chooses_from(
    tiny_variables, config, draw, pad_all, selection
):
    config.tracking.selection = selection
    config.tracking.penalty = config.tracking.window = 0.0
    config.tracking.quality_power = 0.5
    model, variables = tiny_variables
    drivers = run.compile_tracker(siamese.make(config, model))
    images, truth = draw(3)
    frames = pad_all(images)
    state = drivers.init(variables, frames[0], truth[0])
    found = drivers.probe(variables, state, frames[2])
    assert found.cls.shape == found.quality.shape == (9, 9)
    power = 0.5 if selection == "clean" else 1.0
    np.testing.assert_allclose(
        found.confidence, found.cls * found.quality**power, rtol=1e-6
    )
    # Without penalty and window the most confident cell's box is the chosen one; its
    # center is, as the size moves by a share.
    best = jnp.argmax(found.confidence)
    box = boxes.xyxy_to_cxcywh(found.xyxy.reshape(-1, 4)[best])
    _, output = drivers.step(variables, state, frames[2])
    tolerance = 1e-3 if selection == "clean" else 4  # The release upsamples its maps.
    np.testing.assert_allclose(output.box[:2], box[:2], atol=tolerance)
    np.testing.assert_allclose(box[:2], truth[2][:2], atol=4)


def test_clips():
    hw = jnp.array([100, 200])
    box = jnp.array([-5.0, 300.0, 1.0, 500.0])
    np.testing.assert_array_equal(selection.clip(box, hw), [0, 100, 4, 100])
    bounds = {"clean": 4, "pysot": 10, "video_analyst": 10, "released": 1}
    for name, least in bounds.items():
        found = selection.bounding(name)(box, hw)
        np.testing.assert_array_equal(found, [0, 100, least, 100])


def test_a_step_has_gradients(tiny, jitted, draw, pad_all):
    step, variables = tiny[0].step, tiny[1]
    images, truth = draw(2)
    frames = pad_all(images)
    state = jitted.init(variables, frames[0], truth[0])

    def score_at(center):
        box = jnp.concatenate([center, state.box[2:]])
        return step(variables, state.replace(box=box), frames[1])[1].score

    slope = jax.jit(jax.grad(score_at))(state.box[:2])
    assert jnp.all(jnp.isfinite(slope))
    assert jnp.any(slope != 0)
