"""Tuning: searches the settings of tracking, many at once, for those that score best.

Stopped at any moment, the same call goes on. Writes tuned.json (which `jaxtrack eval`
reads by --tuned) and trials.csv.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tqdm import tqdm

from jaxtrack import locks
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, loading, results, run
from jaxtrack.evaluation.manifest import Skip
from jaxtrack.evaluation.scoring import PRIMARY
from jaxtrack.evaluation.tuning import space, splits, trials, tuned
from jaxtrack.evaluation.tuning.shared import Exchange
from jaxtrack.evaluation.tuning.splits import Material
from jaxtrack.evaluation.tuning.study import Plan, Tried, open_study
from jaxtrack.shares import WHOLE, Share
from jaxtrack.weights.digests import hash_json


class Recipe(NamedTuple):
    """What is tuned, and how.

    Attributes:
      checkpoint: what `training.inference.load_for_inference` takes.
      out: everything is written here.
      trials: in all, the untuned settings among them.
      batch: trials tracked at once.
      sampler: one of `tuning.SAMPLERS`.
      seed: of the sampler.
      metric: one of `splits.METRICS`; its mean over sequences is maximized.
      settings: fields to tune; all that the tracker has where empty.
      tracking: what the untuned settings have instead of the checkpoint's own, dotted
        field -> value.
    """

    checkpoint: str | PathLike
    out: Path
    trials: int = 96
    batch: int = 8
    sampler: str = "tpe"
    seed: int = 0
    metric: str = "auc"
    settings: tuple[str, ...] = ()
    tracking: Mapping[str, Any] = MappingProxyType({})


def tune(
    recipe: Recipe,
    material: Material,
    *,
    holdout: Material | None = None,
    skip: Skip | None = None,
    share: Share = WHOLE,
) -> tuple[dict[str, Any], list[Tried]]:
    """Tries settings until there are enough trials, and writes down what came out.

    Where several processes share the sequences, the first one calls this, the others
    `assist`. The outcome is the same.

    Args:
      recipe: what to tune, and how.
      material: what to tune on.
      holdout: what to compare the untuned and the tuned settings on beside.
      skip: told of each sequence that cannot be tracked, and why; None raises.
      share: of this process, which is the first.

    Returns:
      What `tuned.json` holds: "tracking" (field -> value), "metric", "protocol",
      "trial", "gain" (see `tuned.gain`), "holdout" (None, or "gain" and "sequences"),
      "importances", "ranges", and "tuned_on": "split", "is_test", "sequences",
      "hashes", "trials", "sampler", "seed", "checkpoint"; and the trials.

    Raises:
      InputError: the checkpoint or a frame is missing or damaged, the folder holds
        trials of something else, the holdout was tuned on.
    """
    with locks.locked(recipe.out, "tuning"):
        opened, plan = _opened(recipe)
        identity = partial(_identity, recipe, plan=plan, checkpoint=opened.identity)
        exchange = Exchange(recipe.out, share, hash_json(identity(material)))
        material = exchange.publish_readable(material, skip)
        if holdout is not None:
            videos = run.readable_videos(holdout.videos, skip=skip)
            holdout = holdout._replace(videos=videos)
            _check_apart(material, holdout)
        made = identity(material)
        exchange = exchange._replace(identity=hash_json(made))
        study = open_study(recipe.out, plan, made)
        _try_all(study, plan, recipe, material, opened, exchange)
        outcome, tried = _outcome(
            recipe, made, study, holdout, is_test=material.is_test
        )
        _write(recipe.out, outcome, tried)
    return outcome, tried


def assist(
    recipe: Recipe, material: Material, *, share: Share, skip: Skip | None = None
) -> None:
    """Tracks a share of the sequences for the process that calls `tune`.

    Args:
      recipe: the same as there.
      material: the same as there.
      share: of this process, not the first.
      skip: told what that process found that cannot be tracked.

    Raises:
      InputError: see `tune`; or that process does not start.
    """
    opened, plan = _opened(recipe)
    identity = partial(_identity, recipe, plan=plan, checkpoint=opened.identity)
    exchange = Exchange(recipe.out, share, hash_json(identity(material)))
    material = exchange.await_readable(material, skip)
    exchange = exchange._replace(identity=hash_json(identity(material)))
    track = trials.tracking_function(opened, recipe.batch)
    with tqdm(unit="frame", desc=f"tuning share {share}") as bar:
        exchange.follow(track, material, bar.update)


def _opened(recipe) -> tuple[loading.Opened, Plan]:
    """Opens the checkpoint, and plans the search."""
    opened = loading.open_checkpoint(recipe.checkpoint, tracking=recipe.tracking)
    ranges = space.ranges(opened.tracker, names=recipe.settings)
    plan = Plan(
        ranges=ranges,
        own=space.values_of(opened.tracker, ranges),
        sampler=recipe.sampler,
        seed=recipe.seed,
        num_trials=recipe.trials,
    )
    return opened, plan


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


def _try_all(study, plan, recipe, material, opened, exchange) -> None:
    """Tracks batch after batch until the study is complete."""
    track = trials.tracking_function(opened, recipe.batch)
    own = material._replace(videos=exchange.own(material))
    left = plan.total() - len(study.finished())
    frames = sum(len(video.frames) for video in material.videos)
    bar = tqdm(
        total=max(0, left) * frames, unit="frame", desc="tuning", disable=left <= 0
    )
    with bar:
        while asked := study.ask(recipe.batch):
            exchange.publish(asked)
            trials.measure(track, own, asked, study, bar.update)
            exchange.collect(track, material, asked, study, bar.update)
            for number in asked:
                study.tell(number, trials.mean(study.scores(number), recipe.metric))
            best = max(trial.value for trial in study.finished())
            bar.set_postfix_str(f"best {recipe.metric.upper()} {best:.3f}")
    exchange.publish({})


def _outcome(
    recipe, identity, study, holdout, *, is_test
) -> tuple[dict[str, Any], list[Tried]]:
    """What `tuned.json` holds, and the trials; see `tune`."""
    tried = study.finished()
    best = max(tried, key=lambda t: (t.value, -t.number))
    outcome = {
        "tracking": {**recipe.tracking, **best.settings},
        "trial": best.number,
        "metric": recipe.metric,
        "protocol": PRIMARY,
        "gain": tuned.gain(tried[0].sequences, best.sequences, recipe.metric),
        "holdout": _held_out(recipe, holdout, best),
        "importances": study.importances(),
        "ranges": identity["ranges"],
        "tuned_on": {
            "split": identity["split"],
            "is_test": is_test,
            "sequences": list(identity["sequences"]),
            "hashes": list(identity["sequences"].values()),
            "trials": len(tried),
            "sampler": recipe.sampler,
            "seed": recipe.seed,
            "checkpoint": identity["checkpoint"],
        },
    }
    return outcome, tried


def _check_apart(material: Material, holdout: Material) -> None:
    """Rejects a holdout that is also tuned on; compares content, not names."""
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
        folder = run.track_checkpoint(
            recipe.checkpoint,
            holdout.videos,
            recipe.out / "holdout",
            name=name,
            tracking={**recipe.tracking, **changed},
        )
        counts = {v.name: len(v.frames) for v in holdout.videos}
        boxes = results.read_results(folder, counts)
        found.append({n: splits.score(holdout, n, boxes[n]) for n in counts})
    return {"sequences": list(counts), "gain": tuned.gain(*found, recipe.metric)}


def _write(out: Path, outcome: Mapping[str, Any], tried: Sequence[Tried]) -> None:
    """Writes the outcome and the table of trials."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = list(outcome["ranges"])
    writer.writerow(["trial", *names, *splits.METRICS])
    for trial in tried:
        worth = [trials.mean(trial.sequences, m) for m in splits.METRICS]
        tested = [trial.settings[name] for name in names]
        writer.writerow([trial.number, *tested, *(f"{w:.6f}" for w in worth)])
    atomic.write_text(out / "trials.csv", table.getvalue())
    text = json.dumps(outcome, indent=1, allow_nan=False)
    atomic.write_text(out / tuned.FILE, text + "\n")
