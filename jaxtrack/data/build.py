"""Packs datasets, tables of still images and photographs into a folder of records.

If it is interrupted, call it again to continue; the folder appears when it is complete.
Several machines can each pack a share, and the shares are joined.
"""

import contextlib
import dataclasses
import fcntl
import pathlib
import shutil
import sys
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from jaxtrack import locks
from jaxtrack.data import tracks
from jaxtrack.data.packing import card, disk, finish, plan, summary, workers
from jaxtrack.data.packing import items as packing_items
from jaxtrack.data.packing.part import UNFINISHED
from jaxtrack.data.packing.shrink import Shrink
from jaxtrack.errors import InputError, require
from jaxtrack.shares import WHOLE, Share

_MOST_NAMED = 3
_KEY = "00000-0123456789ab"  # As long as every part's.


@dataclasses.dataclass(frozen=True)
class Origin:
    """The origin of the data, for the data card.

    Attributes:
      command: the command line.
      version: of jaxtrack.
      source: where the data come from.
      terms: of use.
    """

    command: str = ""
    version: str = ""
    source: str = ""
    terms: str = ""


def build(
    out: str | pathlib.Path,
    *,
    root: str | pathlib.Path | None = None,
    patterns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    stills: Sequence[str | pathlib.Path] = (),
    photos: Sequence[str | pathlib.Path] = (),
    dataset: str = "folders",
    split: str | None = None,
    shrink: Shrink = Shrink(),  # noqa: B008 (frozen)
    max_bad: int = 0,
    num_workers: int = 0,
    share: Share = WHOLE,
    origin: Origin = Origin(),
) -> tracks.TrackIndex | None:
    """Packs sequences, still images and photographs into a folder to train from.

    Work in progress is in `OUT.incomplete`, and the next call continues it. A folder
    packed from the same names with the same settings is left alone, even if its
    files have changed since.

    Args:
      out: the folder to make.
      root: folder of the dataset, or None.
      patterns: names or glob patterns of sequences; none takes all.
      exclude: lists, names or patterns of sequences to leave out.
      stills: tables `image x y w h`.
      photos: folders of photographs without boxes, for composed scenes.
      dataset: key of `datasets.TRAINING_SETS`.
      split: of the dataset; None takes its first.
      shrink: what is stored of a frame.
      max_bad: how many images, boxes and sequences may be unusable.
      num_workers: number of processes; 0 takes one per core.
      share: of this machine, if several pack together.
      origin: for the data card.

    Returns:
      The index of the packed folder; None if other shares are missing.

    Raises:
      InputError: if more is unusable than `max_bad` allows, nothing is found, `out`
        has other data, the disk is full, another process packs into it, or
        tensorflow-datasets is not installed.
    """
    require("tensorflow_datasets")
    out = pathlib.Path(out)
    request = packing_items.Request(
        root=str(root or ""),
        dataset=dataset,
        split=split or "",
        patterns=tuple(patterns),
        exclude=tuple(exclude),
        stills=tuple(map(str, stills)),
        photos=tuple(map(str, photos)),
        shrink=shrink,
    )
    if out.exists():
        return _existing(out, request, max_bad)
    return _build(
        out,
        request,
        max_bad=max_bad,
        num_workers=num_workers,
        share=share,
        origin=origin,
    )


def join(
    out: str | pathlib.Path,
    shares: Sequence[str | pathlib.Path],
    *,
    max_bad: int = 0,
    origin: Origin = Origin(),
) -> tracks.TrackIndex:
    """Joins the shares of several machines, without copying a shard.

    Args:
      out: the folder to make.
      shares: folders `OUT.incomplete` of the machines; they are kept.
      max_bad: how many images, boxes and sequences may be unusable.
      origin: for the data card.

    Returns:
      The index of all tracks.

    Raises:
      InputError: a part is missing, or the folders have different data or settings.
    """
    require("tensorflow_datasets")
    out, shares = pathlib.Path(out), [pathlib.Path(share) for share in shares]
    if out.exists():
        raise InputError(f"{out} exists: choose another --out, or delete it")
    whole, folders = plan.locate(shares)
    work = out.with_name(out.name + ".incomplete")
    with _locked(work, WHOLE):
        return _finish(whole, folders, work, out, max_bad, origin)


