"""Tests for jaxtrack.data.composed.photos."""

import subprocess
import sys

import numpy as np
import pytest

from jaxtrack.data.composed import photos
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError


def test_default_photographs_come_with_scikit_image_and_can_be_read():
    found = photos.find_photographs()
    assert len(found) >= 8
    assert len({path.name for path in found}) == len(found)
    for path in found:
        assert min(read_image(path).shape[:2]) >= 300


def test_finding_the_defaults_does_not_import_scikit_image():
    code = (
        "import sys; from jaxtrack.data.composed import photos;"
        "photos.find_photographs(); assert 'skimage' not in sys.modules;"
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_folder_is_searched_deeply_and_sorted(photo_folder):
    deep = photo_folder / "a" / "b"
    deep.mkdir(parents=True)
    (photo_folder / "3.png").rename(deep / "Z.PNG")
    (photo_folder / "note.txt").write_text("no picture")
    found = photos.find_photographs(photo_folder)
    assert len(found) == 8
    assert found == sorted(found)
    assert deep / "Z.PNG" in found


def test_absent_photographs_are_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        photos.find_photographs(tmp_path / "nowhere")
    with pytest.raises(InputError, match=f"no photographs in {tmp_path}"):
        photos.find_photographs(tmp_path)
    with pytest.raises(InputError, match=r"gone\.jpg"):
        photos.find_photographs([tmp_path / "gone.jpg"])
    with pytest.raises(InputError, match="empty"):
        photos.find_photographs([])


def test_shrink_keeps_small_pictures_and_shape_of_large():
    image = np.zeros((300, 1200, 3), np.uint8)
    assert photos.shrink(image, 600).shape == (150, 600, 3)
    assert photos.shrink(image, 1200) is image


def test_pyramid_levels_are_means_of_four():
    image = np.random.default_rng(0).integers(0, 256, (101, 130, 3), np.uint8)
    levels = photos.pyramid(image)
    shapes = [level.shape for level in levels]
    assert shapes == [(101, 130, 4), (50, 65, 4), (25, 32, 4)]
    np.testing.assert_array_equal(levels[0][..., :3], image)
    mean = image[:100].reshape(50, 2, 65, 2, 3).mean((1, 3))
    assert np.abs(levels[1][..., :3] - mean).max() <= 0.51


def test_photographs_are_decoded_once(photo_folder):
    path = photo_folder / "0.png"
    first = photos.read_pyramid(path)
    path.unlink()
    assert photos.read_pyramid(path) is first
