"""How trackers stand against each other, as tables and sections of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtrack.evaluation import attribute_plots
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores
from jaxtrack.evaluation.sections import Column, Picture, Section, Table
from jaxtrack.metrics import attributes
from jaxtrack.metrics.ope import NUMBERS, OpeReport
from jaxtrack.metrics.protocols import OpeProtocol

_HEADS = {
    "auc": "AUC",
    "precision": "Precision",
    "norm_precision": "Norm. prec.",
    "ao": "AO",
    "sr50": "SR 0.50",
    "sr75": "SR 0.75",
}
_MEANINGS = {
    ("auc", "mean"): "mean of the success curve",
    ("auc", "area"): "area under the success curve",
    ("precision", "at"): "share of frames with a centre error of at most 20 px",
    ("precision", "area"): "area under the precision curve",
    ("norm_precision", "at"): "share of frames within 0.2 widths and heights",
    ("norm_precision", "mean"): "mean of the curve of normalised precision",
    ("norm_precision", "area"): "area under the curve of normalised precision",
    ("ao", ""): "mean IoU",
    ("sr50", ""): "share of frames with IoU > 0.5",
    ("sr75", ""): "share of frames with IoU > 0.75",
}
_BY_ATTRIBUTE = ("auc", "precision", "norm_precision")
_PROTOCOLS_NOTE = (
    "The same boxes, scored by every toolkit's own rules. Only numbers of one column "
    "compare; the spread says how much of a number is the toolkit's."
)
_VOT = {
    "eao": Column("EAO", "expected average overlap", better="high"),
    "accuracy": Column("Accuracy", "mean overlap while tracking", better="high"),
    "robustness": Column("Robustness", "failures per 100 frames", better="low"),
    "failures": Column("Failures", "of all sequences", digits=1, better="low"),
}
_VOT_NOTE = (
    "The experiment with resets: a tracker that loses its target starts anew five "
    "frames later. Best expected average overlap (EAO) first."
)


def column(number: str, protocol: OpeProtocol) -> Column:
    """The column of a number, in the words of a protocol.

    Args:
      number: of `ope.NUMBERS`.
      protocol: says how it is computed.

    Returns:
      A column whose best is marked.
    """
    how = {
        "auc": protocol.auc_is,
        "precision": protocol.precision_is,
        "norm_precision": protocol.norm_precision_is,
    }.get(number, "")
    head = "Prec. 20 px" if (number, how) == ("precision", "at") else _HEADS[number]
    return Column(head, _MEANINGS[number, how], better="high")


def overview(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> Table:
    """All numbers and the speed of all trackers, best AUC first.

    Args:
      scores: of the trackers; their order gives the colours.
      primary: the protocol whose numbers are shown.

    Returns:
      The table.
    """
    protocol = scores[0].reports[primary].protocol
    columns = [column(number, protocol) for number in NUMBERS]
    with_given = primary != "no_first" and all("no_first" in s.reports for s in scores)
    if with_given:
        title = "AUC with the first frame, which is given, left out"
        columns.append(Column("AUC, 1st frame out", title, better="high"))
    columns.append(Column("Frames/s", digits=1))
    ranked = sorted(enumerate(scores), key=lambda s: -_rank(s[1].reports[primary].auc))
    rows = []
    for place, tracker in ranked:
        values = [getattr(tracker.reports[primary], number) for number in NUMBERS]
        values += [tracker.reports["no_first"].auc] if with_given else []
        values.append(tracker.frames_per_second)
        rows.append(((place, tracker.name), values))
    caption = f"Scores by the rules of {primary}."
    return Table("Tracker", columns, rows, caption=caption)


def per_sequence(
    scores: Sequence[TrackerScores], *, number: str = "auc", primary: str = PRIMARY
) -> Table:
    """One row a sequence, one column a tracker.

    Args:
      scores: of the trackers.
      number: of `ope.NUMBERS`.
      primary: the protocol whose numbers are shown.

    Returns:
      The table; the best of each sequence is marked.
    """
    columns = [Column(tracker.name, better="high") for tracker in scores]
    rows = [
        (name, [getattr(s.reports[primary].sequences[name], number) for s in scores])
        for name in scores[0].reports[primary].sequences
    ]
    caption = f"{_HEADS[number]} of each sequence by the rules of {primary}."
    return Table("Sequence", columns, rows, caption=caption, marked_in="rows")


def attribute_section(
    scores: Sequence[TrackerScores],
    carried: Mapping[str, Sequence[str]],
    *,
    primary: str = PRIMARY,
) -> Section:
    """Scores of the sequences that carry an attribute: a plot, and a table a number.

    Args:
      scores: of the trackers; their order gives the colours.
      carried: sequence -> its attributes; see `attributes.by_attribute`.
      primary: the protocol to score by.

    Returns:
      The section; without tables and pictures where no sequence carries anything.
    """
    found = {
        s.name: attributes.by_attribute(s.reports[primary], carried) for s in scores
    }
    counts = {a: one.num_sequences for a, one in found[scores[0].name].items()}
    protocol = scores[0].reports[primary].protocol
    tables, pictures = [], []
    heads = [Column(a, f"{n} sequences", better="high") for a, n in counts.items()]
    for number in _BY_ATTRIBUTE if counts else ():
        rows = [
            ((place, name), [getattr(one[a], number) for a in counts])
            for place, (name, one) in enumerate(found.items())
        ]
        # The ranking is the overview's, so that rows are found again.
        rows.sort(key=lambda row: -_rank(scores[row[0][0]].reports[primary].auc))
        title = column(number, protocol).head + " by attribute"
        options = {"caption": title + ".", "is_shaded": True}
        tables.append(Table("Tracker", heads, rows, title=title, **options))
    if counts:
        drawn = {name: [one[a].auc for a in counts] for name, one in found.items()}
        corners = [f"{a} ({n})" for a, n in counts.items()]
        png = attribute_plots.draw(corners, drawn, title="AUC by attribute")
        pictures.append(Picture("attributes.png", png))
    return Section(
        key="attributes",
        title="Attributes",
        note=(
            "The same numbers over the sequences that carry an attribute; how many do "
            "stands behind its name. A sequence may carry several."
        ),
        numbers={
            name: {a: _plain(vars(x)) for a, x in one.items()}
            for name, one in found.items()
        },
        tables=tables,
        pictures=pictures,
        is_wide=True,
    )


def protocol_section(
    reports: Mapping[str, Mapping[str, OpeReport | str]],
    *,
    remarks: Sequence[str] = (),
) -> Section:
    """What the rules of scoring make of the same boxes.

    Args:
      reports: tracker -> protocol -> report, or the reason why there is none. The
        order of the trackers gives the colours.
      remarks: sentences on what was found, before those on refusals.

    Returns:
      The section: a table a number, the first one open.
    """
    protocols = list(dict.fromkeys(d for by in reports.values() for d in by))
    columns = [Column("Spread", "largest less smallest")]
    columns += [Column(name, better="high") for name in protocols]
    found = {
        tracker: {d: _numbers(report) for d, report in by.items()}
        for tracker, by in reports.items()
    }
    order = sorted(
        enumerate(found),
        key=lambda t: -_rank(found[t[1]].get(protocols[0], {}).get("auc")),
    )
    tables = []
    for number in NUMBERS:
        rows = []
        for place, name in order:
            values = [found[name].get(d, {}).get(number) for d in protocols]
            there = [v for v in values if v is not None and v == v]
            width = max(there) - min(there) if there else None
            rows.append(((place, name), [width, *values]))
        title = f"{_HEADS[number]} by protocol"
        options = {"title": title if tables else "", "caption": title + "."}
        tables.append(Table(f"Tracker, {_HEADS[number]}", columns, rows, **options))
    return Section(
        key="protocols",
        title="What the toolkits would say",
        note=_PROTOCOLS_NOTE,
        numbers=_plain(found),
        tables=tables,
        remarks=[*remarks, *_refusals(reports)],
    )


def vot_section(
    numbers: Mapping[str, Mapping[str, float | None]],
    pictures: Mapping[str, bytes],
    *,
    edition: str,
) -> Section:
    """The ranking of a VOT experiment and its plots.

    Args:
      numbers: tracker -> "eao", "accuracy", "robustness" (failures per 100 frames,
        fewer are better) and "failures". Its order gives the colours.
      pictures: what each shows -> PNG.
      edition: as it is headed.

    Returns:
      The section.
    """
    rows = [
        ((place, name), [one.get(key) for key in _VOT])
        for place, (name, one) in enumerate(numbers.items())
    ]
    rows.sort(key=lambda row: -_rank(row[1][0]))
    lines = [
        f"{name} at {edition}: "
        + ", ".join(
            f"{c.head} {'-' if v is None else format(v, f'.{c.digits}f')}"
            for v, c in zip(values, _VOT.values(), strict=True)
        )
        for (_, name), values in rows
    ]
    return Section(
        key="vot",
        title=edition,
        note=_VOT_NOTE,
        numbers={"edition": edition, "trackers": _plain(numbers)},
        lines=lines,
        tables=[Table("Tracker", [*_VOT.values()], rows, caption=f"{edition}.")],
        pictures=[
            Picture(f"vot_{k}.png", png, caption)
            for k, (caption, png) in enumerate(pictures.items())
        ],
    )


def _rank(value: float | None) -> float:
    """What to sort by: nothing, and NaN, last."""
    return -1.0 if value is None or value != value else float(value)


def _refusals(reports: Mapping[str, Mapping[str, OpeReport | str]]) -> list[str]:
    """Which protocols gave whom no number, and why; one sentence a reason."""
    refused: dict[tuple[str, str], list[str]] = {}
    for tracker, by in reports.items():
        for protocol, reason in by.items():
            if isinstance(reason, str):
                refused.setdefault((protocol, reason), []).append(tracker)
    return [
        f"{protocol} gives no number: {reason}"
        if len(names) == len(reports)
        else f"{protocol} gives no number to {', '.join(names)}: {reason}"
        for (protocol, reason), names in refused.items()
    ]


def _numbers(report: OpeReport | str) -> dict[str, float]:
    """A report's numbers; none where there is a reason instead."""
    if isinstance(report, str):
        return {}
    return {number: getattr(report, number) for number in NUMBERS}


def _plain(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as JSON holds them: None for NaN."""
    found = {}
    for key, value in numbers.items():
        if isinstance(value, Mapping):
            found[key] = _plain(value)
        else:
            found[key] = None if value is None or value != value else value
    return found
