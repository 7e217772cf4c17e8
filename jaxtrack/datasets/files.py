"""Text files of datasets: tables of numbers, boxes, flags, names."""

import codecs
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.datasets import layout, numbers
from jaxtrack.errors import InputError

ObjectHook = Callable[[dict[str, Any]], Any]


def read_text(path: Path) -> str:
    r"""Returns a file's text; \r\r\n, which a double conversion left, is one end.

    Args:
      path: of the file.

    Raises:
      InputError: it is absent, with what lies there instead, or unreadable.
    """
    try:
        data = path.read_bytes()
        return data.decode(_encoding(data[:2])).replace("\r\r\n", "\n")
    except FileNotFoundError:
        raise layout.wrong_layout(path.parent, f"a file {path.name}") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: cannot be read ({fault})") from None


def read_json(path: Path, *, each: ObjectHook | None = None) -> Any:
    """Returns the content of a JSON file.

    Args:
      path: of the file.
      each: called with every object as it is parsed; what it returns replaces it.

    Raises:
      InputError: it cannot be read, or is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text, object_hook=each)
    except (json.JSONDecodeError, RecursionError) as fault:
        raise InputError(f"{path}: no JSON ({fault})") from None


def _encoding(start: bytes) -> str:
    """Detects a text's encoding by its first two bytes; Windows writes UTF-16."""
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if len(start) == 2 and 0 in start and start != b"\0\0":
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return "utf-8-sig"


def _read_lines(path: Path, expected: str) -> tuple[Sequence[str], list[list[str]]]:
    """Returns a table's lines and their words, without empty lines at the end."""
    lines = numbers.with_points(read_text(path).splitlines())
    rows = [numbers.split(line) for line in lines]
    for number, row in enumerate(rows):
        if not row and sum(map(lines[number].count, ",;\t")) == 3:
            rows[number] = ["nan"] * 4  # pandas writes NaN as nothing: ",,,".
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise InputError(f"{path}: expected rows of {expected} numbers; found none")
    return lines, rows


def read_names(path: Path) -> tuple[str, ...]:
    """Returns the lines of a file, stripped, without empty ones.

    Args:
      path: of the text file.

    Raises:
      InputError: it is absent, unreadable or empty.
    """
    names = tuple(line.strip() for line in read_text(path).splitlines() if line.strip())
    if not names:
        raise InputError(f"{path}: expected one name a line; found an empty file")
    return names


def read_rows(
    path: str | Path, *columns: int, allow_infinite: bool = False
) -> np.ndarray:
    """Reads a table of numbers separated by commas, semicolons, tabs or blanks.

    Args:
      path: of the text file; blank lines at its end are ignored.
      *columns: numbers that a row may have; all rows have the same.
      allow_infinite: whether infinity is a number, as NaN always is.

    Returns:
      `[N, columns]` float64.

    Raises:
      InputError: naming the line: not numbers, or not so many.
    """
    path = Path(path)
    expected = " or ".join(map(str, columns))
    lines, rows = _read_lines(path, expected)
    count = len(rows[0]) if len(rows[0]) in columns else columns[0]
    table = numbers.parse(rows, count, allow_infinite=allow_infinite)
    if table is not None:
        return table
    bad = next(
        number
        for number, row in enumerate(rows)
        if numbers.parse([row], count, allow_infinite=allow_infinite) is None
    )
    raise InputError(
        f"{path}, line {bad + 1}: expected {expected} numbers; "
        f"found {lines[bad].strip()[:60]!r}{numbers.hint(rows[bad], columns)}"
    )


def read_xywh(path: str | Path, *, allow_infinite: bool = False) -> np.ndarray:
    """Reads one box a line: x, y, width, height, or the corners of a polygon.

    Args:
      path: the text file; blank lines at its end are ignored.
      allow_infinite: whether infinity is a number, as NaN always is.

    Returns:
      `[N, 4]` float64 xywh as the file says, px; of polygons the boxes around them,
      and NaN where width and height are -1.

    Raises:
      InputError: if the file cannot be read or a line is not a box; it names the line.
    """
    path = Path(path)
    lines, rows = _read_lines(path, "4")
    boxes = numbers.boxes(rows, allow_infinite=allow_infinite)
    if boxes is None:
        how = {"allow_infinite": allow_infinite}
        bad = next(
            n for n, row in enumerate(rows) if numbers.boxes([row], **how) is None
        )
        raise InputError(
            f"{path}, line {bad + 1}: expected 4 numbers x y w h, or the corners of a "
            f"polygon; found {lines[bad].strip()[:60]!r}{numbers.hint(rows[bad], (4,))}"
        )
    columns = len(rows[0])
    table = None if columns < 6 else numbers.parse(rows, columns, allow_infinite=True)
    if table is not None and (why := numbers.other_columns(table)):
        raise InputError(
            f"{path}: {why}; expected x y w h, or the corners of a polygon: delete the "
            "other columns"
        )
    boxes[(boxes[:, 2:] == -1).all(axis=1)] = np.nan
    return boxes


def check_sizes(path: Path, xywh: np.ndarray, *, allow_absent: bool) -> None:
    """Rejects boxes of negative size.

    Args:
      path: named in the error.
      xywh: `[N, 4]` px.
      allow_absent: whether an object may be absent: NaN, or of zero width or height.

    Raises:
      InputError: it names the line.
    """
    faults = [((xywh[:, 2:] < 0).any(axis=1), "negative")]
    if not allow_absent:
        faults.append((~np.all(xywh > -np.inf, axis=1), "no"))
        faults.append((~np.all(xywh[:, 2:] > 0, axis=1), "no"))
    for bad, what in faults:
        if bad.any():
            row = int(np.argmax(bad))
            said = " ".join(f"{value:g}" for value in xywh[row])
            raise InputError(f"{path}, line {row + 1}: a box of {what} size: {said}")


def write_boxes(path: str | Path, xyxy: np.ndarray) -> None:
    """Writes boxes as OTB result files have them: `x,y,w,h`, one a line.

    Args:
      path: the file to write.
      xyxy: boxes, `[N, 4]` px; NaN is written as `nan`.
    """
    xyxy = np.asarray(xyxy, np.float64)
    xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    lines = [",".join(f"{value:.4f}" for value in row) for row in xywh]
    Path(path).write_text("".join(line + "\n" for line in lines))


def read_flags(path: Path, *, count: int | None = None) -> np.ndarray:
    """Reads integers separated by commas, blanks or line ends.

    Args:
      path: of the text file.
      count: how many there are; None takes what is there.

    Returns:
      `[count]` int64.

    Raises:
      InputError: not integers, or not so many.
    """
    words = numbers.split(read_text(path))
    try:
        flags = np.array([float(word) for word in words])
    except ValueError:
        flags = np.array([np.nan])
    if not np.array_equal(flags, np.round(flags)):
        raise InputError(f"{path}: expected integers; found {' '.join(words)[:60]!r}")
    if count is not None and len(flags) != count:
        raise InputError(f"{path}: expected {count} values; found {len(flags)}")
    return flags.astype(np.int64)


def named_flags(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names whose flag is set; none where there is no file.

    Args:
      path: of the flags, one a name.
      names: in the flags' order.

    Raises:
      InputError: the file holds another number of flags.
    """
    if not path.is_file():
        return ()
    flags = read_flags(path, count=len(names))
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag > 0)
