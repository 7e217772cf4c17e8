"""Tests for jaxtrack.datasets.annotations."""

import numpy as np
import pytest

from jaxtrack.datasets import annotations
from jaxtrack.errors import InputError
from tests.data.conftest import NUM_FRAMES, write_sequence, write_stills


@pytest.fixture
def root(tmp_path):
    """A folder of the sequences `a` and `b`."""
    for seed, name in enumerate("ab"):
        write_sequence(tmp_path / name, seed)
    return tmp_path


@pytest.mark.parametrize(
    "text", ["1,2,30,4", "1\t2\t30\t4", " 1  2 30 4 \r", "1, 2,30 4"]
)
def test_separators(tmp_path, text):
    path = tmp_path / "boxes.txt"
    path.write_text(f"{text}\n5,6,7,8\n\n")
    # x, y, w, h = 1, 2, 30, 4 ends at x = 31, y = 6.
    np.testing.assert_array_equal(
        annotations.read_boxes(path), [[1, 2, 31, 6], [5, 6, 12, 14]]
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3", "line 2: needs four numbers"),
        ("1,2,3,4,5,6,7,8", "line 2: needs four numbers"),
        ("1,2,x,4", "line 2: needs four numbers"),
        ("1,2,inf,4", "line 2: needs four numbers"),
        ("1,2,-3,4", "line 2: a box of negative size"),
        ("1,2,0,4", "line 2: a box of no size"),
        ("nan,nan,nan,nan", "line 2: a box of no size"),
        ("", "line 2: needs four numbers"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = tmp_path / "boxes.txt"
    path.write_text(f"1,2,3,4\n{line}\n1,2,3,4\n")
    with pytest.raises(InputError, match=message):
        annotations.read_boxes(path)


def test_absent_rows_are_nan_where_allowed(tmp_path):
    path = tmp_path / "boxes.txt"
    path.write_text("1,2,3,4\n0,0,0,0\nnan,nan,nan,nan\n")
    xyxy = annotations.read_boxes(path, allow_absent=True)
    np.testing.assert_array_equal(np.isnan(xyxy).all(axis=1), [False, True, True])
    path.write_text("1,2,-3,4\n")
    with pytest.raises(InputError, match="negative"):
        annotations.read_boxes(path, allow_absent=True)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00"])
def test_unreadable_files_are_named(tmp_path, content):
    path = tmp_path / "boxes.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"boxes\.txt"):
        annotations.read_boxes(path)
    with pytest.raises(InputError, match=r"absent\.txt"):
        annotations.read_boxes(tmp_path / "absent.txt")


def test_written_boxes_are_read_again(tmp_path):
    xyxy = np.array([[1.5, 2.25, 30.125, 40.0625], [-3, 0, 5, 7]])
    annotations.write_boxes(tmp_path / "boxes.txt", xyxy)
    assert (tmp_path / "boxes.txt").read_text().startswith("1.5000,2.2500,28.6250,")
    np.testing.assert_allclose(annotations.read_boxes(tmp_path / "boxes.txt"), xyxy)


def test_a_sequence(root):
    sequence = annotations.read_sequence(root / "a")
    assert sequence.name == "a"
    assert [frame.name for frame in sequence.frames[:2]] == ["0001.jpg", "0002.jpg"]
    np.testing.assert_array_equal(sequence.xyxy[3], [13, 12, 33, 28])


def test_frames_beside_the_boxes_in_numeric_order(root):
    folder = root / "a"
    for number, frame in enumerate(sorted((folder / "img").iterdir())):
        frame.rename(folder / f"{number + 6}.jpg")
    (folder / "img").rmdir()
    (folder / "groundtruth_rect.txt").rename(folder / "groundtruth.txt")
    frames = annotations.read_sequence(folder).frames
    # As text, 10.jpg and 11.jpg would come before 6.jpg.
    assert [f.name for f in frames] == [f"{n}.jpg" for n in range(6, 6 + NUM_FRAMES)]


def test_a_sequence_that_is_not_whole_is_named(root):
    (root / "a" / "img" / "0003.jpg").unlink()
    with pytest.raises(InputError, match=r"/a: 5 frames but 6 boxes"):
        annotations.read_sequence(root / "a")
    (root / "b" / "groundtruth_rect.txt").unlink()
    with pytest.raises(InputError, match=r"/b: has no groundtruth_rect.txt"):
        annotations.read_sequence(root / "b")
    with pytest.raises(InputError, match="no such folder"):
        annotations.read_sequence(root / "c")


def test_sequences_are_listed_by_pattern(root):
    write_sequence(root / "a2", seed=3)
    (root / "not_a_sequence").mkdir()
    names = lambda *p: [f.name for f in annotations.list_sequences(root, p)]  # noqa: E731
    assert names("*") == ["a", "a2", "b"]
    assert names("a*", "a") == ["a", "a2"]
    with pytest.raises(InputError, match="'not_\\*'"):
        names("a", "not_*")
    with pytest.raises(InputError, match="no such folder"):
        annotations.list_sequences(root / "absent")


def test_stills(tmp_path):
    first, second = annotations.read_stills(write_stills(tmp_path))
    assert first.path == tmp_path / "photos" / "0.jpg"
    np.testing.assert_array_equal(first.xyxy, [[1, 2, 21, 32], [30, 5, 40, 15]])
    np.testing.assert_array_equal(second.xyxy, [[0, 0, 9, 8]])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2.jpg\t1\t2\t3\t4", "line 5: no such image"),
        ("0.jpg\t1\t2\t3", "line 5: needs"),
    ],
)
def test_a_bad_row_of_a_table_is_named(tmp_path, row, message):
    table = write_stills(tmp_path)
    table.write_text(table.read_text() + row + "\n")
    with pytest.raises(InputError, match=message):
        annotations.read_stills(table)
