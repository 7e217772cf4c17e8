"""Tests for jaxtrack.datasets.tnl2k."""

import pytest

from jaxtrack.datasets import tnl2k
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake

NAMES = ("Bird_28-Done", "CM_run2_done", "INF_bike")


@pytest.fixture
def root(tmp_path):
    for name in NAMES:
        fake.tnl2k_sequence(tmp_path, name, ("f_10.jpg", "f_9.jpg", "00001.png"))
    return tmp_path


def survey(root):
    return tnl2k.survey(root, "test")


def read(root, name="INF_bike"):
    return tnl2k.read(name, survey(root).found[name])


def test_names_on_the_disk_are_noted(root):
    listing = survey(root)
    assert listing.names == NAMES and listing.num_expected == 700
    assert "TNL2K_testing_set.txt was not found" in listing.notes[0]


@pytest.mark.parametrize("folder", ["", "TNL2K_test_subset"])
def test_list_of_the_toolkit(root, folder):
    path = root / folder / "TNL2K_testing_set.txt"
    fake.text(path, "INF_bike\nBird_28-Done\nother_done\n")
    listing = survey(root)
    assert listing.names == ("INF_bike", "Bird_28-Done", "other_done")
    assert list(listing.found) == ["INF_bike", "Bird_28-Done"]
    assert listing.num_expected == 3 and not listing.notes


def test_root_may_hold_the_sequences(root):
    assert survey(root / "TNL2K_test_subset").names == NAMES


def test_irregular_images_in_sorted_order(root):
    assert [p.name for p in read(root).frames] == ["00001.png", "f_9.jpg", "f_10.jpg"]


@pytest.mark.parametrize("count", [3, 4])
def test_absent_file_may_be_a_line_too_long(root, count):
    assert read(root).absent is None
    fake.table(root / "annos/absent/INF_bike.txt", [[0], [1], [0], [1]][:count])
    assert read(root).absent.tolist() == [False, True, False]


def test_attributes(root):
    flags = [[1] + [0] * 13 + [1, 1, 1]]
    fake.table(root / "att/INF_bike_attribute.txt", flags)
    assert read(root).attributes == ("CM", "AS", "TC", "MS")


def test_wrong_layouts(root):
    with pytest.raises(InputError, match="expected TNL2K's layout.*; found ground.*"):
        survey(root / "TNL2K_test_subset/INF_bike")
    fake.table(root / "annos/absent/INF_bike.txt", [[0]])
    with pytest.raises(InputError, match="found 3 frames, 1 rows"):
        read(root)
    sequence = root / "TNL2K_test_subset/CM_run2_done"
    (sequence / "imgs").rename(sequence / "pictures")
    with pytest.raises(InputError, match="expected a folder imgs/; found ground"):
        read(root, "CM_run2_done")
