"""The outcome of a tuning: settings, what they gain, and what they have seen."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics import statistics

FILE = "tuned.json"
CONFIDENCE = 0.95
_PARTS = ("tracking", "tuned_on")
_TUNED_ON = ("split", "is_test", "sequences", "hashes", "trials", "sampler", "seed")


def gain(
    untuned: Mapping[str, Mapping[str, float]],
    tuned: Mapping[str, Mapping[str, float]],
    metric: str,
) -> dict[str, Any]:
    """What tuned settings gain over the untuned ones, paired by sequence.

    Args:
      untuned: name of a sequence -> metric -> value.
      tuned: the same of the tuned settings.
      metric: which one to compare.

    Returns:
      "untuned" and "tuned" means, their "difference", its bootstrap "interval" at
      "confidence", and "sequences", how many there were.

    Raises:
      ValueError: the sequences differ.
    """
    if untuned.keys() != tuned.keys():
        raise ValueError(f"{sorted(untuned.keys() ^ tuned.keys())} in one of the two")
    a, b = (np.array([of[n][metric] for n in untuned]) for of in (untuned, tuned))
    found = statistics.paired_bootstrap(a, b, confidence=CONFIDENCE)
    return {
        "untuned": float(a.mean()),
        "tuned": float(b.mean()),
        "difference": found.difference,
        "interval": [found.low, found.high],
        "confidence": CONFIDENCE,
        "sequences": len(a),
    }


def read(path: str | Path) -> dict[str, Any]:
    """Reads the outcome of a tuning.

    Args:
      path: of a `tuned.json`.

    Returns:
      "tracking": field -> value, to track with; "tuned_on": where they come from;
      and what else the file holds.

    Raises:
      InputError: it is missing, damaged or something else.
    """
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError) as fault:
        raise InputError(f"--tuned={path} cannot be read: {fault}") from fault
    parts = [found.get(k) if isinstance(found, dict) else None for k in _PARTS]
    if not all(isinstance(part, dict) for part in parts):
        raise InputError(f"--tuned={path} is no outcome of a tuning")
    missing = [key for key in _TUNED_ON if key not in parts[1]]
    if missing:
        raise InputError(f"--tuned={path}: its tuned_on lacks {', '.join(missing)}")
    return found


def overlap_with_tuned(
    tuned: Mapping[str, Any], hashes: Mapping[str, str]
) -> list[str]:
    """Names the sequences that settings were tuned on, by content, not by name.

    Args:
      tuned: see `read`.
      hashes: name -> hash of the sequences that are scored; see
        `jaxtrack.evaluation.manifest.hash_sequence`.

    Returns:
      Those of `hashes` that the tuning has seen, in their order.
    """
    seen = set(tuned["tuned_on"]["hashes"])
    return [name for name, content in hashes.items() if content in seen]


def describe(tuned: Mapping[str, Any], hashes: Mapping[str, str]) -> dict[str, Any]:
    """What a report made with tuned settings has to say of them.

    Args:
      tuned: see `read`.
      hashes: of the sequences that are scored, as in `overlap_with_tuned`.

    Returns:
      "tracking", "split", "is_test", "trials", "sampler", "seed", and "overlap", the
      names of the sequences that are scored and were tuned on.
    """
    about = ("split", "is_test", "trials", "sampler", "seed")
    return {
        "tracking": dict(tuned["tracking"]),
        **{key: tuned["tuned_on"][key] for key in about},
        "overlap": overlap_with_tuned(tuned, hashes),
    }


def warnings_of(about: Mapping[str, Any], num_scored: int) -> list[str]:
    """What a reader has to know of scores with tuned settings; may be nothing.

    Args:
      about: see `describe`.
      num_scored: sequences that are scored.
    """
    lines = []
    if about["is_test"]:
        lines.append(
            f"tuned on a test split ({about['split']}): its scores are not those of "
            "a tracker that has not seen it"
        )
    if overlap := about["overlap"]:
        lines.append(
            f"{len(overlap)} of the {num_scored} sequences scored were tuned on "
            f"({', '.join(overlap[:5])}{', ...' if len(overlap) > 5 else ''}): their "
            "scores are optimistic"
        )
    return lines
