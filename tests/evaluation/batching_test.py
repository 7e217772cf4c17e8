"""Tests for jaxtrack.evaluation.batching, with a tracker that needs no network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import batching, scoring
from jaxtrack.tracking import TrackerOutput, run
from tests.evaluation import fixtures
from tests.whole_frames import of_whole_frames


def brightest_tracker():
    """Follows the centroid of white pixels and keeps the first size."""

    def step(variables, state, frame):
        white = (frame.image[..., 0] > 200).astype(jnp.float32)
        height, width = white.shape
        x = jnp.sum(white * (jnp.arange(width, dtype=jnp.float32) + 0.5)[None, :])
        y = jnp.sum(white * (jnp.arange(height, dtype=jnp.float32) + 0.5)[:, None])
        total = jnp.maximum(jnp.sum(white), 1.0)
        center = jnp.stack([x / total, y / total]) + variables["shift"]
        box = jnp.concatenate([center, state.box[2:]])
        return state.replace(box=box), TrackerOutput(box, jnp.ones([]))

    return of_whole_frames(fixtures.init, step)


def track(videos, *, batched, shift=0.0, skip=None):
    variables = {"shift": np.float32(shift)}
    drivers = batching.compiled(brightest_tracker(), batched=batched)
    how = {"batched": batched, "skip": skip}
    track = batching.tracking_function(drivers, variables, **how)
    done = []
    tracked = list(track(videos, done.append))
    return {t.name: t for t in tracked}, sum(done)


@pytest.mark.parametrize("batched", [False, True])
def test_results_follow_the_target(videos, batched):
    results, advanced = track(videos, batched=batched, shift=1.0)
    truth = scoring.truth_xywh(videos)
    assert set(results) == set(truth)
    assert advanced == 18
    for name, boxes in truth.items():
        # One pixel off in x and y, but for the box that was given.
        is_later = np.arange(len(boxes))[:, None] > 0
        expected = boxes + is_later * np.array([1.0, 1, 0, 0])
        np.testing.assert_allclose(results[name].xywh, expected, atol=1e-4)
        np.testing.assert_array_equal(results[name].xywh[0], boxes[0])
        assert results[name].seconds.shape == (len(boxes),)
        assert np.all(results[name].seconds > 0)


@pytest.mark.parametrize("batched", [False, True])
def test_a_frame_that_cannot_be_read_stops_its_sequence_alone(videos, batched):
    whole, _ = track(videos, batched=batched)
    first, later = videos[0], videos[1]
    first.frames[0].write_bytes(b"")
    later.frames[-1].write_bytes(b"no picture")
    skipped = {}
    found, advanced = track(videos, batched=batched, skip=skipped.__setitem__)
    assert set(skipped) == {first.name, later.name}
    assert "is empty" in skipped[first.name]
    assert str(later.frames[-1]) in skipped[later.name]
    (name,) = set(found)
    np.testing.assert_array_equal(found[name].xywh, whole[name].xywh)
    if batched:  # Frames of a group that starts again count once.
        assert advanced == len(found[name].xywh)
    with pytest.raises(InputError, match="is empty"):
        track(videos, batched=batched)


def test_all_devices_share_what_is_tracked_together(videos, monkeypatch):
    made = []

    def compile_tracker(tracker, *, num_devices):
        made.append(num_devices)
        return run.compile_tracker(tracker, num_devices=num_devices)

    monkeypatch.setattr(batching, "compile_tracker", compile_tracker)
    together, _ = track(videos, batched=True)
    alone, _ = track(videos, batched=False)
    assert made == [jax.local_device_count(), 1]
    for name, result in alone.items():
        np.testing.assert_allclose(together[name].xywh, result.xywh, atol=1e-3)


def test_frames_of_a_group_are_counted_step_by_step(videos):
    counts = []
    drivers = batching.compiled(brightest_tracker(), batched=True)
    track_all = batching.tracking_function(
        drivers, {"shift": np.float32(0)}, batched=True
    )
    tracked = track_all(videos, counts.append)
    assert counts == []
    next(tracked)
    # Two of the three sequences have one canvas, of 7 and 5 frames.
    assert counts == [2] * 5 + [1] * 2


def test_one_by_one_on_a_cpu_unless_told(monkeypatch):
    assert [batching.is_batched(asked) for asked in (None, True, False)] == [0, 1, 0]
    monkeypatch.setattr(batching.jax, "default_backend", lambda: "gpu")
    assert [batching.is_batched(asked) for asked in (None, True, False)] == [1, 1, 0]


def test_what_cannot_be_tracked_is_named(videos):
    videos[1].xyxy[0] += 500
    with pytest.raises(InputError, match="sequence car <1>: the first box"):
        track(videos, batched=False)
    videos[0].frames[3].write_bytes(b"")
    with pytest.raises(InputError, match=r"0004\.png"):
        track(videos[:1], batched=False)
