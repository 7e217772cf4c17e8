"""Tests for jaxtrack.datasets.lasot."""

import pytest

from jaxtrack.datasets import lasot, members
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


@pytest.fixture
def root(tmp_path):
    """airplane-1 and bear-2 are of the test split, airplane-2 is not."""
    for name in ("airplane-1", "airplane-2", "bear-2"):
        fake.lasot_sequence(tmp_path, name, absent=(1,))
    return tmp_path


def survey(root, split="test"):
    return lasot.survey(root, split)


def read(root, name):
    return lasot.read(name, survey(root, "all").found[name])


def test_splits(root):
    listing = survey(root)
    assert listing.names == members.LASOT_TEST and listing.num_expected == 280
    assert list(listing.found) == ["airplane-1", "bear-2"] and not listing.notes
    assert list(survey(root, "train").found) == ["airplane-2"]
    assert survey(root, "train").num_expected == 1120
    assert len(survey(root, "all").found) == 3
    assert survey(root, "all").num_expected == 1400


def test_the_folders_own_list_comes_first(root):
    fake.text(root / "testing_set.txt", "airplane-2\nbear-3\n")
    listing = survey(root)
    assert listing.names == ("airplane-2", "bear-3")
    assert list(listing.found) == ["airplane-2"]
    assert "not the published one" in listing.notes[0]
    fake.text(root / "testing_set.txt", "\n".join(members.LASOT_TEST))
    assert survey(root).notes == ()


def test_absent_where_either_flag_is_set(root):
    entry = read(root, "airplane-1")
    assert entry.absent.tolist() == [False, True, False]
    fake.text(root / "airplane/airplane-1/full_occlusion.txt", "1,0,0\n")
    assert read(root, "airplane-1").absent.tolist() == [True, True, False]
    (root / "airplane/airplane-1/full_occlusion.txt").unlink()
    assert read(root, "airplane-1").absent.tolist() == [False, True, False]
    (root / "airplane/airplane-1/out_of_view.txt").unlink()
    assert read(root, "airplane-1").absent is None


def test_folders_without_classes(tmp_path):
    fake.lasot_sequence(tmp_path / "x", "airplane-1")
    assert list(survey(tmp_path / "x/airplane").found) == ["airplane-1"]


@pytest.mark.parametrize("top", ["", "airplane"])
def test_attributes(root, top):
    assert read(root, "airplane-1").attributes == ()
    flags = [[0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]]
    fake.table(root / top / "annos/att/airplane-1.txt", flags)
    assert read(root, "airplane-1").attributes == ("POC", "ROT", "SV", "LR")


def test_wrong_layouts(root):
    with pytest.raises(InputError, match="no such folder"):
        survey(root / "none")
    with pytest.raises(InputError, match="expected LaSOT's layout.*; found full_.*"):
        survey(root / "bear/bear-2")
    fake.text(root / "bear/bear-2/out_of_view.txt", "0,0\n")
    with pytest.raises(InputError, match=r"out_of_view\.txt: expected 3 values"):
        read(root, "bear-2")
    fake.images(root / "airplane/airplane-1/img", (4,), 8)
    with pytest.raises(InputError, match="found 4 frames, 3 rows"):
        read(root, "airplane-1")
    (root / "airplane/airplane-2/img").rename(root / "airplane/airplane-2/imgs")
    with pytest.raises(InputError, match="expected a folder img/; found"):
        read(root, "airplane-2")
