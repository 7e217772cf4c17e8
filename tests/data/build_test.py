"""Tests for jaxtrack.data.build."""

import contextlib
import dataclasses
import fcntl
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

from jaxtrack import cli
from jaxtrack.data import build, tracks
from jaxtrack.data.packing import card, part, plan, workers
from jaxtrack.data.packing.shrink import WHOLE, Shrink
from jaxtrack.errors import InputError
from tests.refusals import refused

from .conftest import NUM_FRAMES, is_alive, write_sequence, write_stills

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def in_process(monkeypatch):
    """Packs in this process, part after part; returns the keys of what was packed."""
    packed = []

    def pack_all(parts, items, folder, shrink, *, num_workers, num_done):
        for one in parts:
            part.pack(one.key, items.of(one), folder, shrink)
            packed.append(one.key)

    monkeypatch.setattr(workers, "pack_all", pack_all)
    # A part a sequence.
    monkeypatch.setattr(plan, "_MIN_FRAMES", 1)
    return packed


def test_a_packed_folder_is_a_tfds_data_set(packed):
    index = tracks.read(packed)
    assert list(index.names) == [
        *("a", "b", "photos_boxes/0.jpg#0", "photos_boxes/0.jpg#1"),
        "photos_boxes/1.jpg",
    ]
    # Both objects of the first photograph share its record, and are of one clip.
    np.testing.assert_array_equal(index.records, [*range(12), 12, 12, 13])
    np.testing.assert_array_equal(index.clips, [0, 1, 2, 2, 3])
    assert len(tfds.builder_from_directory(packed).as_data_source("train")) == 14
    assert not packed.with_name("records.incomplete").exists()
    # A group is one record, which random access needs.
    (shard,) = packed.glob("*.array_record-*")
    reader = array_record_module.ArrayRecordReader(str(shard))
    assert "group_size:1" in reader.writer_options_string()
    reader.close()
    assert "tensorflow" not in sys.modules


def test_parts_are_joined_in_order(root, tmp_path, in_process):
    write_sequence(root / "c", seed=2)
    out = tmp_path / "out"
    index = build.build(out, root=root, shrink=WHOLE)
    assert len(json.loads((out / "dataset_info.json").read_text())["splits"]) == 1
    assert len(index.shards) == 3 == len(in_process)
    source = tfds.builder_from_directory(out).as_data_source(
        "train", decoders={"image": tfds.decode.SkipDecoding()}
    )
    assert len(source) == 3 * NUM_FRAMES
    for track, name in enumerate("abc"):
        for t, record in enumerate(index.records[index.rows(track)]):
            path = root / name / "img" / f"{t + 1:04d}.jpg"
            assert source[int(record)]["image"] == path.read_bytes()
            assert source[int(record)]["name"].decode() == f"{name}/{path.name}"


def test_building_twice_does_nothing_and_other_data_are_refused(
    root, tmp_path, in_process
):
    out = tmp_path / "out"
    build.build(out, root=root)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    build.build(out, root=root)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    for other in ({"patterns": ("a",)}, {"shrink": WHOLE}):
        with pytest.raises(InputError, match="holds other data"):
            build.build(out, root=root, **other)
    shutil.rmtree(out)
    out.mkdir()
    with pytest.raises(InputError, match="no data card"):
        build.build(out, root=root)


def test_bad_items_are_refused_or_left_out(root, tmp_path, in_process, capsys):
    frame = root / "a" / "img" / "0003.jpg"
    data = frame.read_bytes()
    frame.write_bytes(data[:200])
    truth = root / "b" / "groundtruth_rect.txt"
    rows = truth.read_text()
    truth.write_text("1,2,3,4\n")
    write_sequence(root / "c", seed=2)
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"2 bad .*0003.*--max_bad=2"):
        build.build(out, root=root, max_bad=1)
    assert not out.exists() and len(in_process) == 3
    # Within the budget nothing is packed again.
    index = build.build(out, root=root, max_bad=2)
    assert len(in_process) == 3
    assert list(index.names) == ["a", "c"] and (index.records >= 0).sum() == 11
    listed = (out / card.BAD).read_text().splitlines()
    assert len(listed) == 2 and listed == card.read(out)["bad"]
    with pytest.raises(InputError, match="2 bad"):  # Still refused when asked.
        build.build(out, root=root)
    capsys.readouterr()
    given = ["pack", f"--root={root}", f"--out={out}"]
    with pytest.raises(SystemExit) as end:
        cli.main(given)
    assert end.value.code == 3
    assert capsys.readouterr().err.endswith("finished with 2 skipped\n")
    assert "--max_bad=2" in refused(capsys, *given, "--strict")
    # What is repaired is packed again, and nothing else.
    shutil.rmtree(out)
    with pytest.raises(InputError, match="2 bad"):
        build.build(out, root=root)
    frame.write_bytes(data)
    truth.write_text(rows)
    del in_process[:]
    assert len(build.build(out, root=root).names) == 3
    assert [key[:5] for key in in_process] == ["00000", "00001"]


