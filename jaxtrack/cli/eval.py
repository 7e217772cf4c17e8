"""Run trackers over a benchmark or plain folders, score results, compare trackers.

It goes on where it was stopped, and writes result files, plots, tables and one page.

Examples:
  jaxtrack eval --checkpoint=runs/lite0 --sequences=videos/ --out=runs/eval
  jaxtrack eval --checkpoint=ours=runs/a --checkpoint=base=runs/b --sequences=videos/
  jaxtrack eval --benchmark=otb100 --root=data/OTB --checkpoint=runs/lite0
  jaxtrack eval --results=KCF=results/KCF --sequences=videos/ --out=runs/eval
"""

import argparse

from jaxtrack.cli import options
from jaxtrack.metrics import protocols


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    group = parser.add_argument_group("trackers")
    group.add_argument(
        "--checkpoint",
        metavar="[NAME=]DIR",
        action="append",
        default=[],
        help="workdir of a training, to be run and scored; repeatable",
    )
    group.add_argument(
        "--name", default="", help="of the one checkpoint, in the report"
    )
    group.add_argument(
        "--results",
        metavar="NAME=DIR",
        action="append",
        default=[],
        help="result files to be scored, of any tracker; repeatable",
    )
    options.add_sequences(parser)
    parser.add_argument(
        "--allow_missing",
        action="store_true",
        help="score a part of the benchmark where sequences are missing",
    )
    parser.add_argument(
        "--protocol",
        metavar="NAME",
        default="",
        help="whose rules rank the trackers (default: the benchmark's); one of "
        f"{', '.join(protocols.PROTOCOLS)}",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="runs/eval",
        help="folder for results, plots and the report (default: %(default)s)",
    )
    group = parser.add_argument_group("tracking")
    options.add_tracking(group)
    group.add_argument(
        "--tuned",
        metavar="FILE",
        default="",
        help="track with the settings of a tuned.json that `jaxtrack tune` wrote",
    )
    group.add_argument(
        "--batched",
        action=argparse.BooleanOptionalAction,
        help="track many sequences at once on all devices; the default, but on a CPU",
    )
    _add_analyses(parser.add_argument_group("analyses of the checkpoints"))


def _add_analyses(group: argparse._ArgumentGroup) -> None:
    """Defines the options of analyses."""
    group.add_argument(
        "--alignment",
        action="store_true",
        help="measure how well confidence ranks boxes",
    )
    group.add_argument(
        "--heatmaps",
        action="store_true",
        help="draw the maps of the worst sequences",
    )
    group.add_argument(
        "--heatmaps_of",
        metavar="NAME",
        action="append",
        default=[],
        help="draw the maps of this sequence; repeatable",
    )
    group.add_argument(
        "--window_sweep",
        action="store_true",
        help="track with several shares of the cosine window",
    )
    group.add_argument(
        "--windows",
        metavar="A,B,...",
        type=options.comma_separated,
        default=[],
        help="the shares of --window_sweep (default: 0,0.1,...,0.9)",
    )


def run(args: argparse.Namespace) -> None:
    """Evaluates."""
    # Late: --help needs none of it.
    from jaxtrack.evaluation import command, settings, source, vot_command, wanted

    chosen = settings.choose(
        preset=args.preset, tuned_file=args.tuned, changes=args.set
    )
    benchmark = source.load(
        sequences=args.sequences,
        benchmark=args.benchmark,
        root=args.root,
        split=args.split,
        patterns=args.pattern,
        allow_missing=args.allow_missing,
    )
    given = {
        "checkpoint": args.checkpoint,
        "results_of": args.results,
        "benchmark": benchmark,
        "out_dir": args.out,
        "name": args.name,
        "chosen": chosen,
    }
    analyses = wanted.Wanted(
        alignment=args.alignment,
        heatmaps=args.heatmaps,
        heatmaps_of=tuple(args.heatmaps_of),
        windows=wanted.windows(args.windows, is_asked=args.window_sweep),
    )
    if benchmark.regions:
        vot_command.evaluate(**given, wanted=analyses)
    else:
        scoring = {"together": args.batched, "protocol": args.protocol}
        command.evaluate(**given, **scoring, wanted=analyses)
