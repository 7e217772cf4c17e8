"""`study.json`: what a study was asked to do, which its summary reads again."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from jaxtrack.errors import InputError
from jaxtrack.evaluation import results

FILE = "study.json"


def write(out: str | pathlib.Path, study: Mapping[str, Any]) -> None:
    """Writes it, whole or not at all.

    Args:
      out: folder of the study.
      study: what `json.dumps` takes.

    Raises:
      InputError: the folder cannot be written to.
    """
    text = json.dumps(study, indent=1, allow_nan=False)
    results.write_text(pathlib.Path(out) / FILE, text + "\n")


def read(out: str | pathlib.Path) -> dict[str, Any]:
    """Reads it.

    Args:
      out: folder of the study.

    Returns:
      What `write` was given; tuples are lists now.

    Raises:
      InputError: there is none, or it is damaged.
    """
    path = pathlib.Path(out) / FILE
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        raise InputError(
            f"no study in {out}: start one without --summary_only"
        ) from None
