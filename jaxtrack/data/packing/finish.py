"""Joins parts from any folders into one packed folder, by links instead of copies."""

import os
import pathlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jaxtrack.data import records, tracks
from jaxtrack.data.packing import summary as summaries
from jaxtrack.data.packing.summary import Summary
from jaxtrack.errors import InputError


@dataclass
class Finished:
    """The result of all parts.

    Attributes:
      index: of all tracks.
      summary: of all parts.
      files: shards, by their names.
    """

    index: tracks.TrackIndex
    summary: Summary
    files: dict[str, records.Shard] = field(default_factory=dict)


def join(folders: Sequence[pathlib.Path], out: pathlib.Path) -> Finished:
    """Makes a folder with the shards of all parts, in order, and their joined index.

    Args:
      folders: of the parts.
      out: an empty folder, which receives the shards under new names.

    Returns:
      Its contents.

    Raises:
      InputError: a part is damaged, a shard is truncated, or all are empty.
    """
    indices = [tracks.read(folder) for folder in folders]
    part_summaries = [summaries.read(folder) for folder in folders]
    lengths = {
        split: [
            s.shards[split].length if split in s.shards else 0 for s in part_summaries
        ]
        for split in records.SPLITS
    }
    files: dict[str, records.Shard] = {}
    for split in records.SPLITS:
        own = [
            (summaries.shard_path(folder, split), summary.shards[split])
            for folder, summary in zip(folders, part_summaries, strict=True)
            if split in summary.shards
        ]
        for number, (path, shard) in enumerate(own):
            _check_size(path, shard)
            name = records.file_name(split, number, len(own))
            _link(path, out / name)
            files[name] = shard
    if not files:
        raise InputError(f"there is nothing usable to pack (see {out.parent})")
    records.write_metadata(out, list(files.values()))
    index = tracks.join(indices, lengths[records.FRAMES], lengths[records.MASKS], out)
    shards = tuple(tracks.ShardFile(name, s.size) for name, s in files.items())
    index = replace(index, shards=shards)
    tracks.write(index, out)
    return Finished(index, summaries.add(folders), files)


def _check_size(path, shard):
    """Checks that a part's shard has its original size."""
    size = path.stat().st_size if path.is_file() else 0
    if size != shard.size:
        raise InputError(
            f"{path}: shard has {size} bytes, not {shard.size}: delete the folder "
            f"{path.parent} and run the same command again"
        )


def _link(source, target):
    """Makes a hard link, or a symbolic link to another file system."""
    try:
        os.link(source, target)
    except OSError:
        target.symlink_to(source.absolute())


def replace_folder(new: pathlib.Path, out: pathlib.Path) -> None:
    """Renames a complete folder, as the last step.

    Args:
      new: the folder.
      out: its new name.

    Raises:
      InputError: the name is taken.
    """
    try:
        os.replace(new, out)
    except OSError as error:
        raise InputError(f"{out}: cannot be created ({error.strerror})") from error


def clear(folder: pathlib.Path) -> None:
    """Makes an empty folder, replacing an existing one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
