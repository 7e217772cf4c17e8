"""Run trackers over a benchmark or plain folders, score results, compare trackers.

Examples:
  jaxtrack eval --checkpoint=runs/lite0 --sequences=videos/ --out=runs/eval
  jaxtrack eval --checkpoint=ours=runs/a --checkpoint=base=runs/b --sequences=videos/
  jaxtrack eval --benchmark=otb100 --root=data/OTB --checkpoint=runs/lite0
  jaxtrack eval --checkpoint=model.pth --model=siamcar_r50 --sequences=videos/
  jaxtrack eval --results=KCF=results/KCF --sequences=videos/ --out=runs/eval
  jaxtrack eval --results=A=a/ --results=B=b/ --ground_truth=truth/ --protocol=lasot

It writes result files, plots, tables and one page, and continues where it was stopped.
A sequence that cannot be read, tracked or scored is left out for all trackers and
named, and the exit status is 3; --strict stops at the first.
"""

import argparse
import contextlib
import json

from jaxtrack import locks
from jaxtrack.cli import arguments, checks, options, skipped
from jaxtrack.datasets import Benchmark
from jaxtrack.errors import InputError, require
from jaxtrack.evaluation import ground_truth
from jaxtrack.metrics import protocols


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, add_list, add_flag = options.add, options.add_list, options.add_flag
    group = parser.add_argument_group("trackers")
    meaning = f"tracker to run and score: {options.TRACKER}"
    add_list(group, "--checkpoint", "[NAME=]TRACKER", meaning)
    options.add_model(group)
    meaning = "result files of any tracker to score: a folder in the layout of OTB, "
    meaning += "GOT-10k, pytracking or VOT, or a JSON"
    add_list(group, "--results", "NAME=DIR", meaning)
    options.add_sequences(parser)
    group = parser.add_argument_group(
        "ground truth without images, for result files only"
    )
    meaning = "folder of <sequence>.txt, or of folders with groundtruth_rect.txt, or a "
    meaning += "JSON file such as pysot's OTB100.json"
    add(group, "--ground_truth", "DIR", meaning)
    meaning = "folder of <sequence>.txt, 1 where the target is absent"
    add(group, "--absent", "DIR", meaning)
    meaning = "folder of <sequence>.label, 0 where the target is hidden"
    add(group, "--cover", "DIR", meaning)
    meaning = "score what is there of a benchmark with missing sequences"
    add_flag(parser, "--allow_missing", meaning)
    options.add_strict(parser)
    meaning = "scoring protocol (default: the benchmark's); one of "
    add(parser, "--protocol", "NAME", meaning + ", ".join(protocols.PROTOCOLS))
    meaning = "folder for results, plots and the report"
    add(parser, "--out", "DIR", meaning, default="runs/eval")
    group = parser.add_argument_group("tracking")
    options.add_tracking(group)
    meaning = "track with the settings of a tuned.json from `jaxtrack tune`"
    add(group, "--tuned", "FILE", meaning)
    group.add_argument(
        "--batched",
        action=argparse.BooleanOptionalAction,
        help="track many sequences at once on all devices (default: except on a CPU)",
    )
    meaning = (
        "track in several processes: the same command in each, which must all see "
    )
    meaning += "--out; under Slurm and Open MPI it needs no more"
    options.add_processes(parser, meaning)
    group = parser.add_argument_group("analyses of the checkpoints")
    add_flag(group, "--alignment", "measure how well confidence ranks boxes")
    add_flag(group, "--heatmaps", "draw the response maps of the worst sequences")
    add_list(group, "--heatmaps_of", "NAME", "draw the response maps of this sequence")
    meaning = "track with several weights of the cosine window"
    add_flag(group, "--window_sweep", meaning)
    meaning = "weights for --window_sweep (default: 0,0.1,...,0.9)"
    add(group, "--windows", "A,B,...", meaning, type=options.comma_separated)


def _sequences(args: argparse.Namespace) -> Benchmark:
    """Reads what is scored on."""
    flags = {"absent": args.absent, "cover": args.cover}
    if args.ground_truth:
        if args.sequences or args.benchmark:
            raise InputError("--ground_truth stands for --sequences and --benchmark")
        names = arguments.chosen_names(args)
        how = {"patterns": names, "strict": args.strict}
        return ground_truth.load(args.ground_truth, **how, **flags)
    if given := [f"--{name}" for name, folder in flags.items() if folder]:
        raise InputError(f"{given[0]} is for --ground_truth: leave it out")
    return arguments.load_sequences(args, allow_missing=args.allow_missing)


def _track_share(args, share, benchmark, how) -> bool:
    """Tracks a share of the sequences; returns whether this process scores them all."""
    from jaxtrack.evaluation import tracked

    same = {n: v for n, v in vars(args).items() if n not in ("process_id", "command")}
    group = json.dumps(same, sort_keys=True, default=str)
    with locks.locked(args.out, "evaluation", group=group):
        left = tracked.track_share(benchmark, args.out, share=share, **how)
    who = f"process {share.number} of {share.count}"
    if not left.missing:
        print(f"{who}: all sequences are tracked")
        return True
    print(
        f"{who}: its share is tracked; {len(left.missing)} of {len(benchmark.videos)} "
        f"sequences are not finished, such as {left.missing[0]}. The last process "
        "writes the report. If one was lost, run the command again, with these options "
        "or without --num_processes and --process_id"
    )
    skipped.finish(left.skipped)
    return False


def run(args: argparse.Namespace) -> None:
    """Evaluates."""
    require("jinja2", "matplotlib")
    share = arguments.share_of(args)
    if args.protocol:
        protocols.protocol_named(args.protocol)
    checks.check_folder(args.out)
    for checkpoint in arguments.parse_checkpoints(args.checkpoint).values():
        checks.check_tracker(str(checkpoint), model=args.model)
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
    benchmark = _sequences(args)
    checkpoints = arguments.parse_checkpoints(args.checkpoint, model=args.model)
    how = {"checkpoints": checkpoints, "settings": chosen}
    how |= {"batched": args.batched, "strict": args.strict}
    if share.count > 1 and not _track_share(args, share, benchmark, how):
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.locked(args.out, "evaluation"))
        except locks.BusyError:
            if share.count == 1:
                raise
            return  # Another process of the evaluation writes the report.
        evaluation = evaluate.evaluate(
            benchmark,
            args.out,
            results_of=arguments.parse_results(args.results),
            analyses=analyses,
            protocol=args.protocol,
            **how,
        )
        if evaluation.scores or evaluation.restarts:
            page = build.write(evaluation, args.out)
            print(*summary.lines(evaluation), f"report: {page}", sep="\n")
        for submission in evaluate.submit(evaluation, args.out):
            print(f"submission: {submission}")
    skipped.finish(evaluation.skipped)
