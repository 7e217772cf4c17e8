"""Tests for jaxtrack.data.build."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds
from array_record.python import array_record_module

from jaxtrack.data import build, packing, tracks
from jaxtrack.errors import InputError
from tests.refusals import refused

from .conftest import NUM_FRAMES, write_sequence

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def in_process(monkeypatch):
    """Packs in this process, part after part: starting others takes a second."""

    def pack_all(parts, folder, num_workers):
        for part in parts:
            if not (folder / part.key).exists():
                packing.pack(part, folder)

    monkeypatch.setattr(build, "_pack_all", pack_all)


def test_a_packed_folder_is_a_tfds_data_set(packed):
    index = tracks.read(packed)
    assert list(index.names) == [
        *("a", "b", "photos_boxes/0.jpg#0", "photos_boxes/0.jpg#1"),
        "photos_boxes/1.jpg",
    ]
    # Both objects of the first photograph share its record.
    np.testing.assert_array_equal(index.records, [*range(12), 12, 12, 13])
    assert len(tfds.builder_from_directory(packed).as_data_source("train")) == 14
    assert not packed.with_name("records.incomplete").exists()
    # A group is one record, which random access needs.
    (shard,) = packed.glob("*.array_record-*")
    reader = array_record_module.ArrayRecordReader(str(shard))
    assert "group_size:1" in reader.writer_options_string()
    reader.close()
    assert "tensorflow" not in sys.modules


def test_parts_are_joined_in_order(root, tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(packing, "_MIN_FRAMES", 1)  # A part a sequence.
    write_sequence(root / "c", seed=2)
    out = tmp_path / "out"
    index = build.build(out, root=root)
    assert len(json.loads((out / "dataset_info.json").read_text())["splits"]) == 1
    source = tfds.builder_from_directory(out).as_data_source(
        "train", decoders={"image": tfds.decode.SkipDecoding()}
    )
    assert len(source) == 3 * NUM_FRAMES
    for track, name in enumerate("abc"):
        for t, record in enumerate(index.records[index.rows(track)]):
            path = root / name / "img" / f"{t + 1:04d}.jpg"
            assert source[int(record)]["image"] == path.read_bytes()
            assert source[int(record)]["name"].decode() == path.as_posix()


def test_building_twice_does_nothing_and_other_data_are_refused(
    root, tmp_path, in_process
):
    out = tmp_path / "out"
    build.build(out, root=root)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    build.build(out, root=root)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    with pytest.raises(InputError, match="holds other data"):
        build.build(out, root=root, patterns=("a",))
    shutil.rmtree(out)
    out.mkdir()
    with pytest.raises(InputError, match="no packed data"):
        build.build(out, root=root)


def test_damaged_files_are_refused_or_left_out(root, tmp_path, in_process):
    frame = root / "a" / "img" / "0003.jpg"
    data = frame.read_bytes()
    frame.write_bytes(data[:200])
    truth = root / "b" / "groundtruth_rect.txt"
    rows = truth.read_text()
    truth.write_text("1,2,3,4\n")
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"2 damaged: .*found 6 frames, 1 rows.*0003"):
        build.build(out, root=root)
    assert not out.exists()
    index = build.build(out, root=root, skip_damaged=True)
    assert list(index.names) == ["a"] and (index.records >= 0).sum() == 5
    listed = (out / "damaged.txt").read_text().splitlines()
    assert len(listed) == 2 and tuple(listed) == index.faults
    with pytest.raises(InputError, match="2 damaged"):  # Still refused when asked.
        build.build(out, root=root)
    # What is mended is packed again.
    shutil.rmtree(out)
    frame.write_bytes(data)
    truth.write_text(rows)
    assert not build.build(out, root=root).faults


def test_work_done_before_is_kept(root, tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(packing, "_MIN_FRAMES", 1)
    out, pack, packed = tmp_path / "out", packing.pack, []

    def pack_one_then_die(part, folder):
        if packed:
            (folder / "unfinished-1-abc").mkdir()  # As a killed process leaves it.
            raise KeyboardInterrupt
        packed.append(part.key)
        pack(part, folder)

    monkeypatch.setattr(packing, "pack", pack_one_then_die)
    with pytest.raises(KeyboardInterrupt):
        build.build(out, root=root)
    assert not out.exists()
    again = []

    def pack_rest(part, folder):
        again.append(part.key)
        pack(part, folder)

    monkeypatch.setattr(packing, "pack", pack_rest)
    assert len(build.build(out, root=root).names) == 2
    assert len(again) == 1 and again != packed


def test_a_folder_appears_complete_or_not_at_all(
    root, tmp_path, in_process, monkeypatch
):
    out, replace = tmp_path / "out", os.replace

    def die_at_the_end(source, target):
        if target == out:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", die_at_the_end)
    with pytest.raises(KeyboardInterrupt):
        build.build(out, root=root)
    assert not out.exists()
    monkeypatch.setattr(os, "replace", replace)
    assert len(build.build(out, root=root).names) == 2


def test_leftovers_of_a_killed_process_are_removed(tmp_path):
    (tmp_path / "unfinished-1-abc").mkdir()
    build._pack_all([], tmp_path, 1)
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    given = f"--root={tmp_path / 'absent'}", f"--out={tmp_path / 'o'}"
    assert "absent" in refused(capsys, "pack", *given)


@pytest.mark.slow
def test_a_killed_build_goes_on_where_it_stopped(tmp_path):
    for number in range(40):
        write_sequence(tmp_path / "in" / f"{number}", number, num_frames=40)
    command = [sys.executable, "-m", "jaxtrack", "pack", "--num_workers", "2"]
    command += ["--root", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.DEVNULL, start_new_session=True
    )
    parts = tmp_path / "out.incomplete" / "parts"
    deadline = time.monotonic() + 60
    while len([p for p in parts.glob("*") if p.name[:3] != "unf"]) < 3:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out").exists()
    done = {p.name: p.stat().st_mtime_ns for p in parts.glob("*") if p.name[0] != "u"}
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    assert len(done) >= 3
    index = tracks.read(tmp_path / "out")
    assert len(index.names) == 40 and (np.diff(index.records) == 1).all()
