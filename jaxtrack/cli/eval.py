"""Run trackers over a benchmark or plain folders, score results, compare trackers.

It goes on where it was stopped, and writes result files, plots, tables and one page.

Examples:
  jaxtrack eval --checkpoint=runs/lite0 --sequences=videos/ --out=runs/eval
  jaxtrack eval --checkpoint=ours=runs/a --checkpoint=base=runs/b --sequences=videos/
  jaxtrack eval --benchmark=otb100 --root=data/OTB --checkpoint=runs/lite0
  jaxtrack eval --results=KCF=results/KCF --sequences=videos/ --out=runs/eval
  jaxtrack eval --results=A=a/ --results=B=b/ --ground_truth=truth/ --protocol=lasot
"""

import argparse

from jaxtrack.cli import arguments, options
from jaxtrack.datasets import Benchmark
from jaxtrack.errors import InputError, require
from jaxtrack.evaluation import ground_truth
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
    group = parser.add_argument_group("truth without pictures, for result files alone")
    group.add_argument(
        "--ground_truth",
        metavar="DIR",
        default="",
        help="folder of <sequence>.txt, or of folders with groundtruth_rect.txt",
    )
    group.add_argument(
        "--absent",
        metavar="DIR",
        default="",
        help="folder of <sequence>.txt, 1 where the target is absent",
    )
    group.add_argument(
        "--cover",
        metavar="DIR",
        default="",
        help="folder of <sequence>.label, 0 where the target is hidden",
    )
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


def _sequences(args: argparse.Namespace) -> Benchmark:
    """Reads what is scored on."""
    flags = {"absent": args.absent, "cover": args.cover}
    if args.ground_truth:
        if args.sequences or args.benchmark:
            raise InputError("--ground_truth stands for --sequences and --benchmark")
        return ground_truth.load(args.ground_truth, patterns=args.pattern, **flags)
    if given := [f"--{name}" for name, folder in flags.items() if folder]:
        raise InputError(f"{given[0]} is for --ground_truth: leave it out")
    return arguments.load_sequences(args, allow_missing=args.allow_missing)


def run(args: argparse.Namespace) -> None:
    """Evaluates."""
    require("jinja2", "matplotlib")
    # Late: --help needs none of it.
    from jaxtrack.evaluation import evaluate, settings
    from jaxtrack.evaluation.analysis.options import Options
    from jaxtrack.report import build, summary

    analyses = Options(
        alignment=args.alignment,
        heatmaps=args.heatmaps,
        heatmaps_of=tuple(args.heatmaps_of),
        windows=arguments.parse_windows(args.windows, is_asked=args.window_sweep),
    )
    chosen = settings.choose(
        preset=args.preset,
        tuned_file=args.tuned,
        changes=arguments.parse_settings(args.set),
    )
    found = evaluate.evaluate(
        _sequences(args),
        args.out,
        checkpoints=arguments.parse_checkpoints(args.checkpoint, name=args.name),
        results_of=arguments.parse_results(args.results),
        settings=chosen,
        analyses=analyses,
        protocol=args.protocol,
        batched=args.batched,
    )
    if found.scores or found.restarts:
        page = build.write(found, args.out)
        print(*summary.lines(found), f"report: {page}", sep="\n")
    for sent in evaluate.submit(found, args.out):
        print(f"submission, checked: {sent}")
