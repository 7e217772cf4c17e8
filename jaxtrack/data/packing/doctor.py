"""Checks training data for faults that would spoil hours of training.

Every picture is decoded, packed or not, and every box compared with its picture and
the previous frame. Damaged items are certainly wrong; suspicious ones need a look,
since an annotation error looks like a fast target.
"""

import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxtrack import datasets
from jaxtrack.data import encoding, processes, tracks
from jaxtrack.data.packing.findings import Findings, check_boxes
from jaxtrack.datasets.training_sets import ReadClip
from jaxtrack.errors import InputError

# Jobs are small, so that the bar moves and it can stop soon.
_RECORDS_A_JOB, _CLIPS_A_JOB = 256, 8
_Job = tuple[Callable[..., Findings], tuple]


def check_packed(folder: str | pathlib.Path, *, num_workers: int = 0) -> Findings:
    """Checks a packed folder: index, every record, every box.

    Args:
      folder: made by `jaxtrack pack`.
      num_workers: processes; 0 takes one per core.

    Returns:
      The result.

    Raises:
      InputError: there is no packed data, a shard is missing or truncated, or the index
        is damaged.
    """
    from jaxtrack.data import records  # Late: tfds takes a quarter of a second.

    folder = pathlib.Path(folder)
    if not (folder / tracks.FILE_NAME).is_file():
        fault = "no packed data there" if folder.is_dir() else "no such folder"
        raise InputError(
            f"{folder}: {fault}; a dataset that is not packed needs --dataset=NAME"
        )
    index = tracks.read(folder)
    tracks.check(folder)
    jobs: list[_Job] = []
    splits = {shard.name.split(".")[0].rsplit("-", 1)[-1] for shard in index.shards}
    for split in records.SPLITS:
        if split in splits:
            count = len(records.open_split(folder, split))
            for first in range(0, count, _RECORDS_A_JOB):
                part = range(first, min(first + _RECORDS_A_JOB, count))
                jobs.append((_decode_records, (str(folder), split, part)))
    sizes: dict[int, tuple[int, int]] = {}
    findings = _run_all(jobs, num_workers, on_sizes=sizes.update)
    for number, name in enumerate(index.names):
        rows = index.rows(number)
        hw = [sizes.get(int(record)) for record in index.records[rows]]
        times = index.times[rows] if not index.extent else None
        findings.add(check_boxes(str(name), index.xyxy[rows], hw, times=times))
    return findings


def check_dataset(
    name: str,
    root: str | pathlib.Path,
    *,
    split: str | None = None,
    patterns: Sequence[str] = (),
    num_workers: int = 0,
) -> Findings:
    """Checks a dataset before it is packed.

    Args:
      name: key of `datasets.TRAINING_SETS`.
      root: the folder of the unpacked archives.
      split: None takes the dataset's first.
      patterns: names or glob patterns of sequences; none takes all.
      num_workers: processes; 0 takes one per core.

    Returns:
      The result.

    Raises:
      InputError: see `datasets.training`.
    """
    listing, read = datasets.training(name, root, split=split, patterns=patterns)
    items = list(listing.found.items())
    if not items:
        raise InputError(f"{root}: no training data of {name} there")
    jobs: list[_Job] = [
        (_check_clips, (read, items[first : first + _CLIPS_A_JOB]))
        for first in range(0, len(items), _CLIPS_A_JOB)
    ]
    return _run_all(jobs, num_workers)


def _run_all(
    jobs: Sequence[_Job],
    num_workers: int,
    *,
    on_sizes: Callable[[Any], None] | None = None,
) -> Findings:
    """Runs jobs, with a progress bar, and adds up their results."""
    findings = Findings()
    seconds = 0.5 if sys.stderr.isatty() else 30.0
    bar = tqdm(total=len(jobs), desc="checking", mininterval=seconds, delay=seconds)
    with bar, contextlib.closing(_results(jobs, num_workers)) as results:
        for part, sizes in results:
            findings.add(part)
            if on_sizes is not None:
                on_sizes(sizes)
            bar.update()
    return findings


def _results(jobs, num_workers):
    """Yields results in the order of the jobs, so that two runs are equal."""
    count = min(num_workers or os.cpu_count() or 1, len(jobs))
    if count <= 1:
        yield from (function(*arguments) for function, arguments in jobs)
        return
    with concurrent.futures.ProcessPoolExecutor(
        count,
        # Spawned: a forked child inherits the locks of the caller's threads.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=processes.prepare_worker,
    ) as pool:
        try:
            futures = [pool.submit(function, *args) for function, args in jobs]
            yield from (future.result() for future in futures)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _decode_records(folder, split, numbers):
    """Decodes records; returns the result, and sizes of frames by index."""
    from jaxtrack.data import records

    findings, sizes = Findings(), {}
    source = _opened(folder, split)
    for number in numbers:
        name = f"{folder}, {split} record {number}"
        try:
            data = records.read_record(source, number, name)
            decode = encoding.decode_mask if split == records.MASKS else encoding.decode
            shape = decode(data, name).shape
        except InputError as error:
            findings.damaged.append(str(error))
            continue
        findings.num_pictures += 1
        if split == records.FRAMES:
            sizes[number] = shape[:2]
    return findings, sizes


@functools.lru_cache(8)
def _opened(folder, split):
    """Opens records once per process."""
    from jaxtrack.data import records

    return records.open_split(folder, split)


def _check_clips(read: ReadClip, items):
    """Reads and checks clips that are not packed."""
    findings = Findings()
    for name, place in items:
        try:
            clip = read(name, place)
        except InputError as error:
            findings.damaged.append(str(error))
            continue
        findings.suspicious += clip.skipped
        sizes = []
        for path in clip.frames:
            try:
                sizes.append(encoding.read(path).image.shape[:2])
                findings.num_pictures += 1
            except InputError as error:
                findings.damaged.append(str(error))
                sizes.append(None)
        times = np.arange(len(clip.frames))
        for number, xyxy in enumerate(clip.xyxy):
            own = clip.name if len(clip.xyxy) == 1 else f"{clip.name}#{number}"
            findings.add(check_boxes(own, xyxy, sizes, times=times))
    return findings, {}
