"""The summary and the figures of a tuning."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxtrack.evaluation import atomic
from jaxtrack.evaluation.tuning import tuned
from jaxtrack.evaluation.tuning.study import Tried
from jaxtrack.report.plots import tuning as plots
from jaxtrack.report.sections import drawing


def write(outcome: Mapping[str, Any], tried: Sequence[Tried], out: str | Path) -> None:
    """Writes history, slices and importance, each as PNG, PDF and SVG.

    Args:
      outcome: see `search.tune`.
      tried: the trials.
      out: the output folder.

    Raises:
      InputError: the folder cannot be written to.
    """
    for name, figure in plots.draw(outcome, tried).items():
        for path, content in drawing(name, figure).files():
            atomic.write_bytes(Path(out) / path, content)


def lines(outcome: Mapping[str, Any], out: str | Path) -> list[str]:
    """Returns the lines that the command prints.

    Args:
      outcome: see `search.tune`.
      out: the output folder.
    """
    about, metric = outcome["tuned_on"], outcome["metric"]
    settings = ", ".join(f"{k} {outcome['tracking'][k]:.3f}" for k in outcome["ranges"])
    lines = [
        f"best of {about['trials']} trials, number {outcome['trial']}: {settings}",
        gain_line(f"split {about['split']!r}", metric, outcome["gain"]),
        "note: the gain on the sequences used for tuning is optimistic"
        + ("" if outcome["holdout"] else "; --holdout=DIR measures it on others"),
    ]
    if outcome["holdout"]:
        lines.append(gain_line("holdout", metric, outcome["holdout"]["gain"]))
    if about["is_test"]:
        lines.append(
            f"warning: {about['split']!r} is a test split; reports that use this "
            "tuning say so"
        )
    return [*lines, f"written: {Path(out) / tuned.FILE}"]


def gain_line(what: str, metric: str, gained: Mapping[str, Any]) -> str:
    """Describes a gain in a line.

    Args:
      what: the name of the sequences.
      metric: that was compared.
      gained: see `gain`.
    """
    line = (
        f"{what}: {metric.upper()} {gained['tuned']:.3f}, untuned "
        f"{gained['untuned']:.3f}: {gained['difference']:+.3f}, "
    )
    if gained["sequences"] == 1:
        return line + "on one sequence, too few for an interval"
    low, high = gained["interval"]
    return line + (
        f"{100 * gained['confidence']:.0f} % interval [{low:+.3f}, {high:+.3f}] over "
        f"{gained['sequences']} sequences"
    )
