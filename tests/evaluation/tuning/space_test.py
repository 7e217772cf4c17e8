"""Tests for jaxtrack.evaluation.tuning.space."""

import types
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.evaluation.tuning import space
from jaxtrack.models.refine import Refiner
from jaxtrack.ops import grid, xcorr
from jaxtrack.tracking import (
    Frame,
    TrackerOutput,
    TrackerState,
    of_whole_frames,
    run,
    siamese,
    two_stage,
)
from jaxtrack.tracking.siamese import Settings

SIAMESE = ["tracking.penalty", "tracking.window", "tracking.size_rate"]
PROPOSALS = ["tracking.refined_weight", "tracking.refined_window", "tracking.nms_iou"]


class Small(nn.Module):
    """Correlates average colours; boxes grow with the match, so that settings count."""

    anchors: tuple = ()

    @property
    def geometry(self):
        return grid.Geometry(32, 64, 9, 4, 16.0)

    def encode_template(self, image):
        batch, height, width, channels = image.shape
        cells = (batch, height // 4, 4, width // 4, 4, channels)
        pooled = jnp.mean(image.reshape(cells) / 64, axis=(2, 4))
        return pooled - jnp.mean(pooled, axis=(1, 2), keepdims=True)

    encode_search = encode_template

    def predict(self, z, x):
        match = jnp.sum(xcorr.depthwise_xcorr(z, x), axis=-1)
        match = 8 * match / jnp.sum(z * z)
        ltrb = 8 + jnp.stack([0.4 * match, 0.1 * match, 0.2 * match, 0.5 * match], -1)
        cls = jnp.stack([jnp.zeros_like(match), match - 4], axis=-1)
        return {"cls": cls, "ltrb": ltrb, "centerness": match[..., None] - 2}


def settings_of(**changes):
    config = get_config()
    config.model.preprocessing.order = "RGB"
    config.tracking.selection = "pysot"
    config.tracking.window = 0.3
    config.tracking.penalty = 0.1
    config.tracking.update(changes)
    return config


def frames_of(length):
    """A square of noise that moves by (2, 1) px a frame over a noisy ground."""
    rng = np.random.default_rng(0)
    ground, target = (
        rng.integers(0, 90, (96, 96, 3)),
        rng.integers(99, 256, (16, 16, 3)),
    )
    frames = []
    for k in range(length):
        image = np.zeros((128, 128, 3), np.uint8)
        image[:96, :96] = ground
        image[30 + k : 46 + k, 30 + 2 * k : 46 + 2 * k] = target
        frames.append(Frame(image, np.array([96, 96], np.int32)))
    return frames, np.array([38.0, 38, 16, 16])


def small_tracker(**changes):
    return siamese.make(settings_of(**changes), Small())


def test_ranges_go_by_the_tracker():
    assert list(space.ranges(small_tracker())) == [*SIAMESE, "tracking.quality_power"]
    with_anchors = siamese.make(settings_of(), Small(((8.0, 8.0),)))
    assert list(space.ranges(with_anchors)) == SIAMESE
    assert list(space.ranges(small_tracker(selection="released"))) == SIAMESE
    refining = types.SimpleNamespace(
        geometry=Small().geometry,
        anchors=((8.0, 8.0),),
        refiner=Refiner("cascade", (2,), 4.0, 2.0),
    )
    refining = two_stage.make(settings_of(), refining)
    assert list(space.ranges(refining)) == [*SIAMESE, *PROPOSALS]


def test_ranges_hold_the_untuned_settings():
    far = {"penalty": 0.9, "size_rate": 0.01}
    found = space.ranges(small_tracker(**far))
    assert found["tracking.penalty"] == (0.0, 0.9)
    assert found["tracking.size_rate"] == (0.01, 1.0)
    assert found["tracking.window"] == (0.0, 0.8)


def test_chosen_settings_and_their_values():
    found = space.ranges(small_tracker(), names=["tracking.window", "tracking.penalty"])
    assert list(found) == ["tracking.penalty", "tracking.window"]
    names = ["tracking.quality_power", "tracking.window"]
    values = space.values_of(small_tracker(quality_power=0.5), names)
    assert values == {"tracking.quality_power": 0.5, "tracking.window": 0.3}
    with pytest.raises(
        InputError, match="--settings=tracking.refined_weight: it is none of"
    ):
        space.ranges(small_tracker(), names=["tracking.refined_weight"])


def test_stacked_repeats_the_last():
    found = space.stacked([{"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 4.0}], 4)
    np.testing.assert_array_equal(found["a"], [1, 2, 2, 2])
    np.testing.assert_array_equal(found["b"], [3, 4, 4, 4])
    assert found["a"].dtype == np.float32
    for count, settings in ((1, [{"a": 1.0}] * 2), (2, [])):
        with pytest.raises(ValueError, match=f"for a batch of {count}"):
            space.stacked(settings, count)


def test_a_batch_tracks_as_each_setting_alone():
    frames, box = frames_of(8)
    tried = [
        {
            "tracking.penalty": 0.1,
            "tracking.window": 0.3,
            "tracking.size_rate": 0.33,
            "tracking.quality_power": 1.0,
        },
        {
            "tracking.penalty": 0.0,
            "tracking.window": 0.0,
            "tracking.size_rate": 0.9,
            "tracking.quality_power": 0.0,
        },
        {
            "tracking.penalty": 0.5,
            "tracking.window": 0.7,
            "tracking.size_rate": 0.1,
            "tracking.quality_power": 2.0,
        },
    ]
    one = small_tracker()
    drivers = run.compile_tracker(space.over_settings(one))
    variables = {"network": {}, "settings": space.stacked(tried, 3)}
    outputs = list(run.track_video(drivers, variables, frames, box))
    together = np.stack([output.box for output in outputs[1:]], axis=1)
    assert together.shape == (3, 7, 4)
    start = jax.jit(lambda frame, box: one.init({}, frame, box))
    step = jax.jit(
        lambda state, frame, settings: one.step({}, state, frame, settings=settings)
    )
    for boxes, settings in zip(together, tried, strict=True):
        state = start(frames[0], box)
        for k, frame in enumerate(frames[1:]):
            numbers = [np.float32(settings[f"tracking.{n}"]) for n in Settings._fields]
            state, output = step(state, frame, Settings(*numbers))
            np.testing.assert_allclose(boxes[k], output.box, atol=1e-3)
    # The settings do make a difference, or all this would prove nothing.
    assert np.ptp(together[:, -1], axis=0).max() > 1


class Shift(NamedTuple):
    """Settings of a tracker that moves by them."""

    refined_weight: float = 0.8
    refined_window: float = 0.0
    window: float = 0.3
    penalty: float = 0.1


def drifting():
    """Moves by what its settings say."""

    def init(variables, frame, box):
        box = jnp.asarray(box, jnp.float32)
        return TrackerState(template=jnp.zeros(1), box=box, fill=jnp.zeros(3))

    def step(variables, state, frame, settings):
        box = state.box + jnp.stack(settings)
        return state.replace(box=box), TrackerOutput(box, jnp.ones([]))

    ranges = dict.fromkeys(Shift._fields[:3], (0.0, 2.0))
    return of_whole_frames(init, step, settings=Shift(), ranges=ranges)


def test_settings_go_by_the_names_of_fields():
    tracker = space.over_settings(drifting())
    frames, box = frames_of(1)
    names = ["tracking.refined_weight", "tracking.refined_window", "tracking.window"]
    tried = [dict(zip(names, row, strict=True)) for row in np.eye(3) * 2.0]
    variables = {"network": {}, "settings": space.stacked(tried, 3)}
    state = tracker.init(variables, frames[0], box)
    for step in (tracker.step, jax.jit(tracker.step)):
        _, output = step(variables, state, frames[0])
        # The penalty, which is not tuned, is the configuration's 0.1.
        expected = box + np.concatenate([2 * np.eye(3), np.full((3, 1), 0.1)], axis=1)
        np.testing.assert_allclose(output.box, expected, atol=1e-5)
