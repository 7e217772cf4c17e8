"""Small pictures and a video with masks, drawn on the spot."""

import contextlib

import cv2
import numpy as np
import pytest

from jaxtrack.data.composed import photos


def write_photo(path, seed, hw=(90, 120)):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (hw[0] // 6, hw[1] // 6, 3), np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(small, hw[::-1]))


@contextlib.contextmanager
def showing(image):
    """Lets every photograph be one picture, `[H, W, 3]` uint8."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photos, "read_pyramid", lambda path: photos.pyramid(image))
        yield


@pytest.fixture
def photo_folder(tmp_path):
    """Eight photographs: six to train with, two to evaluate with."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(8):
        write_photo(folder / f"{k}.png", k)
    return folder


def write_video(folder, num_frames=6, seed=0, blank=()):
    """An ellipse that moves 3 px and grows 1 px a frame; some masks left blank."""
    (folder / "img").mkdir(parents=True)
    (folder / "mask").mkdir()
    for k in range(num_frames):
        write_photo(folder / "img" / f"{k + 1:04d}.jpg", 100 * seed + k)
        mask = np.zeros((90, 120), np.uint8)
        if k not in blank:
            cv2.ellipse(mask, (40 + 3 * k, 45), (20 + k, 12), 0, 0, 360, 255, -1)
        assert cv2.imwrite(str(folder / "mask" / f"{k + 1:04d}.png"), mask)
    return folder


@pytest.fixture
def cutout_folder(tmp_path):
    """Four sequences with masks and one without."""
    root = tmp_path / "videos"
    for k in range(4):
        write_video(root / f"video_{k}", seed=k)
    (root / "without_masks" / "img").mkdir(parents=True)
    return root
