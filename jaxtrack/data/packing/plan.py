"""What is packed, divided into parts: each is the work of one process, and one shard.

How the work was divided is remembered in `OUT.incomplete`, for who goes on with it.
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
# A part is the work that is lost when packing is killed.
_PARTS_AIMED_AT = 64
_MIN_FRAMES, _MAX_FRAMES = 256, 8192
_SAMPLED = 8  # Clips that are read to learn how long they are.
_VERSION = 1  # Of what is packed from equal requests.


@dataclass(frozen=True)
class Plan:
    """All parts.

    Attributes:
      request: as `Request.named` has it.
      digest: hash of what is asked for, wherever it lies: equal on machines that share
        the work.
      parts: in order.
      notes: sentences that the data card carries.
    """

    request: Mapping[str, Any]
    digest: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def digest_of(request: Request, items: Items) -> str:
    """Hashes what is asked for, but not where it lies.

    Args:
      request: what is asked for.
      items: as `items.find` listed them.
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
    """Divides what is asked for into parts, the same as when it was begun.

    Args:
      request: what is asked for.
      folder: of work in progress; remembers where parts begin.

    Returns:
      The plan, and the clips.

    Raises:
      InputError: as `items.find`, or `folder` cannot be written to.
    """
    items, notes = packing_items.find(request)
    named, digest = request.named(), digest_of(request, items)
    key = hashlib.sha256((digest + json.dumps(named)).encode()).hexdigest()[:12]
    told = _remembered(folder)
    if told is None or told["key"] != key:
        told = {"key": key, "digest": digest, "request": named, "notes": notes}
        told |= {"starts": _starts(items), "stop": len(items)}
        path = folder / FILE_NAME
        temporary = path.with_suffix(
            f".{uuid.uuid4().hex}"
        )  # Machines may begin at once.
        try:
            temporary.write_text(json.dumps(told))
            temporary.replace(path)
        except OSError as error:
            raise unwritable(path, error) from error
    return _plan(told), items


def locate(folders: Sequence[pathlib.Path]) -> tuple[Plan, list[pathlib.Path]]:
    """Finds the parts that several machines packed.

    Args:
      folders: of work in progress, of one machine each.

    Returns:
      The plan, and the folder of each part.

    Raises:
      InputError: a folder holds no plan, they differ, or a part is in none.
    """
    plans = []
    for folder in folders:
        told = _remembered(folder)
        if told is None:
            raise InputError(
                f"{folder}: no {FILE_NAME}: it is not a folder of `jaxtrack pack "
                f"--shard=...` (OUT.incomplete){_hint(folder)}"
            )
        same = all(told[k] == plans[0][k] for k in ("digest", "starts")) if plans else 1
        if not same:
            raise InputError(
                f"{folder}: is of other data or other settings than {folders[0]}"
            )
        plans.append(told)
    if not plans:
        raise InputError("nothing to join: name the folders OUT.incomplete")
    whole, located = _plan(plans[0]), []
    for part in whole.parts:
        names = [f"{part.number:05d}-{told['key']}" for told in plans]
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
    """Says what became of a folder that a machine finished alone: its share was all."""
    finished = folder.with_name(folder.name.removesuffix(".incomplete"))
    if finished == folder or not finished.is_dir():
        return ""
    return f"; {finished} is there and complete: nothing is left to join"


def _plan(told):
    """Makes a plan of what is remembered of it."""
    ends = [*told["starts"][1:], told["stop"]]
    parts = (
        Part(number, f"{number:05d}-{told['key']}", start, end)
        for number, (start, end) in enumerate(zip(told["starts"], ends, strict=True))
    )
    return Plan(told["request"], told["digest"], tuple(parts), tuple(told["notes"]))


def _remembered(folder):
    """Returns what is known of the work begun in a folder, or None."""
    try:
        return json.loads((folder / FILE_NAME).read_text())
    except (OSError, ValueError):
        return None


def _starts(items):
    """Returns where parts begin, for about equal numbers of frames.

    How long the clips are is estimated from a few: listing the frames of all of a
    large dataset takes hours on some file systems.
    """
    mean = _mean_length(items)
    total = mean * len(items)
    aim = min(max(total / _PARTS_AIMED_AT, _MIN_FRAMES), _MAX_FRAMES)
    return list(range(0, len(items), max(round(aim / mean), 1)))


def _mean_length(items):
    """Estimates the number of frames of a clip."""
    chosen = np.unique(np.linspace(0, len(items) - 1, _SAMPLED).round().astype(int))
    lengths = []
    for number in chosen:
        item = items[number]
        try:
            lengths.append(len(item.read(item.name, item.place).frames))
        except InputError:
            continue  # Packing says what is wrong with it.
    return float(np.mean(lengths)) if lengths else 1.0


def num_clips(parts: Sequence[Part]) -> int:
    """Returns the number of clips of some parts."""
    return sum(part.stop - part.start for part in parts)
