"""Whether and where frames are kept decoded."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from jaxtrack.data import memory
from jaxtrack.data.bank import build as build_lib
from jaxtrack.data.bank.footprint import REDUCTIONS, Footprint
from jaxtrack.data.bank.source import BankedSource, stored_bytes
from jaxtrack.data.pairs import visible_times
from jaxtrack.data.sources import StoredSource
from jaxtrack.errors import InputError

AUTO, OFF = "auto", "off"

_FORMAT = 1  # Of the files; a bank of another one is not reused.
_SHARE = 0.5  # Of the free space, and of the memory, that "auto" takes at most.
_READ_AT_LEAST = 2  # Times that a training reads a frame, for "auto" to store it.
_LEAST_READS = 20_000  # Frames that a training reads, for "auto" to look into it.
_SAMPLED = 32  # Tracks that an estimate looks at.
_DAYS_KEPT = 7  # Unused banks in the folder of "auto".

Say = Callable[[str], None]


class Options(NamedTuple):
    """How a bank is filled.

    Attributes:
      num_workers: number of processes; 0 stores in this one.
      skip_damaged: whether frames that cannot be read are left out.
    """

    num_workers: int
    skip_damaged: bool


def open_bank(
    sources: Sequence[StoredSource],
    reads: Sequence[float],
    place: str,
    footprint: Footprint,
    options: Options,
    *,
    say: Say | None = None,
) -> list[StoredSource]:
    """Returns sources that read decoded frames, where they may be kept.

    Args:
      sources: what pairs are drawn from.
      reads: frames that the training reads of each, infinity if nobody knows.
      place: a folder on local disk or tmpfs, "auto" or "off".
      footprint: what training can see.
      options: how to fill a bank.
      say: shows a line to the user; None writes it to standard error.

    Returns:
      The sources in the same order, some of them banked.

    Raises:
      InputError: if frames are damaged, or a folder that was named cannot be used.
    """
    if place == OFF:
        return list(sources)
    say = say or _print
    if place == AUTO and sum(reads) < _LEAST_READS:
        return list(sources)  # Not worth a word.
    is_auto = place == AUTO
    root = _auto_folder() if is_auto else pathlib.Path(place)
    opened = []
    for source, times in zip(sources, reads, strict=True):
        folder = folder_of(source, root, footprint)
        if is_auto and (why := _refusal(source, folder, footprint, times)):
            say(f"no bank of {source.label}: {why}")
        elif _open(source, folder, footprint, options, is_auto, say):
            source = BankedSource(source, folder)
        opened.append(source)
    return opened


def folder_of(source: StoredSource, root: pathlib.Path, footprint: Footprint):
    """Returns where the bank of a source lies, whose name says all that is in it.

    Args:
      source: what is stored.
      root: the folder of banks.
      footprint: what training can see.
    """
    content = repr((_FORMAT, source.fingerprint(), footprint))
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    return root / f"{source.label}-{key}"


def estimate(source: StoredSource, footprint: Footprint) -> tuple[int, int]:
    """Estimates what a bank would hold, from some tracks.

    Args:
      source: what would be stored.
      footprint: what training can see.

    Returns:
      The number of frames and of bytes.
    """
    count = min(source.num_tracks, _SAMPLED)
    frames = bytes_ = 0
    for track in np.arange(count) * source.num_tracks // count:
        xyxy = source.track_boxes(int(track))
        times = visible_times(xyxy)
        frames += len(times)
        if not len(times):
            continue
        with contextlib.suppress(InputError):  # The build says what is damaged.
            hw = source.frame(int(track), int(times[0]), reduction=4)
            limits = np.array([*hw.hw[::-1], *hw.hw[::-1]]) * hw.reduced
            regions = np.clip(footprint.regions(xyxy[times]), 0, limits)
            area = np.prod(regions[:, 2:] - regions[:, :2], axis=1)
            asked = footprint.reductions(xyxy[times])
            bytes_ += 3 * (area[:, None] * asked / np.square(REDUCTIONS)).sum()
    scale = source.num_tracks / count
    return round(frames * scale), round(bytes_ * scale)


def refusal(frames: int, size: int, *, free: int, total: int, reads: float) -> str:
    """Says why "auto" does without a bank; "" if it takes one.

    Args:
      frames: that would be stored.
      size: of them, bytes.
      free: space on the disk, bytes.
      total: memory of the machine, bytes: what is larger would not stay in it.
      reads: frames that the training reads.
    """
    if reads < _READ_AT_LEAST * frames:
        return f"it would read {frames} frames {reads / max(frames, 1):.1f} times each"
    if size > _SHARE * free:
        return f"{_gigabytes(size)} are over half of the {_gigabytes(free)} free"
    if size > _SHARE * total:
        return f"{_gigabytes(size)} are over half of {_gigabytes(total)} of memory"
    return ""


def _refusal(source, folder, footprint, reads):
    """Says why "auto" does without a bank; "" if there is one, or may be one."""
    if stored_bytes(folder) is not None:
        return ""
    _prune(folder.parent)
    frames, size = estimate(source, footprint)
    free = shutil.disk_usage(_existing_parent(folder.parent)).free
    total = memory.machine_bytes()
    return refusal(frames, size, free=free, total=total, reads=reads)


def _open(source, folder, footprint, options, is_auto, say):
    """Tells whether there is a bank of a source now; it is filled if need be."""
    root = folder.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock")):
            _fill(source, folder, footprint, options, say)
            return True
    except OSError as error:
        message = f"{root}: cannot keep a bank there ({error.strerror})"
        if not is_auto:
            raise InputError(f"{message}: name another folder by data.bank") from error
        say(message)
        return False


def _fill(source, folder, footprint, options, say):
    """Reuses or fills a bank; only one process of the machine does at a time."""
    size = stored_bytes(folder)
    if size is not None:
        os.utime(folder)
        say(f"bank {folder}: {_gigabytes(size)}, reused")
        return
    shutil.rmtree(folder, ignore_errors=True)
    start = time.monotonic()
    build_lib.build(
        source,
        footprint,
        folder,
        num_workers=options.num_workers,
        skip_damaged=options.skip_damaged,
        label=f"bank of {source.label}",
    )
    seconds = time.monotonic() - start
    size = _gigabytes(stored_bytes(folder))
    say(f"bank {folder}: {size}, filled in {seconds:.1f} s")


def fill_quietly(
    source: StoredSource,
    folder: pathlib.Path,
    footprint: Footprint,
    *,
    niceness: int,
    is_stopped: Callable[[], bool],
) -> None:
    """Fills a bank beside a training, with one process, unless it is there.

    Args:
      source: what to store.
      folder: the bank's, as `folder_of` names it.
      footprint: what training can see.
      niceness: of the process, added to this one's.
      is_stopped: tells whether to end it and leave nothing; asked now and then.

    Raises:
      InputError: if it cannot be filled.
    """
    with _locked(folder.with_name(folder.name + ".lock")):
        if stored_bytes(folder) is not None or is_stopped():
            return
        shutil.rmtree(folder, ignore_errors=True)
        options = {"num_workers": 1, "skip_damaged": True, "niceness": niceness}
        with contextlib.suppress(build_lib.StoppedError):
            options["is_stopped"] = is_stopped
            build_lib.build(source, footprint, folder, **options)


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    """Holds a lock that the system takes back from a process that dies."""
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _prune(root):
    """Deletes banks that nothing has used for days; who maps one keeps its pixels."""
    oldest = time.time() - _DAYS_KEPT * 86400
    for summary in root.glob(f"*/{build_lib.SUMMARY}"):
        if summary.parent.stat().st_mtime < oldest:
            shutil.rmtree(summary.parent, ignore_errors=True)


def _auto_folder():
    """Returns the user's folder of banks on local disk."""
    return pathlib.Path(tempfile.gettempdir()) / f"jaxtrack-bank-{os.getuid()}"


def _existing_parent(path):
    """Returns the nearest folder above a path that is there."""
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def _gigabytes(size):
    """Formats a number of bytes."""
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.2f} MB"


def _print(line):
    """Shows a line above progress bars."""
    tqdm.write(line, file=sys.stderr)
