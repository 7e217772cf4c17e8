"""Tests for jaxtrack.datasets.files."""

import numpy as np
import pytest

from jaxtrack.datasets import files, frame_files, layout
from jaxtrack.datasets.sequence import xyxy_from_truth
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def test_rows_of_every_separator(tmp_path):
    for content in (
        "1,2,3,4\n5,6,7,8\n",
        "1\t2\t3\t4\r\n5\t6\t7\t8",
        "\ufeff1 2,3\t 4\n5, 6, 7, 8\n\n",
        " 1  2 3 4 \r\n5,6,7.0,8e0\n \n",
    ):
        fake.text(tmp_path / "a.txt", content)
        rows = files.read_rows(tmp_path / "a.txt", 4)
        np.testing.assert_array_equal(rows, [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_rows_may_be_nan_but_not_infinite(tmp_path):
    fake.text(tmp_path / "a.txt", "1,2,3,4\nNaN,NaN,NaN,NaN\n")
    rows = files.read_rows(tmp_path / "a.txt", 4)
    assert np.isnan(rows[1]).all() and np.isfinite(rows[0]).all()
    fake.text(tmp_path / "a.txt", "1,2,3,4\ninf,2,3,4\n")
    with pytest.raises(InputError, match=r"a\.txt, line 2: expected 4 numbers"):
        files.read_rows(tmp_path / "a.txt", 4)
    rows = files.read_rows(tmp_path / "a.txt", 4, allow_infinite=True)
    assert rows[1, 0] == np.inf


def test_first_row_decides_between_counts(tmp_path):
    fake.text(tmp_path / "a.txt", "1,2,3,4,5,6,7,8\n")
    assert files.read_rows(tmp_path / "a.txt", 8, 4).shape == (1, 8)
    fake.text(tmp_path / "a.txt", "1,2,3,4\n1,2,3,4,5,6,7,8\n")
    with pytest.raises(InputError, match="line 2: expected 8 or 4 numbers"):
        files.read_rows(tmp_path / "a.txt", 8, 4)


def test_faults_of_rows(tmp_path):
    for content, message in (
        ("", "expected rows of 4 numbers; found none"),
        ("1,2,3\n", "line 1: expected 4 numbers; found '1,2,3'"),
        ("1,2,3,4\n1,2,3\n", "line 2: expected 4 numbers; found '1,2,3'"),
        ("1,2,3,4\n\n1,2,3,4\n", "line 2: expected 4 numbers; found ''"),
        ("1,2,3,4\n1,2,x,4\n", "line 2: expected 4 numbers; found '1,2,x,4'"),
        (
            "x,y,w,h\n1,2,3,4\n",
            "line 1: expected 4 numbers; found 'x,y,w,h': names of columns, a header",
        ),
        ("1,2,3,4,.9\n", "found '1,2,3,4,.9': a fifth number, such as a score"),
        ("1\n1,2,3,4\n", "found '1': a code of VOT's .* experiment with restarts"),
    ):
        fake.text(tmp_path / "a.txt", content)
        with pytest.raises(InputError, match=message):
            files.read_rows(tmp_path / "a.txt", 4)


def test_spellings_of_numbers(tmp_path):
    for content in (
        "1; 2; 3; 4\n",
        "[1, 2, 3, 4]\n",
        "(1,2) (3,4)\n",
        "1e0\t2.0\t3\t 4\r",
    ):
        (tmp_path / "a.txt").write_text(content, encoding="utf-16")
        np.testing.assert_array_equal(
            files.read_rows(tmp_path / "a.txt", 4), [[1, 2, 3, 4]]
        )
    fake.text(tmp_path / "a.txt", "1,2,3,4\n-nan(ind),NaN,nan,-1.#IND\n")
    assert np.isnan(files.read_rows(tmp_path / "a.txt", 4)[1]).all()


def test_boxes_around_polygons_and_absent_ones(tmp_path):
    # Corners (4, 5), (12, 6), (11, 11): x from 4 to 12, y from 5 to 11.
    fake.text(
        tmp_path / "a.txt",
        "4,5,12,6,11,11\n4;5;12;5;12;11;4;11\n4,5,8,6\n-1,-1,-1,-1\n",
    )
    rows = files.read_xywh(tmp_path / "a.txt")
    np.testing.assert_array_equal(rows[:3], [[4, 5, 8, 6]] * 3)
    assert np.isnan(xyxy_from_truth(rows, 4)[3]).all()
    fake.text(tmp_path / "a.txt", "1,2,3,4\n1,2,3,4,5,6,7\n")
    with pytest.raises(
        InputError, match="line 2: expected 4 numbers x y w h, or the c"
    ):
        files.read_xywh(tmp_path / "a.txt")


def test_hidden_files_are_no_frames(tmp_path):
    for name in ("._0001.jpg", ".DS_Store", "0002.JPG", "0001.webp", "0003.tif", "a"):
        (tmp_path / name).touch()
    names = [path.name for path in frame_files.list_frames(tmp_path)]
    assert names == ["0001.webp", "0002.JPG", "0003.tif"]


def test_boxes_have_a_size(tmp_path):
    path = tmp_path / "a.txt"
    for row, message in (
        ([1, 2, -3, 4], r"a\.txt, line 2: a box of negative size: 1 2 -3 4"),
        ([1, 2, 0, 4], "line 2: a box of no size"),
        ([np.nan] * 4, "line 2: a box of no size"),
        ([np.nan, 2, 3, 4], "line 2: a box of no size"),
    ):
        rows = np.array([[1, 2, 3, 4], row], np.float64)
        with pytest.raises(InputError, match=message):
            files.check_sizes(path, rows, allow_absent=False)
    absent = np.array([[1, 2, 3, 4], [0] * 4, [np.nan] * 4])
    files.check_sizes(path, absent, allow_absent=True)
    with pytest.raises(InputError, match="negative"):
        files.check_sizes(path, -absent, allow_absent=True)


def test_written_boxes_are_read_again(tmp_path):
    xyxy = np.array([[1.5, 2.25, 30.125, 40.0625], [-3, 0, 5, 7]])
    files.write_boxes(tmp_path / "boxes.txt", xyxy)
    assert (tmp_path / "boxes.txt").read_text().startswith("1.5000,2.2500,28.6250,")
    xywh = files.read_xywh(tmp_path / "boxes.txt")
    np.testing.assert_allclose(xywh[:, :2] + xywh[:, 2:], xyxy[:, 2:])


def test_absent_file_says_what_is_there(tmp_path):
    fake.text(tmp_path / "truth.txt", "")
    with pytest.raises(InputError, match=r"expected a file a\.txt; found truth\.txt"):
        files.read_rows(tmp_path / "a.txt", 4)


def test_binary_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match="cannot be read"):
        files.read_names(tmp_path / "a.txt")


def test_flags_on_one_line_or_many(tmp_path):
    fake.text(tmp_path / "a.txt", "0,1,0\n")
    fake.text(tmp_path / "b.txt", "0\n1\n0.0\n")
    for name in ("a.txt", "b.txt"):
        np.testing.assert_array_equal(
            files.read_flags(tmp_path / name, count=3), [0, 1, 0]
        )
    with pytest.raises(InputError, match=r"a\.txt: expected 4 values; found 3"):
        files.read_flags(tmp_path / "a.txt", count=4)


def test_flags_are_integers(tmp_path):
    for content in ("0,x\n", "0,0.5\n", "0,nan\n"):
        fake.text(tmp_path / "a.txt", content)
        with pytest.raises(InputError, match="expected integers"):
            files.read_flags(tmp_path / "a.txt")


def test_named_flags(tmp_path):
    fake.text(tmp_path / "a.txt", "1,0,1\n")
    assert files.named_flags(tmp_path / "a.txt", ("IV", "SV", "BC")) == ("IV", "BC")
    assert files.named_flags(tmp_path / "b.txt", ("IV",)) == ()


def test_names_without_blanks(tmp_path):
    fake.text(tmp_path / "list.txt", "a \n\n b\r\n")
    assert files.read_names(tmp_path / "list.txt") == ("a", "b")
    fake.text(tmp_path / "list.txt", "\n")
    with pytest.raises(InputError, match="found an empty file"):
        files.read_names(tmp_path / "list.txt")


def test_frames_by_number_whatever_the_digits(tmp_path):
    fake.images(tmp_path, (9, 10, 100), digits=1)
    assert list(frame_files.numbered_frames(tmp_path)) == [9, 10, 100]
    frames = frame_files.frames_between(tmp_path, 9, 10)
    assert [p.name for p in frames] == ["9.jpg", "10.jpg"]
    with pytest.raises(InputError, match="expected images 9 to 12; found 9 to 100"):
        frame_files.frames_between(tmp_path, 9, 12)
    (tmp_path / "9.jpg").rename(tmp_path / "a.jpg")
    with pytest.raises(InputError, match=r"named by numbers; found a\.jpg"):
        frame_files.numbered_frames(tmp_path)


def test_lengths_must_agree(tmp_path):
    frame_files.check_lengths(tmp_path, [tmp_path], np.zeros((1, 4)))
    with pytest.raises(InputError, match="found 1 frames, 2 rows"):
        frame_files.check_lengths(tmp_path, [tmp_path], np.zeros((2, 4)))


def test_frames_in_numeric_order(tmp_path):
    # As text, 10.jpg would come before 6.jpg.
    fake.images(tmp_path, range(6, 12), digits=1)
    fake.text(tmp_path / "notes.txt", "")
    names = [path.name for path in frame_files.list_frames(tmp_path)]
    assert names == [f"{n}.jpg" for n in range(6, 12)]
    with pytest.raises(InputError, match=r"holds no images \(.bmp, .jpeg"):
        frame_files.list_frames(fake.text(tmp_path / "b/notes.txt", "").parent)
    with pytest.raises(InputError, match="no such folder"):
        frame_files.list_frames(tmp_path / "none")


def test_images_of_a_sequence_lie_in_img_or_in_the_only_folder_of_images(tmp_path):
    where = frame_files.image_folder
    assert where(tmp_path) == tmp_path
    fake.images(tmp_path / "color", (1,), digits=1)
    fake.text(tmp_path / "notes" / "a.txt", "")
    (tmp_path / "img" / "1.jpg").mkdir(parents=True)  # A folder, no image.
    assert where(tmp_path) == tmp_path / "color"
    fake.images(tmp_path / "depth", (1,), digits=1)
    assert where(tmp_path) == tmp_path
    fake.images(tmp_path / "img", (2,), digits=1)
    assert where(tmp_path) == tmp_path / "img"


def test_contents(tmp_path):
    assert layout.contents(tmp_path / "x") == "no such folder"
    assert layout.contents(tmp_path) == "an empty folder"
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
    assert layout.contents(tmp_path) == "a/, b/, c/, d/, e/, f/ and 2 more"
    fake.text(tmp_path / "f.txt", "")
    assert layout.contents(tmp_path / "f.txt") == "a file"


def test_first_folder_and_subfolders(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    fake.text(tmp_path / "a", "")
    found = layout.first_folder([tmp_path / "a", tmp_path / "b"], tmp_path, "x")
    assert found == tmp_path / "b"
    assert layout.subfolders(tmp_path) == {"b": tmp_path / "b"}
    with pytest.raises(InputError, match="expected x; found"):
        layout.first_folder([tmp_path / "c"], tmp_path, "x")


NAN = np.nan


def test_boxes_in_our_convention():
    truth = np.array([[2.0, 3, 4, 5], [NAN, 3, 4, 5], [2, 3, 0, 5], [2, 3, 4, -5]])
    # x0 = 2 - 1, x1 = 1 + 4; then NaN, no size, negative size; then no row at all.
    expected = [[1, 2, 5, 7], *[[NAN] * 4] * 4]
    np.testing.assert_array_equal(xyxy_from_truth(truth, 5, origin=1), expected)
    np.testing.assert_array_equal(xyxy_from_truth(truth[:1], 1), [[2, 3, 6, 8]])
