"""Packing in parts: each part is written whole, or not at all, by one process."""

import contextlib
import dataclasses
import hashlib
import io
import os
import pathlib
import shutil
from collections.abc import Iterator, Sequence

import numpy as np

from jaxtrack import datasets
from jaxtrack.data import jpeg, tracks
from jaxtrack.datasets.sequence import Clip
from jaxtrack.datasets.stills import read_stills
from jaxtrack.errors import InputError

# A part is the work that is lost when a build is killed, and the file of a shard.
_PARTS_AIMED_AT = 32
_MIN_FRAMES, _MAX_FRAMES = 128, 4096


@dataclasses.dataclass(frozen=True)
class Part:
    """Clips that one process packs in one go.

    Attributes:
      clips: the clips.
      key: hash of names, files (size and time of change) and boxes.
    """

    clips: tuple[Clip, ...]
    key: str

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return sum(len(clip.frames) for clip in self.clips)


def collect(
    root: str | pathlib.Path | None,
    *,
    patterns: Sequence[str] = (),
    stills: Sequence[str | pathlib.Path] = (),
    dataset: str = "folders",
    split: str | None = None,
) -> tuple[list[Clip], list[str]]:
    """Reads the annotations of a dataset's sequences and of stills.

    Args:
      root: folder of the dataset, or None.
      patterns: names of its sequences, or patterns of them; none takes all.
      stills: tables of stills with boxes.
      dataset: key of `datasets.DATASETS`; sequences that are not there are passed over.
      split: of the dataset; None takes its first.

    Returns:
      Clips, and what is wrong with the sequences left out, one line each.

    Raises:
      InputError: if nothing is found, or a table of stills is malformed.
    """
    clips, faults = [], []
    for name, place, read in _places(root, patterns, dataset, split):
        try:
            sequence = read(name, place)
        except InputError as error:
            faults.append(str(error))
            continue
        xyxy = sequence.xyxy
        if sequence.absent is not None:
            xyxy = np.where(sequence.absent[:, None], np.nan, xyxy)
        clips.append(Clip(sequence.name, tuple(sequence.frames), xyxy[None]))
    for table in stills:
        for still in read_stills(table):
            name = f"{pathlib.Path(table).stem}/{still.path.name}"
            clips.append(Clip(name, (still.path,), still.xyxy[:, None]))
    if not clips and not faults:
        raise InputError("nothing to pack: give a folder of sequences, or stills")
    return clips, faults


def _places(root, patterns, dataset, split):
    """Returns name, place and reader of the sequences that are there."""
    if not root:
        return []
    reader, split = datasets.find(dataset, split=split)
    listing = reader.survey(pathlib.Path(root), split)
    chosen = datasets.choose(listing, patterns, where=f"{dataset} in {root}")
    found = listing.found
    return [(name, found[name], reader.read) for name in chosen if name in found]


def split_clips(clips: Sequence[Clip]) -> list[Part]:
    """Splits clips into parts, the same whatever the number of processes.

    Args:
      clips: what to pack.

    Returns:
      Parts of about equal numbers of frames, in the same order.
    """
    total = sum(len(clip.frames) for clip in clips)
    aim = min(max(total // _PARTS_AIMED_AT, _MIN_FRAMES), _MAX_FRAMES)
    groups, size = [[]], 0
    for clip in clips:
        if size >= aim:
            groups.append([])
            size = 0
        groups[-1].append(clip)
        size += len(clip.frames)
    return [Part(tuple(group), _key(group)) for group in groups]


def pack(part: Part, folder: str | pathlib.Path) -> None:
    """Packs a part into `folder / part.key`, which appears when it is complete.

    A damaged frame is left out of the records and noted among the faults of the index.

    Args:
      part: what to pack.
      folder: where the parts of this build lie.
    """
    # Late: tfds takes a second to import, which reading packed data need not wait for.
    import tensorflow_datasets as tfds

    from jaxtrack.data import records

    folder = pathlib.Path(folder)
    work = folder / f"unfinished-{os.getpid()}-{part.key}"
    shutil.rmtree(work, ignore_errors=True)
    numbers: dict[pathlib.Path, int] = {}
    sizes: dict[pathlib.Path, tuple[int, int]] = {}
    faults: list[str] = []

    def frames() -> Iterator[records.EncodedFrame]:
        for path in (path for clip in part.clips for path in clip.frames):
            try:
                data, sizes[path] = jpeg.read_checked(path)
            except InputError as error:
                faults.append(str(error))
                continue
            numbers[path] = len(numbers)
            yield path.as_posix(), data

    tfds.disable_progress_bar()
    with contextlib.redirect_stdout(io.StringIO()):
        data_path = records.write_frames(frames(), str(work))
    index = _index(part.clips, numbers, sizes, faults)
    tracks.write(index, data_path)
    os.replace(data_path, folder / part.key)
    shutil.rmtree(work)


def _index(clips, records, sizes, faults):
    """Makes the index of a part; boxes wholly outside of their frame are faults."""
    names, lengths, rows, boxes = [], [], [], []
    for clip in clips:
        clip_records = [records.get(path, -1) for path in clip.frames]
        for number, xyxy in enumerate(clip.xyxy):
            xyxy = np.where(np.array(clip_records)[:, None] < 0, np.nan, xyxy)
            for box, path in zip(xyxy, clip.frames, strict=True):
                if np.isnan(box).any():
                    continue
                height, width = sizes[path]
                if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
                    faults.append(f"{path}: box {number} lies outside of the image")
                    box[:] = np.nan
            names.append(clip.name if len(clip.xyxy) == 1 else f"{clip.name}#{number}")
            lengths.append(len(clip.frames))
            rows.extend(clip_records)
            boxes.append(xyxy)
    return tracks.TrackIndex(
        names=np.array(names, np.str_),
        offsets=np.cumsum([0, *lengths]),
        records=np.array(rows, np.int64),
        xyxy=np.concatenate(boxes).astype(np.float32),
        faults=tuple(faults),
    )


def _key(clips):
    """Hashes what the records of clips depend on."""
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(repr((clip.name, clip.xyxy.shape)).encode())
        digest.update(np.ascontiguousarray(clip.xyxy).tobytes())
        for path in clip.frames:
            try:
                stat = path.stat()
                state = (stat.st_size, stat.st_mtime_ns)
            except OSError:
                state = ()  # Packing says what is wrong with it.
            digest.update(repr((path.as_posix(), state)).encode())
    return digest.hexdigest()[:16]
