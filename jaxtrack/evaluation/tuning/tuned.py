"""The outcome of a tuning: settings, their gain, the sequences tuned on."""

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
_LONG = ("sequences", "hashes")
_TUNED_ON = ("split", "is_test", "trials", "sampler", "seed", *_LONG)


def gain(
    untuned: Mapping[str, Mapping[str, float]],
    tuned: Mapping[str, Mapping[str, float]],
    metric: str,
) -> dict[str, Any]:
    """What tuned settings gain over the untuned ones, paired by sequence.

    Args:
      untuned: name of a sequence -> metric -> value.
      tuned: the same of the tuned settings, on the same sequences.
      metric: which one to compare.

    Returns:
      "untuned" and "tuned" means, their "difference", its bootstrap "interval" at
      "confidence", and "sequences", how many there were.
    """
    a, b = (np.array([of[n][metric] for n in untuned]) for of in (untuned, tuned))
    bootstrap = statistics.paired_bootstrap(a, b, confidence=CONFIDENCE)
    return {
        "untuned": float(a.mean()),
        "tuned": float(b.mean()),
        "difference": bootstrap.difference,
        "interval": [bootstrap.low, bootstrap.high],
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
        outcome = json.loads(Path(path).read_text())
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else fault
        raise InputError(
            f"--tuned={path}: cannot be read ({why}): name a tuned.json that "
            "`jaxtrack tune` wrote"
        ) from fault
    parts = [outcome.get(k) if isinstance(outcome, dict) else None for k in _PARTS]
    if not all(isinstance(part, dict) for part in parts):
        raise InputError(f"--tuned={path} is no outcome of a tuning")
    missing = [key for key in _TUNED_ON if key not in parts[1]]
    if missing:
        raise InputError(f"--tuned={path}: its tuned_on lacks {', '.join(missing)}")
    return outcome


def describe(
    tuned: Mapping[str, Any], hashes: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """What a report must say about scores with tuned settings.

    Args:
      tuned: see `read`.
      hashes: name -> hash of the sequences that are scored; see
        `manifest.hash_sequence`. By them, not by names, those tuned on are known.

    Returns:
      "tracking", "split", "is_test", "trials", "sampler", "seed", and "overlap", the
      names of the sequences that are scored and were tuned on; and sentences that a
      reader must see first.
    """
    about = {k: tuned["tuned_on"][k] for k in _TUNED_ON if k not in _LONG}
    tuned_on = set(tuned["tuned_on"]["hashes"])
    overlap = [name for name, content in hashes.items() if content in tuned_on]
    lines = []
    if about["is_test"]:
        lines.append(
            f"tuned on a test split ({about['split']}): its scores are not those of "
            "a tracker that has not seen it"
        )
    if overlap:
        lines.append(
            f"{len(overlap)} of the {len(hashes)} sequences scored were tuned on "
            f"({', '.join(overlap[:5])}{', ...' if len(overlap) > 5 else ''}): their "
            "scores are optimistic"
        )
    return {"tracking": dict(tuned["tracking"]), **about, "overlap": overlap}, lines
