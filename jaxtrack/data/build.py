"""Packs datasets and tables of stills into ArrayRecord.

Killed, it goes on where it stopped when called again; the folder appears when it is
complete.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import sys
from collections.abc import Sequence

from tqdm import tqdm

from jaxtrack.data import packing, processes, tracks
from jaxtrack.errors import InputError, require

_MOST_NAMED = 5


def build(
    out: str | pathlib.Path,
    *,
    root: str | pathlib.Path | None = None,
    patterns: Sequence[str] = (),
    stills: Sequence[str | pathlib.Path] = (),
    dataset: str = "folders",
    split: str | None = None,
    skip_damaged: bool = False,
    num_workers: int = 0,
) -> tracks.TrackIndex:
    """Packs sequences and stills into a folder that `sources.RecordSource` reads.

    Work in progress lies in `OUT.incomplete` and is taken up by the next call. A
    packed folder is left alone if its files have not changed since.

    Args:
      out: the folder to make.
      root: folder of the dataset, or None.
      patterns: names of sequences, or patterns of them; none takes all.
      stills: tables `image x y w h`.
      dataset: key of `datasets.DATASETS`.
      split: of the dataset; None takes its first.
      skip_damaged: whether damaged files are left out (and listed in `damaged.txt`)
        rather than refused.
      num_workers: number of processes; 0 takes one a core.

    Returns:
      The index of what was packed.

    Raises:
      InputError: if files are damaged, nothing is found, `out` holds other data, or
        tensorflow-datasets is not installed.
    """
    require("tensorflow_datasets")
    out = pathlib.Path(out)
    clips, faults = packing.collect(
        root, patterns=patterns, stills=stills, dataset=dataset, split=split
    )
    parts = packing.split_clips(clips) if clips else []
    fingerprint = hashlib.sha256("".join(p.key for p in parts).encode()).hexdigest()
    if out.exists():
        return _existing(out, fingerprint, skip_damaged)
    work = out.with_name(out.name + ".incomplete")
    (work / "parts").mkdir(parents=True, exist_ok=True)
    _pack_all(parts, work / "parts", num_workers)
    indices = [tracks.read(work / "parts" / part.key) for part in parts]
    faults += [fault for index in indices for fault in index.faults]
    _refuse(faults, skip_damaged, work)
    if not any((index.records >= 0).any() for index in indices):
        raise InputError(f"no sound frame is left to pack (see {work}/damaged.txt)")
    _finish(parts, indices, faults, fingerprint, work, out)
    return tracks.read(out)


def _existing(out, fingerprint, skip_damaged):
    """Returns the index of what was packed before, if it is of the same files."""
    index = tracks.read(out)
    if index.fingerprint != fingerprint:
        raise InputError(
            f"{out}: holds other data, or its files have changed since; delete it or "
            "choose another --out"
        )
    _refuse(index.faults, skip_damaged, out)
    return index


def _pack_all(parts, folder, num_workers):
    """Packs the parts that are not there yet, in processes, with a progress bar."""
    for entry in folder.iterdir():
        if entry.name not in {part.key for part in parts}:
            shutil.rmtree(entry)  # Unfinished, or of files that changed since.
    missing = [part for part in parts if not (folder / part.key).exists()]
    bar = tqdm(
        total=sum(part.num_frames for part in parts),
        initial=sum(part.num_frames for part in parts if part not in missing),
        unit="frame",
        desc="packing",
        disable=not missing,
    )
    # Spawned: a forked child inherits the threads' locks of whoever calls.
    pool = concurrent.futures.ProcessPoolExecutor(
        min(num_workers or os.cpu_count() or 1, max(len(missing), 1)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=processes.prepare_worker,
    )
    with bar, pool:
        jobs = {pool.submit(packing.pack, part, folder): part for part in missing}
        try:
            for job in concurrent.futures.as_completed(jobs):
                job.result()
                bar.update(jobs[job].num_frames)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _refuse(faults, skip_damaged, folder):
    """Lists the damaged files; raises unless they may be skipped."""
    if not faults:
        return
    listing = folder / "damaged.txt"
    listing.write_text("".join(fault + "\n" for fault in faults))
    named = "; ".join(faults[:_MOST_NAMED])
    message = f"{len(faults)} damaged: {named} (all in {listing})"
    if not skip_damaged:
        raise InputError(f"{message}: mend them, or leave them out by --skip_damaged")
    tqdm.write(f"left out {message}", file=sys.stderr)


def _finish(parts, indices, faults, fingerprint, work, out):
    """Joins the parts into one tfds data set, and gives it its name last."""
    final = work / "final"
    final.mkdir(exist_ok=True)
    folders = [work / "parts" / part.key for part in parts]
    infos = [json.loads((p / "dataset_info.json").read_text()) for p in folders]
    splits = [info["splits"][0] for info in infos]
    lengths = [[int(n) for n in split["shardLengths"]] for split in splits]
    shards = [s for p in folders for s in sorted(p.glob("*.array_record-*"))]
    for number, shard in enumerate(shards):
        name = shard.name.rsplit("-of-", 1)[0].rsplit("-", 1)[0]
        target = final / f"{name}-{number:05d}-of-{len(shards):05d}"
        target.unlink(missing_ok=True)
        _link(shard, target)
    split = {
        "numBytes": str(sum(int(split["numBytes"]) for split in splits)),
        "shardLengths": [str(n) for of_part in lengths for n in of_part],
    }
    info = {**infos[0], "splits": [{**splits[0], **split}]}
    (final / "dataset_info.json").write_text(json.dumps(info, indent=2))
    shutil.copy(folders[0] / "features.json", final)
    index = tracks.join(indices, [sum(of_part) for of_part in lengths])
    told = {"faults": tuple(faults), "fingerprint": fingerprint}
    tracks.write(dataclasses.replace(index, **told), final)
    if faults:
        (final / "damaged.txt").write_text("".join(fault + "\n" for fault in faults))
    os.replace(final, out)
    shutil.rmtree(work)


def _link(source, target):
    """Gives a file a second name, or copies it where a file system knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
