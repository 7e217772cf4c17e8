"""Manifests of result folders, which tell whether results can be kept.

`<tracker>/manifest.json` holds the identity of the run (weights, settings, version),
the environment it ran in, and the finished sequences with a hash of their truth.
"""

import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Ordered
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Sequence
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.weights.digests import hash_json

FILE = "manifest.json"
# Does sequences, telling how many frames are done; yields each one's name, and what
# writes its files.
Work = Callable[
    [Ordered[Sequence], Callable[[int], object]],
    Iterator[tuple[str, Callable[[], object]]],
]
_PACKAGES = ("jaxtrack", "jax", "jaxlib", "flax", "numpy", "opencv-python-headless")


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
      None where there is none, or it is damaged: then nothing may be kept.
    """
    try:
        found = json.loads((Path(folder) / FILE).read_text())
    except (OSError, ValueError):
        return None
    parts = ("identity", "environment", "sequences")
    if not isinstance(found, dict):
        return None
    return found if all(isinstance(found.get(p), dict) for p in parts) else None


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
) -> list[str]:
    """Processes the sequences that a folder lacks and records each as it ends.

    A result is kept where the manifest has the same identity, its sequence the same
    frames and ground truth, and its files can be read. Interrupted at any moment, the
    next call goes on after the last finished sequence.

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

    Returns:
      Names of the sequences done now.

    Raises:
      InputError: from `work`, or a file cannot be written.
    """
    hashes = hash_sequences(videos) if hashes is None else hashes
    done = _finished(folder, identity, hashes, check)
    pending = [v for v in videos if v.name not in done]
    if len(pending) < len(videos) and not is_quiet:
        print(f"{len(videos) - len(pending)} of {len(videos)} sequences kept: {folder}")
    names = []
    total = sum(len(v.frames) for v in pending)
    with tqdm(total=total, unit="frame", desc=title, disable=not total) as bar:
        for name, save in work(pending, bar.update):
            if not names:
                # Before files change, so that no manifest vouches for other files.
                write(folder, identity, around, done)
            save()
            done[name] = hashes[name]
            write(folder, identity, around, done)
            names.append(name)
    return names


def _finished(folder, identity, hashes, check) -> dict[str, str]:
    """Hashes of what a run of the same identity has finished.

    Sequences that are not asked for stay in it.
    """
    found = read(folder)
    if found is None or found.get("hash") != hash_json(identity):
        return {}
    done = dict(found["sequences"])
    for name, expected in hashes.items():
        try:
            if done.get(name) == expected:
                check(name)
                continue
        except InputError:
            pass
        done.pop(name, None)
    return done


def write(
    folder: str | Path, identity: Mapping, around: Mapping, sequences: Mapping[str, str]
) -> None:
    """Writes the manifest, whole or not at all.

    Args:
      folder: of one tracker.
      identity: decides whether results may be kept.
      around: the environment.
      sequences: name -> hash, of those finished.
    """
    made = {
        "hash": hash_json(identity),
        "identity": identity,
        "environment": around,
        "sequences": dict(sequences),
    }
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
