"""Tests for jaxtrack.datasets.pictures."""

import struct

import cv2
import numpy as np
import pytest

from jaxtrack.datasets import pictures
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def test_channels_are_rgb(tmp_path):
    red = np.zeros((8, 6, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes BGR.
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), red)
    np.testing.assert_array_equal(pictures.read_image(path)[0, 0], [255, 0, 0])
    assert pictures.image_size(path) == (6, 8)


def test_a_damaged_picture_is_named(tmp_path):
    fake.images(tmp_path, (1,), digits=1)
    path = tmp_path / "1.jpg"
    whole = path.read_bytes()
    for data, message in (
        (b"", r"1\.jpg is empty"),
        (b"not a picture", r"1\.jpg is no image"),
        (whole[:-40], r"1\.jpg is cut off"),
        (bomb(), r"1\.jpg is no image"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=message):
            pictures.read_image(path)
    path.unlink()
    with pytest.raises(InputError, match=r"1\.jpg cannot be read: No such file"):
        pictures.read_image(path)


def bomb():
    """A picture whose header promises more pixels than OpenCV takes."""
    data = cv2.imencode(".bmp", np.zeros((8, 6, 3), np.uint8))[1].tobytes()
    return data[:18] + struct.pack("<ii", 60_000, 60_000) + data[26:]


def exif(orientation):
    """The segment of a JPEG that says how its picture is turned."""
    entry = struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0)
    body = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def test_the_size_is_that_of_the_picture_as_it_is_seen(tmp_path):
    data = cv2.imencode(".jpg", np.zeros((8, 6, 3), np.uint8))[1].tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert pictures.image_size(path) == (6, 8)
    profile = b"\xff\xe2" + struct.pack(">H", 5000) + bytes(4998)
    # Turned by a quarter.
    path.write_bytes(data[:2] + profile + exif(6) + data[2:])
    assert pictures.image_size(path) == (8, 6)
    assert pictures.read_image(path).shape == (6, 8, 3)


def test_a_video_behind_a_picture_is_no_damage(tmp_path):
    data = cv2.imencode(".jpg", np.zeros((8, 6, 3), np.uint8))[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(data + bytes(9000))
    assert pictures.read_image(tmp_path / "a.jpg").shape == (8, 6, 3)
    # A thumbnail's end is not the picture's.
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    cut = data[:2] + thumbnail + data[2:-30]
    for end in (bytes(9000), b""):
        assert pictures.is_cut_off(cut + end)
    assert pictures.is_cut_off(cut[:200])
    assert not pictures.is_cut_off(cut + data[-30:] + bytes(9000))
