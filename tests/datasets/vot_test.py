"""Tests for jaxtrack.datasets.vot."""

import numpy as np
import pytest

from jaxtrack.datasets import members, vot
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake

SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]  # x 2 to 6, y 1 to 5.
DIAMOND = [4, 0, 8, 4, 4, 8, 0, 4]
DESCRIBED = (
    "name=ants1\nfps=30\nformat=default\nchannels.color=color/%08d.jpg\n"
    "channel.default=color\nwidth=320\nheight=240\nlength=2\n"
)


def survey(root, edition="vot2018"):
    return vot.survey(root, "all", edition=edition)


def read(root, name="ants1"):
    return vot.read(name, survey(root).found[name])


def test_polygons_and_the_boxes_around_them(tmp_path):
    fake.vot_sequence(tmp_path, "ants1", [SQUARE, DIAMOND], described=DESCRIBED)
    entry = read(tmp_path)
    np.testing.assert_array_equal(entry.region, [SQUARE, DIAMOND])
    np.testing.assert_array_equal(entry.truth, [[2, 1, 4, 4], [0, 0, 8, 8]])
    assert entry.image_size == (320, 240)
    assert [p.name for p in entry.frames] == ["00000001.jpg", "00000002.jpg"]


@pytest.mark.parametrize("images_in", ["color", ""])
def test_older_copies_have_no_description(tmp_path, images_in):
    fake.vot_sequence(tmp_path, "ants1", [[1, 2, 3, 4]], images_in=images_in)
    entry = read(tmp_path)
    assert len(entry.frames) == 1 and entry.image_size is None
    np.testing.assert_array_equal(entry.truth, [[1, 2, 3, 4]])


def test_description_names_the_folder_of_images(tmp_path):
    described = "channels.ir=infra/%08d.jpg\nchannel.default=ir\n"
    fake.vot_sequence(
        tmp_path, "ants1", [SQUARE], images_in="infra", described=described
    )
    assert read(tmp_path).frames[0].parent.name == "infra"


def test_short_tags_end_with_zeros(tmp_path):
    folder = fake.vot_sequence(tmp_path, "ants1", [SQUARE] * 3)
    fake.table(folder / "occlusion.tag", [[0], [1]])
    fake.table(folder / "camera_motion.label", [[1], [1], [0], [1]])
    fake.table(folder / "size_change.tag", [[0]])
    fake.table(folder / "practical.tag", [[1]])
    entry = read(tmp_path)
    assert set(entry.tags) == {"occlusion", "camera_motion", "size_change"}
    assert entry.tags["occlusion"].tolist() == [False, True, False]
    assert entry.tags["camera_motion"].tolist() == [True, True, False]
    assert entry.attributes == ("camera_motion", "occlusion")


def test_names(tmp_path):
    fake.vot_sequence(tmp_path, "bag", [SQUARE])
    fake.vot_sequence(tmp_path, "ants1", [SQUARE])
    listing = survey(tmp_path)
    assert listing.names == members.VOT2018 and list(listing.found) == ["ants1", "bag"]
    listing = survey(tmp_path, "vot2019")
    assert listing.names == ("ants1", "bag") and listing.num_expected == 60
    assert "list.txt was not found" in listing.notes[0]
    fake.text(tmp_path / "list.txt", "bag\nants1\nagility\n")
    listing = survey(tmp_path, "vot2019")
    assert listing.names == ("bag", "ants1", "agility") and not listing.notes
    assert list(listing.found) == ["bag", "ants1"]


def test_workspace_of_the_toolkit(tmp_path):
    fake.vot_sequence(tmp_path / "sequences", "ants1", [SQUARE])
    assert list(survey(tmp_path).found) == ["ants1"]


def test_editions_are_not_confused(tmp_path):
    fake.vot_sequence(tmp_path, "ants1", [SQUARE])
    fake.text(tmp_path / "list.txt", "ants1\nagility\nball3\n")
    with pytest.raises(InputError, match="found agility and 1 more that are none"):
        survey(tmp_path)
    fake.text(tmp_path / "list.txt", "\n".join(members.VOT2018))
    with pytest.raises(InputError, match="expected VOT2019's.*found VOT2018's"):
        survey(tmp_path, "vot2019")


def test_initial_boxes():
    # Square: s = sqrt(4 * 4 / (4 * 4)) = 1, so 4 + 1 px wide about (4.5, 3.5).
    # Diamond: sides of sqrt(32), s = sqrt(32 / 64), so 8 s + 1 px about (4.5, 4.5).
    half = (8 * np.sqrt(0.5) + 1) / 2
    expected = [[2, 1, 7, 6], [4.5 - half, 4.5 - half, 4.5 + half, 4.5 + half]]
    region = np.array([SQUARE, DIAMOND], np.float64)
    np.testing.assert_allclose(vot.initial_xyxy(region), expected, atol=1e-12)
    rectangle = np.array([[1.5, 2, 3, 4], [1, 2, 0, 4]])
    xyxy = vot.initial_xyxy(rectangle)
    np.testing.assert_allclose(xyxy[0], [1.5, 2, 4.5, 6], atol=1e-12)
    assert np.isnan(xyxy[1]).all()


def test_wrong_layouts(tmp_path):
    fake.images(tmp_path / "ants1/color", (1,), 8)
    with pytest.raises(InputError, match="expected VOT's layout.*; found ants1/"):
        survey(tmp_path)
    folder = fake.vot_sequence(tmp_path, "ants1", [SQUARE, SQUARE])
    fake.table(folder / "groundtruth.txt", [SQUARE])
    with pytest.raises(InputError, match="found 2 frames, 1 rows"):
        read(tmp_path)
    fake.text(tmp_path / "list.txt", "bag\n")
    with pytest.raises(InputError, match="such as bag/; found ants1/"):
        survey(tmp_path)
