"""One tracker by the rules of every toolkit, and how far these are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtrack.errors import InputError
from jaxtrack.metrics import ope
from jaxtrack.metrics.protocols import PROTOCOLS, protocol_named

TOOLKITS = tuple(name for name in PROTOCOLS if name != "no_first")
_HEADS = ("AUC", "Precision", "Norm. prec.", "AO", "SR0.5", "SR0.75")
_SHOWN_NOTES = 20


@dataclass(frozen=True)
class Spread:
    """Trackers scored by several protocols.

    Attributes:
      reports: tracker -> protocol -> report, or the reason why there is none.
      notes: tracker -> what is odd about its files.
    """

    reports: dict[str, dict[str, ope.OpeReport | str]]
    notes: dict[str, list[str]]

    @property
    def protocols(self) -> list[str]:
        """Names of the protocols, in order."""
        return list(next(iter(self.reports.values())))

    def values(self, tracker: str, number: str) -> dict[str, float]:
        """One number of a tracker by all protocols that gave one."""
        return {
            protocol: getattr(report, number)
            for protocol, report in self.reports[tracker].items()
            if not isinstance(report, str)
        }

    def spread(self, tracker: str, number: str) -> float | None:
        """Largest less smallest of them; None where no protocol gave one."""
        values = self.values(tracker, number).values()
        return max(values) - min(values) if values else None

    @property
    def rankings(self) -> dict[str, list[str]]:
        """Protocols that scored all trackers -> these by AUC, best first."""
        scored = [
            protocol
            for protocol in self.protocols
            if not any(isinstance(r[protocol], str) for r in self.reports.values())
        ]
        return {
            protocol: sorted(self.reports, key=lambda n: -self.reports[n][protocol].auc)
            for protocol in scored
        }


def score_all(
    ground_truth: Mapping,
    results_of: Mapping[str, Mapping],
    *,
    protocols: Sequence[str] = TOOLKITS,
    absent: Mapping | None = None,
    cover: Mapping | None = None,
    image_size: Mapping | None = None,
) -> Spread:
    """Scores every tracker by every protocol; see `ope.score` for the arguments.

    Args:
      ground_truth: name of a sequence -> `[N, 4]` xywh, px.
      results_of: tracker -> name of a sequence -> `[N, 4]` xywh, px.
      protocols: keys of `protocols.PROTOCOLS`.
      absent: name -> `[N]`.
      cover: name -> `[N]`.
      image_size: name -> (width, height), px.

    Returns:
      Reports; a protocol that refuses a tracker's results is there with its reason.

    Raises:
      InputError: unknown protocol, no tracker, or all protocols refuse all trackers.
    """
    if not results_of or not protocols:
        raise InputError("nothing to score: give --results=NAME=DIR")
    for protocol in protocols:
        protocol_named(protocol)
    reports: dict[str, dict[str, ope.OpeReport | str]] = {}
    for tracker, predicted in results_of.items():
        reports[tracker] = {}
        for protocol in protocols:
            try:
                reports[tracker][protocol] = ope.score(
                    ground_truth,
                    predicted,
                    protocol=protocol,
                    absent=absent,
                    cover=cover,
                    image_size=image_size,
                )
            except InputError as fault:
                reports[tracker][protocol] = str(fault)
    found = [report for by in reports.values() for report in by.values()]
    if all(isinstance(report, str) for report in found):
        raise InputError(f"no protocol scores these results: {found[0]}")
    return Spread(reports, {tracker: [] for tracker in reports})


def as_json(spread: Spread) -> dict:
    """Everything found, ready for `json.dumps`.

    Args:
      spread: the scores.

    Returns:
      "protocols" (their rules in words), "trackers" (numbers, curves, reasons and
      warnings by protocol, and the spread of each number) and "rankings".
    """
    trackers = {}
    for tracker, by in spread.reports.items():
        told = {}
        for protocol, report in by.items():
            if isinstance(report, str):
                told[protocol] = {"refused": report}
                continue
            told[protocol] = {key: getattr(report, key) for key in ope.NUMBERS}
            for key in ("success_curve", "precision_curve", "norm_precision_curve"):
                told[protocol][key] = getattr(report, key).tolist()
            told[protocol]["warnings"] = list(report.warnings)
            told[protocol]["sequences"] = {
                name: {key: getattr(one, key) for key in ope.NUMBERS}
                for name, one in report.sequences.items()
            }
        trackers[tracker] = {
            "protocols": told,
            "spread": {key: spread.spread(tracker, key) for key in ope.NUMBERS},
            "notes": spread.notes[tracker],
        }
    return {
        "protocols": {name: PROTOCOLS[name].summary for name in spread.protocols},
        "trackers": trackers,
        "rankings": spread.rankings,
        "ranking_changes": len(set(map(tuple, spread.rankings.values()))) > 1,
    }


def ranking_line(spread: Spread) -> str:
    """Says whether the protocols agree on who is best."""
    rankings = spread.rankings
    if len(spread.reports) < 2:
        return "ranking: one tracker only"
    orders: dict[tuple[str, ...], list[str]] = {}
    for protocol, order in rankings.items():
        orders.setdefault(tuple(order), []).append(protocol)
    if not orders:
        return "ranking: no protocol scores all trackers"
    if len(orders) == 1:
        order = " > ".join(next(iter(orders)))
        return f"ranking by AUC: the same by all protocols: {order}"
    told = [f"{' > '.join(o)} ({', '.join(by)})" for o, by in orders.items()]
    return f"ranking by AUC CHANGES between protocols: {'; '.join(told)}"


def markdown(spread: Spread) -> str:
    """The table of every tracker, protocols as rows.

    Args:
      spread: the scores.

    Returns:
      Markdown text.
    """
    lines = ["# Scores by every toolkit's rules", "", ranking_line(spread), ""]
    for tracker, by in spread.reports.items():
        lines += [f"## {tracker}", "", f"| Protocol | {' | '.join(_HEADS)} |"]
        lines.append("|---|" + "---:|" * len(ope.NUMBERS))
        for protocol, report in by.items():
            if isinstance(report, str):
                cells = [f"refused: {report.replace('|', '/')}"] + [""] * 5
            else:
                cells = [f"{getattr(report, key):.4f}" for key in ope.NUMBERS]
            lines.append(f"| {protocol} | {' | '.join(cells)} |")
        widths = [spread.spread(tracker, key) for key in ope.NUMBERS]
        cells = ["" if width is None else f"{width:.4f}" for width in widths]
        lines += [f"| **largest - smallest** | {' | '.join(cells)} |", ""]
        lines += [f"- {note}" for note in spread.notes[tracker]]
        for protocol, report in by.items():
            if not isinstance(report, str) and report.warnings:
                lines += [f"- {protocol}: {n}" for n in report.warnings[:_SHOWN_NOTES]]
                if len(report.warnings) > _SHOWN_NOTES:
                    lines.append(
                        f"- {protocol}: {len(report.warnings)} warnings in all"
                    )
        lines.append("")
    lines += ["## Rules", ""]
    lines += [f"- **{name}**: {PROTOCOLS[name].summary}" for name in spread.protocols]
    return "\n".join(lines) + "\n"


def table(spread: Spread) -> list[str]:
    """What the command prints.

    Args:
      spread: the scores.

    Returns:
      Lines: a table for each tracker, then the ranking.
    """
    wide = max(len(name) for name in (*spread.protocols, "largest - smallest"))
    lines = []
    for tracker, by in spread.reports.items():
        lines.append(f"{tracker:<{wide}}  " + "  ".join(f"{h:>11}" for h in _HEADS))
        for protocol, report in by.items():
            if isinstance(report, str):
                lines.append(f"{protocol:<{wide}}  refused: {report}")
                continue
            cells = [f"{getattr(report, key):11.4f}" for key in ope.NUMBERS]
            notes = f"  ({len(report.warnings)} warnings)" if report.warnings else ""
            lines.append(f"{protocol:<{wide}}  {'  '.join(cells)}{notes}")
        widths = [spread.spread(tracker, key) for key in ope.NUMBERS]
        cells = [" " * 11 if width is None else f"{width:11.4f}" for width in widths]
        lines.append(f"{'largest - smallest':<{wide}}  {'  '.join(cells)}")
        lines += [f"note: {note}" for note in spread.notes[tracker]] + [""]
    return [*lines, ranking_line(spread)]
