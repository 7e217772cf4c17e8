"""The ablation tables at toy scale: every config trained and tested on composed scenes.

Run: python -m experiments.ablation --jobs=2
     python -m experiments.ablation --configs=siamcar_lite0,siamla_lite0
Nothing is downloaded: scenes are composed of scikit-image's photographs, those for
testing of photographs that training never sees. Stopped at any moment, the same command
goes on. Writes ablation.md and ablation.json.
"""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from experiments import options, record, runs, settings, tables
from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.evaluation import lock, results

FOLDER = pathlib.Path("configs")
NUM_SCENES = 8
# Composed scenes alone, whatever a config says.
_DATA = {
    "records": (),
    "record_weights": (),
    "synthetic_weight": 1.0,
    "synthetic_photos": "",
    "synthetic_cutouts": "",
    "synthetic_split": "train",
    "num_workers": 1,
}


class Recipe(NamedTuple):
    """What an ablation is to do.

    Attributes:
      configs: files of settings; a row each.
      out: everything is written here.
      num_seeds: trainings of each config.
      pairs: that each training sees.
      num_scenes: held-out scenes to test on.
      overrides: fields set for all configs.
    """

    configs: tuple[pathlib.Path, ...]
    out: pathlib.Path
    num_seeds: int = 1
    pairs: int = 3200
    num_scenes: int = NUM_SCENES
    overrides: Mapping[str, Any] = {}


def find_configs(
    names: Sequence[str], folder: pathlib.Path = FOLDER
) -> tuple[pathlib.Path, ...]:
    """Finds config files by name.

    Args:
      names: files, or names of files in `configs/ablations` or `configs`; empty takes
        all of `configs/ablations`.
      folder: the folder `configs`.

    Returns:
      The files: in the order of the names, or sorted.

    Raises:
      InputError: there is none, or two of one name.
    """
    if not names:
        found = sorted((folder / "ablations").glob("[!_]*.py"))
        if not found:
            raise InputError(f"no config in {folder / 'ablations'}: name --configs")
        return tuple(found)
    files = []
    for name in names:
        places = [folder / "ablations" / f"{name}.py", folder / f"{name}.py"]
        places = [pathlib.Path(name)] if name.endswith(".py") else places
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise InputError(f"--configs: no file {' or '.join(map(str, places))}")
        if file.stem in [other.stem for other in files]:
            raise InputError(f"--configs: {file.stem} is given twice")
        files.append(file)
    return tuple(files)


def run_folder(out: pathlib.Path, name: str, seed: int) -> pathlib.Path:
    """Returns where a run lies."""
    return pathlib.Path(out) / "runs" / name / f"seed{seed}"


def make_runs(recipe: Recipe, videos: Sequence[pathlib.Path]) -> list[runs.Run]:
    """Lists the runs: every config with seed 0 first, then with seed 1, and so on.

    Args:
      recipe: what is trained.
      videos: folders of the scenes to test on.

    Returns:
      The runs.

    Raises:
      InputError: a config file or field that cannot be used.
    """
    return [
        runs.Run(
            label=f"{path.stem} seed {seed}",
            folder=run_folder(recipe.out, path.stem, seed),
            config=settings.finish(
                path,
                overrides=recipe.overrides,
                given=_DATA,
                pairs=recipe.pairs,
                seed=seed,
            ),
            videos=tuple(videos),
        )
        for seed in range(recipe.num_seeds)
        for path in recipe.configs
    ]


def row_of(outcomes: Sequence[runs.Outcome]) -> dict[str, Any]:
    """Means and standard deviations of a config's trainings.

    Args:
      outcomes: of its seeds, one or more.

    Returns:
      "num_trainings", and for each number its mean and "..._std" over seeds; None
      where it is missing (and for the deviation of one seed).
    """

    def over_scenes(values):
        known = [v for v in (values or {}).values() if v is not None]
        return float(np.mean(known)) if known else None

    numbers = {
        "auc": [over_scenes(o.auc) for o in outcomes],
        "ao": [over_scenes(o.ao) for o in outcomes],
        "alignment": [over_scenes(o.alignment) for o in outcomes],
        "cpu_seconds": [o.cpu_seconds for o in outcomes],
        "frames_per_second": [o.frames_per_second for o in outcomes],
    }
    row: dict[str, Any] = {"num_trainings": len(outcomes)}
    for key, values in numbers.items():
        known = [v for v in values if v is not None]
        row[key] = float(np.mean(known)) if known else None
        row[f"{key}_std"] = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return row


def summarise(out: str | pathlib.Path) -> dict[str, Any]:
    """Gathers what is finished, and writes it down.

    Args:
      out: folder of the ablation.

    Returns:
      What `ablation.json` holds: "study", and "rows": config -> see `row_of`.

    Raises:
      InputError: there is no ablation.
    """
    out = pathlib.Path(out)
    study = record.read(out)
    if "a" in study or "names" in study:
        raise InputError(f"{out} holds another kind of study: name another --out")
    rows = {}
    for name in study["configs"]:
        folders = [run_folder(out, name, s) for s in range(study["num_seeds"])]
        outcomes = [runs.read_outcome(folder) for folder in folders]
        rows[name] = row_of([o for o in outcomes if o is not None])
    found = {"study": study, "rows": rows}
    results.write_text(out / "ablation.json", json.dumps(found, indent=1) + "\n")
    results.write_text(out / "ablation.md", tables.ablation_markdown(found))
    return found


def run(recipe: Recipe, *, at_once: int = 1) -> dict[str, Any]:
    """Trains and tests every config, as far as that is not done.

    Args:
      recipe: what to do.
      at_once: trainings at a time.

    Returns:
      See `summarise`.

    Raises:
      InputError: a config that cannot be used, or a training failed.
    """
    from jaxtrack.data.synthetic import SyntheticSource, write_sequences

    out = recipe.out.absolute()
    with lock.locked(out):
        scenes = SyntheticSource(num_tracks=recipe.num_scenes, split="eval")
        videos = write_sequences(scenes, out / "sequences", prefix="scene")
        planned = make_runs(recipe._replace(out=out), videos)
        study = {
            "configs": [path.stem for path in recipe.configs],
            "num_seeds": recipe.num_seeds,
            "pairs": recipe.pairs,
            "num_scenes": recipe.num_scenes,
            "overrides": dict(recipe.overrides),
        }
        record.write(out, study)
        runs.run_all(planned, at_once=at_once, on_finished=lambda: summarise(out))
        return summarise(out)


def _define_flags() -> None:
    flags.DEFINE_list("configs", [], "Names or files; none: all of configs/ablations.")
    options.define(out="runs/ablation", pairs=3200, seeds=1)


def _main() -> None:
    given = flags.FLAGS
    if given.summary_only:
        found = summarise(given.out)
    else:
        recipe = Recipe(
            configs=find_configs(given.configs),
            out=pathlib.Path(given.out),
            num_seeds=given.seeds,
            pairs=given.pairs,
            overrides=options.overrides(),
        )
        found = run(recipe, at_once=given.jobs)
    print(tables.ablation_markdown(found))
    print(f"written: {pathlib.Path(given.out) / 'ablation.md'}")


if __name__ == "__main__":
    _define_flags()
    cli.run(_main)
