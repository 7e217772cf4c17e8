"""Tests for jaxtrack.evaluation.stamp."""

import json

import numpy as np

from jaxtrack import datasets
from jaxtrack.evaluation import stamp
from tests.datasets import fake_datasets as fake


def test_hash_of_a_sequence_sees_boxes_and_frames_not_their_folder():
    boxes = np.array([[0.0, 0, 1, 1], [np.nan] * 4])
    first = stamp.hash_sequence(["x/1.jpg", "x/2.jpg"], boxes)
    assert stamp.hash_sequence(["y/1.jpg", "y/2.jpg"], boxes) == first
    assert stamp.hash_sequence(["x/1.jpg", "x/3.jpg"], boxes) != first
    assert stamp.hash_sequence(["x/1.jpg", "x/2.jpg"], boxes[::-1]) != first


def test_hash_of_a_sequence_sees_a_file_that_was_replaced(tmp_path):
    frame, boxes = tmp_path / "1.jpg", np.zeros((1, 4))
    missing = stamp.hash_sequence([frame], boxes)
    frame.write_bytes(b"12")
    first = stamp.hash_sequence([frame], boxes)
    frame.write_bytes(b"123")
    assert len({missing, first, stamp.hash_sequence([frame], boxes)}) == 3


def test_finished_only_for_the_same_identity(tmp_path):
    assert stamp.finished(tmp_path, {"step": 1}) == {}
    stamp.write(tmp_path, {"step": 1}, {"device": "cpu"}, {"a": "12"})
    assert stamp.finished(tmp_path, {"step": 1}) == {"a": "12"}
    assert stamp.finished(tmp_path, {"step": 2}) == {}
    assert stamp.read(tmp_path)["environment"] == {"device": "cpu"}


def test_damaged_stamp_keeps_nothing(tmp_path):
    for text in ("{", "[1]", "", '{"identity": 3}'):
        (tmp_path / stamp.FILE).write_text(text)
        assert stamp.read(tmp_path) is None
        assert stamp.finished(tmp_path, {}) == {}


def test_description_is_for_stamps(tmp_path):
    fake.otb_sequence(tmp_path, "street")
    said = stamp.describe(datasets.load("folders", tmp_path))
    assert json.loads(json.dumps(said)) == said
    assert said["benchmark"] == "folders" and said["num_sequences"] == 1
    assert said["num_frames"] == 3 and said["protocol"] == "otb"
    again = stamp.describe(datasets.load("folders", tmp_path))
    assert again == said
    fake.table(tmp_path / "street/groundtruth_rect.txt", fake.boxes(3, (2, 3, 4, 6)))
    other = stamp.describe(datasets.load("folders", tmp_path))
    assert other["data"] != said["data"] and other["notes"] == []
