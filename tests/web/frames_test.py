"""Tests for jaxtrack.web.frames."""

import itertools

import numpy as np
import pytest
import simplejpeg

from jaxtrack.errors import InputError
from jaxtrack.tracking.video import FrameReader, pad
from jaxtrack.web import frames
from tests.drift import write_frames


@pytest.fixture
def folder(tmp_path):
    return write_frames(tmp_path / "img")


def level(jpeg):
    """The gray of a picture, which frame k has at 90 + k."""
    return round(float(simplejpeg.decode_jpeg(jpeg).mean())) - 90


def test_the_store_forgets_the_oldest():
    frame = pad(np.zeros((40, 60, 3), np.uint8), (256, 256))
    store = frames.Store(memory=0)
    store.put(0, frame)
    assert store.span() == (0, 0)
    size = len(store.get(0))
    store = frames.Store(memory=3 * size)
    for k in range(5):
        store.put(k, frame)
    assert store.span() == (2, 4) and store.get(1) is None
    store.put(4, frame)
    assert store.span() == (2, 4)


def test_a_recording_is_walked_again_from_any_frame(folder):
    video = frames.open_frames(str(folder), warn=None)
    assert [number for number, _ in video.walk(0)] == list(range(7))
    assert list(video.walk(7)) == []
    number, frame = next(video.walk(4))
    assert (number, round(frame.image[5, 5, 0]) - 90) == (4, 4)
    assert [number for number, _ in video.again(5)] == [5, 6]
    video.close()


def test_a_recording_decodes_again_what_it_forgot(folder):
    video = frames.open_frames(str(folder), warn=None)
    video._store = frames.Store(memory=0)
    assert video.jpeg(3) is None  # Not seen yet.
    list(video.walk(0))
    assert level(video.jpeg(6)) == 6
    video._store = frames.Store()
    assert [level(video.jpeg(k)) for k in (2, 5)] == [2, 5]


def test_a_bad_image_is_told_once(folder):
    (folder / "3.jpg").write_bytes(b"")
    said = []
    video = frames.open_frames(str(folder), warn=said.append)
    list(video.walk(0))
    list(video.walk(0))
    assert len(said) == 1 and video.skipped == 1
    with pytest.raises(InputError, match=r"3\.jpg is empty"):
        list(frames.open_frames(str(folder), warn=None).walk(0))


def test_live_frames_are_kept_while_boxes_are_drawn(folder):
    video = frames.Live(FrameReader(folder))
    video._thread.join()
    walked = list(video.walk(2))
    assert [number for number, _ in walked] == [2, 3, 4, 5, 6]
    assert round(walked[0][1].image[5, 5, 0]) - 90 == 2
    assert level(video.jpeg(1)) == 1 and video.span() == (0, 6)
    video.close()


def test_live_frames_that_passed_are_skipped_and_new_ones_awaited(folder):
    jpeg = len(frames.Live(FrameReader(folder)).jpeg(0))
    reader = FrameReader(folder)
    reader.is_live = True
    video = frames.Live(reader, store=frames.Store(memory=3 * jpeg))
    video._thread.join()
    assert [number for number, _ in video.walk(0)] == [4, 5, 6]
    video._thread = itertools  # Stands for one that reads on.
    video._thread.is_alive = lambda: True
    assert next(video.walk(7)) is None
    del itertools.is_alive
