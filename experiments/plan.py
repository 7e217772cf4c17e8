"""The runs of a comparison: two configs, some seeds, some folds of real video."""

import glob
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from experiments import folds as folds_lib
from experiments import settings
from experiments.runs import Run
from jaxtrack.data import build
from jaxtrack.datasets import annotations

# Shares of the pairs: packed video, packed stills, composed scenes.
VIDEO, STILLS, SYNTHETIC = 0.4, 0.25, 0.35
# Sequences with masks whose objects are pasted into composed scenes.
CUTOUTS = ("davis_*",)


class Recipe(NamedTuple):
    """What a comparison is to do.

    Attributes:
      a: config file of tracker A.
      b: config file of tracker B.
      root: folder with `sequences/`, and perhaps `images/`.
      out: everything is written here.
      num_seeds: trainings of each tracker on each fold.
      pairs: that each training sees.
      num_folds: into which the sequences to train on are divided.
      overrides: fields set for both trackers.
      train: glob patterns of the sequences that may be trained on.
      held_out: glob patterns of those never trained on.
    """

    a: str
    b: str
    root: pathlib.Path
    out: pathlib.Path
    num_seeds: int = 3
    pairs: int = 8000
    num_folds: int = 2
    overrides: Mapping[str, Any] = {}
    train: tuple[str, ...] = folds_lib.TRAIN
    held_out: tuple[str, ...] = folds_lib.HELD_OUT


def names_of(a: str, b: str) -> tuple[str, str]:
    """Names two trackers by their config files, made different if need be."""
    names = pathlib.Path(a).stem, pathlib.Path(b).stem
    return names if names[0] != names[1] else (f"{names[0]}_a", f"{names[1]}_b")


def run_folder(out: pathlib.Path, name: str, seed: int, fold: int) -> pathlib.Path:
    """Returns where a run lies."""
    return pathlib.Path(out) / "runs" / name / f"seed{seed}_fold{fold}"


def make_folds(recipe: Recipe) -> list[folds_lib.Fold]:
    """Divides the sequences below the recipe's root."""
    found = annotations.list_sequences(recipe.root / "sequences")
    return folds_lib.split(
        [path.name for path in found],
        train=recipe.train,
        held_out=recipe.held_out,
        num_folds=recipe.num_folds,
    )


def _exactly(names: Sequence[str]) -> tuple[str, ...]:
    """Returns glob patterns that fit these names and no others."""
    return tuple(glob.escape(name) for name in names)


def pack(recipe: Recipe, folds: Sequence[folds_lib.Fold]) -> list[dict[str, Any]]:
    """Packs each fold's video, and the stills once; kept by the next call.

    Args:
      recipe: what is compared.
      folds: the division of the sequences.

    Returns:
      For each fold the fields that say what to train on.

    Raises:
      InputError: a file is damaged, or has changed since it was packed.
    """
    root, packed = recipe.root.absolute(), recipe.out.absolute() / "packed"
    photos = root / "images" / "imagenet_sample"
    tables = sorted((root / "images").glob("*_boxes.tsv"))
    if tables:
        build.build(packed / "stills", stills=tables)
    fields = []
    for number, fold in enumerate(folds):
        video = packed / f"fold{number}"
        build.build(
            video, root=root / "sequences", patterns=tuple(map(glob.escape, fold.train))
        )
        masked = [
            name
            for name in folds_lib.matching(fold.train, CUTOUTS)
            if (root / "sequences" / name / "mask").is_dir()
        ]
        stills = (str(packed / "stills"),) if tables else ()
        fields.append(
            {
                "records": (str(video), *stills),
                "record_weights": (VIDEO, STILLS)[: 1 + len(stills)],
                "synthetic_weight": SYNTHETIC,
                "synthetic_photos": str(photos) if photos.is_dir() else "",
                "synthetic_cutouts": str(root / "sequences") if masked else "",
                "synthetic_patterns": _exactly(masked) or ("*",),
                "synthetic_split": "all",
                "num_workers": 1,
            }
        )
    return fields


def make_runs(
    recipe: Recipe,
    folds: Sequence[folds_lib.Fold],
    data: Sequence[Mapping[str, Any]],
) -> list[Run]:
    """Lists the runs so that A and B of a seed and fold are neighbours.

    Args:
      recipe: what is compared.
      folds: the division of the sequences.
      data: for each fold the fields that say what to train on.

    Returns:
      Seed 0 fold 0 of A and of B, then fold 1, and so on; then seed 1.

    Raises:
      InputError: a config file or field that cannot be used.
    """
    names = names_of(recipe.a, recipe.b)
    paths = dict(zip(names, (recipe.a, recipe.b), strict=True))
    return runs_of(paths, recipe, folds, data)


def runs_of(
    paths: Mapping[str, str],
    recipe: Recipe,
    folds: Sequence[folds_lib.Fold],
    data: Sequence[Mapping[str, Any]],
    *,
    aligns: bool = True,
) -> list[Run]:
    """Lists the runs of any number of configs, seed by seed and fold by fold.

    Args:
      paths: a tracker's name -> its config file.
      recipe: of which `a` and `b` are not read.
      folds: the division of the sequences.
      data: for each fold the fields that say what to train on.
      aligns: see `Run`.

    Returns:
      All of seed 0 and fold 0, then of fold 1, and so on; then of seed 1.

    Raises:
      InputError: a config file or field that cannot be used.
    """
    # All have the first one's batch, or the same pairs would be other steps.
    batch = {"batch_size": settings.load(next(iter(paths.values()))).batch_size}
    runs = []
    for seed in range(recipe.num_seeds):
        for number, fold in enumerate(folds):
            for name, path in paths.items():
                config = settings.finish(
                    path,
                    overrides=recipe.overrides,
                    given={**data[number], **batch},
                    pairs=recipe.pairs,
                    seed=seed,
                )
                where = recipe.root.absolute() / "sequences"
                runs.append(
                    Run(
                        label=f"{name} seed {seed} fold {number}",
                        folder=run_folder(recipe.out, name, seed, number),
                        config=config,
                        videos=tuple(where / test for test in fold.test),
                        aligns=aligns,
                    )
                )
    return runs


def describe(
    recipe: Recipe, folds: Sequence[folds_lib.Fold], runs: Sequence[Run]
) -> dict[str, Any]:
    """Returns all that the summary needs beside the runs' outcomes.

    Args:
      recipe: what is compared.
      folds: the division of the sequences.
      runs: from `make_runs`.

    Returns:
      What `study.json` holds.
    """
    a, b = runs[0].config, runs[1].config
    names = names_of(recipe.a, recipe.b)
    return {
        "a": names[0],
        "b": names[1],
        "configs": [recipe.a, recipe.b],
        "overrides": dict(recipe.overrides),
        "num_seeds": recipe.num_seeds,
        "pairs": a.num_epochs * a.pairs_per_epoch,
        "batch_size": a.batch_size,
        "folds": [{"train": fold.train, "test": fold.test} for fold in folds],
        "always_held_out": folds_lib.always_tested(folds),
        "differences": settings.differences(a, b),
    }
