"""Tests for jaxtrack.evaluation.results."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, results

BOXES = np.array([[1.5, 2, 30, 40], [-2.25, 3, 31, 0]])


def test_reads_every_separator(tmp_path):
    for text in (
        "1.5,2,30,40\n-2.25,3,31,0\n",
        "1.5, 2, 30, 40\n-2.25, 3, 31, 0",
        "1.5\t2\t30\t40\n-2.25\t3\t31\t0\n\n",
        "1.5 2  30 40\r\n-2.25 3 31 0\r\n",
        "\ufeff1.5,2,30,40\n-2.25,3,3.1e1,0\n",
    ):
        path = tmp_path / "a.txt"
        path.write_bytes(text.encode())
        np.testing.assert_array_equal(results.read_boxes_xywh(path, 2), BOXES)


def test_damaged_files_are_refused_by_line(tmp_path):
    for text, message in (
        ("1,2,3,4\n1|2|3|4\n", r"a.txt, line 2: expected 4 numbers.*'1\|2\|3\|4'"),
        ("1,2,3\n1,2,3,4\n", "a.txt, line 1: expected 4 numbers"),
        ("1,2,3,4\n\n1,2,3,4", "a.txt, line 2: expected 4 numbers"),
        ("1,2,3,4\n1,2,nan,4\n", "a.txt, line 2.*not finite"),
        ("1,2,3,4\n1,inf,3,4\n", "a.txt, line 2.*not finite"),
        ("1,2,3,4\n1,2,-3,4\n", "a.txt, line 2.*negative size"),
        ("1,2,3,4\n", "a.txt, line 2: the file has 1 boxes, the sequence 2 frames"),
        ("1,2,3,4\n" * 3, "a.txt, line 3: the file has 3 boxes, the sequence 2"),
        ("", "a.txt: expected rows of 4 numbers; found none"),
        ("x,y,w,h\n1,2,3,4\n", "a.txt, line 1: expected 4 numbers"),
        ("\udcff\udcd8", r"a\.txt: cannot be read"),
    ):
        (tmp_path / "a.txt").write_text(text, errors="surrogateescape")
        with pytest.raises(InputError, match=message):
            results.read_results(tmp_path, {"a": 2})
    (tmp_path / "a.txt").write_text("1,2,3,4\n")
    with pytest.raises(InputError, match=r"no result file .*b\.txt \(1 of 2"):
        results.read_results(tmp_path, {"a": 1, "b": 1})
    with pytest.raises(InputError, match="no folder of results"):
        results.read_results(tmp_path / "none", {"a": 1})


def test_written_results_come_back(tmp_path):
    results.write_result(tmp_path / "kcf", "a", BOXES, np.array([0.1, 0.15]))
    read = results.read_results(tmp_path / "kcf", {"a": 2})
    np.testing.assert_allclose(read["a"], BOXES, atol=5e-5)
    assert (tmp_path / "kcf/a.txt").read_text().startswith("1.5000,2.0000,30.0000")
    # Two frames in 0.25 s.
    assert results.read_speed([tmp_path / "kcf/a.txt"]) == pytest.approx(8.0)


def test_missing_and_damaged_times(tmp_path):
    assert results.read_speed([tmp_path / "a.txt"]) is None
    for text in ("0.1\nfast\n", "0.1\n-1\n", "nan\n"):
        atomic.write_text(results.time_path(tmp_path, "a"), text)
        with pytest.raises(InputError, match=r"a_time\.txt"):
            results.read_speed([tmp_path / "a.txt"])


def test_tracker_is_named_by_its_run():
    for path, name in (
        ("/runs/lite0", "lite0"),
        ("/runs/lite0/checkpoints", "lite0"),
        ("/runs/lite0/checkpoints/3000", "lite0"),
        ("/", "checkpoint"),
    ):
        assert results.tracker_name(path) == name
