"""Manifests of result folders, which tell whether results can be kept.

`<tracker>/manifest.json` holds the identity of the run (weights, settings, version) and
the environment it ran in. `<tracker>/finished/<sequence>` says of which identity the
result of a sequence is, and of which frames and ground truth, or why there is none: one
small file for each, so that several processes can work in one folder.
"""

import contextlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Ordered
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from jaxtrack import locks
from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Sequence
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.shares import WHOLE, Share
from jaxtrack.weights.digests import hash_json

FILE, FINISHED, PROCESSES = "manifest.json", "finished", "processes"
# Does sequences, telling how many frames are done; yields each one's name, and what
# writes its files.
Work = Callable[
    [Ordered[Sequence], Callable[[int], object]],
    Iterator[tuple[str, Callable[[], object]]],
]
# Takes the name of a sequence that cannot be done, and why.
Skip = Callable[[str, str], object]
_PACKAGES = ("jaxtrack", "jax", "jaxlib", "flax", "numpy", "opencv-python-headless")


class _Run(NamedTuple):
    """What results are of and depend on; see `complete`."""

    identity: Mapping
    around: Mapping
    check: Callable[[str], object]
    hashes: Mapping[str, str]


def hash_sequence(frames, xyxy: np.ndarray) -> str:
    """SHA-256 of what a sequence's result depends on: frames' names, bytes and boxes.

    Frames are not read: another file of the same name shows by its number of bytes.

    Args:
      frames: paths of the frames.
      xyxy: `[N, 4]` ground truth, px.

    Returns:
      64 hexadecimal digits.
    """
    boxes = np.ascontiguousarray(xyxy, np.float64)
    names = [[path.name, _num_bytes(path)] for path in map(Path, frames)]
    return hash_json([names, boxes.tobytes().hex()])


def hash_sequences(videos: Iterable[Sequence]) -> dict[str, str]:
    """Name of a sequence -> `hash_sequence` of its frames and boxes.

    Args:
      videos: the sequences.
    """
    return {v.name: hash_sequence(v.frames, v.xyxy) for v in videos}


def _num_bytes(path: Path) -> int:
    """Size of a file; -1 where there is none, which the tracker will complain about."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def read(folder: str | Path) -> dict | None:
    """The manifest of a folder of results.

    Args:
      folder: of one tracker.

    Returns:
      "hash", "identity" and "environment" of the run, and "sequences": name -> hash, of
      those that it finished. None where there is no manifest, or it is damaged.
    """
    found = _read_json(Path(folder) / FILE)
    if not all(isinstance(found.get(p), dict) for p in ("identity", "environment")):
        return None
    places = sorted((Path(folder) / FINISHED).glob("[!.]*"))
    of_run = {p.name: _finished(folder, p.name, found.get("hash")) for p in places}
    return found | {"sequences": {n: digest for n, digest in of_run.items() if digest}}


def complete(
    work: Work,
    videos: Ordered[Sequence],
    folder: str | Path,
    *,
    identity: Mapping,
    around: Mapping,
    check: Callable[[str], object],
    hashes: Mapping[str, str] | None = None,
    title: str = "tracking",
    is_quiet: bool = False,
    share: Share = WHOLE,
) -> list[str]:
    """Processes the sequences that a folder lacks and records each as it ends.

    A result is kept where it is of the same identity, its sequence has the same frames
    and ground truth, and its files can be read. Interrupted at any moment, the next
    call goes on after the last finished sequence. Where several processes share the
    sequences, this one does its share, and then each share at which nobody works.

    Args:
      work: does them.
      videos: the sequences.
      folder: of one tracker.
      identity: of weights and settings, as JSON.
      around: of the run, as JSON; recorded, never compared.
      check: reads the result of a sequence; `InputError` says that it cannot be kept.
      hashes: name -> what its result depends on; None hashes frames and boxes.
      title: of the bar.
      is_quiet: does not say what is kept.
      share: of this process.

    Returns:
      Names of the sequences done now.

    Raises:
      InputError: from `work`, or a file cannot be written.
    """
    hashes = hash_sequences(videos) if hashes is None else hashes
    run = _Run(identity, around, check, hashes)
    if share.count == 1:
        how = {"title": title, "is_quiet": is_quiet}
        return _complete(work, videos, folder, run, **how)
    if _read_json(Path(folder) / FILE).get("hash") != hash_json(identity):
        _write(folder, identity, around)  # Now: `unfinished` reads it.
    costs, names = [len(v.frames) for v in videos], []
    for offset in range(share.count):
        part = share._replace(number=(share.number + offset) % share.count)
        how = {"title": f"{title} share {part}", "is_quiet": is_quiet or offset > 0}
        own = [videos[index] for index in part.of(costs)]
        place, number = Path(folder) / PROCESSES, str(part.number)
        with contextlib.suppress(locks.BusyError):
            with locks.locked(place, title, name=number) as is_alone:
                if offset and not is_alone:
                    break  # Nobody knows at which shares others work.
                names += _complete(work, own, folder, run, **how)
    return names


def _complete(work, videos, folder, run, *, title, is_quiet) -> list[str]:
    """Does what this process shares with no other; see `complete`."""
    digest = hash_json(run.identity)
    pending = [v for v in videos if not _is_kept(folder, v.name, digest, run)]
    if len(pending) < len(videos):
        if _read_json(Path(folder) / FILE).get("hash") != digest:
            _write(folder, run.identity, run.around)
        if not is_quiet:
            kept = len(videos) - len(pending)
            print(f"{kept} of {len(videos)} sequences kept: {folder}")
    names = []
    total = sum(len(v.frames) for v in pending)
    with tqdm(total=total, unit="frame", desc=title, disable=not total) as bar:
        for name, save in work(pending, bar.update):
            if not names:
                _write(folder, run.identity, run.around)
            record = Path(folder) / FINISHED / name
            record.unlink(missing_ok=True)  # It must not vouch for other files.
            save()
            _record(folder, name, digest, run.hashes[name])
            names.append(name)
    return names


def unfinished(folder: str | Path, hashes: Mapping[str, str]) -> list[str]:
    """Names of sequences that the run of the manifest neither finished nor left out.

    Args:
      folder: of one tracker.
      hashes: name of a sequence -> what its result depends on; see `hash_sequences`.
    """
    run = _read_json(Path(folder) / FILE).get("hash")
    if not run:
        return list(hashes)
    records = {name: _read_json(Path(folder) / FINISHED / name) for name in hashes}
    ends = {n: (r.get("run"), r.get("sequence")) for n, r in records.items()}
    return [n for n, digest in hashes.items() if ends[n] != (run, digest)]


def recorded(
    skip: Skip | None,
    folder: str | Path,
    *,
    identity: Mapping,
    hashes: Mapping[str, str],
) -> Skip | None:
    """Returns a `skip` that also writes down what is left out, for other processes.

    The next call of `complete` tries it again.

    Args:
      skip: takes the name of a sequence that cannot be done, and why; None stays None.
      folder: of one tracker.
      identity: see `complete`.
      hashes: see `complete`.
    """
    if skip is None:
        return None

    def leave_out(name: str, reason: str) -> None:
        skip(name, reason)
        _record(folder, name, hash_json(identity), hashes[name], skipped=reason)

    return leave_out


def _is_kept(folder, name, digest, run) -> bool:
    """Whether a sequence's result is of this run, and can be read."""
    if _finished(folder, name, digest) != run.hashes[name]:
        return False
    try:
        run.check(name)
    except InputError:
        return False
    return True


