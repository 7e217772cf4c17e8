"""Tests for jaxtrack.report.frames."""

import dataclasses

import cv2
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.report import frames
from tests.evaluation.fixtures import with_videos
from tests.report.plots.pixels import decoded


def test_worst_come_first_and_show_the_judged_tracker(found):
    found = dataclasses.replace(found, scores=found.scores[1:])
    worst = frames.worst(found, count=2)
    judged = found.scores[0].reports["otb"].sequences
    assert list(worst) == sorted(judged, key=lambda n: judged[n].auc)[:2]
    name, shots = next(iter(worst.items()))
    assert shots[0].frame == 0 and shots[0].iou == pytest.approx(1.0)
    assert shots[-1].iou == pytest.approx(max(0, judged[name].iou[shots[-1].frame]))


def test_boxes_of_files_that_count_from_one_are_drawn_where_they_are(found):
    def moved(boxes):
        return {name: rows + np.array([1, 1, 0, 0]) for name, rows in boxes.items()}

    one = found.scores[0]
    other = dataclasses.replace(one, predicted=moved(one.predicted))
    alone = dataclasses.replace(found, scores=[one])
    truth = moved(found.benchmark.truth)
    shifted = with_videos(alone, truth=truth, origin=dict.fromkeys(truth, 1.0))
    shifted = dataclasses.replace(shifted, scores=[other])
    plain, drawn = frames.worst(alone, count=1), frames.worst(shifted, count=1)
    unmoved = frames.worst(dataclasses.replace(alone, scores=[other]), count=1)
    for name, shots in plain.items():
        for a, b in zip(shots, drawn[name], strict=True):
            assert (a.frame, a.iou) == (b.frame, b.iou)
            np.testing.assert_array_equal(decoded(a.jpeg), decoded(b.jpeg))
        assert any(a.jpeg != b.jpeg for a, b in zip(shots, unmoved[name], strict=True))


def test_a_dataset_without_pictures_has_no_frames(found):
    without = with_videos(found, frames={v.name: [] for v in found.benchmark.videos})
    worst = frames.worst(without)
    assert len(worst) == 3 and not any(worst.values())


@pytest.fixture
def grey(tmp_path):
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), np.full((100, 200, 3), 128, np.uint8))
    return path


def test_boxes_lie_where_they_belong(grey):
    truth = np.array([50.0, 20, 100, 60])
    image = decoded(frames.draw(grey, truth, [], width=400))
    assert image.shape == (200, 400, 3)
    # Twice as large: edges at x = 100 and 300, y = 40 and 160.
    assert image[100, 100].min() > 200
    assert image[40, 200].min() > 200
    assert abs(image[100, 200] - 128).max() < 10
    assert abs(image[100, 80] - 128).max() < 10


def test_boxes_that_cannot_be_seen_draw_nothing(grey):
    for box in ([np.nan] * 4, [10, 10, 0, 5], [1e9, 1e9, 5, 5], [-1e12, 0, 3, 3]):
        image = decoded(frames.draw(grey, np.array(box, np.float64), []))
        assert abs(image - 128).max() < 10


def test_frame_that_cannot_be_read(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "bad.jpg").write_bytes(b"x" * 9)
    for name in ("none.jpg", "empty.jpg", "bad.jpg"):
        with pytest.raises(InputError, match=name):
            frames.draw(tmp_path / name, np.zeros(4), [])


def test_the_last_box_is_on_top_in_its_color(grey):
    box = np.array([50.0, 20, 100, 60])
    pair = [("#00d000", box), ("#d02000", box)]
    red, green, blue = decoded(frames.draw(grey, box, pair, width=200))[50, 50]
    assert red > 150 and green < 110 and blue < 110


def test_many_boxes_are_thin_but_for_the_last(grey):
    truth = np.array([20.0, 10, 20, 20])
    boxes = [np.array([60.0 + 10 * i, 30, 100, 60]) for i in range(6)]
    colors = ["#00ff00"] * 5 + ["#ff0000"]

    def share(pairs, channel):
        image = decoded(frames.draw(grey, truth, pairs, width=200))
        others = np.delete(image, channel, axis=-1).max(axis=-1)
        return np.mean(image[..., channel] - others > 60)

    few = list(zip(colors[:5], boxes[:5], strict=True))
    many = list(zip(colors, boxes, strict=True))
    assert share(many, 1) < 0.6 * share(few, 1)
    alone = share([("#ff0000", boxes[5])], 0)
    assert share(many, 0) > 0.9 * alone > 0
