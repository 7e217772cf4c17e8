"""Tests for jaxtrack.datasets.numbers: rows as people write them, in generated ways."""

import random

import numpy as np
import pytest

from jaxtrack.datasets import files, numbers
from jaxtrack.errors import InputError

SIGNS = (",", ", ", ";", "; ", "\t", " ", "  ", ",\t", " , ")
ENDS = ("\n", "\r\n", "\r", "\r\r\n")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
BRACKETS = (("", ""), ("[", "]"), ("(", ")"), ("{", "}"), ("[[", "]]"))
NANS = ("nan", "NaN", "NAN", "-nan", "-nan(ind)", "nan(snan)", "1.#QNAN", "-1.#IND")
NANS += ("None", "null", "NA", "N/A")
INFS = ("inf", "Inf", "+inf", "Infinity", "1.#INF", "1.#INF00")
STYLES = (
    "{:g}".format,
    "{:.6f}".format,
    "{:.6e}".format,
    lambda value: f"{value:.6E}".replace("E", "D"),
    lambda value: f"{value:+.4f}",
)


def written(rng, value):
    """A number in one of the ways to write it."""
    if np.isnan(value):
        return rng.choice(NANS)
    if np.isinf(value):
        return "-" * (value < 0) + rng.choice(INFS).lstrip("+")
    return rng.choice(STYLES)(value)


def text_of(rng, rows):
    """Rows as somebody's program may write them."""
    left, right = rng.choice(BRACKETS)
    lines = []
    for row in rows:
        words = [written(rng, value) for value in row]
        signs = [rng.choice(SIGNS) for _ in words[1:]] + [rng.choice(("", ",", ";"))]
        lines.append(
            left + "".join(map("".join, zip(words, signs, strict=True))) + right
        )
    end = rng.choice(ENDS)
    return end.join(lines) + rng.choice(("", end, end * 3, f"{end} {end},{end}"))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_come_back_however_they_are_written(tmp_path, encoding):
    for seed in range(12):
        rng = random.Random(seed)
        rows = [[rng.choice((0.5, -3, 17.25, 240)) for _ in range(4)] for _ in range(5)]
        rows[2] = [np.nan] * 4
        rows[3][1] = rng.choice((np.inf, -np.inf))
        path = tmp_path / "a.txt"
        text = text_of(rng, rows)
        path.write_bytes(text.encode(encoding))
        found = files.read_xywh(path, allow_infinite=True)
        np.testing.assert_array_equal(found, rows, err_msg=repr(text))
        with pytest.raises(InputError, match=r"a\.txt, line 4"):
            files.read_xywh(path)


def test_polygons_of_any_corners_are_boxes(tmp_path):
    for seed in range(20):
        rng = random.Random(seed)
        # Two corners span the box; the others lie in it.
        corners = [(4, 5), (12, 11)]
        corners += [
            (rng.uniform(4, 12), rng.uniform(5, 11)) for _ in range(rng.randint(1, 6))
        ]
        rng.shuffle(corners)
        polygon = [value for corner in corners for value in corner]
        mixed = [polygon, [4, 5, 8, 6], polygon[:]]
        (tmp_path / "a.txt").write_text(text_of(rng, mixed))
        found = files.read_xywh(tmp_path / "a.txt")
        np.testing.assert_allclose(found, [[4, 5, 8, 6]] * 3, atol=1e-5)


def test_no_numbers():
    for line in ("", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "1_0,2,3,4", "0x1,2,3,4"):
        assert numbers.box(line) is None, line
    for line in ("1|2|3|4", "1,2,x,4", "1,2,3,4d", "1:2:3:4", "one two three four"):
        assert numbers.box(line) is None, line


def test_what_a_line_probably_is():
    for line, said in (
        ("x,y,w,h", "a header"),
        ("image x y w h", "a header"),
        ("1", "with restarts"),
        ("15,20,20,20,0.9", "a fifth number"),
        ("15,20,20", ""),
        ("15|20|20|20", ""),
        ("% x y w h", "a header"),
        ("\0\0\0", "is damaged"),
        ("<html>404</html>", "a web page"),
        ("version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    ):
        hint = numbers.hint(numbers.split(line), (4,))
        assert said in hint and bool(said) == bool(hint), line


def test_decimal_commas(tmp_path):
    for seed in range(12):
        rng = random.Random(seed)
        rows = [[rng.randint(-40, 4000) / 10 for _ in range(4)] for _ in range(5)]
        style = rng.choice(("{:.1f}", "{:.3f}", "{:g}", "{:.1e}", '"{:.2f}"')).format
        sign, end = rng.choice((";", "\t", "; ", "  ")), rng.choice(ENDS)
        last = rng.choice(("", sign))
        rows = [[float(style(v).strip('"')) for v in row] for row in rows]
        lines = [
            sign.join(style(v).replace(".", ",") for v in row) + last for row in rows
        ]
        (tmp_path / "a.txt").write_text(end.join(lines), newline="")
        found = files.read_xywh(tmp_path / "a.txt")
        np.testing.assert_array_equal(found, rows, err_msg=repr(lines))


def test_decimal_commas_between_quotes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text('"10,5","20","30,25","40,0"\n"11,5","20","30,25","40,0"\n')
    found = files.read_xywh(path)
    np.testing.assert_array_equal(found, [[n, 20, 30.25, 40] for n in (10.5, 11.5)])


def test_pairs_may_be_corners(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("15,10 35,10 35,30 15,30\n" * 3)
    np.testing.assert_array_equal(files.read_xywh(path), [[15, 10, 20, 20]] * 3)
    for corners in ("1,2;7,2;7,6;1,6", "1,6;1,2;7,2;7,6"):
        path.write_text(f"{corners}\n" * 3)
        np.testing.assert_array_equal(files.read_xywh(path), [[1, 2, 6, 4]] * 3)


def test_a_line_of_empty_fields_is_nan(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1,2,3,4\n,,,\n\t\t\t\n5,6,7,8\n,,,\n")
    found = files.read_xywh(path)
    is_lost = np.isnan(found).all(axis=1)
    assert is_lost.tolist() == [False, True, True, False, True]  # At the end, too.
    path.write_text("1,2,3,4\n,,\n5,6,7,8\n")
    with pytest.raises(InputError, match="line 2"):
        files.read_xywh(path)


def test_columns_beside_a_box_are_no_polygon(tmp_path):
    path = tmp_path / "a.txt"
    boxes = [f"{15 + k},10,20,21" for k in range(4)]
    for row, said in (
        ("{k},7,{b},1,-1,-1,-1", "target's number"),  # MOTChallenge's.
        ("{k},1,{b}", "target's number"),
        ("{b},0.{k},3", "a score"),
    ):
        rows = [row.format(k=k, b=box) for k, box in enumerate(boxes)]
        path.write_text("\n".join(rows))
        with pytest.raises(InputError, match=said):
            files.read_xywh(path)
    # A polygon that moves by a pixel a frame from the picture's edge is one.
    path.write_text("".join(f"{k},5,{k + 8},5,{k + 8},9\n" for k in range(4)))
    assert files.read_xywh(path)[3].tolist() == [3, 5, 8, 4]
