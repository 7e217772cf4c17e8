"""What made a folder of results: enough to know whether it may be kept.

`<tracker>/stamp.json` holds the identity of the run (weights, settings, version), the
environment it ran in, and the finished sequences with a hash of their ground truth.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxtrack.datasets import Benchmark
from jaxtrack.evaluation import results

FILE = "stamp.json"


def hash_json(value) -> str:
    """SHA-256 of a value's JSON with sorted keys.

    Args:
      value: what `json.dumps` takes.

    Returns:
      64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


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


def _num_bytes(path: Path) -> int:
    """Size of a file; -1 where there is none, which the tracker will complain about."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def read(folder: str | Path) -> dict | None:
    """The stamp of a folder of results.

    Args:
      folder: of one tracker.

    Returns:
      None where there is none, or it is damaged: then nothing may be kept.
    """
    try:
        stamp = json.loads((Path(folder) / FILE).read_text())
    except (OSError, ValueError):
        return None
    parts = ("identity", "environment", "sequences")
    if not isinstance(stamp, dict):
        return None
    return stamp if all(isinstance(stamp.get(p), dict) for p in parts) else None


def finished(folder: str | Path, identity: Mapping) -> dict[str, str]:
    """Sequences that a run of the same identity has finished.

    Args:
      folder: of one tracker.
      identity: of the run that asks.

    Returns:
      name of a sequence -> hash of its frames and ground truth.
    """
    stamp = read(folder)
    if stamp is None or stamp.get("hash") != hash_json(identity):
        return {}
    return dict(stamp["sequences"])


def write(
    folder: str | Path, identity: Mapping, around: Mapping, sequences: Mapping[str, str]
) -> None:
    """Writes the stamp, whole or not at all.

    Args:
      folder: of one tracker.
      identity: decides whether results may be kept.
      around: the environment.
      sequences: name -> hash, of those finished.
    """
    stamp = {
        "hash": hash_json(identity),
        "identity": identity,
        "environment": around,
        "sequences": dict(sequences),
    }
    text = json.dumps(stamp, indent=1, sort_keys=True) + "\n"
    results.write_text(Path(folder) / FILE, text)


def describe(benchmark: Benchmark) -> dict:
    """Returns what reports and results are stamped with, ready for `json.dumps`.

    Args:
      benchmark: as `datasets.load` returns it.

    Returns:
      Name, split, number of sequences here and in the whole, frames, notes, and
      "data": a hash of every sequence's name, frames' names and boxes.
    """
    hashes = {v.name: hash_sequence(v.frames, v.xyxy) for v in benchmark.videos}
    return {
        "benchmark": benchmark.name,
        "split": benchmark.split,
        "num_sequences": len(benchmark.videos),
        "num_expected": benchmark.num_expected,
        "num_frames": sum(len(v.frames) for v in benchmark.videos),
        "protocol": benchmark.protocol,
        "notes": list(benchmark.notes),
        "data": hash_json(hashes),
    }
