"""Tests for jaxtrack.datasets.pictures."""

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
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=message):
            pictures.read_image(path)
    path.unlink()
    with pytest.raises(InputError, match=r"1\.jpg cannot be read: No such file"):
        pictures.read_image(path)
