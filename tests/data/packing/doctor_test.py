"""Damaged pictures and boxes are found before hours are spent."""

import shutil

import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.data import tracks
from jaxtrack.data.packing import doctor, findings
from jaxtrack.errors import InputError
from tests.data.conftest import write_sequence

HW = (100, 200)


def said(xyxy, times=None, hw=HW):
    """Checks boxes of one track; returns what is damaged and what is suspicious."""
    xyxy = np.array(xyxy, float)
    times = np.arange(len(xyxy)) if times is None else times
    found = findings.check_boxes("a", xyxy, [hw] * len(xyxy), times=times)
    return found.damaged, found.suspicious


def test_boxes_are_compared_with_their_picture_and_each_other():
    absent, sound = [np.nan] * 4, [10, 10, 50, 40]
    assert said([sound, absent, sound]) == ([], [])
    assert said([absent]) == ([], ["a: its object is visible in no frame"])
    # At x = 200 the picture ends; 2 of 30 px are inside of it in the second.
    for box, kind, text in (
        ([200, 10, 230, 40], 0, "a box outside of its picture of 200 x 100 px"),
        ([198, 10, 228, 40], 1, "only 7 % of the box is inside the picture"),
        ([10, 10, 10, 40], 0, "a box of no size"),
        ([10, 10, 13, 13], 1, "a very small box"),
        ([10, 10, 190, 18], 1, "a very oblong box"),
    ):
        lines = said([box])
        assert len(lines[kind]) == 1 and text in lines[kind][0], text
        assert not lines[1 - kind]
        assert lines[kind][0].startswith("a, frame 0: ")
    # Sides 20: 60 px are three sides, 61 are more; but not of frames further apart.
    near, far = [70, 10, 90, 30], [71, 10, 91, 30]
    first = [10, 10, 30, 30]
    assert said([first, near]) == ([], [])
    assert "jumps from x 10" in said([first, far])[1][0]
    assert said([first, far], times=np.array([3, 5])) == ([], [])


def test_a_packed_folder(packed, tmp_path, capsys):
    found = doctor.check_packed(packed, num_workers=1)
    # Two sequences of 6 frames, two photographs with three objects.
    assert (found.num_pictures, found.num_tracks, found.num_boxes) == (14, 5, 15)
    assert not found.damaged and not found.suspicious

    copy = tmp_path / "copy"
    shutil.copytree(packed, copy)
    (shard,) = (copy / shard.name for shard in tracks.read(copy).shards)
    data = bytearray(shard.read_bytes())
    second = data.find(b"\xff\xd8\xff", data.find(b"\xff\xd8\xff") + 1)
    data[second : second + 400] = bytes(400)  # The head of the second picture.
    shard.write_bytes(data)
    damaged = doctor.check_packed(copy, num_workers=1).damaged
    assert len(damaged) == 1 and "record 1: damaged" in damaged[0]
    with pytest.raises(SystemExit) as end:
        cli.main(["pack", "check", "--num_workers=1", str(copy)])
    told = capsys.readouterr()
    assert end.value.code == 2 and "skip_damaged=True" in told.err
    assert "record 1: damaged" in told.out and "13 pictures decoded" in told.out


def test_a_dataset_that_is_not_packed(tmp_path):
    with pytest.raises(InputError, match=r"no packed data.*--dataset"):
        doctor.check_packed(tmp_path)
    write_sequence(tmp_path / "a", 0)
    (tmp_path / "a" / "img" / "0002.jpg").write_bytes(b"")
    found = doctor.check_dataset("folders", tmp_path, num_workers=1)
    assert (found.num_pictures, found.num_boxes) == (5, 6)
    assert len(found.damaged) == 1 and "0002.jpg: empty file" in found.damaged[0]
