"""The summary of an evaluation that commands print."""

from collections.abc import Sequence

import numpy as np

from jaxtrack.evaluation import compare
from jaxtrack.evaluation.analysis.outcome import Analyses
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.evaluation.scoring import PRIMARY, TrackerScores
from jaxtrack.report import wording
from jaxtrack.report.analysis_sections import shown
from jaxtrack.report.sections import rank
from jaxtrack.report.tables import is_none
from jaxtrack.report.vot_sections import COLUMNS


def lines(evaluation: Evaluation) -> list[str]:
    """Summarizes an evaluation.

    Args:
      evaluation: with scores.

    Returns:
      One line per tracker, best first, then the analyses, then notes.
    """
    warnings = [f"{n}: {w}" for n, r in evaluation.restarts.items() for w in r.warnings]
    notes = [f"note: {note}" for note in (*evaluation.notes, *warnings)]
    if evaluation.restarts:
        return [*_vot_lines(evaluation), *notes]
    return [
        *score_lines(evaluation.scores, primary=evaluation.primary),
        *analysis_lines(evaluation.analyses),
        *notes,
    ]


def score_lines(
    scores: Sequence[TrackerScores], *, primary: str = PRIMARY
) -> list[str]:
    """Summarizes the scores of a one-pass evaluation.

    Args:
      scores: of the trackers.
      primary: the protocol that ranks.

    Returns:
      One line per tracker, best first, whether toolkits agree, and notes on
      ground truth and results.
    """
    width = max(len(s.name) for s in scores)
    lines = [
        _score_line(tracker, primary, width)
        for tracker in compare.by_auc(scores, primary=primary)
    ]
    rules = wording.rules(scores[0].reports[primary].protocol)
    lines.append(f"note: protocol {rules}")
    if ranking := compare.ranking_sentence(scores):
        lines.append(f"note: {ranking}")
    sequences = scores[0].reports[primary].sequences.values()
    if unusable := sum(s.num_unusable for s in sequences):
        lines.append(
            f"note: {unusable} frames have no ground truth that protocol "
            f"{primary!r} accepts"
        )
    lines += [
        f"note: {tracker.name}: {note}"
        for tracker in scores
        for note in (*tracker.notes, *tracker.reports[primary].warnings[:3])
    ]
    return lines


def _score_line(tracker: TrackerScores, primary: str, width: int) -> str:
    """Returns the numbers of one tracker."""
    main, given = tracker.reports[primary], tracker.reports.get("no_first")
    at = "@20px" if main.protocol.precision_is == "at" else " (area)"
    line = (
        f"{tracker.name:<{width}}  AUC {main.auc:.3f}  "
        f"precision{at} {main.precision:.3f}  AO {main.ao:.3f}  "
        f"SR0.5 {main.sr50:.3f}  SR0.75 {main.sr75:.3f}"
    )
    if given and primary != "no_first":
        line += (
            f"  | first frame excluded: AUC {given.auc:.3f}  "
            f"precision@20px {given.precision:.3f}"
        )
    speed = tracker.frames_per_second
    return line + (f"  | {speed:.1f} frames/s" if speed else "")


def analysis_lines(analyses: Analyses) -> list[str]:
    """Summarizes the analyses.

    Args:
      analyses: by the analyses.

    Returns:
      One line per tracker or sequence.
    """
    lines = []
    for name, one in (analyses.alignment or {}).items():
        overall = one["overall"]
        lines.append(
            f"alignment of {name}: rank correlation {shown(overall['correlation'])}, "
            f"regret {shown(overall['regret'])} IoU, {overall['num_left_out']} of "
            f"{overall['num_frames']} frames left out"
        )
    for name, frames in (analyses.heatmaps.frames if analyses.heatmaps else {}).items():
        indices = f"frames {', '.join(map(str, frames))}"
        nothing = "no later frame has a ground-truth box"
        lines.append(f"heat maps of {name}: {indices if frames else nothing}")
    for name, one in (analyses.window_sweep or {}).items():
        auc = one.auc[PRIMARY]
        best = int(np.argmax(auc))
        lines.append(
            f"window sweep of {name}: AUC spread {one.spread():.3f}, at 0 "
            f"{shown(one.at_zero())}, best {auc[best]:.3f} at {one.windows[best]:g}"
        )
    return lines


def _vot_lines(evaluation: Evaluation) -> list[str]:
    """Returns one line per tracker, best expected average overlap first."""
    lines = []
    for name, report in sorted(
        evaluation.restarts.items(), key=lambda r: -rank(r[1].eao)
    ):
        values = [(c, getattr(report, number)) for number, c in COLUMNS.items()]
        numbers = [
            f"{c.head} {'-' if is_none(v) else f'{v:.{c.digits}f}'}" for c, v in values
        ]
        lines.append(f"{name} at {evaluation.primary}: {', '.join(numbers)}")
    return lines
