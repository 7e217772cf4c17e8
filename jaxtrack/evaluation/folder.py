"""The folder of a report: page, numbers, pictures, tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxtrack.evaluation import results, tables
from jaxtrack.evaluation.sections import Section, Table


def write(
    out_dir: str | Path,
    page: str,
    numbers: Mapping[str, Any],
    parts: Sequence[Section],
    named: Mapping[str, Table],
) -> None:
    """Writes a report, each file whole or not at all, the page last.

    Args:
      out_dir: made where it is missing.
      page: content of `report.html`.
      numbers: content of `report.json`, without NaN.
      parts: whose pictures are written where they say.
      named: goes to `tables/NAME.md` and `.tex`.

    Raises:
      InputError: the folder cannot be written to.
    """
    out_dir = Path(out_dir)
    for picture in (p for part in parts for p in part.pictures):
        results.write_bytes(out_dir / picture.path, picture.content)
    for name, content in tables.files(named).items():
        results.write_text(out_dir / "tables" / name, content)
    written = json.dumps(numbers, indent=1, allow_nan=False)
    results.write_text(out_dir / "report.json", written + "\n")
    results.write_text(out_dir / "report.html", page)
