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
    return end.join(lines) + rng.choice(("", end, end * 3, f"{end} {end},,,{end}"))


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
        ("\0\0\0", "is damaged"),
        ("<html>404</html>", "a web page"),
    ):
        hint = numbers.hint(numbers.split(line), (4,))
        assert said in hint and bool(said) == bool(hint), line
