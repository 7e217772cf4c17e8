"""Packs one part of the work in one process, as a whole or not at all."""

import hashlib
import os
import pathlib
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from jaxtrack.data import encoding, records, tracks
from jaxtrack.data.packing import disk
from jaxtrack.data.packing import shrink as shrinking
from jaxtrack.data.packing.items import Item
from jaxtrack.data.packing.shrink import Shrink, Window
from jaxtrack.data.packing.summary import Summary, shard_path
from jaxtrack.datasets import depth
from jaxtrack.errors import InputError

UNFINISHED = "unfinished-"  # Prefix of a part's folder until it is complete.
PHOTO_SIDE = 640  # Photographs are shrunk to this, px.

# Called after every frame with the number of packed clips; may raise to stop.
OnFrame = Callable[[int], None]


def pack(
    key: str,
    items: Sequence[Item],
    folder: pathlib.Path,
    shrink: Shrink,
    *,
    on_frame: OnFrame | None = None,
) -> None:
    """Packs a part into `folder / key`, which appears when it is complete.

    Damaged items are left out of the records and listed.

    Args:
      key: of the part.
      items: clips to pack.
      folder: of all parts.
      shrink: what is stored of a frame.
      on_frame: called with the progress.

    Raises:
      InputError: the disk is full or cannot be written to.
    """
    work = folder / f"{UNFINISHED}{os.getpid()}-{key}"
    shutil.rmtree(work, ignore_errors=True)
    try:
        with disk.writing(folder.parent):
            work.mkdir()
            writer = _PartWriter(work, shrink, on_frame or (lambda clips: None))
            for item in items:
                writer.add(item)
            writer.finish()
            shutil.rmtree(folder / key, ignore_errors=True)
            os.replace(work, folder / key)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _PartWriter:
    """Writes the records of one clip after another, and their index at the end."""

    def __init__(self, folder, shrink, on_frame):
        self._folder, self._shrink, self._on_frame = folder, shrink, on_frame
        self._writers: dict[str, records.Writer] = {}
        self._summary = Summary()
        self._names: list[str] = []
        self._tables: list[np.ndarray] = []
        self._clips: list[int] = []  # Index of each track's clip.
        self._photos: list[str] = []

    def add(self, item: Item) -> None:
        """Packs a clip, or lists why it cannot be read."""
        try:
            clip = item.read(item.name, item.place)
        except (InputError, OSError) as error:
            self._summary.bad.append(f"{item.name}: {error}")
        else:
            self._summary.frames += len(clip.frames)
            self._summary.skipped += clip.skipped
            self._add_photo(clip) if item.is_photo else self._add_clip(clip)
        self._summary.clips += 1
        self._on_frame(self._summary.clips)

    def finish(self) -> None:
        """Completes the files."""
        for split, writer in self._writers.items():
            writer.close()
            path = shard_path(self._folder, split)
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
            shard = records.Shard(split, writer.length, size, digest)
            self._summary.shards[split] = shard
        index = tracks.make(
            self._names,
            self._tables,
            clips=self._clips,
            photos=self._photos,
            extent=self._shrink.extent,
        )
        tracks.write(index, self._folder)
        self._summary.write(self._folder)

    def _write(self, split, data, name):
        """Appends a record to a split and returns its index."""
        if split not in self._writers:
            path = shard_path(self._folder, split)
            self._writers[split] = records.Writer(path)
        return self._writers[split].write(data, name)

    def _add_photo(self, clip):
        """Packs a photograph."""
        limit = self._shrink.longest_side or PHOTO_SIDE
        whole = Shrink("whole", limit, self._shrink.quality, self._shrink.format)
        try:
            picture = encoding.read(clip.frames[0], span=_span(clip))
        except InputError as error:
            self._summary.bad.append(str(error))
            return
        (window,) = shrinking.windows([], picture.image.shape[:2], whole)
        data = _encoded(picture, window, whole)
        self._write(records.PHOTOS, data, clip.name)
        self._photos.append(clip.name)

    def _add_clip(self, clip):
        """Packs the frames of a clip with targets, and makes its tracks."""
        if not len(clip.xyxy):
            self._summary.skipped.append(f"{clip.name}: no object is left")
        chosen = [shrinking.choose_times(xyxy, self._shrink) for xyxy in clip.xyxy]
        tables = [_empty_table(times) for times in chosen]
        masks, span = _mask_folder(clip), _span(clip)
        for time, targets in _targets_by_time(clip.xyxy, chosen).items():
            path = clip.frames[time]
            try:
                picture = encoding.read(path, span=span)
            except InputError as error:
                self._summary.bad.append(str(error))
                continue
            targets = self._within(clip, targets, time, picture.image.shape)
            mean = np.round(cv2.mean(picture.image))
            for piece in self._pieces(picture, clip.xyxy[targets, time]):
                called = f"{clip.name}/{path.name}"  # Equal on every machine.
                record = self._write(records.FRAMES, piece.data, called)
                for number, xyxy in zip(piece.targets, piece.xyxy, strict=True):
                    target = targets[number]
                    row = np.searchsorted(chosen[target], time)
                    mask = self._add_mask(masks, path, piece.window, picture)
                    tables[target][row] = record, mask, time, xyxy, mean
            self._on_frame(self._summary.clips)
        for number, table in enumerate(tables):
            if (table["record"] < 0).all():
                where = f"{clip.name}, object {number}"
                self._summary.skipped.append(f"{where}: no usable frame")
                continue
            several = len(tables) > 1
            self._names.append(f"{clip.name}#{number}" if several else clip.name)
            self._tables.append(table)
            self._clips.append(self._summary.clips)

    def _within(self, clip, targets, time, shape):
        """Returns the targets whose boxes touch the image; lists the others."""
        inside = []
        for target in targets:
            box = clip.xyxy[target, time]
            if box[2] > 0 and box[3] > 0 and box[0] < shape[1] and box[1] < shape[0]:
                inside.append(target)
                continue
            which = f"box {target} is outside of the image"
            self._summary.bad.append(f"{clip.frames[time]}: {which}")
        return inside

    def _pieces(self, picture, xyxy):
        """Yields the pictures to store of a frame."""
        if self._shrink.crop == "511":
            for number, box in enumerate(xyxy):
                image, placed = shrinking.pysot_crop(picture.image, box, self._shrink)
                data = _compress(image, self._shrink)
                yield _Piece(data, (number,), [placed], None)
            return
        if not len(xyxy):
            return
        for window in shrinking.windows(xyxy, picture.image.shape[:2], self._shrink):
            data = _encoded(picture, window, self._shrink)
            placed = [window.place(xyxy[number]) for number in window.targets]
            yield _Piece(data, window.targets, placed, window)

    def _add_mask(self, masks, path, window, picture):
        """Packs the mask of a frame, if there is one; returns its record or -1."""
        if masks is None or window is None:
            return -1
        path = masks / f"{path.stem}.png"
        if not path.is_file():
            return -1
        try:
            mask = encoding.decode_mask(path.read_bytes(), str(path))
            if mask.shape != picture.image.shape[:2]:
                raise InputError(f"{path}: size of the mask differs from its frame")
        except (InputError, OSError) as error:
            self._summary.bad.append(str(error))
            return -1
        cut = window.cut(np.uint8(mask) * 255) > 127
        return self._write(records.MASKS, encoding.encode_mask(cut), path.stem)


