r"""Train several configs with several seeds; report which is better, with intervals.

REALDATA has sequences/ (annotated videos) and images/ (photographs, still images with
boxes): each fold's networks are tested on sequences that they never saw. Without
--root, scenes are composed of scikit-image's photographs, with other photographs for
the tests. The first config is the reference for all others; with --reference=previous,
each config is compared with the one before (the gain of each part). Run the same
command again to resume; --summary_only shows the finished runs. Writes compare.md,
compare.json and compare.png.

Examples:
  python -m experiments.compare --config=siamcar_lite0,siamla_lite0 \
      --root=REALDATA --seeds=3 --pairs=8000 --processes=2
  python -m experiments.compare --config=ablations --seeds=1 --pairs=3200
"""

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from experiments import folds as folds_lib
from experiments import plot, runs, settings, summary, tables
from jaxtrack import cli, configs, locks
from jaxtrack.cli import options
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic

RECORD = "experiment.json"  # The request, for the summary.


class Experiment(NamedTuple):
    """The configs to compare, and how.

    Attributes:
      configs: name -> config file, in the order of the table.
      out: output folder.
      reference: "first" or "previous": the config that others are compared with.
      num_seeds: trainings per config and fold.
      pairs: per training.
      changes: settings changed for all configs.
      aligns: whether to measure the alignment of confidence and overlap.
      root: folder with `sequences/` and optionally `images/`; None composes scenes.
      num_folds: into which the sequences to train on are divided.
      train: glob patterns of the sequences that may be trained on.
      held_out: glob patterns of those never trained on.
    """

    configs: Mapping[str, pathlib.Path]
    out: pathlib.Path
    reference: str = "first"
    num_seeds: int = 3
    pairs: int = 8000
    changes: settings.Changes = ()
    aligns: bool = True
    root: pathlib.Path | None = None
    num_folds: int = 2
    train: Sequence[str] = folds_lib.TRAIN
    held_out: Sequence[str] = folds_lib.HELD_OUT


def make_folds(experiment: Experiment) -> list[folds_lib.Fold]:
    """Prepares the data of an experiment; existing data are kept."""
    if experiment.root is None:
        return folds_lib.of_scenes(experiment.out)
    return folds_lib.of_video(
        experiment.root,
        experiment.out,
        train=experiment.train,
        held_out=experiment.held_out,
        num_folds=experiment.num_folds,
    )


def make_runs(
    experiment: Experiment, folds: Sequence[folds_lib.Fold]
) -> list[runs.Run]:
    """Lists the runs, with all configs of a seed and fold next to each other.

    Args:
      experiment: what is compared.
      folds: the data.

    Returns:
      All of seed 0 and fold 0, then of fold 1, and so on; then of seed 1.

    Raises:
      InputError: a config file or field that cannot be used.
    """
    first = next(iter(experiment.configs.values()))
    # All have the batch size of the first, so that steps have the same pairs.
    batch = {"run.batch_size": configs.load(first).run.batch_size}
    planned = []
    for seed in range(experiment.num_seeds):
        for number, fold in enumerate(folds):
            for name, path in experiment.configs.items():
                config = settings.of_training(
                    path,
                    pairs=experiment.pairs,
                    seed=seed,
                    data={**fold.fields, **batch},
                    changes=experiment.changes,
                )
                run = runs.Run(
                    label=f"{name} seed {seed} fold {number}",
                    folder=runs.run_folder(experiment.out, name, seed, number),
                    network=runs.network_folder(experiment.out, config, fold=number),
                    config=config,
                    videos=tuple(fold.folder / test for test in fold.test),
                    aligns=experiment.aligns,
                )
                planned.append(run)
    return planned


def describe(
    experiment: Experiment, folds: Sequence[folds_lib.Fold], planned: Sequence[runs.Run]
) -> dict[str, Any]:
    """Returns everything that the summary needs besides the runs' outcomes.

    Args:
      experiment: what is compared.
      folds: the data.
      planned: from `make_runs`.

    Returns:
      What `experiment.json` holds.
    """
    first = [run.config for run in planned[: len(experiment.configs)]]
    return {
        "configs": {name: str(path) for name, path in experiment.configs.items()},
        "reference": experiment.reference,
        "root": experiment.root and str(experiment.root),
        "changes": dict(experiment.changes),
        "num_seeds": experiment.num_seeds,
        "pairs": first[0].run.num_epochs * first[0].run.pairs_per_epoch,
        "batch_size": first[0].run.batch_size,
        "folds": [{"train": fold.train, "test": fold.test} for fold in folds],
        "held_out": folds_lib.tested_by_all(folds),
        "differences": settings.differences(first),
    }


