"""What a comparison has come to: means, spread over seeds, intervals, a verdict."""

import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from experiments import plan
from experiments.runs import Outcome, read_outcome
from jaxtrack.errors import InputError
from jaxtrack.metrics import statistics

CONFIDENCE = 0.95
# What is compared: its key here, and how an outcome tells it for each sequence.
MEASURES: dict[str, Callable[[Outcome], Mapping[str, float | None] | None]] = {
    "auc": lambda outcome: outcome.auc,
    "alignment": lambda outcome: outcome.alignment,
}

# name of a tracker, seed, fold -> what its run has come to.
Outcomes = dict[tuple[str, int, int], Outcome]


def read_outcomes(out: str | pathlib.Path, study: Mapping[str, Any]) -> Outcomes:
    """Reads the runs that are finished.

    Args:
      out: folder of the study.
      study: see `plan.describe`.

    Returns:
      The outcomes by tracker, seed and fold.
    """
    found = {}
    for name in (study["a"], study["b"]):
        for seed in range(study["num_seeds"]):
            for fold in range(len(study["folds"])):
                folder = plan.run_folder(pathlib.Path(out), name, seed, fold)
                outcome = read_outcome(folder)
                if outcome is not None:
                    found[name, seed, fold] = outcome
    return found


def usable(study: Mapping[str, Any], outcomes: Outcomes) -> tuple[list[int], list[int]]:
    """Says which seeds and folds can be compared: those that both trackers finished.

    Args:
      study: see `plan.describe`.
      outcomes: of the finished runs.

    Returns:
      Seeds and folds. The seeds finished in every fold; or, where there is none yet,
      the first seed that has a fold, with the folds it has. Empty if nothing is there.
    """
    all_folds = list(range(len(study["folds"])))
    done = {
        seed: [
            fold
            for fold in all_folds
            if all((study[k], seed, fold) in outcomes for k in "ab")
        ]
        for seed in range(study["num_seeds"])
    }
    whole = [seed for seed, folds in done.items() if folds == all_folds]
    if whole:
        return whole, all_folds
    part = next((seed for seed, folds in done.items() if folds), None)
    return ([], []) if part is None else ([part], done[part])


def values(
    study: Mapping[str, Any],
    outcomes: Outcomes,
    measure: str,
    seeds: Sequence[int],
    folds: Sequence[int],
) -> dict[str, np.ndarray] | None:
    """Collects a measure of each sequence that has it for both trackers.

    Args:
      study: see `plan.describe`.
      outcomes: of the finished runs.
      measure: key of `MEASURES`.
      seeds: to use.
      folds: to use.

    Returns:
      Sequence -> `[2, R]`, A's and B's value for each seed, the mean over the folds
      that test the sequence; without those that are undefined somewhere. None where a
      run was not measured.
    """
    rows: dict[str, np.ndarray] = {}
    tested = {n: None for f in folds for n in study["folds"][f]["test"]}
    for name in tested:
        within = [f for f in folds if name in study["folds"][f]["test"]]
        row = np.empty((2, len(seeds), len(within)))
        for i, key in enumerate("ab"):
            for j, seed in enumerate(seeds):
                for k, fold in enumerate(within):
                    measured = MEASURES[measure](outcomes[study[key], seed, fold])
                    if measured is None:
                        return None
                    value = measured.get(name)
                    row[i, j, k] = math.nan if value is None else value
        if np.isfinite(row).all():
            rows[name] = row.mean(axis=2)
    return rows


