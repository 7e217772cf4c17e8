"""Fills a bank: every visible frame decoded once, the part that training can see.

Processes read tracks side by side and append to one file; the folder gets its name
when all is written.
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
_JOBS_A_PROCESS = 16  # At least, so that all have work to the end.
_MOST_TRACKS = 64  # Of a job, so that it ends soon.
_MOST_NAMED = 5


class StoppedError(Exception):
    """A build was told to stop."""


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
    """Stores all that training can see of a source's frames.

    Args:
      source: what to store.
      footprint: what training can see.
      folder: the folder to make; what a killed build left beside it is deleted.
      num_workers: number of processes; 0 stores in this one.
      skip_damaged: whether frames that cannot be read are left out.
      label: names a progress bar; "" shows none.
      niceness: of the processes, added to this one's.
      is_stopped: tells whether to end the build; asked now and then.

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
                f"{folder.parent}: disk full while filling the bank; name another "
                "folder by data.bank, or set data.bank=off"
            ) from error
        raise InputError(f"{folder}: cannot fill the bank ({error})") from error
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    os.replace(work, folder)


def _run(jobs: Iterable[Job], num_workers: int, niceness: int) -> Iterator[Rows]:
    """Yields what each job stored, in the order of the jobs."""
    if num_workers < 1:
        yield from map(store, jobs)
        return
    # Spawned: a forked child inherits the threads' locks of whoever calls.
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
                "a process that fills the bank was killed: where memory is short set "
                "data.bank=off; the same command begins it again"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare(niceness):
    """Readies a worker process."""
    os.nice(niceness)
    processes.prepare_worker()


def _join(parts):
    """Lays rows end to end; entries are numbered on."""
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
    """Names damaged frames; raises unless they may be skipped."""
    if faults and not skip_damaged:
        named = "; ".join(faults[:_MOST_NAMED])
        raise InputError(
            f"{len(faults)} damaged frames: {named}: mend them, or leave them out by "
            "data.skip_damaged=True"
        )


def _pictures(source, skip_damaged):
    """Returns the pictures that fill borders, and the track that each shows."""
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
    """Writes the index, and what says that it is whole last."""
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