def _finished(folder, name, run) -> str | None:
    """Hash of a finished sequence; None if this run has not finished it."""
    found = _read_json(Path(folder) / FINISHED / name)
    is_done = run and found.get("run") == run and "skipped" not in found
    return found.get("sequence") if is_done else None


def _record(folder, name, run, digest, **about) -> None:
    """Writes down what became of a sequence."""
    made = {"run": run, "sequence": digest, **about}
    atomic.write_text(Path(folder) / FINISHED / name, json.dumps(made) + "\n")


def _read_json(path: Path) -> dict:
    """Reads a JSON object; an empty one where there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(folder: str | Path, identity: Mapping, around: Mapping) -> None:
    """Writes the manifest, whole or not at all."""
    made = {"hash": hash_json(identity), "identity": identity, "environment": around}
    text = json.dumps(made, indent=1, sort_keys=True) + "\n"
    atomic.write_text(Path(folder) / FILE, text)


def describe(benchmark: Benchmark) -> dict:
    """Returns what reports and manifests tell of a dataset, ready for `json.dumps`.

    Args:
      benchmark: as `datasets.load` returns it.

    Returns:
      Name, split, number of sequences here and in the whole, frames, notes, and
      "data": a hash of every sequence's name, frames' names and boxes.
    """
    return {
        "benchmark": benchmark.name,
        "split": benchmark.split,
        "num_sequences": len(benchmark.videos),
        "num_expected": benchmark.num_expected,
        "num_frames": sum(len(v.frames) for v in benchmark.videos),
        "protocol": benchmark.protocol,
        "notes": list(benchmark.notes),
        "data": hash_json(hash_sequences(benchmark.videos)),
    }


def environment(*, precision: str) -> dict:
    """Versions, device and precision of this process.

    Args:
      precision: type the network computes in.

    Returns:
      What the manifest records beside the identity; it never decides about reuse.
    """
    import jax  # Late: results are scored without it.

    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "unknown"
    device = jax.devices()[0]
    return {
        "versions": versions,
        "device": f"{device.platform}: {device.device_kind}",
        "num_devices": jax.device_count(),
        "precision": precision,
        "matmul_precision": str(jax.config.jax_default_matmul_precision or "default"),
    }
