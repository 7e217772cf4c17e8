"""Tests for jaxtrack.tracking.many."""

import threading

import cv2
import jax
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.tracking import TrackerOutput, many, run, video


@pytest.fixture(scope="module")
def drivers(tiny):
    return run.compile_tracker(tiny[0]), jax.device_put(tiny[1])


@pytest.fixture
def videos(draw, pad_all):
    """Frames of three videos of different length, size and canvas; first boxes."""
    drawn = [draw(6), draw(3, hw=(80, 128), velocity=(-1, 1)), draw(1)]
    frames = [pad_all(images) for images, _ in drawn[:2]]
    frames.append(pad_all(drawn[2][0], (96, 128)))
    return frames, [truth[0] for _, truth in drawn]


def stacked(frames, canvas):
    """One frame of each video on new canvases, as the definition has it."""
    images = np.zeros((len(frames), *canvas, 3), np.uint8)
    hw = np.ones((len(frames), 2), np.int32)
    for k, frame in enumerate(frames):
        if frame is not None:
            images[k, : frame.image.shape[0], : frame.image.shape[1]] = frame.image
            hw[k] = frame.hw
    return video.Frame(images, hw)


@pytest.mark.parametrize("num_threads", [1, 3])
def test_bit_equal_to_new_memory_for_every_frame(drivers, videos, num_threads):
    compiled, variables = drivers
    frames, boxes = videos
    sources = list(map(many.InMemory, frames))
    found = many.track_videos(*drivers, sources, boxes, num_threads=num_threads)
    at = [[v[t] if t < len(v) else None for v in frames] for t in range(6)]
    inputs = [stacked(now, (128, 128)) for now in at]
    state = compiled.init_many(variables, inputs[0], np.asarray(boxes))
    for t, frame in enumerate(inputs[1:], 1):
        state, output = compiled.step_many(variables, state, frame)
        for i, result in enumerate(found):
            if t < len(frames[i]):
                np.testing.assert_array_equal(result.box[t], output.box[i])
                np.testing.assert_array_equal(result.score[t], output.score[i])
    assert [len(result.box) for result in found] == [6, 3, 1]


@pytest.mark.parametrize("num_devices", [1, 2])
def test_many_equal_one(tiny, drivers, videos, num_devices):
    one, variables = drivers
    compiled = one
    if num_devices > 1:  # One of the four places on two devices is padding.
        compiled = run.compile_tracker(tiny[0], num_devices=num_devices)
    frames, boxes = videos
    counts = []
    results = many.track_videos(
        *(compiled, variables, list(map(many.InMemory, frames)), boxes),
        advance=counts.append,
    )
    assert counts == [3, 2, 2, 1, 1, 1]
    assert [result.score.shape for result in results] == [(6,), (3,), (1,)]
    for result, own, start in zip(results, frames, boxes, strict=True):
        alone = run.track_video(one, variables, own, start)
        # As in run_test: drivers fuse differently.
        alone = np.stack([output.box for output in alone])
        np.testing.assert_allclose(result.box, alone, atol=1e-3)


class Recorded:
    """Fills its first row with the frame's number; sizes change from frame to frame."""

    canvas = (8, 8)

    def __init__(self, sizes):
        self._sizes = iter(enumerate(sizes, 1))

    def fill(self, canvas):
        number, hw = next(self._sizes, (0, None))
        if hw is not None:
            canvas[: hw[0], : hw[1]] = number
        return hw


def test_buffers_go_round_and_show_no_old_pixels():
    sizes = [(8, 8), (2, 5), (8, 8), (4, 4), (3, 6), (1, 8), (8, 1), (2, 2), (5, 5)]
    seen, places = [], set()
    for frames, is_there in many._filled([Recorded(sizes), Recorded(sizes[:3])], 3, 2):
        number = len(seen) + 1
        (height, width), image = frames.hw[0], frames.image[0]
        assert (height, width) == sizes[number - 1]
        assert np.all(image[:height, :width] == number)
        assert int(image.sum()) == 3 * number * height * width
        assert is_there.tolist() == [True, number <= 3]
        places.add(frames.image.ctypes.data)
        seen.append(number)
    assert len(seen) == 9
    assert len(places) == 4


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_files_are_decoded_in_place(tmp_path, suffix):
    rng = np.random.default_rng(0)
    for k in range(3):
        image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{k}{suffix}"), image)
    with video.FrameReader(tmp_path) as reader:
        expected = [frame.image for frame in reader]
    with video.FrameReader(tmp_path) as reader:
        canvas = video.blank((*reader.canvas, 3))
        for image in expected:
            np.testing.assert_array_equal(reader.fill(canvas), (20, 30))
            np.testing.assert_array_equal(canvas, image)
        assert reader.fill(canvas) is None
        assert reader.fill(canvas) is None


def test_names_what_cannot_be_read_and_ends_its_threads():
    class Damaged(Recorded):
        """Its second frame cannot be read."""

        def fill(self, canvas):
            if (hw := super().fill(canvas)) == (3, 3):
                raise InputError("2.png is empty")
            return hw

    still = run.Drivers(
        *(None, None, None, lambda variables, frames, boxes: boxes),
        lambda variables, boxes, frames: (boxes, TrackerOutput(boxes, boxes[:, 0])),
        num_devices=1,
    )
    before = threading.active_count()
    sources = [Recorded([(8, 8)] * 9), Damaged([(8, 8), (3, 3)])]
    with pytest.raises(many.UnreadableVideoError, match=r"2\.png is empty") as fault:
        many.track_videos(still, {}, sources, [(4, 4, 2, 2)] * 2)
    assert fault.value.index == 1
    assert threading.active_count() == before


def test_refuses_bad_input(drivers, draw, pad_all):
    images, truth = draw(2)

    def sources(count=1):
        return [many.InMemory(pad_all(images)) for _ in range(count)]

    with pytest.raises(ValueError, match="1 videos but 2 boxes"):
        many.track_videos(*drivers, sources(), truth)
    with pytest.raises(InputError, match="positive"):
        many.track_videos(*drivers, sources(), [(10, 10, 0, 5)])
    with pytest.raises(InputError, match="no frame"):
        many.track_videos(*drivers, [*sources(), many.InMemory([])], truth)
    assert many.track_videos(*drivers, [], []) == []


def test_groups_hold_one_canvas_and_like_lengths():
    canvases = [(256, 256), (256, 512), (256, 256), (256, 256)]
    groups = many.grouped("abcd", canvases, [9, 3, 5, 4], size=2)
    assert groups == [["d", "c"], ["a"], ["b"]]
