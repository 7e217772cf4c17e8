"""Tuning: searches the settings of tracking, many at once, for those that score best.

Stopped at any moment, the same call goes on. Writes tuned.json (which `jaxtrack eval`
reads by --tuned), trials.csv, history.png, slices.png and importance.png.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tqdm import tqdm

from jaxtrack.errors import InputError
from jaxtrack.evaluation import (
    compare,
    results,
    runner,
    tune_material,
    tune_plots,
    tune_space,
    tune_study,
    tune_trials,
    tuned,
)
from jaxtrack.evaluation.tune_material import Material
from jaxtrack.evaluation.tune_study import Tried


class Recipe(NamedTuple):
    """What is tuned, and how.

    Attributes:
      checkpoint: what `training.checkpoint.load_for_inference` takes.
      out: everything is written here.
      trials: in all, the untuned settings among them.
      batch: trials tracked at once.
      sampler: one of `tune_study.SAMPLERS`.
      seed: of the sampler.
      metric: one of `tune_material.METRICS`; its mean over sequences is maximised.
      settings: fields to tune; all that the tracker has where empty.
      tracking: what the untuned settings have instead of the checkpoint's own, dotted
        field -> value.
    """

    checkpoint: str
    out: Path
    trials: int = 96
    batch: int = 8
    sampler: str = "tpe"
    seed: int = 0
    metric: str = "auc"
    settings: tuple[str, ...] = ()
    tracking: Mapping[str, Any] = MappingProxyType({})


def tune(
    recipe: Recipe, material: Material, holdout: Material | None = None
) -> dict[str, Any]:
    """Tries settings until there are enough trials, and writes down what came out.

    Args:
      recipe: what to tune, and how.
      material: what to tune on.
      holdout: what to compare the untuned and the tuned settings on beside.

    Returns:
      What `tuned.json` holds: "tracking" (field -> value), "metric", "protocol",
      "trial", "gain" (see `tuned.gain`), "holdout" (None, or "gain" and "sequences"),
      "importances", "ranges", and "tuned_on": "split", "is_test", "sequences",
      "hashes", "trials", "sampler", "seed", "checkpoint".

    Raises:
      InputError: the checkpoint or a frame is missing or damaged, the folder holds
        trials of something else, the holdout was tuned on.
    """
    runner.check_videos(material.videos)
    if holdout is not None:
        _check_apart(material, holdout)
    opened = runner.open_checkpoint(recipe.checkpoint, recipe.tracking)
    ranges = tune_space.ranges(opened.model, opened.config, recipe.settings)
    plan = tune_study.Plan(
        ranges=ranges,
        own=tune_space.values_of(opened.config, ranges),
        sampler=recipe.sampler,
        seed=recipe.seed,
        num_trials=recipe.trials,
    )
    identity = _identity(recipe, material, plan, opened.identity)
    with tune_study.opened(recipe.out, plan, identity) as study:
        _try_all(study, plan, recipe, material, opened, identity)
        tried, importances = study.finished(), study.importances()
        best = max(tried, key=lambda t: (t.value, -t.number))
        gained = tuned.gain(tried[0].sequences, best.sequences, recipe.metric)
        outcome = {
            "tracking": {**recipe.tracking, **best.settings},
            "trial": best.number,
            "metric": recipe.metric,
            "protocol": compare.PRIMARY,
            "gain": gained,
            "holdout": _held_out(recipe, holdout, best),
            "importances": importances,
            "ranges": {name: list(ends) for name, ends in ranges.items()},
            "tuned_on": {
                "split": material.split,
                "is_test": material.is_test,
                "sequences": list(identity["sequences"]),
                "hashes": list(identity["sequences"].values()),
                "trials": len(tried),
                "sampler": recipe.sampler,
                "seed": recipe.seed,
                "checkpoint": opened.identity,
            },
        }
        _write(recipe.out, outcome, tried)
    return outcome


def summary_lines(outcome: Mapping[str, Any], out: str | Path) -> list[str]:
    """What the command prints.

    Args:
      outcome: see `tune`.
      out: where it was written.
    """
    about, metric = outcome["tuned_on"], outcome["metric"]
    chosen = ", ".join(f"{k} {outcome['tracking'][k]:.3f}" for k in outcome["ranges"])
    lines = [
        f"best of {about['trials']} trials, number {outcome['trial']}: {chosen}",
        tuned.gain_line(f"split {about['split']!r}", metric, outcome["gain"]),
        "note: the gain on sequences that were tuned on is optimistic"
        + ("" if outcome["holdout"] else "; --holdout=DIR measures it on others"),
    ]
    if outcome["holdout"]:
        lines.append(tuned.gain_line("holdout", metric, outcome["holdout"]["gain"]))
    if about["is_test"]:
        lines.append(
            f"warning: {about['split']!r} is a test split; reports made with the "
            "outcome say so"
        )
    return [*lines, f"written: {Path(out) / tuned.FILE}"]


def _identity(recipe, material, plan, checkpoint) -> dict[str, Any]:
    """What trials of one study have in common, as JSON."""
    return {
        "checkpoint": checkpoint,
        "sequences": material.hashes(),
        "split": material.split,
        "metric": recipe.metric,
        "sampler": recipe.sampler,
        "seed": recipe.seed,
        "ranges": {name: list(ends) for name, ends in plan.ranges.items()},
        # A grid is made for a number of trials; other samplers go on and on.
        "grid": plan.total() if plan.sampler == "grid" else None,
    }


def _try_all(study, plan, recipe, material, opened, identity) -> None:
    """Tracks batch after batch until the study is complete."""
    track = tune_trials.tracking_function(opened, recipe.batch)
    progress = tune_trials.Progress(recipe.out, identity)
    left = plan.total() - len(study.finished())
    frames = sum(len(video.frames) for video in material.videos)
    bar = tqdm(
        total=max(0, left) * frames, unit="frame", desc="tuning", disable=left <= 0
    )
    with bar:
        while asked := study.ask(recipe.batch):
            found = tune_trials.measure(track, material, asked, progress, bar.update)
            for number, sequences in found.items():
                value = tune_trials.mean(sequences, recipe.metric)
                study.tell(number, value, sequences)
            best = max(trial.value for trial in study.finished())
            bar.set_postfix_str(f"best {recipe.metric.upper()} {best:.3f}")
    progress.forget()


def _check_apart(material: Material, holdout: Material) -> None:
    """Refuses a holdout that is tuned on; by content, whatever the names."""
    runner.check_videos(holdout.videos)
    seen = set(material.hashes().values())
    both = [name for name, content in holdout.hashes().items() if content in seen]
    if both:
        raise InputError(
            f"--holdout has {len(both)} of the sequences that are tuned on, such as "
            f"{both[0]}: leave them out of one of the two"
        )


def _held_out(recipe: Recipe, holdout: Material | None, best: Tried) -> dict | None:
    """Compares untuned and best settings on sequences that were not tuned on."""
    if holdout is None:
        return None
    found, chosen = [], best.settings if best.number else {}
    for name, changed in (("untuned", {}), ("tuned", chosen)):
        folder = runner.run(
            recipe.checkpoint,
            holdout.videos,
            recipe.out / "holdout",
            name=name,
            tracking={**recipe.tracking, **changed},
        )
        counts = {v.name: len(v.frames) for v in holdout.videos}
        boxes = results.read_results(folder, counts)
        found.append({n: tune_material.score(holdout, n, boxes[n]) for n in counts})
    return {
        "sequences": list(counts),
        "gain": tuned.gain(*found, recipe.metric),
    }


def _write(out: Path, outcome: Mapping[str, Any], tried: Sequence[Tried]) -> None:
    """Writes the outcome, the table of trials and the plots."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = list(outcome["ranges"])
    writer.writerow(["trial", *names, *tune_material.METRICS])
    for trial in tried:
        worth = [tune_trials.mean(trial.sequences, m) for m in tune_material.METRICS]
        tested = [trial.settings[name] for name in names]
        writer.writerow([trial.number, *tested, *(f"{w:.6f}" for w in worth)])
    results.write_text(out / "trials.csv", table.getvalue())
    for name, png in tune_plots.draw(outcome, tried).items():
        results.write_bytes(out / f"{name}.png", png)
    text = json.dumps(outcome, indent=1, allow_nan=False)
    results.write_text(out / tuned.FILE, text + "\n")
