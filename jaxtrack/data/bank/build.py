"""Fills a bank with the visible part of every frame, decoded once.

Processes read tracks in parallel and append to one file; the folder is renamed when
everything is written.
"""

import concurrent.futures
import errno
import json
import multiprocessing
import os
import pathlib
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from tqdm import tqdm

from jaxtrack.data import processes
from jaxtrack.data.bank.footprint import Footprint
from jaxtrack.data.bank.store import Job, Rows, store
from jaxtrack.data.frames import PICTURE_SIDE
from jaxtrack.data.sources import StoredSource
from jaxtrack.errors import InputError

PIXELS, SUMMARY = "pixels.bin", "bank.json"
_JOBS_A_PROCESS = 16  # At least, so that all processes finish together.
_MOST_TRACKS = 64  # Per job, so that it ends soon.
_MOST_NAMED = 5


class StoppedError(Exception):
    """A build was stopped."""


def build(
    source: StoredSource,
    footprint: Footprint,
    folder: pathlib.Path,
    *,
    num_workers: int,
    skip_damaged: bool = False,
    label: str = "",
    niceness: int = 0,
    is_stopped: Callable[[], bool] | None = None,
) -> None:
    """Stores the part of a source's frames that training can see.

    Args:
      source: the frames.
      footprint: the part that training can see.
      folder: the folder to make; leftovers of a killed build are deleted.
      num_workers: number of processes; 0 stores in this one.
      skip_damaged: whether to leave out unreadable frames.
      label: of the progress bar; "" shows none.
      niceness: of the processes, added to this one's.
      is_stopped: returns whether to stop; called now and then.

    Raises:
      StoppedError: if it was stopped; nothing is left.
      InputError: if frames are damaged, or the disk is full.
    """
    work = folder.with_name(folder.name + ".incomplete")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        (work / PIXELS).touch()
        count = max(num_workers, 1) * _JOBS_A_PROCESS
        count = max(count, source.num_tracks // _MOST_TRACKS)
        tracks = np.arange(source.num_tracks)
        shares = np.array_split(tracks, min(source.num_tracks, count))
        data = pickle.dumps(source)
        jobs = [
            Job(data, footprint, work / PIXELS, tuple(share.tolist()))
            for share in shares
        ]
        bar = tqdm(total=source.num_tracks, desc=label, unit="track", disable=not label)
        with bar:
            parts = []
            for part in _run(jobs, num_workers, niceness):
                parts.append(part)
                bar.update(len(part.lengths))
                if is_stopped is not None and is_stopped():
                    raise StoppedError
        rows = _join(parts)
        _refuse(rows.faults, skip_damaged)
        _save(rows, _pictures(source, skip_damaged), work)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"{folder.parent}: disk full while filling the bank; set data.bank to "
                "another folder, or to off"
            ) from error
        raise InputError(f"{folder}: cannot fill the bank ({error})") from error
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    os.replace(work, folder)


def _run(jobs: Iterable[Job], num_workers: int, niceness: int) -> Iterator[Rows]:
    """Yields the results of the jobs, in order."""
    if num_workers < 1:
        yield from map(store, jobs)
        return
    # Spawned: a forked child inherits the locks of the caller's threads.
    pool = concurrent.futures.ProcessPoolExecutor(
        num_workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(niceness,),
    )
    with pool:
        try:
            yield from pool.map(store, jobs)
        except BrokenProcessPool:
            raise InputError(
                "a process that fills the bank was killed: if memory is short, set "
                "data.bank=off; the same command starts it again"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare(niceness):
    """Prepares a worker process."""
    os.nice(niceness)
    processes.prepare_worker()


def _join(parts):
    """Concatenates rows, and renumbers their entries."""
    counts = np.array([len(part.entries) for part in parts])
    lookups = [
        np.where(part.lookup < 0, -1, part.lookup + first)
        for part, first in zip(parts, np.cumsum(counts) - counts, strict=True)
    ]
    return Rows(
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate(lookups),
        np.concatenate([part.entries for part in parts]),
        tuple(fault for part in parts for fault in part.faults),
    )


def _refuse(faults, skip_damaged):
    """Reports damaged frames; raises unless they may be skipped."""
    if faults and not skip_damaged:
        named = "; ".join(faults[:_MOST_NAMED])
        raise InputError(
            f"{len(faults)} damaged frames: {named}: fix them, or leave them out with "
            "data.skip_damaged=True"
        )


def _pictures(source, skip_damaged):
    """Returns the pictures for padding, and the track that each shows."""
    shape = (source.num_pictures, PICTURE_SIDE, PICTURE_SIDE, 3)
    images = np.zeros(shape, np.uint8)
    tracks = np.full(source.num_pictures, -2, np.int64)  # -2: could not be read.
    for number in range(source.num_pictures):
        try:
            tracks[number], images[number] = source.picture(number)
        except InputError:
            if not skip_damaged:
                raise
    return {"pictures": images, "picture_tracks": tracks}


def _save(rows, pictures, work):
    """Writes the index, with the mark of completeness last."""
    arrays = {
        "offsets": np.cumsum([0, *rows.lengths]),
        "xyxy": rows.xyxy,
        "lookup": rows.lookup,
        "entries": rows.entries,
        **pictures,
    }
    for name, value in arrays.items():
        np.save(work / f"{name}.npy", value)
    size = (work / PIXELS).stat().st_size
    summary = {"bytes": size, "frames": int((rows.lookup >= 0).any(axis=1).sum())}
    (work / SUMMARY).write_text(json.dumps(summary))
