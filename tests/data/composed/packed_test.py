"""Tests for jaxtrack.data.composed.packed: composed scenes of one packed folder."""

import numpy as np
import pytest

from jaxtrack.data import build
from jaxtrack.data.composed import ComposedSource, cutouts, packed, photos
from jaxtrack.data.packing import part, workers
from jaxtrack.data.packing.shrink import WHOLE, Shrink
from jaxtrack.datasets import files
from jaxtrack.errors import InputError


@pytest.fixture
def pack(tmp_path, cutout_folder, photo_folder, monkeypatch):
    """Packs the videos, of which the last has no mask, and the photographs."""

    def pack_all(parts, items, folder, shrink, *, num_workers, num_done):
        for one in parts:
            part.pack(one.key, items.of(one), folder, shrink)

    monkeypatch.setattr(workers, "pack_all", pack_all)
    for k in range(4):
        # The ellipses of the fixture.
        xyxy = [[20 + 2 * t, 33, 61 + 4 * t, 58] for t in range(6)]
        folder = cutout_folder / f"video_{k}"
        files.write_boxes(folder / "groundtruth_rect.txt", np.array(xyxy, float))
    for mask in (cutout_folder / "video_3" / "mask").iterdir():
        mask.unlink()

    def packed_as(shrink):
        out = tmp_path / "packed"
        build.build(out, root=cutout_folder, photos=[photo_folder], shrink=shrink)
        return out

    return packed_as


def test_scenes_of_a_packed_folder_are_those_of_the_files(
    pack, cutout_folder, photo_folder, monkeypatch
):
    # PNG photographs are encoded again: nearly lossless, as no texture may change.
    folder = pack(Shrink(crop="whole", quality=100))
    options = {"num_tracks": 2, "length": 3, "split": "all", "size": (64, 80)}
    own = ComposedSource(folder, cutouts=folder, **options)
    names = [f"video_{k}" for k in range(3)]
    masked = [cutout_folder / name for name in names]
    other = ComposedSource(photo_folder, cutouts=masked, **options)
    for track in range(2):
        np.testing.assert_array_equal(own.track_boxes(track), other.track_boxes(track))
        difference = own.frame(track, 1).image.astype(int) - other.frame(track, 1).image
        assert np.abs(difference).mean() < 3


def test_masks_and_photographs_are_found(pack):
    folder = pack(WHOLE)
    found = cutouts.find_cutouts(folder, patterns=("video_[12]",))
    assert [sequence.name for sequence in found] == ["video_1", "video_2"]
    cutout = cutouts.read_cutout(found[0])
    np.testing.assert_allclose(cutout.origin[0], (40.5, 45.5), atol=0.1)
    pictures = photos.find_photographs(folder)
    assert [picture.name for picture in pictures] == [f"{k}.png" for k in range(8)]
    assert packed.read_picture(pictures[7]).shape == (90, 120, 3)


def test_what_was_not_packed_is_told(tmp_path, pack, photo_folder):
    folder = pack(WHOLE)
    (folder / "tracks-masks.array_record-00000-of-00001").unlink()
    with pytest.raises(InputError, match="masks.*shard is missing"):
        cutouts.find_cutouts(folder)
    out = tmp_path / "photos_only"
    build.build(out, photos=[photo_folder])
    with pytest.raises(InputError, match="no packed masks"):
        cutouts.find_cutouts(out)
