"""What an experiment has come to: means, spread over seeds, intervals, verdicts."""

import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.runs import Outcome, read_outcome, run_folder
from jaxtrack.metrics import statistics

CONFIDENCE = 0.95
MEASURES = ("auc", "ao", "alignment")  # What is compared: fields of an outcome.
USAGE = ("cpu_seconds", "wall_seconds", "frames_per_second")

# Name of a config, seed, fold -> what its run has come to.
Outcomes = Mapping[tuple[str, int, int], Outcome]
# Sequence -> values `[configs, seeds]`.
Values = Mapping[str, np.ndarray]


def read_outcomes(out: pathlib.Path, experiment: Mapping[str, Any]) -> Outcomes:
    """Reads the runs that are finished.

    Args:
      out: folder of the experiment.
      experiment: see `compare.describe`.

    Returns:
      The outcomes by config, seed and fold.
    """
    keys = [
        (name, seed, fold)
        for name in experiment["configs"]
        for seed in range(experiment["num_seeds"])
        for fold in range(len(experiment["folds"]))
    ]
    outcomes = {key: read_outcome(run_folder(out, *key)) for key in keys}
    return {key: one for key, one in outcomes.items() if one is not None}


def usable(
    experiment: Mapping[str, Any], outcomes: Outcomes, names: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Returns the seeds and folds that all of some configs have finished.

    Args:
      experiment: see `compare.describe`.
      outcomes: of the finished runs.
      names: of the configs.

    Returns:
      Seeds and folds. The seeds finished in every fold; or, where there is none yet,
      the first seed that has a fold, with the folds it has. Empty if nothing is there.
    """
    all_folds = list(range(len(experiment["folds"])))
    done = {
        seed: [f for f in all_folds if all((n, seed, f) in outcomes for n in names)]
        for seed in range(experiment["num_seeds"])
    }
    whole = [seed for seed, folds in done.items() if folds == all_folds]
    if whole:
        return whole, all_folds
    part = next((seed for seed, folds in done.items() if folds), None)
    return ([], []) if part is None else ([part], done[part])


def values(
    experiment: Mapping[str, Any],
    outcomes: Outcomes,
    measure: str,
    names: Sequence[str],
) -> Values | None:
    """Collects a measure of each sequence that has it for all of some configs.

    Args:
      experiment: see `compare.describe`.
      outcomes: of the finished runs.
      measure: one of `MEASURES`.
      names: of the configs.

    Returns:
      Sequence -> `[N, R]`, each config's value for each usable seed, the mean over the
      folds that test the sequence; without those that are undefined somewhere. None
      where nothing is finished, or a run was not measured.
    """
    seeds, folds = usable(experiment, outcomes, names)
    tests = {fold: experiment["folds"][fold]["test"] for fold in folds}
    rows: dict[str, np.ndarray] = {}
    for sequence in dict.fromkeys(name for test in tests.values() for name in test):
        within = [fold for fold in folds if sequence in tests[fold]]
        row = np.empty((len(names), len(seeds), len(within)))
        for (i, j, k), _ in np.ndenumerate(row):
            outcome = outcomes[names[i], seeds[j], within[k]]
            if (measured := getattr(outcome, measure)) is None:
                return None
            value = measured.get(sequence)
            row[i, j, k] = math.nan if value is None else value
        if np.isfinite(row).all():
            rows[sequence] = row.mean(axis=2)
    return rows if seeds else None


def mean_of(rows: Values) -> dict[str, Any] | None:
    """Returns the mean of one config over a group of sequences.

    Args:
      rows: sequence -> `[1, R]`.

    Returns:
      "num_sequences", "mean", and "std" over seeds of the mean over sequences (None of
      one seed); None for an empty group.
    """
    if not rows:
        return None
    over_seeds = np.mean([row[0] for row in rows.values()], axis=0)
    std = float(over_seeds.std(ddof=1)) if len(over_seeds) > 1 else None
    mean = float(over_seeds.mean())
    return {"num_sequences": len(rows), "mean": mean, "std": std}


def change_of(rows: Values) -> dict[str, Any] | None:
    """Compares two configs on a group of sequences.

    Args:
      rows: sequence -> `[2, R]`: the reference, and what is compared with it.

    Returns:
      Difference, interval with whole runs resampled, the narrower one with runs
      resampled for each sequence by itself; None for an empty group.
    """
    if not rows:
        return None
    a, b = np.stack(list(rows.values())).transpose(1, 0, 2)  # Each [S, R].
    whole, apart = (
        statistics.paired_bootstrap(
            a, b, confidence=CONFIDENCE, whole_runs=is_whole, seed=0
        )
        for is_whole in (True, False)
    )
    return {
        "num_sequences": len(rows),
        "difference": whole.difference,
        "interval": [whole.low, whole.high],
        "share_above": whole.share_above,
        "interval_runs_apart": [apart.low, apart.high],
    }


def usage_of(name: str, outcomes: Outcomes) -> dict[str, float | int | None]:
    """Returns what a config's finished trainings cost.

    Args:
      name: of the config.
      outcomes: of the finished runs.

    Returns:
      "num_runs", and the means of `USAGE` over the runs where they are known, None
      where none is.
    """
    mine = [outcome for (other, *_), outcome in outcomes.items() if other == name]
    known = {
        key: [v for one in mine if (v := getattr(one, key)) is not None]
        for key in USAGE
    }
    means = {key: float(np.mean(v)) if v else None for key, v in known.items()}
    return {"num_runs": len(mine), **means}


def summarize(experiment: Mapping[str, Any], outcomes: Outcomes) -> dict[str, Any]:
    """Compares configs as far as an experiment has come.

    Args:
      experiment: see `compare.describe`.
      outcomes: of the finished runs.

    Returns:
      What `compare.json` holds: "experiment", "num_finished", "num_runs", "confidence",
      and "rows": for each config "name", "usage" (see `usage_of`), "seeds" and "folds"
      used, and for each measure (None where it is missing) "sequences" (name -> values
      `[1, R]`), "all" and "held_out" (see `mean_of`). "change" is None for the first;
      else it has "reference", and the same for both configs: values `[2, R]`, groups as
      `change_of` says, and a "verdict".
    """
    names, rows = list(experiment["configs"]), []
    for place, name in enumerate(names):
        own = _measured(experiment, outcomes, [name], mean_of)
        row = {"name": name, "usage": usage_of(name, outcomes), **own, "change": None}
        if place:
            first = 0 if experiment["reference"] == "first" else place - 1
            pair = [names[first], name]
            change = _measured(experiment, outcomes, pair, change_of)
            for measure in MEASURES:
                if one := change[measure]:
                    one["verdict"] = verdict(pair, one["all"], change["seeds"])
            row["change"] = {"reference": names[first], **change}
        rows.append(row)
    return {
        "experiment": dict(experiment),
        "num_finished": len(outcomes),
        "num_runs": len(names) * experiment["num_seeds"] * len(experiment["folds"]),
        "confidence": CONFIDENCE,
        "rows": rows,
    }


def _measured(experiment, outcomes, names, reduce):
    """Collects all measures of some configs, and reduces them over groups."""
    seeds, folds = usable(experiment, outcomes, names)
    measured: dict[str, Any] = {"seeds": seeds, "folds": folds}
    for measure in MEASURES:
        rows = values(experiment, outcomes, measure, names)
        if rows is None:
            measured[measure] = None
            continue
        held_out = {n: row for n, row in rows.items() if n in experiment["held_out"]}
        measured[measure] = {
            "sequences": {name: row.tolist() for name, row in rows.items()},
            "all": reduce(rows),
            "held_out": reduce(held_out),
        }
    return measured


def verdict(
    names: Sequence[str], change: Mapping[str, Any] | None, seeds: Sequence[int]
) -> str:
    """Describes in a plain sentence which of two configs is better.

    Args:
      names: of the reference and of what is compared with it.
      change: see `change_of`.
      seeds: of the trainings.

    Returns:
      The sentence, with the interval it rests on.
    """
    if change is None:
        return "It is not defined on any sequence."
    low, high = change["interval"]
    span = (
        f"the {CONFIDENCE:.0%} interval of {names[1]} minus {names[0]} is "
        f"{low:+.3f} to {high:+.3f}"
    )
    if low <= 0 <= high:
        return f"Neither is shown to be better: {span}, which holds zero."
    better = names[1] if low > 0 else names[0]
    if len(seeds) == 1:
        return f"{better} is better in its one training, which more may undo: {span}."
    return f"{better} is better: {span}."
