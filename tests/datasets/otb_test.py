"""Tests for jaxtrack.datasets.otb."""

import json

import numpy as np
import pytest

from jaxtrack.datasets import members, otb
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def survey(root, names=members.OTB100):
    return otb.survey(root, "all", names=names)


def read(root, name):
    return otb.read(name, survey(root).found[name])


def test_plain_sequence_with_tabs(tmp_path):
    fake.otb_sequence(tmp_path, "Boy")
    fake.table(tmp_path / "Boy/groundtruth_rect.txt", fake.boxes(3), "\t")
    entry = read(tmp_path, "Boy")
    assert [p.name for p in entry.frames] == ["0001.jpg", "0002.jpg", "0003.jpg"]
    np.testing.assert_array_equal(entry.truth, fake.boxes(3))


def test_editions(tmp_path):
    fake.otb_sequence(tmp_path, "Boy")
    fake.otb_sequence(tmp_path, "Biker")
    assert list(survey(tmp_path, members.OTB50).found) == ["Biker"]
    listing = survey(tmp_path)
    assert set(listing.found) == {"Boy", "Biker"}
    assert listing.num_expected == len(listing.names) == 100


@pytest.mark.parametrize("name", ["David", "BlurCar1", "Football1"])
def test_part_of_the_images(tmp_path, name):
    # Two images before and two after the part that counts, where there can be.
    first, last = members.OTB_FRAMES[name]
    before = min(2, first - 1)
    fake.images(tmp_path / name / "img", range(first - before, last + 3))
    count = last - first + 1
    fake.table(tmp_path / name / "groundtruth_rect.txt", fake.boxes(count))
    frames = read(tmp_path, name).frames
    assert len(frames) == count
    assert (frames[0].stem, frames[-1].stem) == (f"{first:04d}", f"{last:04d}")


def test_copy_already_cut_to_its_part(tmp_path):
    fake.otb_sequence(tmp_path, "David", 471)
    frames = read(tmp_path, "David").frames
    assert (frames[0].stem, frames[-1].stem) == ("0001", "0471")


def test_five_digits_of_board(tmp_path):
    fake.otb_sequence(tmp_path, "Board", 3, digits=5)
    assert read(tmp_path, "Board").frames[0].name == "00001.jpg"


def test_human4_takes_the_second_file(tmp_path):
    fake.otb_sequence(tmp_path, "Human4", end=".2.txt")
    fake.text(tmp_path / "Human4/groundtruth_rect.1.txt", "\n")
    np.testing.assert_array_equal(read(tmp_path, "Human4").truth, fake.boxes(3))


def test_two_targets_of_one_folder(tmp_path):
    fake.otb_sequence(tmp_path, "Jogging", end=".1.txt")
    other = fake.boxes(3, (7, 7, 7, 7))
    fake.table(tmp_path / "Jogging/groundtruth_rect.2.txt", other)
    np.testing.assert_array_equal(read(tmp_path, "Jogging-1").truth, fake.boxes(3))
    np.testing.assert_array_equal(read(tmp_path, "Jogging-2").truth, other)


def test_a_folder_a_target(tmp_path):
    for end in (".txt", ".2.txt"):
        for folder in ("Skating2-2", "Skating2_2", "skating2.2"):
            root = tmp_path / end / folder
            fake.otb_sequence(root, folder, end=end)
            assert list(survey(root, members.OTB50).found) == ["Skating2-2"]


def test_png_in_another_folder(tmp_path):
    fake.images(tmp_path / "KiteSurf/jpg", range(1, 4), suffix=".png")
    fake.table(tmp_path / "KiteSurf/groundtruth_rect.txt", fake.boxes(3))
    assert read(tmp_path, "KiteSurf").frames[0].name == "0001.png"


def test_attributes_of_three_sources(tmp_path):
    fake.otb_sequence(tmp_path, "Boy")
    assert read(tmp_path, "Boy").attributes == ()
    table = {"Boy": {"attr": ["Scale Variation"]}}
    fake.text(tmp_path / "OTB100.json", json.dumps(table))
    assert read(tmp_path, "Boy").attributes == ("Scale Variation",)
    fake.table(tmp_path / "anno/att/boy.txt", [[0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]])
    assert read(tmp_path, "Boy").attributes == ("OPR", "SV", "LR")
    fake.text(tmp_path / "Boy/attrs.txt", "SV, MB\n")
    assert read(tmp_path, "Boy").attributes == ("SV", "MB")


def test_damaged_table_of_attributes(tmp_path):
    fake.otb_sequence(tmp_path, "Boy")
    fake.text(tmp_path / "OTB100.json", "{")
    with pytest.raises(InputError, match=r"OTB100\.json: expected pysot's table"):
        read(tmp_path, "Boy")


def test_wrong_layouts(tmp_path):
    (tmp_path / "data_seq").mkdir()
    with pytest.raises(InputError, match="expected OTB's layout.*; found data_seq/"):
        survey(tmp_path)
    with pytest.raises(InputError, match="found no such folder"):
        survey(tmp_path / "none")
    fake.otb_sequence(tmp_path, "Boy", truth=fake.boxes(4))
    with pytest.raises(InputError, match="Boy: .*found 3 frames, 4 rows"):
        read(tmp_path, "Boy")
    (tmp_path / "Boy/img").rename(tmp_path / "Boy/images")
    with pytest.raises(InputError, match="expected a folder img/; found groundtruth"):
        read(tmp_path, "Boy")
