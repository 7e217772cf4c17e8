"""The clips to pack, by name and place; they are read when they are packed."""

import bisect
import dataclasses
import functools
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


@dataclass(frozen=True)
class Request:
    """The data to pack.

    Attributes:
      root: folder of the dataset, "" for none.
      dataset: key of `datasets.TRAINING_SETS`.
      split: of the dataset; "" takes its first.
      patterns: names or glob patterns of sequences; none takes all.
      exclude: lists, names or patterns of sequences to leave out.
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
        """Returns the fields for JSON, with absolute paths."""
        fields = json.loads(json.dumps(asdict(self)))
        for name in ("stills", "photos"):
            fields[name] = [str(pathlib.Path(p).absolute()) for p in fields[name]]
        if self.root:
            fields["root"] = str(pathlib.Path(self.root).absolute())
        return fields


class Item(NamedTuple):
    """A clip to read.

    Attributes:
      name: of the clip.
      place: argument of its reader.
      read: its reader.
      is_photo: whether it is a photograph without boxes, for composed scenes.
    """

    name: str
    place: Any
    read: ReadClip
    is_photo: bool = False


class Part(NamedTuple):
    """Clips that one process packs together: items `start` to `stop`.

    Attributes:
      number: of the part, from 0.
      key: name of its folder.
      start: first item.
      stop: after the last item.
    """

    number: int
    key: str
    start: int
    stop: int


class Items(Sequence[Item]):
    """Clips of several datasets, concatenated; places are made on demand."""

    def __init__(self):
        """Makes an empty list."""
        self._names: list[str] = []
        self._datasets: list[tuple[Mapping[str, Any], ReadClip, bool]] = []
        self._starts: list[int] = []

    def add(
        self, places: Mapping[str, Any], read: ReadClip, *, are_photos: bool = False
    ) -> None:
        """Appends a dataset's clips.

        Args:
          places: name -> place.
          read: reads a clip of that name and place.
          are_photos: whether they are photographs without boxes.
        """
        self._starts.append(len(self._names))
        self._names += places
        self._datasets.append((places, read, are_photos))

    def __len__(self) -> int:
        """Number of clips."""
        return len(self._names)

    def __getitem__(self, number: int) -> Item:
        """Returns one clip's item."""
        which = bisect.bisect_right(self._starts, number) - 1
        places, read, are_photos = self._datasets[which]
        name = self._names[number]
        return Item(name, places[name], read, are_photos)

    def names(self) -> Sequence[str]:
        """Returns the names of all clips."""
        return self._names

    def of(self, part: Part) -> tuple[Item, ...]:
        """Returns the items of a part."""
        return tuple(self[number] for number in range(part.start, part.stop))


def find(request: Request) -> tuple[Items, tuple[str, ...]]:
    """Lists the clips to pack; opens no picture.

    Args:
      request: the data to pack.

    Returns:
      The clips, and notes for the data card.

    Raises:
      InputError: nothing is found, a table is malformed, or the dataset cannot be
        packed.
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
            "nothing to pack: name a folder of sequences with --root, a table of still "
            "images with --stills or a folder of photographs with --photos"
        )
    return items, notes


def _read_still(read, before, name, place):
    """Reads a still image of a table; prefixes its name with the table's."""
    return dataclasses.replace(read(name.removeprefix(before), place), name=name)


def _read_photograph(name, path):
    """Reads a photograph: a clip without an object."""
    return Clip(name, (path,), np.zeros((0, 1, 4)))
