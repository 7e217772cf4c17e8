"""Runs trackers over a benchmark or plain folders, scores results, compares trackers.

Run: python eval.py --checkpoint=runs/lite0 --sequences=data --out=runs/eval
A benchmark: python eval.py --benchmark=otb100 --root=OTB --checkpoint=runs/lite0
Score files: python eval.py --results=KCF=results/KCF --sequences=data --out=runs/eval
"""

from absl import flags

from jaxtrack import cli

_CHECKPOINT = flags.DEFINE_multi_string(
    "checkpoint", [], "Folder of a trained tracker, DIR or NAME=DIR."
)
_NAME = flags.DEFINE_string("name", "", "Of the one checkpoint in the report.")
_RESULTS = flags.DEFINE_multi_string("results", [], "NAME=DIR of results to score too.")
_SEQUENCES = flags.DEFINE_string("sequences", "", "Folder of annotated sequences.")
_BENCHMARK = flags.DEFINE_string("benchmark", "", "Or: otb100, lasot, vot2018, ...")
_ROOT = flags.DEFINE_string("root", "", "Folder that the benchmark unpacks to.")
_SPLIT = flags.DEFINE_string("split", "", "Of the benchmark; its test set if none.")
_ALLOW_MISSING = flags.DEFINE_bool("allow_missing", False, "Scores a part of it.")
_PATTERN = flags.DEFINE_multi_string("pattern", [], "Which sequences, e.g. 'car*'.")
_OUT = flags.DEFINE_string("out", "runs/eval", "Results, plots and report go here.")
_PROTOCOL = flags.DEFINE_string("protocol", "", "Whose rules rank: otb, lasot, ...")
_PRESET = flags.DEFINE_string("preset", "", "Tracks with public code's settings.")
_TUNED = flags.DEFINE_string("tuned", "", "Tracks with a tuned.json's settings.")
_SET = flags.DEFINE_multi_string("set", [], "FIELD=VALUE to track with.")
_TOGETHER = flags.DEFINE_bool(
    "together", None, "Many sequences at once on all devices; but on a CPU the default."
)
_ALIGNMENT = flags.DEFINE_bool("alignment", False, "Does confidence rank boxes?")
_HEATMAPS = flags.DEFINE_bool("heatmaps", False, "Draws maps of the worst sequences.")
_HEATMAPS_OF = flags.DEFINE_multi_string("heatmaps_of", [], "Draws this one's maps.")
_SWEEP = flags.DEFINE_bool("window_sweep", False, "Tracks with several windows.")
_WINDOWS = flags.DEFINE_list("windows", [], "Shares to sweep over; 0 to 0.9 if none.")


def main() -> None:
    """Evaluates, after the flags were found sound."""
    # Late: --help needs no jax.
    from jaxtrack.evaluation import command, settings, source, vot_command, wanted

    chosen = settings.choose(
        preset=_PRESET.value, tuned_file=_TUNED.value, changes=_SET.value
    )
    benchmark = source.load(
        sequences=_SEQUENCES.value,
        benchmark=_BENCHMARK.value,
        root=_ROOT.value,
        split=_SPLIT.value,
        patterns=_PATTERN.value,
        allow_missing=_ALLOW_MISSING.value,
    )
    given = {
        "checkpoint": _CHECKPOINT.value,
        "results_of": _RESULTS.value,
        "benchmark": benchmark,
        "out_dir": _OUT.value,
        "name": _NAME.value,
        "chosen": chosen,
    }
    analyses = wanted.Wanted(
        alignment=_ALIGNMENT.value,
        heatmaps=_HEATMAPS.value,
        heatmaps_of=tuple(_HEATMAPS_OF.value),
        windows=wanted.windows(_WINDOWS.value, is_asked=_SWEEP.value),
    )
    if benchmark.regions:
        vot_command.evaluate(**given, wanted=analyses)
    else:
        options = {"together": _TOGETHER.value, "protocol": _PROTOCOL.value}
        command.evaluate(**given, **options, wanted=analyses)


if __name__ == "__main__":
    cli.run(main)
