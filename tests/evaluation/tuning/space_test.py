"""Tests for jaxtrack.evaluation.tuning.space."""

import types
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.evaluation.tuning import space
from jaxtrack.models.refine import Refiner
from jaxtrack.tracking import (
    TrackerOutput,
    run,
    siamese,
    two_stage,
    video,
)
from jaxtrack.tracking.siamese import Settings
from tests.evaluation import fixtures
from tests.tracking.conftest import Tiny, square_frames
from tests.whole_frames import of_whole_frames

SIAMESE = ["tracking.penalty", "tracking.window", "tracking.size_rate"]
PROPOSALS = ["tracking.refined_weight", "tracking.refined_window", "tracking.nms_iou"]


NETWORK = {"params": {"gain": np.float32(8)}}


class Small(Tiny):
    """Its boxes grow with the match, so that settings count."""

    def predict(self, z, x):
        maps = super().predict(z, x)
        match = maps["centerness"]
        grown = 8 + match * jnp.array([0.4, 0.1, 0.2, 0.5])[None, None, None]
        return maps | {"ltrb": grown, "centerness": match - 2}


def settings_of(**changes):
    config = get_config()
    config.model.preprocessing.order = "RGB"
    config.tracking.selection = "pysot"
    config.tracking.window = 0.3
    config.tracking.penalty = 0.1
    config.tracking.update(changes)
    return config


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
    found = space.ranges(small_tracker(), names=["tracking.window", "penalty"])
    assert list(found) == ["tracking.penalty", "tracking.window"]
    names = ["tracking.quality_power", "tracking.window"]
    values = space.values_of(small_tracker(quality_power=0.5), names)
    assert values == {"tracking.quality_power": 0.5, "tracking.window": 0.3}
    with pytest.raises(
        InputError, match="--settings=tracking.refined_weight: not tunable"
    ):
        space.ranges(small_tracker(), names=["tracking.refined_weight"])


def test_stacked_repeats_the_last():
    found = space.stacked([{"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 4.0}], 4)
    np.testing.assert_array_equal(found["a"], [1, 2, 2, 2])
    np.testing.assert_array_equal(found["b"], [3, 4, 4, 4])
    assert found["a"].dtype == np.float32


def test_a_batch_tracks_as_each_setting_alone():
    images, (box, *_) = square_frames(8, side=16, velocity=(2, 1))
    frames = [video.pad(image, (128, 128)) for image in images]
    names = [f"tracking.{name}" for name in Settings._fields]
    rows = (0.1, 0.3, 0.33, 1.0), (0.0, 0.0, 0.9, 0.0), (0.5, 0.7, 0.1, 2.0)
    tried = [dict(zip(names, row, strict=True)) for row in rows]
    one = small_tracker()
    drivers = run.compile_tracker(space.over_settings(one, 3))
    variables = {"network": NETWORK, "settings": space.stacked(tried, 3)}
    outputs = list(run.track_video(drivers, variables, frames, box))
    together = np.stack([output.box for output in outputs[1:]], axis=1)
    assert together.shape == (3, 7, 4)
    start = jax.jit(lambda frame, box: one.init(NETWORK, frame, box))
    step = jax.jit(
        lambda state, frame, settings: one.step(
            NETWORK, state, frame, settings=settings
        )
    )
    for boxes, row in zip(together, rows, strict=True):
        state = start(frames[0], box)
        for k, frame in enumerate(frames[1:]):
            state, output = step(state, frame, Settings(*map(np.float32, row)))
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

    def step(variables, state, frame, settings):
        box = state.box + jnp.stack(settings)
        return state.replace(box=box), TrackerOutput(box, jnp.ones([]))

    ranges = dict.fromkeys(Shift._fields[:3], (0.0, 2.0))
    return of_whole_frames(fixtures.init, step, settings=Shift(), ranges=ranges)


def test_settings_go_by_the_names_of_fields():
    tracker = space.over_settings(drifting(), 3)
    box = np.array([38, 38, 16, 16], np.float32)
    names = ["tracking.refined_weight", "tracking.refined_window", "tracking.window"]
    tried = [dict(zip(names, row, strict=True)) for row in np.eye(3) * 2.0]
    variables = {"network": {}, "settings": space.stacked(tried, 3)}
    frame = video.pad(np.zeros((8, 8, 3), np.uint8), (8, 8))
    state = tracker.init(variables, frame, box)
    for step in (tracker.step, jax.jit(tracker.step)):
        _, output = step(variables, state, frame)
        # The penalty, which is not tuned, is the configuration's 0.1.
        expected = box + np.concatenate([2 * np.eye(3), np.full((3, 1), 0.1)], axis=1)
        np.testing.assert_allclose(output.box, expected, atol=1e-5)
