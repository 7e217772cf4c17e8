"""Tests for jaxtrack.evaluation.tuning.trials, with a tracker moved by the window."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import scoring
from jaxtrack.evaluation.tuning import splits, trials
from jaxtrack.tracking.video import FrameReader


@pytest.fixture
def opened(checkpoints):
    return checkpoints["sharp"]


@pytest.fixture
def material(root):
    return splits.of_folder(str(root))


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
    track = trials.tracking_function(opened, 4, chunk=3)
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
    track = trials.tracking_function(opened, 4, chunk=3)
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


def test_measures_and_scores(opened, material, asked, tmp_path):
    track = trials.tracking_function(opened, 4)
    progress, frames = trials.Progress(tmp_path, {"a": 1}), []
    found = trials.measure(track, material, asked, progress, frames.append)
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


def test_measured_sequences_are_kept(opened, material, asked, tmp_path):
    track = trials.tracking_function(opened, 4)
    tracked = []

    def failing(settings, video, advance):
        if len(tracked) == 2:
            raise KeyboardInterrupt
        tracked.append(video.name)
        return track(settings, video, advance)

    def measured(run, identity=1, asked=asked):
        progress = trials.Progress(tmp_path, {"identity": identity})
        frames = []
        found = trials.measure(run, material, asked, progress, frames.append)
        return found, sum(frames)

    with pytest.raises(KeyboardInterrupt):
        measured(failing)
    assert tracked == ["ball", "car <1>"]
    tracked.clear()
    found, frames = measured(failing)
    assert tracked == ["dog"]
    whole, all_frames = measured(track, identity=2)
    assert found == whole and frames == all_frames
    # Settings that differ, or another identity, keep nothing.
    for identity, window in ((2, 0.21), (3, 0.2)):
        tracked.clear()
        with pytest.raises(KeyboardInterrupt):
            measured(failing, identity, asked | {3: {"tracking.window": window}})
        assert len(tracked) == 2
    (tmp_path / trials.UNFINISHED).write_text('{"hash": 1')
    assert measured(track, identity=2)[0] == whole


def test_faults(opened, material, asked, tmp_path):
    track = trials.tracking_function(opened, 4)
    material.videos[0].xyxy[0] += 1000
    progress = trials.Progress(tmp_path, {})
    with pytest.raises(InputError, match="sequence ball: the first box .* outside"):
        trials.measure(track, material, asked, progress, lambda frames: None)
    with pytest.raises(InputError, match="sequence ball: 2 of 5 frames"):
        trials.measure(
            *(lambda settings, video, advance: np.ones((3, 2, 4)), material, asked),
            *(progress, lambda frames: None),
        )
