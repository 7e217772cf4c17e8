"""Runs a tracker over annotated sequences, scores results, compares trackers.

Run: python eval.py --checkpoint=runs/lite0 --sequences=data --out=runs/eval
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
_PATTERN = flags.DEFINE_multi_string("pattern", [], "Which of them, e.g. 'otb_*'.")
_OUT = flags.DEFINE_string("out", "runs/eval", "Results, plots and report go here.")
_TOGETHER = flags.DEFINE_bool("together", False, "Track many sequences at once.")
_ALIGNMENT = flags.DEFINE_bool("alignment", False, "Does confidence rank boxes?")
_HEATMAPS = flags.DEFINE_bool("heatmaps", False, "Draws maps of the worst sequences.")
_HEATMAPS_OF = flags.DEFINE_multi_string("heatmaps_of", [], "Draws this one's maps.")
_SWEEP = flags.DEFINE_bool("window_sweep", False, "Tracks with several windows.")
_WINDOWS = flags.DEFINE_list("windows", [], "Shares to sweep over; 0 to 0.9 if none.")


def main() -> None:
    """Evaluates, after the flags were found sound."""
    from jaxtrack.evaluation import command, wanted  # Late: --help needs no jax.

    command.evaluate(
        checkpoint=_CHECKPOINT.value,
        results_of=_RESULTS.value,
        sequences=_SEQUENCES.value,
        patterns=_PATTERN.value,
        out_dir=_OUT.value,
        name=_NAME.value,
        together=_TOGETHER.value,
        wanted=wanted.Wanted(
            alignment=_ALIGNMENT.value,
            heatmaps=_HEATMAPS.value,
            heatmaps_of=tuple(_HEATMAPS_OF.value),
            windows=wanted.windows(_WINDOWS.value, is_asked=_SWEEP.value),
        ),
    )


if __name__ == "__main__":
    cli.run(main)