def compare_group(rows: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """Compares A and B on a group of sequences.

    Args:
      rows: sequence -> `[2, R]`.

    Returns:
      Means, standard deviations over seeds (None of one seed), difference, interval
      with whole runs resampled, the narrower one with runs resampled for each sequence
      by itself; None for an empty group.
    """
    if not rows:
        return None
    a, b = np.stack(list(rows.values())).transpose(1, 0, 2)  # Each [S, R].
    whole = statistics.paired_bootstrap(
        a, b, confidence=CONFIDENCE, whole_runs=True, seed=0
    )
    apart = statistics.paired_bootstrap(a, b, confidence=CONFIDENCE, seed=0)
    spread = [v.mean(axis=0).std(ddof=1) if v.shape[1] > 1 else None for v in (a, b)]
    return {
        "num_sequences": len(a),
        "a": float(a.mean()),
        "b": float(b.mean()),
        "a_std": None if spread[0] is None else float(spread[0]),
        "b_std": None if spread[1] is None else float(spread[1]),
        "difference": whole.difference,
        "interval": [whole.low, whole.high],
        "share_above": whole.share_above,
        "interval_runs_apart": [apart.low, apart.high],
    }


def usage_of(name: str, outcomes: Outcomes) -> dict[str, float | int | None]:
    """What a tracker's finished trainings cost.

    Args:
      name: of the tracker.
      outcomes: of the finished runs.

    Returns:
      "num_trainings"; "cpu_seconds", "wall_seconds" and "frames_per_second", means over
      the runs where they are known, None where none is.
    """
    mine = [one for (whose, *_), one in outcomes.items() if whose == name]

    def mean(numbers):
        known = [n for n in numbers if n is not None]
        return float(np.mean(known)) if known else None

    return {
        "num_trainings": len(mine),
        "cpu_seconds": mean([o.cpu_seconds for o in mine]),
        "wall_seconds": mean([o.wall_seconds for o in mine]),
        "frames_per_second": mean([o.frames_per_second for o in mine]),
    }


def summarise(study: Mapping[str, Any], outcomes: Outcomes) -> dict[str, Any]:
    """Compares two trackers as far as a study has come.

    Args:
      study: see `plan.describe`.
      outcomes: of the finished runs.

    Returns:
      What `compare.json` holds: "study", "seeds" and "folds" used, "usage", and for
      each measure (None where it is missing) "sequences" (name -> values `[2, R]`),
      "all" and "always_held_out" (see `compare_group`), "verdict".

    Raises:
      InputError: no seed and fold is finished for both trackers.
    """
    seeds, folds = usable(study, outcomes)
    if not seeds:
        raise InputError(
            "nothing to compare yet: no seed and fold is finished for both trackers"
        )
    found: dict[str, Any] = {
        "study": dict(study),
        "num_finished": len(outcomes),
        "num_runs": 2 * study["num_seeds"] * len(study["folds"]),
        "seeds": seeds,
        "folds": folds,
        "confidence": CONFIDENCE,
        "usage": {key: usage_of(study[key], outcomes) for key in "ab"},
    }
    for measure in MEASURES:
        rows = values(study, outcomes, measure, seeds, folds)
        if rows is None:
            found[measure] = None
            continue
        held_out = {n: r for n, r in rows.items() if n in study["always_held_out"]}
        groups = {
            "all": compare_group(rows),
            "always_held_out": compare_group(held_out),
        }
        found[measure] = {
            "sequences": {name: row.tolist() for name, row in rows.items()},
            **groups,
            "verdict": verdict(study, groups["all"]),
        }
    return found


def verdict(study: Mapping[str, Any], group: Mapping[str, Any] | None) -> str:
    """Says in a plain sentence which tracker is better.

    Args:
      study: see `plan.describe`.
      group: see `compare_group`.

    Returns:
      The sentence, with the interval it rests on.
    """
    if group is None:
        return "It is not defined on any sequence."
    low, high = group["interval"]
    span = (
        f"the {CONFIDENCE:.0%} interval of {study['b']} minus {study['a']} is "
        f"{low:+.3f} to {high:+.3f}"
    )
    if low <= 0 <= high:
        return f"Neither is shown to be better: {span}, which holds zero."
    better = study["b"] if low > 0 else study["a"]
    if group["a_std"] is None:  # One seed.
        return f"{better} is better in its one training, which more may undo: {span}."
    return f"{better} is better: {span}."
