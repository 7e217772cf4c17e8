"""Tests for jaxtrack.datasets.trackingnet."""

import pytest

from jaxtrack.datasets import trackingnet
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def survey(root, split="TEST"):
    return trackingnet.survey(root, split)


def test_frames_sort_as_numbers(tmp_path):
    fake.trackingnet_video(tmp_path, "-9abc_0", 12)
    listing = survey(tmp_path)
    assert listing.names == ("-9abc_0",) and listing.num_expected == 511
    entry = trackingnet.read("-9abc_0", listing.found["-9abc_0"])
    assert [p.stem for p in entry.frames] == [str(n) for n in range(12)]
    assert entry.truth.tolist() == [[2, 3, 4, 5]]


def test_video_without_frames_is_missing(tmp_path):
    fake.trackingnet_video(tmp_path, "a_0")
    fake.table(tmp_path / "TEST/anno/b_0.txt", fake.boxes(1))
    listing = survey(tmp_path)
    assert listing.names == ("a_0", "b_0") and list(listing.found) == ["a_0"]


def test_training_chunks_have_every_box(tmp_path):
    fake.trackingnet_video(tmp_path, "a_0", 3, split="TRAIN_11")
    listing = survey(tmp_path, "TRAIN_11")
    assert listing.num_expected == 1
    entry = trackingnet.read("a_0", listing.found["a_0"])
    assert entry.truth.shape == (3, 4)
    fake.table(tmp_path / "TRAIN_11/anno/a_0.txt", fake.boxes(1))
    with pytest.raises(InputError, match="found 3 frames, 1 rows"):
        trackingnet.read("a_0", listing.found["a_0"])


def test_wrong_layouts(tmp_path):
    with pytest.raises(InputError, match="expected TrackingNet's layout, TEST/frames"):
        survey(tmp_path)
    fake.table(tmp_path / "TEST/anno/a_0.txt", fake.boxes(1))
    (tmp_path / "TEST/zips").mkdir()
    with pytest.raises(InputError, match="found anno/, zips/"):
        survey(tmp_path)
    (tmp_path / "TEST/frames").mkdir()
    with pytest.raises(InputError, match="frames: expected.*found an empty folder"):
        survey(tmp_path)
