"""Search the tracking settings that score best, many trials at once.

Stopped at any moment, the same command goes on. It writes tuned.json, which
`jaxtrack eval --tuned` reads, trials.csv, history.png, slices.png and importance.png.

Example:
  jaxtrack tune --checkpoint=runs/lite0 --sequences=val/ --holdout=others/
"""

import argparse
import functools
import pathlib

from jaxtrack.cli import arguments, options
from jaxtrack.errors import InputError, require
from jaxtrack.evaluation.tuning import splits, study
from jaxtrack.evaluation.tuning.splits import Material


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    count = functools.partial(options.whole_number, least=1)
    parser.add_argument(
        "--checkpoint", metavar="DIR", default="", help="workdir of a training"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="runs/tune",
        help="folder for everything written (default: %(default)s)",
    )
    options.add_sequences(parser)
    parser.add_argument(
        "--tune_on_test",
        action="store_true",
        help="tune on a test split all the same; reports made with the outcome say so",
    )
    parser.add_argument(
        "--holdout",
        metavar="DIR",
        default="",
        help="folder of other sequences, to measure the gain on",
    )
    parser.add_argument(
        "--holdout_pattern",
        metavar="GLOB",
        action="append",
        default=[],
        help="names of those to take; repeatable",
    )
    group = parser.add_argument_group("search")
    group.add_argument(
        "--trials",
        metavar="N",
        type=count,
        default=96,
        help="in all, the untuned settings among them (default: %(default)s)",
    )
    group.add_argument(
        "--batch",
        metavar="N",
        type=count,
        default=8,
        help="trials tracked at once (default: %(default)s)",
    )
    group.add_argument(
        "--sampler",
        choices=study.SAMPLERS,
        default="tpe",
        help="what chooses the trials (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=options.whole_number,
        default=0,
        help="of the sampler (default: %(default)s)",
    )
    group.add_argument(
        "--metric",
        choices=splits.METRICS,
        default="auc",
        help="what is maximised, as the mean over sequences (default: %(default)s)",
    )
    group.add_argument(
        "--settings",
        metavar="A,B,...",
        type=options.comma_separated,
        default=[],
        help="fields to tune, such as penalty,window (default: all that can be)",
    )
    options.add_tracking(parser.add_argument_group("settings to begin with"))


def run(args: argparse.Namespace) -> None:
    """Tunes."""
    require("optuna")
    if not args.checkpoint:
        raise InputError("--checkpoint is missing: name the workdir of a training")
    material = _material(args)
    splits.check_split(material, tune_on_test=args.tune_on_test)
    holdout = None
    if args.holdout:
        holdout = splits.of_folder(args.holdout, patterns=args.holdout_pattern)
    # Late: --help should not wait.
    from jaxtrack.evaluation import settings
    from jaxtrack.evaluation.tuning import search
    from jaxtrack.report import tuning

    changes = arguments.parse_settings(args.set)
    recipe = search.Recipe(
        checkpoint=args.checkpoint,
        out=pathlib.Path(args.out),
        trials=args.trials,
        batch=args.batch,
        sampler=args.sampler,
        seed=args.seed,
        metric=args.metric,
        settings=tuple(args.settings),
        tracking=settings.choose(preset=args.preset, changes=changes).tracking,
    )
    outcome, tried = search.tune(recipe, material, holdout=holdout)
    tuning.write(outcome, tried, recipe.out)
    print(*tuning.lines(outcome, recipe.out), sep="\n")


def _material(args: argparse.Namespace) -> Material:
    """Reads the sequences to tune on."""
    if args.sequences and not args.benchmark:
        split = args.split or "val"
        return splits.of_folder(args.sequences, patterns=args.pattern, split=split)
    return splits.of_benchmark(arguments.load_sequences(args))
