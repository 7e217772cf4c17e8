"""Tests for jaxtrack.data.sources."""

import concurrent.futures
import dataclasses
import pickle
import shutil

import numpy as np
import pytest

from jaxtrack.data import encoding, sources, tracks
from jaxtrack.errors import InputError

from .conftest import NUM_FRAMES, encode, scene


def test_tracks_of_a_packed_folder(packed):
    source = sources.RecordSource(packed)
    assert source.num_tracks == 5
    boxes = source.track_boxes(1)
    assert boxes.shape == (NUM_FRAMES, 4) and boxes.dtype == np.float32
    np.testing.assert_array_equal(boxes[2], [12, 12, 32, 28])
    np.testing.assert_array_equal(source.track_boxes(3), [[30, 5, 40, 15]])


def test_frames_are_those_of_the_track(packed):
    source = sources.RecordSource(packed)
    for track, time, seed in ((0, 0, 0), (1, 4, 104), (4, 0, 901)):
        image, reduced = source.frame(track, time)[:2]
        assert reduced == 1
        expected = encoding.decode(encode(scene(seed)), "expected")
        np.testing.assert_array_equal(image, expected)
    image, reduced = source.frame(0, 1, reduction=4)[:2]
    assert reduced == 4 and image.shape == (12, 16, 3)


def test_a_pickled_source_is_small_and_reads_the_same(packed):
    source = sources.RecordSource(packed)
    frame = source.frame(0, 3).image  # Opened; pickling must not carry open files.
    data = pickle.dumps(source)
    assert len(data) < 500
    np.testing.assert_array_equal(pickle.loads(data).frame(0, 3)[0], frame)


def test_threads_may_share_a_source(packed):
    source = sources.RecordSource(packed)
    jobs = [(track, time) for track in (0, 1) for time in range(NUM_FRAMES)] * 5
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        frames = list(pool.map(lambda job: source.frame(*job)[0], jobs))
    for job, frame in zip(jobs, frames, strict=True):
        np.testing.assert_array_equal(frame, source.frame(*job)[0])


def test_a_frame_that_was_damaged_is_named(packed, tmp_path):
    folder = tmp_path / "records"
    shutil.copytree(packed, folder)
    index = tracks.read(folder)
    table = np.array(index.table)
    table["record"][2] = -1
    tracks.write(dataclasses.replace(index, table=table), folder)
    with pytest.raises(InputError, match="track a, frame 2: shows no object"):
        sources.RecordSource(folder).frame(0, 2)


def test_damaged_records_are_named(packed, tmp_path):
    folder = tmp_path / "records"
    shutil.copytree(packed, folder)
    (shard,) = folder.glob("*.array_record-*")
    shard.write_bytes(bytes(shard.stat().st_size))
    with pytest.raises(InputError, match=r"track a, frame 0: damaged or vanished"):
        sources.RecordSource(folder).frame(0, 0)
    with pytest.raises(InputError, match="no packed data"):
        sources.RecordSource(tmp_path / "absent")


def test_a_record_that_a_cut_shard_leaves_empty_is_named():
    from jaxtrack.data import records  # Late: tfds is slow to import.

    with pytest.raises(InputError, match=r"track a, frame 0: .* \(empty\)"):
        records.read_record([{"image": None}], 0, "track a, frame 0")


def index(names, lengths, records, **fields):
    tables = []
    for stop, length in zip(np.cumsum(lengths), lengths, strict=True):
        table = np.zeros(length, tracks.ROW)
        table["record"] = records[stop - length : stop]
        table["mask"] = -1
        table["xyxy"] = np.arange(4 * length).reshape(length, 4)
        tables.append(table)
    return tracks.make(names, tables, **fields)


def test_joining_counts_records_clips_and_rows_on(tmp_path):
    # Two objects share the first part's two records; one of its frames was damaged.
    first = index(["a", "b"], [3, 3], [0, -1, 1, 0, -1, 1], clips=(4, 4))
    second = index(["c"], [2], [0, 1], photos=("p",), extent=4.0)
    second.table["mask"] = [-1, 0]
    joined = tracks.join([first, second], [2, 2], [5, 1], tmp_path)
    assert list(joined.names) == ["a", "b", "c"] and list(joined.photos) == ["p"]
    np.testing.assert_array_equal(joined.offsets, [0, 3, 6, 8])
    np.testing.assert_array_equal(joined.clips, [0, 0, 1])
    np.testing.assert_array_equal(joined.records, [0, -1, 1, 0, -1, 1, 2, 3])
    np.testing.assert_array_equal(joined.masks, [-1] * 7 + [5])
    np.testing.assert_array_equal(joined.xyxy[joined.rows(2)], second.xyxy)
    assert joined.extent == 4.0


def test_written_and_read(tmp_path):
    written = index(["a", "ä b"], [1, 1], [0, 1], photos=("x",), extent=4.0)
    tracks.write(written, tmp_path)
    read = tracks.read(tmp_path)
    for name, value in vars(written).items():
        np.testing.assert_array_equal(getattr(read, name), value)
    assert isinstance(read.table, np.memmap)  # Shared by all who read it.
    # Photographs alone have no rows.
    tracks.write(tracks.make([], [], photos=("x",)), tmp_path)
    assert len(tracks.read(tmp_path).table) == 0


def test_an_index_made_by_hand_is_refused_at_open(tmp_path):
    def refused(message, **changes):
        good = index(["a", "b"], [2, 1], [0, 1, 1])
        table = np.array(good.table)
        for name, (row, value) in changes.pop("rows", {}).items():
            table[name][row] = value
        tracks.write(dataclasses.replace(good, table=table, **changes), tmp_path)
        with pytest.raises(InputError, match=message):
            tracks.read(tmp_path)
            tracks.check(tmp_path)

    refused("2 offsets for 2 tracks", offsets=np.array([0, 3]))
    refused("offsets are not ascending", offsets=np.array([0, 5, 3]))
    refused("offsets are not ascending", offsets=np.array([1, 2, 3]))
    refused("offsets are float64", offsets=np.array([0, 2.0, 3]))
    refused(r"damaged index \(3 entries, not 4\)", offsets=np.array([0, 2, 4]))
    refused("clips are not ascending", clips=np.array([1, 0]))
    refused("clips have gaps", clips=np.array([0, 2]))
    nan, inf = np.nan, np.inf
    refused("row 1 has an infinite box", rows={"xyxy": (1, [0, 0, inf, 9])})
    refused("row 2 has a box that is partly NaN", rows={"xyxy": (2, [0, nan, 9, 9])})
    refused("row 0 has a picture, but no box", rows={"xyxy": (0, nan)})
    refused("row 0 has a negative record", rows={"record": (0, -2)})
    # Who trains opens it so.
    with pytest.raises(InputError, match="row 0 has a negative record"):
        sources.RecordSource(tmp_path)


def test_faults_of_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent: no packed data"):
        tracks.read(tmp_path / "absent")
    tracks.write(index(["a"], [1], [0]), tmp_path)
    rows = np.load(tmp_path / tracks.ROWS_NAME)
    np.save(tmp_path / tracks.ROWS_NAME, rows[["record", "xyxy"]])
    with pytest.raises(InputError, match=r"rows.npy: .* another version.*pack again"):
        tracks.read(tmp_path)
    data = (tmp_path / tracks.FILE_NAME).read_bytes()
    (tmp_path / tracks.FILE_NAME).write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged index"):
        tracks.read(tmp_path)
