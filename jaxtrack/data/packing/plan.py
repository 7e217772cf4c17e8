"""Divides the work into parts; each is packed by one process into one shard.

The division is stored in `OUT.incomplete`, so that any machine can continue.
"""

import hashlib
import json
import pathlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxtrack.data.packing import items as packing_items
from jaxtrack.data.packing.items import Items, Part, Request
from jaxtrack.errors import InputError, unwritable

FILE_NAME = "plan.json"
# If packing is killed, the work on unfinished parts is lost.
_PARTS_AIMED_AT = 64
_MIN_FRAMES, _MAX_FRAMES = 256, 8192
_SAMPLED = 8  # Clips that are read to estimate their length.
_VERSION = 1  # Of the output for equal requests.


@dataclass(frozen=True)
class Plan:
    """All parts.

    Attributes:
      request: from `Request.named`.
      digest: hash of the request without paths: equal on machines that share the work.
      parts: in order.
      notes: for the data card.
    """

    request: Mapping[str, Any]
    digest: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def digest_of(request: Request, items: Items) -> str:
    """Hashes a request without its paths.

    Args:
      request: the data to pack.
      items: from `items.find`.
    """
    named = request.named()
    own = {k: v for k, v in named.items() if k not in ("root", "stills", "photos")}
    digest = hashlib.sha256(json.dumps([_VERSION, own], sort_keys=True).encode())
    for table in (request.root, *request.stills):
        if pathlib.Path(table).is_file():
            digest.update(pathlib.Path(table).read_bytes())
    for name in items.names():
        digest.update(f"{name}\n".encode())
    return digest.hexdigest()


def make(request: Request, folder: pathlib.Path) -> tuple[Plan, Items]:
    """Divides a request into parts, or restores the earlier division.

    Args:
      request: the data to pack.
      folder: of work in progress; stores where parts start.

    Returns:
      The plan, and the clips.

    Raises:
      InputError: see `items.find`; or `folder` cannot be written to.
    """
    items, notes = packing_items.find(request)
    named, digest = request.named(), digest_of(request, items)
    key = hashlib.sha256((digest + json.dumps(named)).encode()).hexdigest()[:12]
    stored = _stored_plan(folder)
    if stored is None or stored["key"] != key:
        stored = {"key": key, "digest": digest, "request": named, "notes": notes}
        stored |= {"starts": _starts(items), "stop": len(items)}
        path = folder / FILE_NAME
        temporary = path.with_suffix(
            f".{uuid.uuid4().hex}"
        )  # Several machines may start at the same time.
        try:
            temporary.write_text(json.dumps(stored))
            temporary.replace(path)
        except OSError as error:
            raise unwritable(path, error) from error
    return _plan(stored), items


def locate(folders: Sequence[pathlib.Path]) -> tuple[Plan, list[pathlib.Path]]:
    """Finds the parts packed by several machines.

    Args:
      folders: of work in progress, one per machine.

    Returns:
      The plan, and the folder of each part.

    Raises:
      InputError: a folder has no plan, they differ, or a part is missing.
    """
    plans = []
    for folder in folders:
        stored = _stored_plan(folder)
        if stored is None:
            raise InputError(
                f"{folder}: no {FILE_NAME}: this is not a folder OUT.incomplete of "
                f"`jaxtrack pack --shard=...`{_hint(folder)}"
            )
        same = (
            all(stored[k] == plans[0][k] for k in ("digest", "starts")) if plans else 1
        )
        if not same:
            raise InputError(f"{folder}: has other data or settings than {folders[0]}")
        plans.append(stored)
    if not plans:
        raise InputError("nothing to join: name the folders OUT.incomplete")
    whole, located = _plan(plans[0]), []
    for part in whole.parts:
        names = [f"{part.number:05d}-{stored['key']}" for stored in plans]
        paths = [f / "parts" / n for f, n in zip(folders, names, strict=True)]
        found = [path for path in paths if path.exists()]
        if not found:
            raise InputError(
                f"part {part.number} of {len(whole.parts)} is in none of "
                f"{', '.join(map(str, folders))}: finish that share (--shard=i/n packs "
                "the parts i, i + n, i + 2n ...)"
            )
        located.append(found[0])
    return whole, located


def _hint(folder):
    """Explains a missing folder if one machine has finished all the work."""
    finished = folder.with_name(folder.name.removesuffix(".incomplete"))
    if finished == folder or not finished.is_dir():
        return ""
    return f"; {finished} is complete: there is nothing to join"


def _plan(stored):
    """Restores a plan from its stored form."""
    ends = [*stored["starts"][1:], stored["stop"]]
    parts = (
        Part(number, f"{number:05d}-{stored['key']}", start, end)
        for number, (start, end) in enumerate(zip(stored["starts"], ends, strict=True))
    )
    return Plan(
        stored["request"], stored["digest"], tuple(parts), tuple(stored["notes"])
    )


def _stored_plan(folder):
    """Returns the stored plan of a folder, or None."""
    try:
        return json.loads((folder / FILE_NAME).read_text())
    except (OSError, ValueError):
        return None


def _starts(items):
    """Returns where parts start, for about equal numbers of frames.

    The length of clips is estimated from a few: listing all frames of a large dataset
    takes hours on some file systems.
    """
    mean = _mean_length(items)
    total = mean * len(items)
    aim = min(max(total / _PARTS_AIMED_AT, _MIN_FRAMES), _MAX_FRAMES)
    return list(range(0, len(items), max(round(aim / mean), 1)))


def _mean_length(items):
    """Estimates the mean number of frames per clip."""
    chosen = np.unique(np.linspace(0, len(items) - 1, _SAMPLED).round().astype(int))
    lengths = []
    for number in chosen:
        item = items[number]
        try:
            lengths.append(len(item.read(item.name, item.place).frames))
        except InputError:
            continue  # Packing reports the error.
    return float(np.mean(lengths)) if lengths else 1.0


def num_clips(parts: Sequence[Part]) -> int:
    """Returns the number of clips of some parts."""
    return sum(part.stop - part.start for part in parts)
