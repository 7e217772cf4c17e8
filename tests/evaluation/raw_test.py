"""Tests for jaxtrack.evaluation.raw."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import raw


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1,2,3,4\n")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4\n5,NaN,-7,8\n",
        "1\t2\t3\t4\n5\tnan\t-7\t8",
        "1 2  3 4\r\n5 NaN -7 8\r\n\r\n",
        "\ufeff1, 2,\t3, 4\n5, NaN, -7.0, 8e0\n",
    ],
)
def test_rows_are_taken_as_they_are(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    expected = [[1, 2, 3, 4], [5, np.nan, -7, 8]]
    np.testing.assert_array_equal(raw.read_rows(path), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.txt is empty"),
        ("1,2,3,4\n1,2,3\n", "line 2: expected 4 numbers.*'1,2,3'"),
        ("1,2,3,4\n\n1,2,3,4\n", "line 2"),
        ("x,y,w,h\n1,2,3,4\n", "line 1.*'x,y,w,h'"),
        ("1;2;3;4\n", "line 1.*comma, tab or blank"),
    ],
)
def test_what_is_no_table(tmp_path, text, message):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        raw.read_rows(path)


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="unreadable"):
        raw.read_rows(tmp_path / "none.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="unreadable"):
        raw.read_flags(tmp_path / "b.txt")


@pytest.mark.parametrize("text", ["0\n1\n0\n", "0,1,0\n", "0 1\t0"])
def test_flags_on_one_line_or_many(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_text(text)
    np.testing.assert_array_equal(raw.read_flags(path), [0, 1, 0])


@pytest.mark.parametrize(
    ("text", "message"), [("", "it is empty"), ("0,x", "'x' is no")]
)
def test_bad_flags(tmp_path, text, message):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        raw.read_flags(path)


@pytest.mark.parametrize(
    "file",
    ["Jogging-1", "Jogging_1", "Jogging.1", "Jogging1", "jogging-1", "jogging_1"],
)
def test_names_are_found_however_they_are_spelt(tmp_path, file):
    touch(tmp_path, f"{file}.txt", "Jogging-2.txt", "times.log")
    found, others = raw.find_files(tmp_path, ["Jogging-1", "Jogging-2"])
    assert found["Jogging-1"].name == f"{file}.txt"
    assert found["Jogging-2"].name == "Jogging-2.txt"
    assert others == []


def test_an_exact_name_goes_before_a_similar_one(tmp_path):
    # UAV123 has both; they differ in nothing but where the number starts.
    touch(tmp_path, "car11.txt", "car1_1.txt", "unknown.txt")
    found, others = raw.find_files(tmp_path, ["car1_1", "car11"])
    assert {n: p.stem for n, p in found.items()} == {
        "car1_1": "car1_1",
        "car11": "car11",
    }
    assert others == ["unknown"]


def test_unclear_names(tmp_path):
    touch(tmp_path, "Jogging_1.txt", "Jogging.1.txt")
    with pytest.raises(InputError, match=r"unclear.*Jogging\.1, Jogging_1"):
        raw.find_files(tmp_path, ["Jogging-1"])
    with pytest.raises(InputError, match="unclear"):
        raw.find_files(touch(tmp_path / "b", "a_1.txt"), ["a-1", "a.1"])
    with pytest.raises(InputError, match="no folder"):
        raw.find_files(tmp_path / "none", ["a"])


def test_missing_names_are_left_to_the_caller(tmp_path):
    found, _ = raw.find_files(touch(tmp_path, "a.txt"), ["a", "b"])
    assert list(found) == ["a"]


def test_got10k_folders(tmp_path):
    touch(tmp_path, "V_01/V_01_001.txt", "V_01/V_01_time.txt", "V_02.label")
    found, others = raw.find_files(tmp_path, ["V_01"])
    assert found["V_01"].name == "V_01_001.txt" and others == []
    found, _ = raw.find_files(tmp_path, ["V_02"], suffixes=(".label",))
    assert found["V_02"].name == "V_02.label"


def test_truth_of_annotated_folders(tmp_path):
    touch(tmp_path, "b/groundtruth.txt", "a/groundtruth_rect.txt", "c/notes.txt")
    files = raw.truth_files(tmp_path)
    assert list(files) == ["a", "b"]
    assert files["a"].name == "groundtruth_rect.txt"
    with pytest.raises(InputError, match="no folder in it"):
        raw.truth_files(tmp_path / "c")
    with pytest.raises(InputError, match="no folder"):
        raw.truth_files(tmp_path / "none")
