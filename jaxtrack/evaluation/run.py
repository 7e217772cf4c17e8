"""Runs a checkpoint over sequences and keeps what is finished."""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import loading, manifest, results
from jaxtrack.evaluation.batching import (
    Track,
    compiled,
    is_batched,
    open_video,
    tracking_function,
)
from jaxtrack.evaluation.manifest import Skip
from jaxtrack.shares import WHOLE, Share


def track_checkpoint(
    checkpoint: str | pathlib.Path,
    videos: Sequence[Video],
    out_dir: str | pathlib.Path,
    *,
    name: str,
    batched: bool | None = None,
    tracking: Mapping[str, Any] | None = None,
    origin: float = 0.0,
    skip: Skip | None = None,
    share: Share = WHOLE,
) -> pathlib.Path:
    """Tracks every sequence that this checkpoint has not finished yet.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      videos: the sequences.
      out_dir: results go to `<out_dir>/results/<name>`.
      name: of the tracker.
      batched: many sequences at once by vmap, grouped by canvas, and shared out to
        all local devices, instead of one at a time; the boxes are the same up to the
        rounding of float32. None does so but on a CPU, which is faster one by one.
      tracking: see `loading.open_checkpoint`.
      origin: added to x and y in the files; 1 where a benchmark counts pixels from 1.
      skip: told of each sequence that cannot be tracked, and why; None raises.
      share: of this process; see `manifest.complete`.

    Returns:
      The folder of results.

    Raises:
      InputError: the checkpoint is missing or damaged, a file cannot be written, no
        sequence has a first box; or without `skip` a frame is missing or damaged, or a
        first box unusable.
    """
    videos = usable_videos(videos, skip=skip)
    opened = loading.open_checkpoint(checkpoint, tracking=tracking or {})
    folder = pathlib.Path(out_dir) / "results" / name
    identity = opened.identity | ({"origin": origin} if origin else {})
    hashes = manifest.hash_sequences(videos)
    skip = manifest.recorded(skip, folder, identity=identity, hashes=hashes)
    batched = is_batched(batched)
    drivers = compiled(opened.tracker, batched=batched)
    track = tracking_function(drivers, opened.variables, batched=batched, skip=skip)
    around = opened.around | {"batched": batched}
    about = {"identity": identity, "around": around, "origin": origin}
    track_unfinished(track, videos, folder, **about, hashes=hashes, share=share)
    return folder


def usable_videos(videos: Sequence[Video], *, skip: Skip | None = None) -> list[Video]:
    """Returns the sequences that a tracker can start on.

    Args:
      videos: the sequences.
      skip: told of each of the others, and why; None raises.

    Raises:
      InputError: there are none; or without `skip`, one has no pictures or no first
        box.
    """
    faults = {video.name: _start_fault(video) for video in videos}
    usable = [video for video in videos if not faults[video.name]]
    if not videos:
        raise InputError("no sequences to track")
    for name, fault in faults.items():
        if fault and (skip is None or not usable):
            raise InputError(f"sequence {name}: {fault}")
        if fault:
            skip(name, fault)
    return usable


def readable_videos(
    videos: Sequence[Video], *, skip: Skip | None = None
) -> list[Video]:
    """Returns the sequences that can be tracked to the end; every frame is decoded.

    Args:
      videos: the sequences.
      skip: told of each of the others, and why; None raises.

    Raises:
      InputError: as `usable_videos`; or of every sequence a frame cannot be read.
    """
    readable, fault, usable = [], None, usable_videos(videos, skip=skip)
    total = sum(len(video.frames) for video in usable)
    with tqdm(total=total, unit="frame", desc="reading all frames once") as bar:
        for video in usable:
            try:
                _decode(video, bar.update)
                readable.append(video)
            except InputError as found:
                fault = found
                if skip is None:
                    raise
                skip(video.name, str(fault))
    if not readable:
        raise InputError(f"no sequence can be tracked: {fault}")
    return readable


def _decode(video: Video, advance: Callable[[int], object]) -> None:
    """Decodes every frame of a sequence."""
    with open_video(video) as reader:
        for _ in reader:
            advance(1)


def _start_fault(video: Video) -> str:
    """Why no tracker can start on a sequence, or ""."""
    if not video.frames:
        return "there are no pictures to track it in"
    if not np.all(np.isfinite(video.xyxy[0])):
        return "its first frame has no box to start from"
    return ""


def track_unfinished(
    track: Track,
    videos: Sequence[Video],
    folder: str | pathlib.Path,
    *,
    identity: dict,
    around: dict,
    title: str = "tracking",
    is_quiet: bool = False,
    origin: float = 0.0,
    hashes: Mapping[str, str] | None = None,
    share: Share = WHOLE,
) -> list[str]:
    """Tracks the sequences whose results are not there yet; see `manifest.complete`.

    Args:
      track: does the tracking.
      videos: the sequences.
      folder: of this tracker's results.
      identity: of weights and settings, as JSON.
      around: of the run, as JSON; recorded, never compared.
      title: of the bar.
      is_quiet: does not say what is kept.
      origin: see `track_checkpoint`.
      hashes: see `manifest.complete`.
      share: of this process; see `manifest.complete`.

    Returns:
      Names of the sequences tracked now.

    Raises:
      InputError: from `track`, or a file cannot be written.
    """
    counts = {v.name: len(v.frames) for v in videos}

    def check(name: str) -> None:
        results.read_boxes_xywh(pathlib.Path(folder) / f"{name}.txt", counts[name])

    def work(pending, advance):
        for name, xywh, seconds in track(pending, advance):
            boxes = xywh + np.array([origin, origin, 0.0, 0.0])
            yield name, partial(results.write_result, folder, name, boxes, seconds)

    about = {"identity": identity, "around": around, "check": check}
    how = {"title": title, "is_quiet": is_quiet, "hashes": hashes, "share": share}
    return manifest.complete(work, videos, folder, **about, **how)
