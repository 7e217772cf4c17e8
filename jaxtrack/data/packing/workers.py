"""Parts packed by processes: with progress, a stop that is heard, and few retries."""

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

_RETRIES = 2  # Of what a killed process leaves undone.
_POLL_SECONDS = 0.5

# Of a worker: clips done of each part, and after them whether all have to stop.
_board = None


class _StoppedError(Exception):
    """The parent wants no more."""


def pack_all(
    parts: Sequence[Part],
    items: Items,
    folder: pathlib.Path,
    shrink: Shrink,
    *,
    num_workers: int = 0,
    num_done: int = 0,
) -> None:
    """Packs parts in processes, with a bar of clips that tells the time left.

    Args:
      parts: what to pack.
      items: clips of all parts.
      folder: gets a folder of each.
      shrink: what is stored of a frame.
      num_workers: number of processes; 0 takes one a core.
      num_done: clips that were packed before.

    Raises:
      InputError: the disk is full, or processes are killed again and again.
    """
    processes.check_main()
    # Into a log it is written now and then, and not at all of what takes seconds.
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
                        "where memory is short take fewer --num_workers; the same "
                        "command goes on"
                    ) from None


def _pack_once(parts, items, folder, shrink, num_workers, bar):
    """Packs parts; ends with its processes whatever happens."""
    if not parts:
        return
    # Spawned: a forked child inherits the threads' locks of whoever calls.
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
    """Packs a part in a worker; reports and listens after every frame."""

    def on_frame(clips):
        _board[number] = clips
        if _board[len(_board) - 1]:
            raise _StoppedError

    key, items, folder, shrink = what
    packing_part.pack(key, items, folder, shrink, on_frame=on_frame)
