"""Is tracker B better than tracker A? Trains both, several times, and says how sure.

Run: python -m experiments.compare --a=configs/siamcar_lite0.py \
         --b=configs/other.py --root=REALDATA --seeds=3 --pairs=8000 --jobs=2
REALDATA holds `sequences/` (annotated video) and `images/` (photographs, stills with
boxes). Stopped at any moment, the same command goes on; --summary_only shows what is
there. Writes compare.md, compare.json and compare.png.
"""

import json
import pathlib
from typing import Any

from absl import flags

from experiments import options, plan, plots, record, runs, summary, tables
from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.evaluation import lock, results


def summarise(out: str | pathlib.Path) -> dict[str, Any]:
    """Compares what is finished, and writes it down.

    Args:
      out: folder of the study.

    Returns:
      See `summary.summarise`.

    Raises:
      InputError: there is no study, or nothing to compare yet.
    """
    out = pathlib.Path(out)
    study = record.read(out)
    if "a" not in study:
        raise InputError(f"{out} holds another kind of study: name another --out")
    found = summary.summarise(study, summary.read_outcomes(out, study))
    text = json.dumps(found, indent=1, allow_nan=False)
    results.write_text(out / "compare.json", text + "\n")
    results.write_text(out / "compare.md", tables.compare_markdown(found))
    results.write_bytes(out / "compare.png", plots.difference_plot(found))
    return found


def run(recipe: plan.Recipe, *, at_once: int = 1) -> dict[str, Any]:
    """Trains and tests both trackers, as far as that is not done, and compares them.

    Args:
      recipe: what to compare.
      at_once: trainings at a time.

    Returns:
      See `summary.summarise`.

    Raises:
      InputError: something the user gave is missing or damaged, or a training failed.
    """
    with lock.locked(recipe.out):
        divided = plan.make_folds(recipe)
        planned = plan.make_runs(recipe, divided, plan.pack(recipe, divided))
        record.write(recipe.out, plan.describe(recipe, divided, planned))
        runs.run_all(planned, at_once=at_once, on_finished=lambda: _refresh(recipe.out))
        return summarise(recipe.out)


def _refresh(out: pathlib.Path) -> None:
    """Summarises an unfinished study, if there is something to summarise."""
    study = record.read(out)
    if summary.usable(study, summary.read_outcomes(out, study))[0]:
        summarise(out)


def _define_flags() -> None:
    flags.DEFINE_string("a", "configs/siamcar_lite0.py", "Config of tracker A.")
    flags.DEFINE_string("b", "", "Config of tracker B.")
    options.define_data()
    options.define(out="runs/compare", pairs=8000, seeds=3)


def _main() -> None:
    given = flags.FLAGS
    if given.summary_only:
        found = summarise(given.out)
    else:
        for name in ("a", "b", "root"):
            if not given[name].value:
                raise InputError(f"--{name} is missing (see --help)")
        recipe = plan.Recipe(
            a=given.a,
            b=given.b,
            root=pathlib.Path(given.root),
            out=pathlib.Path(given.out).absolute(),
            num_seeds=given.seeds,
            pairs=given.pairs,
            num_folds=given.folds,
            overrides=options.overrides(),
            train=tuple(given.train),
            held_out=tuple(given.held_out),
        )
        found = run(recipe, at_once=given.jobs)
    print(tables.compare_markdown(found))
    print(f"written: {pathlib.Path(given.out) / 'compare.md'}")


if __name__ == "__main__":
    _define_flags()
    cli.run(_main)
