"""What does each part bring? Several configs, each compared with the one before.

Run: python -m experiments.ladder --root=REALDATA --seeds=3 --jobs=2 \
         --configs=configs/siamrpnpp_lite0.py,configs/cract/lite0_parallel.py
Trains and tests as `experiments.compare` does, on the same folds and seeds.
Configs that differ in tracking alone share a training. Stopped at any moment, the same
command goes on; --summary_only shows what is there. Writes ladder.md and ladder.json.
"""

import itertools
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from experiments import ablation, options, plan, record, runs, settings, summary, tables
from jaxtrack import cli
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.evaluation import lock, results


def grouped(planned: Sequence[runs.Run]) -> list[list[runs.Run]]:
    """Puts runs together that can share a training.

    Args:
      planned: of one seed and fold after the other, in order.

    Returns:
      Lists of runs whose settings differ in tracking alone, in their order.
    """
    groups: dict[str, list[runs.Run]] = {}
    for run in planned:
        fields = settings.flat(run.config)
        kept = {k: v for k, v in fields.items() if not config_lib.is_of_tracking(k)}
        groups.setdefault(json.dumps(kept, sort_keys=True), []).append(run)
    return list(groups.values())


def summarise(out: str | pathlib.Path) -> dict[str, Any]:
    """Compares each config with the one before, as far as the study has come.

    Args:
      out: folder of the study.

    Returns:
      What ladder.json holds: "study" and "steps", for each config but the first what
      `summary.summarise` says of it (as "b") and the one before (as "a"); None where
      nothing can be compared yet.

    Raises:
      InputError: there is no study.
    """
    out = pathlib.Path(out)
    study = record.read(out)
    if "names" not in study:
        raise InputError(f"{out} holds another kind of study: name another --out")
    steps = []
    for a, b in itertools.pairwise(study["names"]):
        pair = {**study, "a": a, "b": b}
        outcomes = summary.read_outcomes(out, pair)
        is_ready = bool(summary.usable(pair, outcomes)[0])
        steps.append(summary.summarise(pair, outcomes) if is_ready else None)
    found = {"study": study, "steps": steps}
    text = json.dumps(found, indent=1, allow_nan=False)
    results.write_text(out / "ladder.json", text + "\n")
    results.write_text(out / "ladder.md", markdown(found))
    return found


def run(
    recipe: plan.Recipe, paths: Mapping[str, str], *, at_once: int = 1
) -> dict[str, Any]:
    """Trains and tests all configs, as far as that is not done, and compares them.

    Args:
      recipe: how; its `a` and `b` are not read.
      paths: a tracker's name -> its config file, from the plainest to the fullest.
      at_once: trainings at a time.

    Returns:
      See `summarise`.

    Raises:
      InputError: something the user gave is missing or damaged, or a training failed.
    """
    with lock.locked(recipe.out):
        divided = plan.make_folds(recipe)
        data = plan.pack(recipe, divided)
        planned = plan.runs_of(paths, recipe, divided, data, aligns=False)
        study = plan.describe(recipe, divided, planned)
        for of_a_pair in ("a", "b", "differences"):
            del study[of_a_pair]
        study |= {"names": list(paths), "configs": list(paths.values())}
        record.write(recipe.out, study)
        runs.run_all(
            grouped(planned), at_once=at_once, on_finished=lambda: summarise(recipe.out)
        )
        return summarise(recipe.out)


def markdown(found: Mapping[str, Any]) -> str:
    """Words a ladder.

    Args:
      found: see `summarise`.

    Returns:
      A Markdown document.
    """
    study, rows = found["study"], []
    for number, name in enumerate(study["names"]):
        before = found["steps"][number - 1] if number else None
        after = found["steps"][number] if number < len(found["steps"]) else None
        step, key = (before, "b") if before else (after, "a")
        if step is None:
            rows.append([name, *["missing"] * 5])
            continue
        cells = [
            name,
            *(_mean(step, group, key) for group in ("all", "always_held_out")),
        ]
        for group in ("all", "always_held_out"):
            cells.append(_change(before, group) if number else "-")
        speed = step["usage"][key]["frames_per_second"]
        rows.append([*cells, tables.number(speed, ".1f")])
    fewest = min((s["seeds"] for s in found["steps"] if s), key=len, default=())
    head = ["config", "AUC, all", "AUC, held out", "change, all", "change, held out"]
    return "\n".join(
        [
            "# What each part brings\n",
            tables.table([*head, "frames/s"], rows),
            f"Each network was trained on {study['pairs']} pairs and tested on "
            'sequences it was not trained on; "held out" are those that no training '
            "sees. A change is against the row above, with the 95% interval of a "
            "paired bootstrap over sequences and seeds. ± is the standard deviation "
            "over seeds.\n",
            *tables.caveat(fewest),
        ]
    )


def _mean(step, group, key):
    """Returns a config's AUC on a group of sequences."""
    one = step["auc"] and step["auc"][group]
    return tables.with_spread(one[key], one[f"{key}_std"]) if one else "missing"


def _change(step, group):
    """Returns the difference to the config before, and its interval."""
    one = step and step["auc"] and step["auc"][group]
    if not one:
        return "missing"
    low, high = one["interval"]
    return f"{one['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def _main() -> None:
    given = flags.FLAGS
    if given.summary_only:
        found = summarise(given.out)
    else:
        if not given.root or len(given.configs) < 2:
            raise InputError("give --root, and two --configs at least (see --help)")
        recipe = plan.Recipe(
            a="",
            b="",
            root=pathlib.Path(given.root),
            out=pathlib.Path(given.out).absolute(),
            num_seeds=given.seeds,
            pairs=given.pairs,
            num_folds=given.folds,
            overrides=options.overrides(),
            train=tuple(given.train),
            held_out=tuple(given.held_out),
        )
        files = ablation.find_configs(given.configs)
        paths = {path.stem: str(path) for path in files}
        found = run(recipe, paths, at_once=given.jobs)
    print(markdown(found))
    print(f"written: {pathlib.Path(given.out) / 'ladder.md'}")


if __name__ == "__main__":
    flags.DEFINE_list("configs", [], "Files of settings, the plainest first.")
    options.define_data()
    options.define(out="runs/ladder", pairs=8000, seeds=3)
    cli.run(_main)
