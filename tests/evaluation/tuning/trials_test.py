"""Tests for jaxtrack.evaluation.tuning.trials, with a tracker moved by the window."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import scoring
from jaxtrack.evaluation.tuning import splits, trials
from jaxtrack.tracking.video import FrameReader
from tests.evaluation.fixtures import material_of


@pytest.fixture
def opened(checkpoints):
    return checkpoints["sharp"]


@pytest.fixture
def material(root):
    return material_of(root)


@pytest.fixture
def asked():
    return {
        3: {"tracking.window": 0.2},
        4: {"tracking.window": 0.0},
        9: {"tracking.window": 0.5},
    }


def moved(truth, window):
    steps = np.arange(len(truth))[:, None]
    return truth[0] + 10 * window * steps * np.eye(4)[0]


def test_boxes_of_each_setting(opened, material, asked):
    track = trials.tracking_function(opened, 4)
    for video in material.videos:
        done = []
        boxes = track(list(asked.values()), video, done.append)
        truth = material.truth[video.name]
        assert boxes.shape == (3, *truth.shape)
        for xywh, settings in zip(boxes, asked.values(), strict=True):
            np.testing.assert_allclose(
                xywh, moved(truth, settings["tracking.window"]), atol=1e-3
            )
            np.testing.assert_array_equal(xywh[0], truth[0])
        assert done == [3] * len(video.frames)


def test_one_compilation_for_all_batches_of_a_canvas(opened, material, monkeypatch):
    track = trials.tracking_function(opened, 4)
    reads = []
    original = FrameReader.__init__

    def counted(self, source, **options):
        reads.append(len(source))
        original(self, source, **options)

    monkeypatch.setattr(FrameReader, "__init__", counted)
    for windows in ((0.1, 0.2, 0.3, 0.4), (0.5,), (0.0, 0.9)):
        for video in material.videos:
            track([{"tracking.window": w} for w in windows], video, lambda frames: None)
    # Two canvases: those of 48 x 64 and 48 x 300 pixels.
    assert opened.model.traced == ["step"] * 2
    # Each video is opened once a batch, however many settings there are.
    assert reads == [len(video.frames) for video in material.videos] * 3


class Scores(dict):
    """What a study keeps: number of a trial -> sequence -> metric -> value."""

    def keep(self, number, name, scores):
        self.setdefault(number, {})[name] = scores

    def scores(self, number):
        return self.get(number, {})


def test_measures_and_scores(opened, material, asked):
    track = trials.tracking_function(opened, 4)
    found, frames = Scores(), []
    trials.measure(track, material, asked, found, frames.append)
    assert list(found) == [3, 4, 9]
    for number, settings in asked.items():
        for name, truth in scoring.truth_xywh(material.videos).items():
            boxes = moved(truth, settings["tracking.window"]).round(4)
            expected = splits.score(material, name, boxes)
            assert found[number][name] == pytest.approx(expected)
    # The target moves by 2 px a frame.
    values = {n: trials.mean(of, "auc") for n, of in found.items()}
    assert values[3] == max(values.values()) and values[3] > values[4] + 0.05
    assert sum(frames) == 3 * sum(len(v.frames) for v in material.videos)


def test_measured_sequences_are_kept(material, asked):
    kept = Scores(
        {n: {v.name: {"auc": 0.5} for v in material.videos[:2]} for n in asked}
    )
    del kept[9]["car <1>"]
    tracked, frames = [], []

    def track(settings, video, advance):
        tracked.append(video.name)
        advance(3 * len(video.frames))
        return np.ones((3, len(video.frames), 4))

    trials.measure(track, material, asked, kept, frames.append)
    assert tracked == ["car <1>", "dog"] and frames == [3 * 5, 3 * 7, 3 * 6]
    assert all(len(of) == 3 for of in kept.values())


def test_faults(opened, material, asked):
    track = trials.tracking_function(opened, 4)
    material.videos[0].xyxy[0] += 1000
    with pytest.raises(InputError, match="sequence ball: the first box .* outside"):
        trials.measure(track, material, asked, Scores(), lambda frames: None)
