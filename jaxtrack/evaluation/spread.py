"""One tracker by the rules of every toolkit, and how far these are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtrack.errors import InputError
from jaxtrack.metrics import ope
from jaxtrack.metrics.dialects import DIALECTS, dialect_named

TOOLKITS = tuple(name for name in DIALECTS if name != "no_first")
_HEADS = ("AUC", "Precision", "Norm. prec.", "AO", "SR0.5", "SR0.75")
_SHOWN_NOTES = 20


@dataclass(frozen=True)
class Spread:
    """Trackers scored by several dialects.

    Attributes:
      reports: tracker -> dialect -> report, or the reason why there is none.
      notes: tracker -> what is odd about its files.
    """

    reports: dict[str, dict[str, ope.OpeReport | str]]
    notes: dict[str, list[str]]

    @property
    def dialects(self) -> list[str]:
        """Names of the dialects, in order."""
        return list(next(iter(self.reports.values())))

    def values(self, tracker: str, number: str) -> dict[str, float]:
        """One number of a tracker by all dialects that gave one."""
        return {
            dialect: getattr(report, number)
            for dialect, report in self.reports[tracker].items()
            if not isinstance(report, str)
        }

    def spread(self, tracker: str, number: str) -> float | None:
        """Largest less smallest of them; None where no dialect gave one."""
        values = self.values(tracker, number).values()
        return max(values) - min(values) if values else None

    @property
    def rankings(self) -> dict[str, list[str]]:
        """Dialect -> trackers by AUC, best first; dialects that scored all of them."""
        scored = [
            dialect
            for dialect in self.dialects
            if not any(isinstance(r[dialect], str) for r in self.reports.values())
        ]
        return {
            dialect: sorted(self.reports, key=lambda n: -self.reports[n][dialect].auc)
            for dialect in scored
        }


def score_all(
    ground_truth: Mapping,
    results_of: Mapping[str, Mapping],
    *,
    dialects: Sequence[str] = TOOLKITS,
    absent: Mapping | None = None,
    cover: Mapping | None = None,
    image_size: Mapping | None = None,
) -> Spread:
    """Scores every tracker by every dialect; see `ope.score` for the arguments.

    Args:
      ground_truth: name of a sequence -> `[N, 4]` xywh, px.
      results_of: tracker -> name of a sequence -> `[N, 4]` xywh, px.
      dialects: keys of `dialects.DIALECTS`.
      absent: name -> `[N]`.
      cover: name -> `[N]`.
      image_size: name -> (width, height), px.

    Returns:
      Reports; a dialect that refuses a tracker's results is there with its reason.

    Raises:
      InputError: unknown dialect, no tracker, or all dialects refuse all trackers.
    """
    if not results_of or not dialects:
        raise InputError("nothing to score: give --results=NAME=DIR")
    for dialect in dialects:
        dialect_named(dialect)
    reports: dict[str, dict[str, ope.OpeReport | str]] = {}
    for tracker, predicted in results_of.items():
        reports[tracker] = {}
        for dialect in dialects:
            try:
                reports[tracker][dialect] = ope.score(
                    ground_truth,
                    predicted,
                    dialect=dialect,
                    absent=absent,
                    cover=cover,
                    image_size=image_size,
                )
            except InputError as fault:
                reports[tracker][dialect] = str(fault)
    found = [report for by in reports.values() for report in by.values()]
    if all(isinstance(report, str) for report in found):
        raise InputError(f"no dialect scores these results: {found[0]}")
    return Spread(reports, {tracker: [] for tracker in reports})


def as_json(spread: Spread) -> dict:
    """Everything found, ready for `json.dumps`.

    Args:
      spread: the scores.

    Returns:
      "dialects" (their rules in words), "trackers" (numbers, curves, reasons and notes
      by dialect, and the spread of each number) and "rankings".
    """
    trackers = {}
    for tracker, by in spread.reports.items():
        told = {}
        for dialect, report in by.items():
            if isinstance(report, str):
                told[dialect] = {"refused": report}
                continue
            told[dialect] = {key: getattr(report, key) for key in ope.NUMBERS}
            for key in ("success_curve", "precision_curve", "norm_precision_curve"):
                told[dialect][key] = getattr(report, key).tolist()
            told[dialect]["notes"] = list(report.notes)
            told[dialect]["sequences"] = {
                name: {key: getattr(one, key) for key in ope.NUMBERS}
                for name, one in report.sequences.items()
            }
        trackers[tracker] = {
            "dialects": told,
            "spread": {key: spread.spread(tracker, key) for key in ope.NUMBERS},
            "notes": spread.notes[tracker],
        }
    return {
        "dialects": {name: DIALECTS[name].summary for name in spread.dialects},
        "trackers": trackers,
        "rankings": spread.rankings,
        "ranking_changes": len(set(map(tuple, spread.rankings.values()))) > 1,
    }


def ranking_line(spread: Spread) -> str:
    """Says whether the dialects agree on who is best."""
    rankings = spread.rankings
    if len(spread.reports) < 2:
        return "ranking: one tracker only"
    orders: dict[tuple[str, ...], list[str]] = {}
    for dialect, order in rankings.items():
        orders.setdefault(tuple(order), []).append(dialect)
    if not orders:
        return "ranking: no dialect scores all trackers"
    if len(orders) == 1:
        order = " > ".join(next(iter(orders)))
        return f"ranking by AUC: the same by all dialects: {order}"
    told = [f"{' > '.join(o)} ({', '.join(by)})" for o, by in orders.items()]
    return f"ranking by AUC CHANGES between dialects: {'; '.join(told)}"


def markdown(spread: Spread) -> str:
    """The table of every tracker, dialects as rows.

    Args:
      spread: the scores.

    Returns:
      Markdown text.
    """
    lines = ["# Scores by every toolkit's rules", "", ranking_line(spread), ""]
    for tracker, by in spread.reports.items():
        lines += [f"## {tracker}", "", f"| Dialect | {' | '.join(_HEADS)} |"]
        lines.append("|---|" + "---:|" * len(ope.NUMBERS))
        for dialect, report in by.items():
            if isinstance(report, str):
                cells = [f"refused: {report.replace('|', '/')}"] + [""] * 5
            else:
                cells = [f"{getattr(report, key):.4f}" for key in ope.NUMBERS]
            lines.append(f"| {dialect} | {' | '.join(cells)} |")
        widths = [spread.spread(tracker, key) for key in ope.NUMBERS]
        cells = ["" if width is None else f"{width:.4f}" for width in widths]
        lines += [f"| **largest - smallest** | {' | '.join(cells)} |", ""]
        lines += [f"- {note}" for note in spread.notes[tracker]]
        for dialect, report in by.items():
            if not isinstance(report, str) and report.notes:
                lines += [f"- {dialect}: {n}" for n in report.notes[:_SHOWN_NOTES]]
                if len(report.notes) > _SHOWN_NOTES:
                    lines.append(f"- {dialect}: {len(report.notes)} notes in all")
        lines.append("")
    lines += ["## Rules", ""]
    lines += [f"- **{name}**: {DIALECTS[name].summary}" for name in spread.dialects]
    return "\n".join(lines) + "\n"


def table(spread: Spread) -> list[str]:
    """What the command prints.

    Args:
      spread: the scores.

    Returns:
      Lines: a table for each tracker, then the ranking.
    """
    wide = max(len(name) for name in (*spread.dialects, "largest - smallest"))
    lines = []
    for tracker, by in spread.reports.items():
        lines.append(f"{tracker:<{wide}}  " + "  ".join(f"{h:>11}" for h in _HEADS))
        for dialect, report in by.items():
            if isinstance(report, str):
                lines.append(f"{dialect:<{wide}}  refused: {report}")
                continue
            cells = [f"{getattr(report, key):11.4f}" for key in ope.NUMBERS]
            notes = f"  ({len(report.notes)} notes)" if report.notes else ""
            lines.append(f"{dialect:<{wide}}  {'  '.join(cells)}{notes}")
        widths = [spread.spread(tracker, key) for key in ope.NUMBERS]
        cells = [" " * 11 if width is None else f"{width:11.4f}" for width in widths]
        lines.append(f"{'largest - smallest':<{wide}}  {'  '.join(cells)}")
        lines += [f"note: {note}" for note in spread.notes[tracker]] + [""]
    return [*lines, ranking_line(spread)]
