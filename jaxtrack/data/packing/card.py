"""The data card of a packed folder: contents, origin, and what was left out."""

import json
import pathlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxtrack import datasets
from jaxtrack.data import records
from jaxtrack.data.packing.finish import Finished
from jaxtrack.data.packing.plan import Plan
from jaxtrack.errors import InputError

JSON, PAGE = "card.json", "card.md"
BAD, SKIPPED = "bad.txt", "skipped.txt"  # One line per item.


def write(
    folder: pathlib.Path,
    plan: Plan,
    finished: Finished,
    *,
    command: str = "",
    version: str = "",
    source: str = "",
    terms: str = "",
) -> None:
    """Writes the data card, and the lists of what was left out.

    Args:
      folder: the packed folder.
      plan: the work.
      finished: its result.
      command: the command line.
      version: of jaxtrack.
      source: where the data come from; "" takes it from `TRAINING_SETS`.
      terms: of use; likewise.
    """
    index, summary = finished.index, finished.summary
    has_box = ~np.isnan(index.xyxy).any(axis=1)
    if plan.request.get("root"):
        known = datasets.TRAINING_SETS[plan.request["dataset"]]
        source, terms = source or known.source, terms or known.terms
    card = {
        "version": version or "not stated",
        "command": command,
        "source": source or "not stated",
        "terms": terms or "not stated",
        "notes": list(plan.notes),
        "request": plan.request,
        "digest": plan.digest,
        "counts": {
            "clips": summary.clips,
            "frames of the clips": summary.frames,
            "tracks": len(index.names),
            "boxes": int(has_box.sum()),
            "rows without a box": int((~has_box).sum()),
            "pictures": _records(finished, records.FRAMES),
            "masks": _records(finished, records.MASKS),
            "photographs": len(index.photos),
            "bytes": sum(shard.size for shard in finished.files.values()),
            "bad": len(summary.bad),
            "skipped": len(summary.skipped),
        },
        "skipped": dict(Counter(map(_reason, summary.skipped)).most_common()),
        "bad": summary.bad,
        "shards": {name: shard._asdict() for name, shard in finished.files.items()},
    }
    for name, lines in ((BAD, summary.bad), (SKIPPED, summary.skipped)):
        if lines:
            (folder / name).write_text("".join(f"{line}\n" for line in lines))
    (folder / PAGE).write_text(page(card))
    (folder / JSON).write_text(json.dumps(card, indent=1))


def read(folder: str | pathlib.Path) -> dict[str, Any]:
    """Reads the data card of a packed folder.

    Args:
      folder: made by `jaxtrack pack`.

    Raises:
      InputError: it is missing or damaged.
    """
    path = pathlib.Path(folder) / JSON
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"{path}: no data card ({why}); the folder was not made by `jaxtrack pack` "
            "or is damaged: choose another --out, or delete it"
        ) from error


def page(card: Mapping[str, Any]) -> str:
    """Formats a data card as Markdown.

    Args:
      card: from `read`.
    """
    request = card["request"]
    what = request["dataset"] if request["root"] else "pictures"
    lines = [f"# {what} {request['split']}".rstrip(), ""]
    lines += [f"Source: {card['source']}. Terms: {card['terms']}.", ""]
    lines += [*card["notes"], ""] if card["notes"] else []
    if card["command"]:
        lines += ["```", card["command"], "```", ""]
    lines += ["| what | how many |", "|---|---|"]
    lines += [f"| {name} | {count:,} |" for name, count in card["counts"].items()]
    lines += ["", "| stored as | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in request["shrink"].items()]
    if card["skipped"]:
        lines += ["", f"| left out (all in {SKIPPED}) | how many |", "|---|---|"]
        lines += [f"| {name} | {count:,} |" for name, count in card["skipped"].items()]
    if card["bad"]:
        lines += ["", f"Could not be used (all in {BAD}):", ""]
        lines += [f"- {line}" for line in card["bad"][:20]]
    lines += ["", "| shard | records | bytes | SHA-256 |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {s['length']:,} | {s['size']:,} | {s['sha256']} |"
        for name, s in card["shards"].items()
    ]
    return "\n".join(lines) + "\n"


def _records(finished, split):
    """Returns the number of records of a split."""
    return sum(s.length for s in finished.files.values() if s.split == split)


def _reason(line):
    """Returns the reason for leaving something out: the end of its line."""
    return line.rpartition(": ")[2]
