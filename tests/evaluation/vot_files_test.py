"""Tests for jaxtrack.evaluation.vot_files."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import vot_files

RUN = [
    np.array([1.0]),
    np.array([1.5, -2, 30, 4.0001]),
    np.arange(8.0),
    np.array([2.0]),
    np.array([0.0]),
]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_writes_what_it_reads(tmp_path):
    seconds = np.array([[0.5, 0.25]] * len(RUN))
    vot_files.write_runs(tmp_path, "ball", [RUN, RUN[:2]], seconds)
    folder = tmp_path / "baseline/ball"
    assert sorted(p.name for p in folder.iterdir()) == [
        "ball_001.txt",
        "ball_002.txt",
        "ball_time.txt",
    ]
    text = (folder / "ball_001.txt").read_text()
    assert text.splitlines()[:2] == ["1", "1.5000,-2.0000,30.0000,4.0001"]
    assert text.splitlines()[3:] == ["2", "0"]
    times = (folder / "ball_time.txt").read_text().splitlines()
    assert times == ["0.500000,0.250000"] * 5
    runs = vot_files.read_runs(tmp_path, ["ball"])["ball"]
    assert_same(runs[0], RUN)
    assert_same(runs[1], RUN[:2])


def test_fewer_repetitions_leave_no_old_ones(tmp_path):
    times = np.zeros((len(RUN), 1))
    vot_files.write_runs(tmp_path, "a", [RUN] * 3, times)
    vot_files.write_runs(tmp_path, "a", [RUN[:1]], times)
    runs = vot_files.read_runs(tmp_path, ["a"])["a"]
    assert [len(rows) for rows in runs] == [1]


def test_reads_repetitions_by_number(tmp_path):
    for number in (2, 10, 1):
        path = tmp_path / f"baseline/a(1)/a(1)_{number:03d}.txt"
        write(path, "1\n" * number)
    for other in ("a(1)_time.txt", "a(1)_001_time.value", "a1_003.txt", "x.txt"):
        write(tmp_path / "baseline/a(1)" / other, "nothing")
    runs = vot_files.read_runs(tmp_path, ["a(1)"])
    assert [len(rows) for rows in runs["a(1)"]] == [1, 2, 10]


def test_reads_what_other_tools_write(tmp_path):
    path = write(tmp_path / "a.txt", "\ufeff1\r\n 1.5\t2 3 4e0\r\n2.0000\n\n")
    assert_same(vot_files.read_run(path), [[1.0], [1.5, 2, 3, 4], [2.0]])
    # Corners may be negative.
    path = write(tmp_path / "a.txt", "1\n0,0,1,-1,1,-2,-3,-4\n-1,-2,0,0\n")
    assert [len(row) for row in vot_files.read_run(path)] == [1, 8, 4]


def test_names_what_is_wrong(tmp_path):
    for line, message in (
        ("1,2,3", "no.* a code"),
        ("1,2,x,4", "no.* a code"),
        ("", "no.* a code"),
        ("1,2,nan,4", "not finite"),
        ("1,2,3,4,5,6,7,inf", "not finite"),
        ("3", "is no code"),
        ("0.5", "is no code"),
        ("1,2,3,-4", "negative size"),
    ):
        path = write(tmp_path / "a_001.txt", f"1\n{line}\n1,2,3,4\n")
        with pytest.raises(InputError, match=rf"a_001.txt, line 2: .*{message}"):
            vot_files.read_run(path)
    write(tmp_path / "baseline/a/a_001.txt", "1\n")
    with pytest.raises(InputError, match=r"b/b_001.txt: run .* \(1 of 2 sequences"):
        vot_files.read_runs(tmp_path, ["a", "b"])
    with pytest.raises(InputError, match="no result file .*x.txt"):
        vot_files.read_run(tmp_path / "x.txt")
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xd8\x00\x81")
    with pytest.raises(InputError, match=r"cannot be read .*VOT_RESULTS_BINARY=0"):
        vot_files.read_run(path)
    write(tmp_path / "b/baseline", "a file, not a folder")
    with pytest.raises(InputError, match="cannot write"):
        vot_files.write_runs(tmp_path / "b", "a", [RUN], np.zeros((5, 1)))