def test_work_done_before_is_kept(root, tmp_path, in_process, monkeypatch):
    out, pack = tmp_path / "out", part.pack

    def pack_one_then_die(key, items, folder, shrink):
        if in_process:
            (folder / f"unfinished-1-{key}").mkdir()  # As a killed process leaves it.
            raise KeyboardInterrupt
        pack(key, items, folder, shrink)

    monkeypatch.setattr(part, "pack", pack_one_then_die)
    with pytest.raises(KeyboardInterrupt):
        build.build(out, root=root)
    assert not out.exists() and len(in_process) == 1
    monkeypatch.setattr(part, "pack", pack)
    assert len(build.build(out, root=root).names) == 2
    assert len(in_process) == len(set(in_process)) == 2


def test_parts_of_other_work_are_removed(root, tmp_path, in_process, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(build, "_finish", lambda *what: 1 / 0)
    for shrink in (WHOLE, Shrink()):
        with pytest.raises(ZeroDivisionError):
            build.build(out, root=root, shrink=shrink)
    parts = {path.name for path in (tmp_path / "out.incomplete" / "parts").iterdir()}
    assert parts == set(in_process[2:]) and len(set(in_process)) == 4


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
    assert len(in_process) == 2


def test_one_process_packs_into_a_folder(root, tmp_path, in_process):
    work = tmp_path / "out.incomplete"
    work.mkdir()
    with open(work / "lock-0-of-1", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another packing is at work"):
            build.build(tmp_path / "out", root=root)
    build.build(tmp_path / "out", root=root)


def content(folder):
    """Name -> bytes of the files of a packed folder, but for its card."""
    files = [p for p in folder.iterdir() if p.suffix not in (".json", ".md")]
    return {path.name: path.read_bytes() for path in files}


def test_shares_of_machines_are_joined_without_copying(root, tmp_path, in_process):
    for number in range(3):
        write_sequence(root / f"c{number}", seed=2 + number)
    alone = tmp_path / "alone"
    build.build(alone, root=root)
    # Each machine has the data at another place, and a disk of its own.
    (tmp_path / "data1").symlink_to(root)
    shares = []
    for number, data in enumerate((root, tmp_path / "data1")):
        out, share = tmp_path / f"m{number}" / "out", build.Share(number, 2)
        assert build.build(out, root=data, share=share) is None
        shares.append(out.with_name("out.incomplete"))
    with pytest.raises(InputError, match="part 1 of 5 is in none of"):
        build.join(tmp_path / "joined", shares[:1])
    build.join(tmp_path / "joined", shares)
    assert content(tmp_path / "joined") == content(alone)
    (shard, *_) = (tmp_path / "joined").glob("*-00000-of-*")
    assert shard.stat().st_nlink == 2  # In the share, which is kept, too.
    told = [card.read(folder) for folder in (alone, tmp_path / "joined")]
    assert told[0]["shards"] == told[1]["shards"]
    assert told[1]["terms"] == "your own"
    # On a shared disk the machine that is last makes the folder.
    out = tmp_path / "shared"
    assert build.build(out, root=root, share=build.Share(1, 2)) is None
    assert len(build.build(out, root=root, share=build.Share(0, 2)).names) == 5
    assert content(out) == content(alone)


def test_a_machine_finds_that_another_one_has_finished(tmp_path):
    out, work = tmp_path / "out", tmp_path / "out.incomplete"
    work.mkdir()
    with build._finishing(work, out) as is_made:
        assert not is_made
    out.mkdir()
    for _ in range(2):
        with build._finishing(work, out) as is_made:
            assert is_made
        shutil.rmtree(work, ignore_errors=True)


def test_shares_of_different_work_are_not_joined(root, tmp_path, in_process):
    shares = [tmp_path / f"m{n}.incomplete" for n in range(2)]
    build.build(tmp_path / "m0", root=root, share=build.Share(0, 2))
    options = {"share": build.Share(1, 2), "shrink": WHOLE}
    build.build(tmp_path / "m1", root=root, **options)
    with pytest.raises(InputError, match="m1.incomplete: has other data"):
        build.join(tmp_path / "out", shares)
    with pytest.raises(InputError, match=r"no plan.json"):
        build.join(tmp_path / "out", [root])


def test_a_card_tells_what_is_there(root, tmp_path, in_process):
    told = {"source": "https://data.example", "terms": "CC BY 4.0"}
    origin = build.Origin("jaxtrack pack ...", "1.2.3", **told)
    out = tmp_path / "out"
    table = write_stills(tmp_path)
    index = build.build(out, root=root, stills=[table], origin=origin)
    told = card.read(out)
    assert told["counts"] == {
        **{"clips": 4, "frames of the clips": 14, "tracks": 5, "boxes": 15},
        **{"rows without a box": 0, "pictures": 14, "masks": 0, "photographs": 0},
        **{"bytes": sum(shard.size for shard in index.shards), "bad": 0},
        "skipped": 0,
    }
    assert told["request"]["shrink"] == dataclasses.asdict(Shrink())
    page = (out / card.PAGE).read_text()
    for said in ("https://data.example", "CC BY 4.0", "jaxtrack pack ...", "| 15 |"):
        assert said in page


def test_missing_and_cut_shards_are_named_when_a_folder_is_opened(
    root, tmp_path, in_process
):
    out = tmp_path / "out"
    build.build(out, root=root)
    shard = sorted(out.glob("*array_record*"))[1]
    data = shard.read_bytes()
    shard.write_bytes(data[:-1])
    with pytest.raises(InputError, match=f"{shard.name}: shard has {len(data) - 1} b"):
        tracks.read(out)
    shard.unlink()
    with pytest.raises(InputError, match=f"{shard.name}: shard is missing"):
        tracks.read(out)
    shard.write_bytes(data)
    rows = out / tracks.ROWS_NAME
    tracks.check(out)
    flipped = bytearray(rows.read_bytes())
    flipped[-1] ^= 4
    rows.write_bytes(flipped)
    with pytest.raises(InputError, match="rows.npy: damaged"):
        tracks.check(out)
    rows.write_bytes(flipped[:-9])
    with pytest.raises(InputError, match="rows.npy: damaged"):
        tracks.read(out)


def test_a_disk_that_fills_up_at_the_end_is_told_and_gone_on_with(
    root, tmp_path, in_process, monkeypatch
):
    def full(*what, **how):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(card, "write", full)
        with pytest.raises(InputError, match=r"out.incomplete: .*No space left"):
            build.build(tmp_path / "out", root=root)
    assert not (tmp_path / "out").exists()
    build.build(tmp_path / "out", root=root)
    assert len(in_process) == 2  # Nothing was packed again.


def test_nothing_usable_is_told(root, tmp_path, in_process):
    for image in root.rglob("*.jpg"):
        image.write_bytes(b"no image")
    with pytest.raises(InputError, match="nothing usable to pack"):
        build.build(tmp_path / "out", root=root, max_bad=100)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    given = f"--root={tmp_path / 'absent'}", f"--out={tmp_path / 'o'}"
    assert "absent" in refused(capsys, "pack", *given)


def until(condition, process):
    """Waits for something to be true while a process runs."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)


def workers_of(process):
    """Process numbers of the workers that a process has spawned."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            is_worker = b"spawn_main" in (folder / "cmdline").read_bytes()
            if is_worker and parent == str(process.pid):
                found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_killed_processes_cost_no_finished_part_and_leave_no_orphan(tmp_path):
    for number in range(60):
        write_sequence(tmp_path / "in" / f"{number}", number, num_frames=40)
    command = [sys.executable, "-m", "jaxtrack", "pack", "--num_workers", "2"]
    command += ["--root", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    parts = tmp_path / "out.incomplete" / "parts"

    def finished():
        return [path for path in parts.glob("*") if path.name[0] == "0"]

    with subprocess.Popen(command, cwd=REPOSITORY) as process:
        until(lambda: len(finished()) >= 2, process)
        children = workers_of(process)
        os.kill(process.pid, signal.SIGKILL)
    assert len(children) == 2 and not (tmp_path / "out").exists()
    deadline = time.monotonic() + 10
    while any(is_alive(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    done = {(path / "train.array_record").stat().st_ino for path in finished()}
    with subprocess.Popen(command, cwd=REPOSITORY) as process:
        until(lambda: len(finished()) > len(done), process)
        os.kill(workers_of(process)[0], signal.SIGKILL)
        assert process.wait(60) == 0  # What it left undone was packed again.
    index = tracks.read(tmp_path / "out")
    assert len(index.names) == 60 and (np.diff(index.records) == 1).all()
    shards = {p.stat().st_ino for p in (tmp_path / "out").glob("*array_record*")}
    assert 2 <= len(done) == len(done & shards) and parts.parent.exists() is False


@pytest.mark.slow
def test_an_interrupted_build_stops_at_once(tmp_path):
    write_sequence(tmp_path / "in" / "a", 0, num_frames=3000)
    command = [sys.executable, "-m", "jaxtrack", "pack", "--num_workers", "1"]
    command += ["--root", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as process:
        work = tmp_path / "out.incomplete" / "parts"
        until(lambda: list(work.glob("unfinished*/*")), process)
        children = workers_of(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read().splitlines() == ["interrupted"]
    assert not any(map(is_alive, children)) and not list(work.iterdir())
