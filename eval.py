"""Runs a tracker over annotated sequences, scores results, compares trackers.

Run: python eval.py --checkpoint=runs/lite0 --sequences=data --out=runs/eval
Score files: python eval.py --results=KCF=results/KCF --sequences=data --out=runs/eval
"""

from absl import flags

from jaxtrack import cli

_CHECKPOINT = flags.DEFINE_string("checkpoint", "", "Folder of a trained tracker.")
_NAME = flags.DEFINE_string("name", "", "Of the checkpoint in the report.")
_RESULTS = flags.DEFINE_multi_string("results", [], "NAME=DIR of results to score too.")
_SEQUENCES = flags.DEFINE_string("sequences", "", "Folder of annotated sequences.")
_PATTERN = flags.DEFINE_multi_string("pattern", [], "Which of them, e.g. 'otb_*'.")
_OUT = flags.DEFINE_string("out", "runs/eval", "Results, plots and report go here.")
_TOGETHER = flags.DEFINE_bool("together", False, "Track many sequences at once.")


def main() -> None:
    """Evaluates, after the flags were found sound."""
    from jaxtrack.evaluation import command  # Late: --help should not wait for jax.

    command.evaluate(
        checkpoint=_CHECKPOINT.value,
        results_of=_RESULTS.value,
        sequences=_SEQUENCES.value,
        patterns=_PATTERN.value,
        out_dir=_OUT.value,
        name=_NAME.value,
        together=_TOGETHER.value,
    )


if __name__ == "__main__":
    cli.run(main)
