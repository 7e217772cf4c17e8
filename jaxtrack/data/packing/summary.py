"""The result of a part: its files, and the items left out."""

import json
import pathlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from jaxtrack.data.records import Shard
from jaxtrack.errors import InputError

FILE_NAME = "part.json"


@dataclass
class Summary:
    """The result of a part.

    Attributes:
      clips: number of clips that were read.
      frames: number of their frames.
      bad: errors of unusable images, boxes and sequences, one line each.
      skipped: reasons for objects left out on purpose, one line each.
      shards: its files, by name of the split.
    """

    clips: int = 0
    frames: int = 0
    bad: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    shards: dict[str, Shard] = field(default_factory=dict)

    def write(self, folder: pathlib.Path) -> None:
        """Writes it to the folder of its part."""
        (folder / FILE_NAME).write_text(json.dumps(asdict(self)))


def read(folder: pathlib.Path) -> Summary:
    """Reads the result of a part.

    Args:
      folder: of the part.

    Raises:
      InputError: the file is damaged.
    """
    try:
        fields = json.loads((folder / FILE_NAME).read_text())
        shards = {k: Shard(*v) for k, v in fields.pop("shards").items()}
        return Summary(**fields, shards=shards)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / FILE_NAME}: damaged; delete {folder}") from error


def shard_path(folder: pathlib.Path, split: str) -> pathlib.Path:
    """Returns the file of a part's records in a split."""
    return folder / f"{split}.array_record"


def add(folders: Sequence[pathlib.Path]) -> Summary:
    """Adds up the results of parts, without their shards.

    Args:
      folders: of the parts.

    Raises:
      InputError: one is damaged.
    """
    total = Summary()
    for summary in map(read, folders):
        total.clips += summary.clips
        total.frames += summary.frames
        total.bad += summary.bad
        total.skipped += summary.skipped
    return total
