"""Tests for jaxtrack.evaluation.analysis.probing."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation.analysis import probing


@pytest.fixture
def prober(checkpoints):
    opened = checkpoints["sharp"]
    return probing.make_prober(opened.tracker, opened.variables)


def boxes_looked_at(looks):
    """Cell 2 of the tracker is the box it was told."""
    return [look.xyxy[0, 2] for look in looks]


def test_looks_around_the_true_box_of_the_frame_before(prober, videos):
    video = videos[1]
    looks = list(probing.teacher_forced(prober, video))
    assert [look.frame for look in looks] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(boxes_looked_at(looks), video.xyxy[:-1], atol=1e-4)
    np.testing.assert_array_equal([look.last for look in looks], video.xyxy[:-1])
    np.testing.assert_array_equal([look.truth for look in looks], video.xyxy[1:])
    for look in looks:
        x0, y0, x1, y1 = look.truth.astype(int)
        assert look.image.shape == (48, 64, 3)
        # The picture is that of the frame: white where the target is, gray beside.
        assert look.image[y0:y1, x0:x1].min() == 255
        assert look.image[y0:y1, x1].max() == 90
        assert look.confidence.shape == look.cls.shape == look.quality.shape == (8, 8)


def test_absent_frames_are_left_out_and_not_read(prober, videos):
    video = videos[1]
    video.xyxy[3] = np.nan
    video.xyxy[4, 2] = video.xyxy[4, 0]  # No width.
    for absent in (3, 4):
        video.frames[absent].unlink()
    np.testing.assert_array_equal(probing.usable_frames(video), [0, 1, 2, 5, 6])
    looks = list(probing.teacher_forced(prober, video))
    assert [look.frame for look in looks] == [1, 2, 5, 6]
    np.testing.assert_allclose(
        boxes_looked_at(looks), video.xyxy[[0, 1, 2, 5]], atol=1e-4
    )


def test_only_the_frames_asked_for_are_read(prober, videos):
    every = list(probing.teacher_forced(prober, videos[1]))
    for other in (1, 3, 5, 6):
        videos[1].frames[other].unlink()
    some = list(probing.teacher_forced(prober, videos[1], only=[2, 4]))
    assert [look.frame for look in some] == [2, 4]
    for one, same in zip(some, (every[1], every[3]), strict=True):
        for ours, theirs in zip(one, same, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_one_frame_shows_nothing(prober, videos):
    video = videos[0]
    del video.frames[1:]
    video.xyxy.resize((1, 4), refcheck=False)
    assert list(probing.teacher_forced(prober, video)) == []


def test_sequences_of_a_canvas_share_a_compilation(prober, checkpoints, videos):
    for video in videos[:2]:
        list(probing.teacher_forced(prober, video))
    assert checkpoints["sharp"].model.traced == ["probe"]


def test_faults_name_the_sequence_and_the_frame(prober, videos):
    videos[0].frames[3].write_bytes(b"")
    with pytest.raises(InputError, match=r"0004\.png"):
        list(probing.teacher_forced(prober, videos[0]))
    videos[1].xyxy[0] += 500
    with pytest.raises(InputError, match="sequence car <1>: the first box"):
        list(probing.teacher_forced(prober, videos[1]))
