"""Numbers as people's files have them: separators, brackets, spellings of NaN."""

import re
from collections.abc import Iterable

import numpy as np

_SEPARATORS = str.maketrans(",;[]()", " " * 6)
# C's and Matlab's spellings: -nan(ind), nan(snan), 1.#QNAN, -1.#IND.
_NAN = re.compile(r"[+-]?(nan\(\w*\)|1\.#(Q?NAN|IND)\w*)", re.IGNORECASE)


def split(line: str) -> list[str]:
    """Returns the words of a line, however they are separated or bracketed.

    Args:
      line: such as "1,2;3 4", "[1, 2]" or tabs.
    """
    if "(" in line or "#" in line:
        line = _NAN.sub("nan", line)
    return line.translate(_SEPARATORS).split()


def parse(
    rows: list[list[str]], count: int, *, allow_infinite: bool = False
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
    try:
        table = np.array(rows, np.float64).reshape(len(rows), count)
    except ValueError:
        return None
    return table if allow_infinite or not np.isinf(table).any() else None


def box(line: str) -> np.ndarray | None:
    """Returns a line's box: x, y, w, h, or the one around three or more corners x, y.

    Args:
      line: of the file.

    Returns:
      `[4]` float64 xywh; None if the line is neither.
    """
    words = split(line)
    is_polygon = len(words) >= 6 and len(words) % 2 == 0
    table = parse([words], len(words) if is_polygon else 4)
    if table is None or not is_polygon:
        return None if table is None else table[0]
    corners = table.reshape(-1, 2)
    return np.concatenate([corners.min(axis=0), np.ptp(corners, axis=0)])


def hint(words: list[str], columns: Iterable[int]) -> str:
    """Says what a line probably is that has not the numbers it should have, or "".

    Args:
      words: of the line.
      columns: numbers that were expected.
    """
    columns = tuple(columns)
    if words and not any(parse([[word]], 1) is not None for word in words):
        return ": names of columns, a header: delete that line"
    if words in (["0"], ["1"], ["2"]) and 4 in columns:
        return (
            ": a code of VOT's supervised (baseline) experiment with restarts; one box "
            "a frame is expected"
        )
    if len(words) == 5 and columns == (4,):
        return ": a fifth number, such as a score: delete that column"
    return ""
