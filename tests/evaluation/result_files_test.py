"""Tests for jaxtrack.evaluation.result_files."""

import json

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import result_files


def touch(folder, *names, text="1,2,3,4\n"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def stems(found):
    return {name: [path.stem for path in paths] for name, paths in found.paths.items()}


def test_files_are_found_however_they_are_spelt(tmp_path):
    touch(tmp_path, "Jogging.1.txt", "jogging-2.txt", "uav_bike1.txt", "._Boy.txt")
    touch(tmp_path, "bike1_time.txt", "other.txt", "notes.log", "Car4.TXT")
    names = ["Jogging-1", "Jogging-2", "bike1", "Boy", "Car4"]
    found = result_files.find_files(tmp_path, names)
    assert stems(found) == {
        "Jogging-1": ["Jogging.1"],
        "Jogging-2": ["jogging-2"],
        "bike1": ["uav_bike1"],
        "Car4": ["Car4"],
    }
    # Files of times and hidden files are none of another sequence.
    assert found.others == ("other",)
    assert list(found.faults) == ["Boy"] and "no file Boy.txt" in found.faults["Boy"]


def test_unclear_names_are_faults_of_these_sequences(tmp_path):
    touch(tmp_path, "Jogging_1.txt", "Jogging.1.txt", "Boy.txt")
    found = result_files.find_files(tmp_path, ["Jogging-1", "Boy"])
    assert list(found.paths) == ["Boy"]
    assert "unclear which belongs" in found.faults["Jogging-1"]
    with pytest.raises(InputError, match="no folder of results"):
        result_files.find_files(tmp_path / "none", ["a"])
    with pytest.raises(InputError, match=r"named after a sequence \(c.txt.*found Boy"):
        result_files.find_files(tmp_path, ["c"])


def test_without_results_the_error_says_what_is_there(tmp_path):
    touch(tmp_path, "mine/OTB100/Boy.txt", "mine/Boy_CT.mat", "mine/results.zip")
    with pytest.raises(InputError, match="found Boy_CT.mat, OTB100/, results.zip"):
        result_files.find_files(tmp_path / "mine", ["Boy"])
    with pytest.raises(InputError, match="no folder.*zip; this is a file: unpack it"):
        result_files.find_files(tmp_path / "mine" / "results.zip", ["Boy"])


def test_repetitions_of_got10k(tmp_path):
    touch(tmp_path, "V_01/V_01_002.txt", "V_01/V_01_001.txt", "V_01/V_01_time.txt")
    touch(tmp_path, "V_02.label")
    found = result_files.find_files(tmp_path, ["V_01"])
    assert stems(found) == {"V_01": ["V_01_001", "V_01_002"]} and found.others == ()
    found = result_files.find_files(tmp_path, ["V_02"], suffixes=(".label",))
    assert found.paths["V_02"][0].name == "V_02.label"


def test_runs_of_pytracking(tmp_path):
    touch(tmp_path, *(f"dimp/dimp50_{n:03d}/a.txt" for n in (1, 0)))
    for place in ("dimp/dimp50", "dimp"):
        paths = result_files.find_files(tmp_path / place, ["a"]).paths["a"]
        assert [p.parent.name for p in paths] == ["dimp50_000", "dimp50_001"]
    (one,) = result_files.find_files(tmp_path / "dimp/dimp50_001", ["a"]).paths["a"]
    assert one.parent.name == "dimp50_001"
    touch(tmp_path, "dimp/dimp18_000/a.txt")
    with pytest.raises(InputError, match="2 trackers .dimp18, dimp50.: name one"):
        result_files.find_files(tmp_path / "dimp", ["a"])
    assert len(result_files.find_files(tmp_path / "dimp/dimp50", ["a"]).paths["a"]) == 2


def test_rows_are_read_as_they_are(tmp_path):
    (tmp_path / "a.txt").write_text("\ufeff1, 2,\t3 4\r\n5,NaN,-7,inf\r\n\r\n", "utf-8")
    touch(tmp_path, "b.txt", text="4,5,12,5,12,11,4,11\n-1,-1,-1,-1\n")
    found = result_files.read_boxes(tmp_path, ["a", "b"])
    (rows,) = found.boxes["a"]
    np.testing.assert_array_equal(rows, [[1, 2, 3, 4], [5, np.nan, -7, np.inf]])
    np.testing.assert_array_equal(found.boxes["b"][0], [[4, 5, 8, 6], [np.nan] * 4])
    assert not found.faults and found.others == ()
    for text in ("", "1,2,3,4\n1,2,3\n", "1,2,3,4\n\n1,2,3,4\n", "1|2|3|4\n"):
        (tmp_path / "a.txt").write_text(text)
        found = result_files.read_boxes(tmp_path, ["a", "b"])
        assert list(found.boxes) == ["b"] and "a.txt" in found.faults["a"]


def test_a_json_of_all_sequences(tmp_path):
    rows = [[1, 2, 3, 4], None, [4, 5, 12, 5, 12, 11, 4, 11]]
    content = {"jogging_1": rows, "b": {"gt_rect": rows[:1]}, "c": 3, "x": rows}
    (tmp_path / "r.json").write_text(json.dumps(content))
    found = result_files.read_boxes(tmp_path / "r.json", ["Jogging-1", "b", "c", "d"])
    expected = [[1, 2, 3, 4], [np.nan] * 4, [4, 5, 8, 6]]
    np.testing.assert_array_equal(found.boxes["Jogging-1"][0], expected)
    np.testing.assert_array_equal(found.boxes["b"][0], expected[:1])
    assert list(found.faults) == ["c", "d"] and found.others == ("x",)
    with pytest.raises(InputError, match="nothing is named after a sequence"):
        result_files.read_boxes(tmp_path / "r.json", ["z"])
    (tmp_path / "r.json").write_text("[1]")
    with pytest.raises(InputError, match="expected sequences and their boxes"):
        result_files.read_boxes(tmp_path / "r.json", ["a"])
