"""Tests for jaxtrack.datasets.uav123."""

import numpy as np
import pytest

from jaxtrack.datasets import uav123
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def read(root, name):
    return uav123.read(name, uav123.survey(root, "all").found[name])


def test_whole_folder_takes_its_first_images(tmp_path):
    # car1_s is a folder of its own, not a cut-out of car1.
    fake.uav_sequence(tmp_path, "car1_s", range(1, 6), {"car1_s": fake.boxes(4)})
    entry = read(tmp_path, "car1_s")
    assert [p.stem for p in entry.frames] == ["000001", "000002", "000003", "000004"]
    np.testing.assert_array_equal(entry.truth, fake.boxes(4))


def test_cut_outs_share_a_folder(tmp_path):
    truths = {"person8_1": fake.boxes(1075), "person8_2": fake.boxes(451)}
    fake.uav_sequence(tmp_path, "person8", range(1, 1526), truths)
    first, second = (read(tmp_path, name).frames for name in truths)
    assert (first[0].stem, first[-1].stem) == ("000001", "001075")
    assert (second[0].stem, second[-1].stem) == ("001075", "001525")


def test_rows_of_nan_stay(tmp_path):
    truth = fake.boxes(3)
    truth[1] = np.nan
    fake.uav_sequence(tmp_path, "bike1", range(1, 4), {"bike1": truth})
    np.testing.assert_array_equal(read(tmp_path, "bike1").truth, truth)


def test_root_may_be_the_folder_above(tmp_path):
    fake.uav_sequence(tmp_path / "UAV123", "bike1", (1,), {"bike1": fake.boxes(1)})
    listing = uav123.survey(tmp_path, "all")
    assert list(listing.found) == ["bike1"] and listing.num_expected == 123


def test_attributes(tmp_path):
    fake.uav_sequence(tmp_path, "bike1", (1,), {"bike1": fake.boxes(1)})
    assert read(tmp_path, "bike1").attributes == ()
    flags = [[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]]
    fake.table(tmp_path / "anno/UAV123/att/bike1.txt", flags)
    assert read(tmp_path, "bike1").attributes == ("SV", "POC", "SOB")


def test_wrong_layouts(tmp_path):
    fake.images(tmp_path / "bike1", (1,))
    with pytest.raises(InputError, match="expected UAV123's layout.*found bike1/"):
        uav123.survey(tmp_path, "all")
    fake.table(tmp_path / "anno/UAV123/bike1.txt", fake.boxes(2))
    with pytest.raises(InputError, match="expected UAV123's layout.*found anno/"):
        uav123.survey(tmp_path, "all")
    fake.uav_sequence(tmp_path, "bike1", (1,), {})
    with pytest.raises(InputError, match="bike1: expected images 1 to 2; found 1 to 1"):
        read(tmp_path, "bike1")
    fake.uav_sequence(tmp_path, "uav1", range(1555, 2378), {"uav1_2": fake.boxes(9)})
    with pytest.raises(InputError, match="found 823 frames, 9 rows"):
        read(tmp_path, "uav1_2")
