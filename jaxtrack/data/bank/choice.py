"""Decides whether and where decoded frames are kept."""

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

_FORMAT = 1  # Of the files; banks of other formats are not reused.
_SHARE = 0.5  # Largest fraction of free space and memory that "auto" uses.
_READ_AT_LEAST = 2  # Reads per frame from which "auto" stores frames.
_LEAST_READS = 20_000  # Reads per training from which "auto" considers a bank.
_SAMPLED = 32  # Tracks used for an estimate.
_DAYS_KEPT = 7  # Unused banks in the folder of "auto".

Say = Callable[[str], None]


class Options(NamedTuple):
    """How a bank is filled.

    Attributes:
      num_workers: number of processes; 0 stores in this one.
      skip_damaged: whether to leave out unreadable frames.
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
    """Replaces sources by their banks of decoded frames, if these may be kept.

    Args:
      sources: of the pairs.
      reads: number of frames that the training reads of each; infinity if unknown.
      place: a folder on local disk or tmpfs, "auto" or "off".
      footprint: the part of frames that training can see.
      options: how to fill a bank.
      say: shows a line to the user; None writes it to standard error.

    Returns:
      The sources in the same order, some with a bank.

    Raises:
      InputError: if frames are damaged, or the given folder cannot be used.
    """
    if place == OFF:
        return list(sources)
    say = say or _print
    if place == AUTO and sum(reads) < _LEAST_READS:
        return list(sources)  # Nothing to report.
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
    """Returns the folder of a source's bank; its name identifies the contents.

    Args:
      source: the frames.
      root: the folder of banks.
      footprint: the part of frames that training can see.
    """
    content = repr((_FORMAT, source.fingerprint(), footprint))
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    return root / f"{source.label}-{key}"


def estimate(source: StoredSource, footprint: Footprint) -> tuple[int, int]:
    """Estimates the size of a bank from some tracks.

    Args:
      source: the frames.
      footprint: the part of frames that training can see.

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
        with contextlib.suppress(InputError):  # The build reports damaged frames.
            hw = source.frame(int(track), int(times[0]), reduction=4)
            limits = np.array([*hw.hw[::-1], *hw.hw[::-1]]) * hw.reduced
            regions = np.clip(footprint.regions(xyxy[times]), 0, limits)
            area = np.prod(regions[:, 2:] - regions[:, :2], axis=1)
            asked = footprint.reductions(xyxy[times])
            bytes_ += 3 * (area[:, None] * asked / np.square(REDUCTIONS)).sum()
    scale = source.num_tracks / count
    return round(frames * scale), round(bytes_ * scale)


def refusal(frames: int, size: int, *, free: int, total: int, reads: float) -> str:
    """Returns why "auto" does not use a bank; "" if it does.

    Args:
      frames: number of frames to store.
      size: of the bank, bytes.
      free: space on the disk, bytes.
      total: memory of the machine, bytes, in which the bank should fit.
      reads: number of frames that the training reads.
    """
    if reads < _READ_AT_LEAST * frames:
        return f"{frames} frames are read only {reads / max(frames, 1):.1f} times each"
    if size > _SHARE * free:
        return f"{_gigabytes(size)} is over half of the free {_gigabytes(free)}"
    if size > _SHARE * total:
        return f"{_gigabytes(size)} is over half of the {_gigabytes(total)} of memory"
    return ""


def _refusal(source, folder, footprint, reads):
    """Returns why "auto" does not use a bank; "" if one exists or may be made."""
    if stored_bytes(folder) is not None:
        return ""
    _prune(folder.parent)
    frames, size = estimate(source, footprint)
    free = shutil.disk_usage(_existing_parent(folder.parent)).free
    total = memory.machine_bytes()
    return refusal(frames, size, free=free, total=total, reads=reads)


def _open(source, folder, footprint, options, is_auto, say):
    """Fills the bank of a source if needed; returns whether there is one."""
    root = folder.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock")):
            _fill(source, folder, footprint, options, say)
            return True
    except OSError as error:
        message = f"{root}: cannot keep a bank there ({error.strerror})"
        if not is_auto:
            raise InputError(f"{message}: set data.bank to another folder") from error
        say(message)
        return False


def _fill(source, folder, footprint, options, say):
    """Reuses or fills a bank; only one process per machine at a time."""
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
    """Fills a bank during training, with one process, unless it exists.

    Args:
      source: the frames.
      folder: of the bank, from `folder_of`.
      footprint: the part of frames that training can see.
      niceness: of the process, added to this one's.
      is_stopped: returns whether to stop and leave nothing; called now and then.

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
    """Holds a lock that the system releases when the process ends."""
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _prune(root):
    """Deletes banks unused for days; a process that has mapped one keeps its pixels."""
    oldest = time.time() - _DAYS_KEPT * 86400
    for summary in root.glob(f"*/{build_lib.SUMMARY}"):
        if summary.parent.stat().st_mtime < oldest:
            shutil.rmtree(summary.parent, ignore_errors=True)


def _auto_folder():
    """Returns the user's folder of banks on local disk."""
    return pathlib.Path(tempfile.gettempdir()) / f"jaxtrack-bank-{os.getuid()}"


def _existing_parent(path):
    """Returns the nearest existing folder above a path."""
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def _gigabytes(size):
    """Formats a number of bytes."""
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.2f} MB"


def _print(line):
    """Shows a line above progress bars."""
    tqdm.write(line, file=sys.stderr)
