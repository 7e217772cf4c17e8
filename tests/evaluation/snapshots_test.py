"""Tests for jaxtrack.evaluation.snapshots."""

import cv2
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import snapshots


def test_frames_tell_of_the_failure():
    iou = np.r_[np.ones(40), np.zeros(60)]
    frames = snapshots.telling_frames(np.arange(100), iou)
    # The first frame, the first failure, two even steps and the last frame.
    assert frames == [0, 40, 60, 79, 99]


def test_frames_are_even_where_nothing_fails():
    assert snapshots.telling_frames(np.arange(101), np.ones(101)) == [
        0,
        25,
        50,
        75,
        100,
    ]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_sequences_show_fewer_frames(length):
    frames = snapshots.telling_frames(np.arange(length), np.zeros(length))
    assert frames == sorted(set(frames)) and frames[-1] < length


def test_frames_are_indices_of_the_video():
    frames = snapshots.telling_frames(np.arange(1, 6), np.ones(5), count=3)
    assert frames == [0, 1, 3]


@pytest.fixture
def grey(tmp_path):
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), np.full((100, 200, 3), 128, np.uint8))
    return path


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB).astype(int)


def test_boxes_lie_where_they_belong(grey):
    truth = np.array([50.0, 20, 100, 60])
    image = decoded(snapshots.draw(grey, truth, [], width=400))
    assert image.shape == (200, 400, 3)
    # Twice as large: edges at x = 100 and 300, y = 40 and 160.
    assert image[100, 100].min() > 200
    assert image[40, 200].min() > 200
    assert abs(image[100, 200] - 128).max() < 10
    assert abs(image[100, 80] - 128).max() < 10


def test_colors_are_not_swapped(grey):
    box = np.array([50.0, 20, 100, 60])
    image = decoded(snapshots.draw(grey, box, [("#d02000", box)], width=200))
    red, green, blue = image[50, 50]
    assert red > 150 and green < 110 and blue < 110


@pytest.mark.parametrize(
    "box", [[np.nan] * 4, [10, 10, 0, 5], [1e9, 1e9, 5, 5], [-1e12, 0, 3, 3]]
)
def test_boxes_that_cannot_be_seen_draw_nothing(grey, box):
    image = decoded(snapshots.draw(grey, np.array(box, np.float64), []))
    assert abs(image - 128).max() < 10


def test_frame_that_cannot_be_read(tmp_path):
    for name, content in (
        ("none.jpg", None),
        ("empty.jpg", b""),
        ("bad.jpg", b"x" * 9),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            snapshots.draw(tmp_path / name, np.zeros(4), [])


def test_the_last_box_is_on_top(grey):
    box = np.array([50.0, 20, 100, 60])
    pair = [("#00d000", box), ("#d02000", box)]
    red, green, _ = decoded(snapshots.draw(grey, box, pair, width=200))[50, 50]
    assert red > green


def test_many_boxes_are_thin_but_for_the_last(grey):
    truth = np.array([20.0, 10, 20, 20])
    boxes = [np.array([60.0 + 10 * i, 30, 100, 60]) for i in range(6)]
    colors = ["#00ff00"] * 5 + ["#ff0000"]

    def share(pairs, channel):
        image = decoded(snapshots.draw(grey, truth, pairs, width=200))
        others = np.delete(image, channel, axis=-1).max(axis=-1)
        return np.mean(image[..., channel] - others > 60)

    few = list(zip(colors[:5], boxes[:5], strict=True))
    many = list(zip(colors, boxes, strict=True))
    assert share(many, 1) < 0.6 * share(few, 1)
    alone = share([("#ff0000", boxes[5])], 0)
    assert share(many, 0) > 0.9 * alone > 0
