"""Tests for jaxtrack.data.tracks."""

import numpy as np
import pytest

from jaxtrack.data import tracks
from jaxtrack.errors import InputError


def index(names, lengths, records, faults=()):
    rows = sum(lengths)
    return tracks.TrackIndex(
        names=np.array(names),
        offsets=np.cumsum([0, *lengths]),
        records=np.array(records, np.int64),
        xyxy=np.arange(4 * rows, dtype=np.float32).reshape(rows, 4),
        faults=faults,
    )


def test_joining_counts_records_and_rows_on():
    # Two objects share the first part's two records; one of its frames was damaged.
    first = index(["a", "b"], [3, 3], [0, -1, 1, 0, -1, 1], ("x",))
    second = index(["c"], [2], [0, 1], ("y", "z"))
    joined = tracks.join([first, second], [2, 2])
    assert list(joined.names) == ["a", "b", "c"]
    np.testing.assert_array_equal(joined.offsets, [0, 3, 6, 8])
    np.testing.assert_array_equal(joined.records, [0, -1, 1, 0, -1, 1, 2, 3])
    np.testing.assert_array_equal(joined.xyxy[joined.rows(2)], second.xyxy)
    assert joined.faults == ("x", "y", "z")


def test_written_and_read(tmp_path):
    written = index(["a", "ä b"], [1, 1], [0, 1], ("photo: broken",))
    tracks.write(written, tmp_path)
    read = tracks.read(tmp_path)
    for name, value in vars(written).items():
        np.testing.assert_array_equal(getattr(read, name), value)
    assert read.faults == written.faults


def test_faults_of_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent: no packed data"):
        tracks.read(tmp_path / "absent")
    tracks.write(index(["a"], [1], [0]), tmp_path)
    data = (tmp_path / tracks.FILE_NAME).read_bytes()
    (tmp_path / tracks.FILE_NAME).write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged index"):
        tracks.read(tmp_path)