@dataclass(frozen=True)
class _Piece:
    """A picture to store, with its targets, their boxes, and its window."""

    data: bytes
    targets: tuple[int, ...]
    xyxy: list[np.ndarray]
    window: Window | None


def _empty_table(times):
    """Returns the rows of a track without any boxes."""
    table = np.zeros(len(times), tracks.ROW)
    table["record"] = table["mask"] = -1
    table["time"] = times
    table["xyxy"] = np.nan
    return table


def _targets_by_time(xyxy, chosen):
    """Returns time -> indices of the targets to store, in order of time."""
    found: dict[int, list[int]] = {}
    for target, times in enumerate(chosen):
        for time in times:
            if not np.isnan(xyxy[target, time]).any():
                found.setdefault(int(time), []).append(target)
    return dict(sorted(found.items()))


def _span(clip):
    """Returns a clip's range of levels if it has more than eight bits."""
    span = depth.sequence_range(clip.frames)
    if span is not None:
        warnings.warn(depth.told(clip.name, span), stacklevel=2)
    return span


def _mask_folder(clip):
    """Returns `mask/` beside `img/`, if the clip has one object and such a folder."""
    folder = clip.frames[0].parent
    masks = folder.parent / "mask"
    is_one = len(clip.xyxy) == 1 and folder.name == "img"
    return masks if is_one and masks.is_dir() else None


def _encoded(picture, window, shrink):
    """Encodes a window of a picture; keeps the original bytes where possible."""
    height, width = picture.image.shape[:2]
    is_whole = window.wh == (width, height)
    if picture.data is not None and is_whole:
        if shrink.crop == "whole" and not shrink.quality:
            return picture.data
        data = _compress(picture.image, shrink)
        return min(data, picture.data, key=len)
    return _compress(window.cut(picture.image), shrink)


def _compress(image, shrink):
    """Encodes an image by the settings."""
    quality = shrink.quality or encoding.QUALITY
    return encoding.encode(image, format=shrink.format, quality=quality)