def compare(
    experiment: Experiment, *, at_once: int = 1, is_together: bool = False
) -> dict[str, Any]:
    """Trains and tests all configs that are not finished, and compares them.

    Args:
      experiment: what to compare.
      at_once: child processes at a time.
      is_together: trains all configs of a seed and fold in one process, on batches that
        are loaded once.

    Returns:
      See `summary.summarize`.

    Raises:
      InputError: something the user gave is missing or damaged, or a training failed.
    """
    out = experiment.out
    with locks.locked(out, "experiment"):
        folds = make_folds(experiment)
        planned = make_runs(experiment, folds)
        record = describe(experiment, folds, planned)
        text = json.dumps(record, indent=1, allow_nan=False)
        atomic.write_text(out / RECORD, text + "\n")
        how = {"at_once": at_once, "is_together": is_together}
        runs.run_all(planned, **how, on_finished=lambda: summarize(out))
        return summarize(out)


def summarize(out: str | pathlib.Path) -> dict[str, Any]:
    """Compares the finished runs, and writes the summary.

    Args:
      out: folder of the experiment.

    Returns:
      See `summary.summarize`.

    Raises:
      InputError: there is no experiment.
    """
    out = pathlib.Path(out)
    try:
        experiment = json.loads((out / RECORD).read_text())
    except (OSError, ValueError):
        raise InputError(
            f"no experiment in {out}: start one without --summary_only"
        ) from None
    result = summary.summarize(experiment, summary.read_outcomes(out, experiment))
    text = json.dumps(result, indent=1, allow_nan=False)
    atomic.write_text(out / "compare.json", text + "\n")
    atomic.write_text(out / "compare.md", tables.markdown(result))
    if (picture := plot.difference_plot(result)) is not None:
        atomic.write_bytes(out / "compare.png", picture)
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    meaning = "configs by name, .py file, or folder of configs/, in this order"
    configs = {"type": options.comma_separated, "default": "ablations"}
    add(parser, "--config", "NAME,NAME", meaning, **configs)
    add(parser, "--config.FIELD", "VALUE", "change one setting of all configs")
    meaning, choices = "the config that others are compared with", ("first", "previous")
    add(parser, "--reference", "", meaning, default="first", choices=choices)
    meaning = "folder with sequences/ and images/; if not given, scenes are composed"
    add(parser, "--root", "DIR", meaning, type=pathlib.Path, default=None)
    for name, default, meaning in (
        ("--folds", 2, "folds of the sequences to train on"),
        ("--pairs", 8000, "pairs per training"),
        ("--seeds", 3, "trainings per config"),
        ("--processes", 1, "processes at once"),
    ):
        add(parser, name, "N", meaning, type=options.count, default=default)
    for name, patterns, meaning in (
        ("--train", folds_lib.TRAIN, "sequences to train on"),
        ("--held_out", folds_lib.HELD_OUT, "sequences never trained on"),
    ):
        meaning += f" (default: {' '.join(patterns)})"
        options.add_list(parser, name, "GLOB", meaning)
    meaning = "train the configs of a seed and fold side by side on the same batches, "
    meaning += "which are loaded once; needs memory for all of them"
    options.add_flag(parser, "--together", meaning)
    meaning = "do not measure how confidence ranks overlap"
    options.add_flag(parser, "--noalignment", meaning)
    meaning, out = "output folder", pathlib.Path("runs/compare")
    add(parser, "--out", "DIR", meaning, type=pathlib.Path, default=out)
    options.add_flag(parser, "--summary_only", "only print what is finished")


def run(args: argparse.Namespace) -> None:
    """Trains the unfinished runs, and prints the comparison."""
    out = args.out.absolute()
    if args.summary_only:
        result = summarize(out)
    else:
        experiment = Experiment(
            configs=settings.find(args.config),
            out=out,
            reference=args.reference,
            num_seeds=args.seeds,
            pairs=args.pairs,
            changes=args.overrides,
            aligns=not args.noalignment,
            root=args.root,
            num_folds=args.folds,
            train=args.train or folds_lib.TRAIN,
            held_out=args.held_out or folds_lib.HELD_OUT,
        )
        how = {"at_once": args.processes, "is_together": args.together}
        result = compare(experiment, **how)
    print(tables.markdown(result))
    print(f"written: {out / 'compare.md'}")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="experiments.compare")
