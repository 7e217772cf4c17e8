"""Tests for jaxtrack.datasets.folders."""

import numpy as np
import pytest

from jaxtrack.datasets import folders
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


@pytest.fixture
def root(tmp_path):
    """Sequences `a` and `b` of three frames, boxes (2 + t, 3, 4, 5) xywh."""
    for name in "ab":
        fake.otb_sequence(tmp_path, name)
    return tmp_path


def test_a_sequence(root):
    sequence = folders.read_sequence(root / "a")
    assert sequence.name == "a" and sequence.origin == 0
    assert [frame.name for frame in sequence.frames[:2]] == ["0001.jpg", "0002.jpg"]
    np.testing.assert_array_equal(sequence.xyxy[2], [4, 3, 8, 8])
    np.testing.assert_array_equal(sequence.truth, fake.boxes(3))


def test_truth_keeps_what_files_say(tmp_path):
    truth = fake.boxes(3)
    truth[1] = (0, 0, 0, 0)
    fake.otb_sequence(tmp_path, "street", truth=truth)
    # Images beside the boxes.
    fake.images(tmp_path / "park", range(3))
    fake.table(tmp_path / "park/groundtruth.txt", fake.boxes(3))
    listing = folders.survey(tmp_path, "all")
    assert listing.names == ("park", "street") and listing.num_expected == 2
    street, park = (folders.read(n, listing.found[n]) for n in ("street", "park"))
    np.testing.assert_array_equal(street.truth, truth)
    assert np.isnan(street.xyxy).all(axis=1).tolist() == [False, True, False]
    assert len(park.frames) == 3 and park.name == "park"
    with pytest.raises(InputError, match="line 2: a box of no size"):
        folders.read_sequence(tmp_path / "street")


def test_a_sequence_that_is_not_whole_is_named(root):
    (root / "a/img/0003.jpg").unlink()
    with pytest.raises(InputError, match=r"/a: .* found 2 frames, 3 rows"):
        folders.read_sequence(root / "a")
    (root / "b/groundtruth_rect.txt").unlink()
    with pytest.raises(InputError, match=r"/b: has no groundtruth_rect.txt"):
        folders.read_sequence(root / "b")
    with pytest.raises(InputError, match="no such folder"):
        folders.read_sequence(root / "c")


def test_sequences_are_listed_by_name(root, tmp_path):
    for name in ("a10", "a2"):
        fake.otb_sequence(root, name)
    (root / "not_a_sequence").mkdir()
    names = [folder.name for folder in folders.list_sequences(root)]
    assert names == ["a", "a2", "a10", "b"]
    with pytest.raises(InputError, match="no such folder"):
        folders.list_sequences(root / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="none of its folders holds groundtruth_rect"):
        folders.survey(tmp_path / "empty", "all")


def test_a_sequence_may_be_the_root_or_lie_deeper(root):
    assert folders.survey(root / "a", "all").names == ("a",)
    fake.otb_sequence(root, "2019/cars/one")
    fake.otb_sequence(root, "2019/cars/two")
    (root / ".cache/x").mkdir(parents=True)
    listing = folders.survey(root, "all")
    assert listing.names == ("2019-cars-one", "2019-cars-two", "a", "b")
    sequence = folders.read("2019-cars-two", listing.found["2019-cars-two"])
    assert sequence.name == "2019-cars-two" and len(sequence.frames) == 3
    fake.otb_sequence(root, "2019-cars/one")
    with pytest.raises(InputError, match="would both be named 2019-cars-one: rename"):
        folders.survey(root, "all")


def test_several_targets(root):
    for number, start in ((1, (0, 0, 2, 2)), (10, (4, 4, 2, 2)), (2, (2, 2, 2, 2))):
        fake.table(root / f"b/groundtruth_rect.{number}.txt", fake.boxes(3, start))
    (root / "b/groundtruth_rect.txt").write_text("")
    listing = folders.survey(root, "all")
    assert listing.names == ("a", "b-1", "b-2", "b-10")
    second = folders.read("b-2", listing.found["b-2"])
    np.testing.assert_array_equal(second.xyxy[0], [2, 2, 4, 4])
    listing = folders.survey_clips(root, "all")
    assert listing.names == ("a", "b")
    clip = folders.read_clip("b", listing.found["b"])
    np.testing.assert_array_equal(clip.xyxy[:, 0, 0], [0, 2, 4])
    assert clip.xyxy.shape == (3, 3, 4) and len(clip.frames) == 3


def test_links_that_lead_back_or_nowhere_are_passed_over(root):
    (root / "again").symlink_to(root)
    (root / "loop").symlink_to(root / "loop")
    (root / "gone").symlink_to(root / "nowhere")
    assert folders.list_sequences(root) == [root / "a", root / "b"]
