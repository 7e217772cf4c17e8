"""Search the tracking settings that score best, many trials at once.

Examples:
  jaxtrack tune --checkpoint=runs/lite0 --sequences=val/ --holdout=others/
  jaxtrack tune --checkpoint=lite --benchmark=got10k_val --root=data/GOT10k
  jaxtrack tune --checkpoint=lite --sequences=val/ --settings=penalty,window --trials=32

It writes tuned.json, which `jaxtrack eval --tuned` reads, trials.csv, and figures:
history, slices, importance. After an interruption, the same command continues. A
sequence that cannot be read is left out and named, and the exit status is 3; --strict
stops at the first.
"""

import argparse
import pathlib
from collections.abc import Sequence

from jaxtrack import datasets
from jaxtrack.cli import arguments, checks, options, skipped
from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Skipped
from jaxtrack.errors import InputError, require
from jaxtrack.evaluation import tuning
from jaxtrack.evaluation.tuning import splits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, add_list, count = options.add, options.add_list, options.count
    options.add_checkpoint(parser)
    add(parser, "--out", "DIR", "folder for all output", default="runs/tune")
    options.add_sequences(parser)
    meaning = "tune on a test split anyway; reports that use the result say so"
    options.add_flag(parser, "--tune_on_test", meaning)
    meaning = "folder of other sequences, on which to measure the gain"
    add(parser, "--holdout", "DIR", meaning)
    add_list(parser, "--holdout_pattern", "GLOB", "sequences of the holdout to take")
    group = parser.add_argument_group("search")
    meaning = "number of trials, the untuned settings included"
    add(group, "--trials", "N", meaning, type=count, default=96)
    add(group, "--batch", "N", "trials tracked at once", type=count, default=8)
    meaning = "how trials are chosen"
    add(group, "--sampler", "", meaning, default="tpe", choices=tuning.SAMPLERS)
    add(
        group,
        "--seed",
        "N",
        "seed of the sampler",
        type=options.whole_number,
        default=0,
    )
    meaning = "metric to maximize, averaged over sequences"
    add(group, "--metric", "", meaning, default="auc", choices=splits.METRICS)
    meaning = "fields to tune, such as penalty,window (default: all that are tunable)"
    add(group, "--settings", "A,B,...", meaning, type=options.comma_separated)
    options.add_tracking(parser.add_argument_group("settings to start from"))
    options.add_strict(parser)
    meaning = "tune in several processes: the same command in each, which must all see "
    meaning += "--out; under Slurm and Open MPI it needs no more"
    options.add_processes(parser, meaning)


def run(args: argparse.Namespace) -> None:
    """Tunes."""
    require("optuna")
    share = arguments.share_of(args)
    checks.check_tracker(args.checkpoint, model=args.model)
    checks.check_folder(args.out)
    benchmark = _sequences(args)
    split = "" if args.benchmark else args.split or "val"
    material = splits.of_benchmark(benchmark, split=split)
    splits.check_split(material, tune_on_test=args.tune_on_test)
    skips, holdout = [*benchmark.skipped], None
    if args.holdout:
        others = _folders(args.holdout, args.holdout_pattern, args.strict)
        holdout = splits.of_benchmark(others, split="val")
        skips += others.skipped
    # Late: --help should not wait.
    from jaxtrack.evaluation import settings
    from jaxtrack.evaluation.tuning import search
    from jaxtrack.report import tuning as report
    from jaxtrack.training import inference

    changes = arguments.parse_settings(args.set)
    recipe = search.Recipe(
        checkpoint=inference.with_model(args.checkpoint, args.model),
        out=pathlib.Path(args.out),
        trials=args.trials,
        batch=args.batch,
        sampler=args.sampler,
        seed=args.seed,
        metric=args.metric,
        settings=tuple(args.settings),
        tracking=settings.choose(preset=args.preset, changes=changes).tracking,
    )

    def skip(name: str, reason: str) -> None:
        if args.strict:
            raise InputError(f"sequence {name}: {reason}")
        skips.append(Skipped(name, reason))

    if share.number:
        search.assist(recipe, material, share=share, skip=skip)
        who = f"process {share.number} of {share.count}"
        print(f"{who}: process 0 has written {recipe.out / 'tuned.json'}")
        return skipped.finish(skips)
    how = {"holdout": holdout, "skip": skip, "share": share}
    outcome, tried = search.tune(recipe, material, **how)
    report.write(outcome, tried, recipe.out)
    print(*report.lines(outcome, recipe.out), sep="\n")
    skipped.finish(skips)


def _sequences(args: argparse.Namespace) -> Benchmark:
    """Reads the sequences to tune on."""
    if args.sequences and not args.benchmark:
        return _folders(args.sequences, arguments.chosen_names(args), args.strict)
    return arguments.load_sequences(args)


def _folders(root: str, names: Sequence[str], strict: bool) -> Benchmark:
    """Reads plain folders."""
    return datasets.load("folders", root, sequences=names, strict=strict)
