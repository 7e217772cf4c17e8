"""Ground truth of a whole benchmark in one JSON file, as pysot has it.

`{"Boy": {"gt_rect": [[x, y, w, h], ...], "attr": [...], "absent": [...]}, ...}`; what
pysot calls `absent` is 1 where the target is present. Rows may be the corners of
polygons, or null where there is no box.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.datasets import files, numbers
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError

_BOXES = ("gt_rect", "res", "boxes")


def read_json(path: Path) -> Mapping[str, Any]:
    """Returns a JSON file's object.

    Args:
      path: of the file.

    Raises:
      InputError: it cannot be read, is no JSON, or holds no object.
    """
    content = files.read_json(path)
    if not isinstance(content, dict) or not content:
        raise InputError(
            f"{path}: expected sequences and their boxes, such as "
            '{"Boy": {"gt_rect": [[x, y, w, h], ...]}}'
        )
    return content


def read_boxes(entry: Any) -> np.ndarray:
    """Returns a sequence's boxes.

    Args:
      entry: rows of numbers, or an object with rows as `gt_rect`, `res` or `boxes`.

    Returns:
      `[N, 4]` float64 xywh, px; NaN where there is no box.

    Raises:
      InputError: there are none, or a row is no box.
    """
    if isinstance(entry, dict):
        entry = next((entry[key] for key in _BOXES if key in entry), None)
    if not isinstance(entry, list) or not entry:
        raise InputError(f"expected rows of 4 numbers x y w h, or {', '.join(_BOXES)}")
    rows = [["nan"] * 4 if row is None else _words(row) for row in entry]
    boxes = numbers.boxes(rows, allow_infinite=True)
    if boxes is None:
        bad = next(n for n, row in enumerate(rows) if numbers.boxes([row]) is None)
        raise InputError(
            f"row {bad + 1}: expected 4 numbers x y w h, or the corners of a polygon; "
            f"found {str(entry[bad])[:60]}"
        )
    boxes[(boxes[:, 2:] == -1).all(axis=1)] = np.nan
    return boxes


def _words(row: Any) -> list[str]:
    """The numbers of a row as words."""
    return [str(value) for value in row] if isinstance(row, list) else [str(row)]


def survey(path: Path) -> Listing:
    """Lists the sequences of a file.

    Args:
      path: of the file.

    Raises:
      InputError: as `read_json`.
    """
    found = read_json(path)
    return Listing(tuple(found), found, len(found))


def read(name: str, entry: Any) -> Sequence:
    """Reads one sequence; it has no pictures."""
    try:
        truth = read_boxes(entry)
        flags = entry.get("absent") if isinstance(entry, dict) else None
        absent = None if flags is None else np.array(flags, np.float64) != 1
        attributes = entry.get("attr", ()) if isinstance(entry, dict) else ()
    except (ValueError, TypeError) as fault:
        raise InputError(f"{name}: {fault}") from None
    if absent is not None and absent.shape != (len(truth),):
        raise InputError(
            f"{name}: expected {len(truth)} flags, one a row of ground truth; found "
            f"{absent.size}"
        )
    return Sequence(
        name,
        [],
        xyxy_from_truth(truth, len(truth)),
        truth=truth,
        absent=absent,
        attributes=tuple(map(str, attributes)) if isinstance(attributes, list) else (),
    )
