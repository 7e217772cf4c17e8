"""What is packed, divided into parts: each is the work of one process, and one shard.

Nothing but names and places is held; clips are read where they are packed.
"""

import bisect
import dataclasses
import functools
import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from jaxtrack import datasets
from jaxtrack.data.composed import photos as photographs
from jaxtrack.data.packing.shrink import Shrink
from jaxtrack.datasets.sequence import Clip
from jaxtrack.datasets.training_sets import ReadClip
from jaxtrack.errors import InputError

FILE_NAME = "plan.json"
# A part is the work that is lost when packing is killed.
_PARTS_AIMED_AT = 64
_MIN_FRAMES, _MAX_FRAMES = 256, 8192
_SAMPLED = 8  # Clips that are read to learn how long they are.
_VERSION = 1  # Of what is packed from equal requests.


class Item(NamedTuple):
    """A clip to be read.

    Attributes:
      name: of the clip.
      place: what its reader takes.
      read: its reader.
      is_photo: whether it is a photograph without boxes, for composed scenes.
    """

    name: str
    place: Any
    read: ReadClip
    is_photo: bool = False


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
      root: folder of the dataset, "" without one.
      dataset: key of `datasets.TRAINING_SETS`.
      split: of the dataset; "" takes its first.
      patterns: names of sequences, or patterns of them; none takes all.
      exclude: lists of sequences, names or patterns, that are left out.
      stills: tables of photographs with boxes: see `datasets.boxes`.
      photos: folders of photographs without boxes.
      shrink: what is stored of a frame.
    """

    root: str = ""
    dataset: str = "folders"
    split: str = ""
    patterns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    stills: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    shrink: Shrink = field(default_factory=Shrink)

    def named(self) -> dict[str, Any]:
        """Returns the fields as JSON has them, files by their absolute paths."""
        fields = json.loads(json.dumps(asdict(self)))
        for name in ("stills", "photos"):
            fields[name] = [str(pathlib.Path(p).absolute()) for p in fields[name]]
        if self.root:
            fields["root"] = str(pathlib.Path(self.root).absolute())
        return fields


class Part(NamedTuple):
    """Clips that one process packs in one go: items `start` to `stop`.

    Attributes:
      number: of the part, from 0.
      key: of its folder.
      start: first item.
      stop: after the last.
    """

    number: int
    key: str
    start: int
    stop: int


class Items(Sequence[Item]):
    """Clips of several datasets end to end; places are made when they are asked for."""

    def __init__(self):
        """Makes an empty list."""
        self._names: list[str] = []
        self._finders: list[tuple[Mapping[str, Any], ReadClip, bool]] = []
        self._starts: list[int] = []

    def add(
        self, found: Mapping[str, Any], read: ReadClip, *, are_photos: bool = False
    ) -> None:
        """Appends a dataset's clips.

        Args:
          found: name -> place.
          read: reads a clip of that name and place.
          are_photos: whether they are photographs without boxes.
        """
        self._starts.append(len(self._names))
        self._names += found
        self._finders.append((found, read, are_photos))

    def __len__(self) -> int:
        """Number of clips."""
        return len(self._names)

    def __getitem__(self, number: int) -> Item:
        """Returns one clip's item."""
        which = bisect.bisect_right(self._starts, number) - 1
        found, read, are_photos = self._finders[which]
        name = self._names[number]
        return Item(name, found[name], read, are_photos)

    def names(self) -> Sequence[str]:
        """Returns the names of all clips."""
        return self._names

    def of(self, part: Part) -> tuple[Item, ...]:
        """Returns the items of a part."""
        return tuple(self[number] for number in range(part.start, part.stop))


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


def find(request: Request) -> tuple[Items, tuple[str, ...]]:
    """Lists what there is to pack; opens no picture.

    Args:
      request: what is asked for.

    Returns:
      The clips, and sentences that the data card carries.

    Raises:
      InputError: nothing is found, a table is malformed, or the dataset refuses.
    """
    items, notes = Items(), ()
    if request.root:
        listing, read = datasets.training(
            request.dataset,
            request.root,
            split=request.split or None,
            patterns=request.patterns,
            exclude=request.exclude,
        )
        items.add(listing.found, read)
        notes += listing.notes
    for table in request.stills:
        listing, read = datasets.training("boxes", table)
        before = f"{pathlib.Path(table).stem}/"
        found = {before + name: place for name, place in listing.found.items()}
        items.add(found, functools.partial(_read_still, read, before))
        notes += listing.notes
    for folder in request.photos:
        found = photographs.find_photographs(folder)
        named = {str(p.relative_to(folder)): p for p in found}
        items.add(named, _read_photograph, are_photos=True)
    if not len(items):
        raise InputError(
            "nothing to pack: give a folder of sequences, tables of stills or "
            "photographs"
        )
    return items, notes


def digest_of(request: Request, items: Items) -> str:
    """Hashes what is asked for, but not where it lies.

    Args:
      request: what is asked for.
      items: as `find` listed them.
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
      InputError: as `find`, or `folder` cannot be written to.
    """
    items, notes = find(request)
    named, digest = request.named(), digest_of(request, items)
    key = hashlib.sha256((digest + json.dumps(named)).encode()).hexdigest()[:12]
    told = _remembered(folder)
    if told is None or told["key"] != key:
        told = {"key": key, "digest": digest, "request": named, "notes": notes}
        told |= {"starts": _starts(items), "stop": len(items)}
        path = folder / FILE_NAME
        temporary = path.with_suffix(".new")
        try:
            temporary.write_text(json.dumps(told))
            temporary.replace(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from error
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
                "--shard=...` (OUT.incomplete)"
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


def _read_still(read, before, name, place):
    """Reads a still of a table, whose name goes before its own."""
    return dataclasses.replace(read(name.removeprefix(before), place), name=name)


def _read_photograph(name, path):
    """Reads a photograph: a clip without an object."""
    return Clip(name, (path,), np.zeros((0, 1, 4)))


def num_clips(parts: Sequence[Part]) -> int:
    """Returns the number of clips of some parts."""
    return sum(part.stop - part.start for part in parts)
