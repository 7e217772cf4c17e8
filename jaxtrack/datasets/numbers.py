"""Parses numbers with any separators, brackets and spellings of NaN."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

_SEPARATORS = str.maketrans(",;[](){}\"'", " " * 10)
# C's and Matlab's spellings: -nan(ind), nan(snan), 1.#QNAN, -1.#IND, 1.#INF.
_NAN = re.compile(r"[+-]?(nan\(\w*\)|1\.#(Q?NAN|S?NAN|IND)\w*)", re.IGNORECASE)
_INFINITE = re.compile(r"([+-]?)1\.#INF\w*", re.IGNORECASE)
_FORTRAN = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")  # 1.5D+01
_NONE = frozenset({"none", "null", "na", "n/a"})  # Of Python, JSON and R.
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:,(\d+))?(?:e[+-]?\d+)?|nan)", re.IGNORECASE)
_BETWEEN_QUOTES = re.compile(r"""(["'])[,;\s]+\1""")  # "10,5","20,5"


def split(line: str) -> list[str]:
    """Returns the words of a line, however they are separated or bracketed.

    Args:
      line: such as "1,2;3 4", "[1, 2]" or tabs.
    """
    if "(" in line or "#" in line:
        line = _INFINITE.sub(r"\1inf", _NAN.sub("nan", line))
    return line.translate(_SEPARATORS).split()


def with_points(lines: Sequence[str]) -> Sequence[str]:
    """Returns lines with decimal points where they have four numbers such as 10,5.

    Pairs may also be the corners of a polygon, "10,5 20,5 20,9 10,9". Decimal commas
    are told by a number without a comma, a fraction such as 05, or fractions that all
    have one digit, unless the corners are those of upright rectangles.

    Args:
      lines: of a table; one that has anything else is returned.
    """
    if not any("," in line for line in lines):
        return lines
    plain, fractions, upright = [], [], []
    for line in lines:
        plain.append(_BETWEEN_QUOTES.sub(";", line).strip(" \t\r;,[](){}\"'"))
        if not plain[-1]:
            continue
        words = re.split(r"[;\s]+", plain[-1])
        found = [_DECIMAL.fullmatch(word) for word in words]
        if len(found) != 4 or None in found:
            return lines
        fractions += [match[1] for match in found]
        xs, ys = zip(*(word.partition(",")[::2] for word in words), strict=True)
        pairs = [[values[n] == values[n - 1] for n in range(4)] for values in (xs, ys)]
        upright.append(sorted(pairs) == [[False, True] * 2, [True, False] * 2])
    there = [digits for digits in fractions if digits]
    is_decimal = bool(there) and (
        None in fractions
        or any(digits[0] == "0" and len(digits) > 1 for digits in there)
        or (all(len(digits) == 1 for digits in there) and not all(upright))
    )
    if not is_decimal:
        return lines
    return [p.replace(",", ".") or x for p, x in zip(plain, lines, strict=True)]


def parse(
    rows: Sequence[Sequence[str]], count: int, *, allow_infinite: bool = False
) -> np.ndarray | None:
    """Returns rows of words as numbers.

    Args:
      rows: N of them.
      count: words that each has.
      allow_infinite: whether infinity is a number, as NaN always is.

    Returns:
      `[N, count]` float64, or None if they are no such numbers.
    """
    if any(len(row) != count for row in rows):
        return None
    if any("_" in word for row in rows for word in row):
        return None  # Python's own digits, 1_000.
    try:
        table = np.array(rows, np.float64).reshape(len(rows), count)
    except ValueError:
        plain = [[_respelled(word) for word in row] for row in rows]
        is_other = plain != [list(row) for row in rows]
        how = {"allow_infinite": allow_infinite}
        return parse(plain, count, **how) if is_other else None
    return table if allow_infinite or not np.isinf(table).any() else None


def _respelled(word: str) -> str:
    """Returns a number of another language as Python spells it."""
    return "nan" if word.lower() in _NONE else _FORTRAN.sub("e", word)


def boxes(
    rows: Sequence[Sequence[str]], *, allow_infinite: bool = False
) -> np.ndarray | None:
    """Returns rows of x, y, w, h, or of the corners of polygons, as boxes.

    Args:
      rows: N of them, of 4 words, or of 6, 8 or more: corners x, y.
      allow_infinite: whether infinity is a number, as NaN always is.

    Returns:
      `[N, 4]` float64 xywh, of polygons the boxes around them; None if a row is
      neither.
    """
    table = parse(rows, 4, allow_infinite=allow_infinite)
    if table is not None:
        return table
    found = np.empty((len(rows), 4))
    for number, words in enumerate(rows):
        is_polygon = len(words) >= 6 and len(words) % 2 == 0
        count = len(words) if is_polygon else 4
        row = parse([words], count, allow_infinite=allow_infinite)
        if row is None:
            return None
        if is_polygon:
            corners = row.reshape(-1, 2)
            row = np.append(corners.min(axis=0), np.ptp(corners, axis=0))
        found[number] = row
    return found


def box(line: str) -> np.ndarray | None:
    """Returns a line's box: x, y, w, h, or the one around three or more corners x, y.

    Args:
      line: of the file.

    Returns:
      `[4]` float64 xywh; None if the line is neither.
    """
    found = boxes([split(line)])
    return None if found is None else found[0]


def hint(words: list[str], columns: Iterable[int]) -> str:
    """Guesses what a line without the expected numbers is, or returns "".

    Args:
      words: of the line.
      columns: numbers that were expected.
    """
    columns = tuple(columns)
    if any("\0" in word for word in words):
        return ": no text, the file is damaged: restore it"
    if words[:1] == ["version"] and "git-lfs" in words[-1]:
        return ": a pointer of Git LFS: run `git lfs pull`"
    if words and words[0].startswith("<"):
        return ": a web page: download the file again"
    is_named = any(word[0].isalpha() or word[0] in "#%" for word in words)
    if is_named and not any(parse([[word]], 1) is not None for word in words):
        return ": names of columns, a header: delete that line"
    if words in (["0"], ["1"], ["2"]) and 4 in columns:
        return (
            ": a code of VOT's supervised (baseline) experiment with restarts; one box "
            "a frame is expected"
        )
    if len(words) == 5 and columns == (4,):
        return (
            ": a fifth number, such as a score, or the frame's in front: delete that "
            "column"
        )
    return ""


def other_columns(table: np.ndarray) -> str:
    """Says why rows of 6 or more numbers are no polygons, or returns "".

    Args:
      table: `[N, columns]`.
    """
    steps = np.diff(table, axis=0)
    is_moved = (steps[:, ::2] == 1).all() and (steps[:, 1::2] == 0).all()
    counts = len(table) > 2 and table[0, 0] in (0, 1) and (steps[:, 0] == 1).all()
    if counts and not is_moved and (steps[:, 1] == 0).all():
        return "rows begin with the frame's and the target's number, as MOTChallenge's"
    if table.shape[1] == 6 and ((table[:, 4] >= 0) & (table[:, 4] <= 1)).all():
        return "the fifth number is a score"
    return ""