def _build(out, request, *, max_bad, num_workers, share, origin):
    """Packs a request; see `build`."""
    work = out.with_name(out.name + ".incomplete")
    with _locked(work, share):
        whole, items = plan.make(request, work)
        (work / "parts").mkdir(exist_ok=True)
        own = whole.parts[share.number :: share.count]
        _clear(work / "parts", own, share)
        missing = _missing(own, work / "parts", max_bad)
        workers.pack_all(
            missing,
            items,
            work / "parts",
            request.shrink,
            num_workers=num_workers,
            num_done=plan.num_clips(own) - plan.num_clips(missing),
        )
        with _finishing(work, out) as is_made:
            if is_made:
                return tracks.read(out)
            with disk.writing(work):
                _refuse(_bad_of(own, work / "parts"), max_bad, work / card.BAD)
            folders = [work / "parts" / part.key for part in whole.parts]
            if share.count > 1 and not all(folder.exists() for folder in folders):
                _tell_left_out(_bad_of(own, work / "parts"), work / card.BAD)
                return None
            return _finish(whole, folders, work, out, max_bad, origin)


def _existing(out, request, max_bad):
    """Returns the index of the existing folder, if it has the same request."""
    contents = card.read(out)
    digest = plan.digest_of(request, packing_items.find(request)[0])
    if contents["request"] != request.named() or contents["digest"] != digest:
        raise InputError(
            f"{out}: holds other data or was packed with other settings; delete it or "
            "choose another --out"
        )
    _refuse(contents["bad"], max_bad, out / card.BAD)
    _tell_left_out(contents["bad"], out / card.BAD)
    return tracks.read(out)


def _clear(folder, parts, share):
    """Removes leftovers of a killed process, and parts of other work."""
    keys = {part.key for part in parts}
    for entry in folder.iterdir():
        own = entry.name.startswith(UNFINISHED) and entry.name[-len(_KEY) :] in keys
        if own or (share.count == 1 and entry.name not in keys):
            shutil.rmtree(entry)


def _missing(parts, folder, max_bad):
    """Returns missing parts, and parts whose bad items may have been fixed."""
    done = [part for part in parts if (folder / part.key).exists()]
    if len(_bad_of(done, folder)) > max_bad:
        done = [part for part in done if not _bad_of([part], folder)]
    missing = [part for part in parts if part not in done]
    for part in missing:
        shutil.rmtree(folder / part.key, ignore_errors=True)
    return missing


def _bad_of(parts, folder):
    """Returns the bad items of finished parts, one line each."""
    return summary.add([folder / part.key for part in parts]).bad


def _refuse(bad, max_bad, listing):
    """Lists bad items; raises if there are too many."""
    if not bad:
        return
    if not listing.exists() or len(bad) > max_bad:
        listing.write_text("".join(f"{line}\n" for line in bad))
    if len(bad) > max_bad:
        raise InputError(
            f"{_worded(bad, listing)}: fix them and run the same command again, or "
            f"leave them out with --max_bad={len(bad)} (not --strict); packed parts "
            "are kept"
        )


def _tell_left_out(bad, listing):
    """Reports the items left out."""
    if bad:
        tqdm.write(f"left out {_worded(bad, listing)}", file=sys.stderr)


def _worded(bad, listing):
    """Counts bad items, and names the first."""
    what = "images, boxes or sequences" if len(bad) > 1 else "image, box or sequence"
    named = "; ".join(bad[:_MOST_NAMED])
    return f"{len(bad)} bad {what}: {named} (all in {listing})"


def _finish(whole, folders, work, out, max_bad, origin):
    """Joins parts into one folder with its card, and renames it at the end."""
    finished_folder = work / "final"
    with disk.writing(work):
        finish.clear(finished_folder)
        finished = finish.join(folders, finished_folder)
        _refuse(finished.summary.bad, max_bad, work / card.BAD)
        card.write(finished_folder, whole, finished, **dataclasses.asdict(origin))
    finish.replace_folder(finished_folder, out)
    _tell_left_out(finished.summary.bad, out / card.BAD)
    shutil.rmtree(work, ignore_errors=True)
    return tracks.read(out)


def _locked(work: pathlib.Path, share: Share) -> contextlib.AbstractContextManager:
    """Locks a share of the work in a folder, which is created."""
    name = f"lock-{share.number}-of-{share.count}"
    return locks.locked(work, "packing", name=name)


@contextlib.contextmanager
def _finishing(work: pathlib.Path, out: pathlib.Path) -> Iterator[bool]:
    """Lets machines finish one at a time; yields whether another one has finished."""
    try:
        file = open(work / "lock-finish", "w")
    except OSError:
        if not out.exists():
            raise
        yield True
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield out.exists()
