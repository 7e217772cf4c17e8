"""Tests for jaxtrack.data.packing."""

import os

import numpy as np
import pytest

from jaxtrack.data import packing, tracks
from jaxtrack.datasets.sequence import Clip
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake

from .conftest import NUM_FRAMES, write_stills


def test_collect(root, tmp_path):
    table = write_stills(tmp_path)
    clips, faults = packing.collect(root, patterns=("*",), stills=[table])
    assert not faults
    names = " ".join(clip.name for clip in clips)
    assert names == "a b photos_boxes/0.jpg photos_boxes/1.jpg"
    shapes = [clip.xyxy.shape[:2] for clip in clips]
    assert shapes == [(1, NUM_FRAMES), (1, NUM_FRAMES), (2, 1), (1, 1)]


def test_a_malformed_sequence_is_a_fault(root):
    (root / "a" / "groundtruth_rect.txt").write_text("1,2,3\n")
    clips, (fault,) = packing.collect(root)
    assert [clip.name for clip in clips] == ["b"]
    assert "line 1" in fault


def test_any_dataset_can_be_packed(tmp_path):
    for name in ("airplane-1", "airplane-2", "bear-3"):
        fake.lasot_sequence(tmp_path, name, absent=(1,))
    options = {"dataset": "lasot", "split": "train"}
    clips, faults = packing.collect(tmp_path, **options)
    # airplane-1 is of the test split.
    assert [clip.name for clip in clips] == ["airplane-2", "bear-3"] and not faults
    np.testing.assert_array_equal(clips[0].xyxy[0, 2], [4, 3, 8, 8])
    # A frame that is flagged absent has no box, whatever the file says.
    assert np.isnan(clips[0].xyxy[0]).all(axis=1).tolist() == [False, True, False]
    (clip,), _ = packing.collect(tmp_path, patterns=["bear*"], **options)
    assert clip.name == "bear-3"
    with pytest.raises(InputError, match="unknown dataset 'lasso'"):
        packing.collect(tmp_path, dataset="lasso")
    with pytest.raises(InputError, match="nothing to pack"):
        packing.collect(None)


def test_parts_hold_every_clip_once_in_order(root):
    (clip, _), _ = packing.collect(root)
    clips = [
        Clip(f"{n}", clip.frames * 10, np.tile(clip.xyxy, (1, 10, 1))) for n in range(9)
    ]
    parts = packing.split_clips(clips)
    # 60 frames a clip, at least 128 a part: three clips each.
    names = ["".join(clip.name for clip in part.clips) for part in parts]
    assert names == ["012", "345", "678"]
    assert [part.num_frames for part in parts] == [180] * 3


def test_a_key_follows_files_and_boxes(root):
    def key():
        (part,) = packing.split_clips(packing.collect(root)[0])
        return part.key

    before = key()
    assert key() == before
    frame = root / "b" / "img" / "0002.jpg"
    os.utime(frame, ns=(1, 1))
    touched = key()
    assert touched != before
    boxes = (root / "a" / "groundtruth_rect.txt").read_text()
    (root / "a" / "groundtruth_rect.txt").write_text(boxes.replace("12.0000", "12.5"))
    assert key() not in (before, touched)


def test_a_part_notes_what_is_damaged(root, tmp_path):
    frame = root / "a" / "img" / "0002.jpg"
    frame.write_bytes(frame.read_bytes()[:-300])
    boxes = root / "b" / "groundtruth_rect.txt"
    lines = boxes.read_text().split("\n")
    lines[3] = "64,0,10,10"  # The images are 64 px wide.
    lines[4] = "0,0,0,0"  # Absent: no fault.
    boxes.write_text("\n".join(lines))
    (part,) = packing.split_clips(packing.collect(root)[0])
    packing.pack(part, tmp_path)
    index = tracks.read(tmp_path / part.key)
    damaged, outside = index.faults
    assert "0002.jpg: damaged JPEG" in damaged
    assert "0004.jpg: box 0 lies outside" in outside
    np.testing.assert_array_equal(index.records[index.rows(0)], [0, -1, 1, 2, 3, 4])
    seen = ~np.isnan(index.xyxy).any(axis=1)
    assert list(np.flatnonzero(~seen)) == [1, 6 + 3, 6 + 4]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("unf")] == []
