"""Photographs with boxes: a table `image x y w h`, tab-separated, one object a line."""

from pathlib import Path

import numpy as np

from jaxtrack.datasets import files
from jaxtrack.datasets.sequence import Still
from jaxtrack.errors import InputError


def read_stills(tsv: str | Path) -> list[Still]:
    """Reads a table of photographs.

    Args:
      tsv: the table, with or without a line of column names; an image may stand on
        several lines. Images are in `NAME/` beside `NAME_boxes.tsv` or `NAME.tsv` where
        that is a folder, else in the folder of the table.

    Returns:
      One still an image, in the order of the table.

    Raises:
      InputError: if the table cannot be read, a line is malformed or an image absent.
    """
    tsv = Path(tsv)
    beside = tsv.parent / tsv.stem.removesuffix("_boxes")
    images = beside if beside.is_dir() else tsv.parent
    boxes: dict[Path, list] = {}
    for number, line in enumerate(files.read_text(tsv).rstrip().split("\n"), start=1):
        name, _, numbers = line.rstrip("\r").partition("\t")
        if number == 1 and name.strip().lower() == "image":
            continue
        where = f"{tsv}, line {number}"
        x, y, w, h = files.parse_numbers(numbers, 4, where)
        if not (w > 0 and h > 0 and np.isfinite([x, y]).all()):
            raise InputError(f"{where}: a box of no size: {numbers.strip()!r}")
        path = images / name
        if path not in boxes and not path.is_file():
            raise InputError(f"{where}: no such image: {path}")
        boxes.setdefault(path, []).append([x, y, x + w, y + h])
    if not boxes:
        raise InputError(f"{tsv}: the table is empty")
    return [Still(path, np.array(rows, np.float64)) for path, rows in boxes.items()]
