"""Packs parts in processes: with progress, prompt stopping, and a few retries."""

import collections
import concurrent.futures
import multiprocessing
import os
import pathlib
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool

from tqdm import tqdm

from jaxtrack.data import processes
from jaxtrack.data.packing import part as packing_part
from jaxtrack.data.packing.items import Items, Part
from jaxtrack.data.packing.plan import num_clips
from jaxtrack.data.packing.shrink import Shrink
from jaxtrack.errors import InputError

_RETRIES = 2  # Of work left undone by a killed process.
_POLL_SECONDS = 0.5

# In a worker: finished clips of each part, then whether all have to stop.
_board = None


class _StoppedError(Exception):
    """The parent stops all workers."""


def pack_all(
    parts: Sequence[Part],
    items: Items,
    folder: pathlib.Path,
    shrink: Shrink,
    *,
    num_workers: int = 0,
    num_done: int = 0,
) -> None:
    """Packs parts in processes, with a progress bar of clips.

    Args:
      parts: to pack.
      items: clips of all parts.
      folder: receives one folder per part.
      shrink: what is stored of a frame.
      num_workers: number of processes; 0 takes one per core.
      num_done: clips that were packed before.

    Raises:
      InputError: the disk is full, or processes are killed repeatedly.
    """
    processes.check_main()
    # In a log file it appears rarely, and not at all for short work.
    seconds = 0.5 if sys.stderr.isatty() else 30.0
    bar = tqdm(
        total=num_done + num_clips(parts),
        initial=num_done,
        unit="clip",
        desc="packing",
        mininterval=seconds,
        delay=seconds,
    )
    with bar:
        for attempt in range(_RETRIES + 1):
            missing = [part for part in parts if not (folder / part.key).exists()]
            try:
                return _pack_once(missing, items, folder, shrink, num_workers, bar)
            except BrokenProcessPool:
                if attempt == _RETRIES:
                    first = items[missing[0].start].name
                    raise InputError(
                        f"{folder.parent}: a packing process was killed "
                        f"{_RETRIES + 1} times, the last time at or after {first}; "
                        "if memory is short, lower --num_workers; the same "
                        "command continues"
                    ) from None


def _pack_once(parts, items, folder, shrink, num_workers, bar):
    """Packs parts; always ends its processes."""
    if not parts:
        return
    # Spawned: a forked child inherits the locks of the caller's threads.
    context = multiprocessing.get_context("spawn")
    board = context.RawArray("q", len(parts) + 1)
    num_workers = min(num_workers or os.cpu_count() or 1, len(parts))
    pool = concurrent.futures.ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_start, initargs=(board,)
    )
    first, waiting = bar.n, collections.deque(enumerate(parts))
    jobs: set[concurrent.futures.Future] = set()
    with pool:
        try:
            while jobs or waiting:
                while waiting and len(jobs) < 2 * num_workers:
                    number, part = waiting.popleft()
                    what = (
                        part.key,
                        items.of(part),
                        folder,
                        shrink,
                    )
                    jobs.add(pool.submit(_pack_one, number, what))
                done, jobs = concurrent.futures.wait(
                    jobs, _POLL_SECONDS, concurrent.futures.FIRST_COMPLETED
                )
                bar.update(first + sum(board[:-1]) - bar.n)
                for job in done:
                    job.result()
        except BaseException:
            board[len(parts)] = 1
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _start(board):
    """Prepares a worker."""
    global _board
    _board = board
    processes.prepare_worker()


def _pack_one(number, what):
    """Packs a part in a worker; reports progress and checks for a stop every frame."""

    def on_frame(clips):
        _board[number] = clips
        if _board[len(_board) - 1]:
            raise _StoppedError

    key, items, folder, shrink = what
    packing_part.pack(key, items, folder, shrink, on_frame=on_frame)
