"""Tests for jaxtrack.data.composed.cutouts."""

import cv2
import numpy as np
import pytest

from jaxtrack.data.composed import cutouts
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError


def test_folder_gives_the_sequences_with_masks(cutout_folder):
    found = cutouts.find_cutouts(cutout_folder)
    assert [path.name for path in found] == [f"video_{k}" for k in range(4)]
    assert cutouts.find_cutouts(None) == []


def test_patterns_choose_sequences(cutout_folder):
    found = cutouts.find_cutouts(cutout_folder, patterns=("*_1", "video_3"))
    assert [path.name for path in found] == ["video_1", "video_3"]
    with pytest.raises(InputError, match=r"no sequence davis_\* with masks.*video_0"):
        cutouts.find_cutouts(cutout_folder, patterns=("davis_*",))


def test_absent_masks_are_named(cutout_folder, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        cutouts.find_cutouts(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no masks under"):
        cutouts.find_cutouts(cutout_folder / "video_0")
    with pytest.raises(InputError, match="without_masks/mask"):
        cutouts.find_cutouts([cutout_folder / "without_masks"])
    for mask in (cutout_folder / "video_0" / "mask").iterdir():
        mask.unlink()
    with pytest.raises(InputError, match="video_0/mask"):
        cutouts.read_cutout(cutout_folder / "video_0")


def test_outline_follows_the_mask(cutout_folder):
    cutout = cutouts.read_cutout(cutout_folder / "video_0")
    assert len(cutout.images) == len(cutout.outlines) == 6
    for frame, curves in enumerate(cutout.outlines):
        (curve,) = curves
        drawn = curve * cutout.unit[frame] + cutout.origin[frame]
        # The fixture's ellipse; the curve runs half a pixel within its pixels.
        center, half = (40.5 + 3 * frame, 45.5), (20 + frame, 12)
        np.testing.assert_allclose(cutout.origin[frame], center, atol=0.1)
        middle = (drawn.min(0) + drawn.max(0)) / 2
        np.testing.assert_allclose(middle, center, atol=0.3)
        np.testing.assert_allclose(drawn.max(0), np.add(center, half), atol=0.6)
        np.testing.assert_allclose(drawn.min(0), np.subtract(center, half), atol=0.6)
    sides = [np.sqrt(np.prod(np.ptp(c[0], axis=0))) for c in cutout.outlines]
    np.testing.assert_allclose(sides, 1, atol=0.15)


def test_texture_maps_the_rest_origin_to_the_object(cutout_folder):
    cutout = cutouts.read_cutout(cutout_folder / "video_1")
    levels, scale, offset = cutout.texture(2)
    whole = read_image(cutout.images[2])
    window = cutout.window[2]
    np.testing.assert_array_equal(
        levels[0][..., :3], whole[window[1] : window[3], window[0] : window[2]]
    )
    np.testing.assert_allclose(offset + window[:2], cutout.origin[2])
    np.testing.assert_allclose(scale, cutout.unit[2])


def test_the_longest_unbroken_run_is_taken(cutout_folder):
    folder = cutout_folder / "video_2"
    blank = np.zeros((90, 120), np.uint8)
    cv2.imwrite(str(folder / "mask" / "0002.png"), blank)
    jump = blank.copy()
    jump[10:80, 5:15] = 255  # Upright, where the ellipse lies.
    cv2.imwrite(str(folder / "mask" / "0006.png"), jump)
    cutout = cutouts.read_cutout(folder)
    assert [path.name for path in cutout.images] == ["0003.jpg", "0004.jpg", "0005.jpg"]


def test_faults_of_a_sequence_are_named(cutout_folder):
    folder = cutout_folder / "video_3"
    (folder / "img" / "0004.jpg").unlink()
    with pytest.raises(InputError, match=r"img/0004\.jpg"):
        cutouts.read_cutout(folder)
    (folder / "mask" / "0004.png").write_bytes(b"no mask")
    with pytest.raises(InputError, match=r"mask/0004\.png"):
        cutouts.read_cutout(folder)
    for path in (folder / "mask").iterdir():
        cv2.imwrite(str(path), np.zeros((90, 120), np.uint8))
    with pytest.raises(InputError, match="empty or tiny"):
        cutouts.read_cutout(folder)
