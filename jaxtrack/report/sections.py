"""Sections of a page, and those of one pass: how the trackers stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from matplotlib.figure import Figure

from jaxtrack.evaluation import compare
from jaxtrack.evaluation.compare import ByProtocol
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.evaluation.scoring import PRIMARY, TrackerScores
from jaxtrack.metrics import attributes
from jaxtrack.metrics.ope import NUMBERS
from jaxtrack.metrics.protocols import OpeProtocol
from jaxtrack.report import wording
from jaxtrack.report.plots import attributes as attribute_plots
from jaxtrack.report.plots import style
from jaxtrack.report.tables import Column, Row, Table, is_none

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
_ATTRIBUTES_NOTE = (
    "The same numbers over the sequences that carry an attribute; how many do stands "
    "behind its name. A sequence may carry several."
)
_PROTOCOLS_NOTE = (
    "The same boxes, scored by every toolkit's own rules. Only numbers of one column "
    "compare; the spread says how much of a number is the toolkit's."
)


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
      path: where it goes in the report's folder; `.png` or `.jpg`.
      content: of the file.
      caption: what it shows; "" where the picture says so itself.
      figure: of which it was made, where it can be drawn without pixels.
    """

    path: str
    content: bytes
    caption: str = ""
    figure: Figure | None = None

    def files(self) -> Iterator[tuple[PurePath, bytes]]:
        """Yields path and content: of itself, and of its figure for papers."""
        path = PurePath(self.path)
        yield path, self.content
        for kind in style.VECTOR if self.figure else ():
            yield path.with_suffix(f".{kind}"), style.file_of(self.figure, kind)


def drawing(name: str, figure: Figure, *, caption: str = "") -> Picture:
    """Makes a picture of a figure.

    Args:
      name: where it goes in the report's folder, without an ending.
      figure: what is drawn.
      caption: what it shows; "" where the picture says so itself.
    """
    return Picture(f"{name}.png", style.file_of(figure, "png"), caption, figure)


@dataclass(frozen=True)
class Section:
    """What the page says of one question.

    Attributes:
      key: its name in links and in names of files.
      title: its heading.
      note: what the numbers and pictures mean; "" where the template says it.
      tables: in order.
      pictures: in order.
      is_wide: whether a picture takes the page's whole width.
      remarks: sentences below the note.
      template: name of a file in `templates/sections/`.
      shown: what else the template shows.
    """

    key: str
    title: str
    note: str = ""
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    is_wide: bool = False
    remarks: Sequence[str] = ()
    template: str = "section"
    shown: Mapping[Any, Any] | None = None


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


def overview(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> Section:
    """All numbers and the speed of all trackers, best AUC first.

    Args:
      scores: of the trackers; their order gives the colours.
      primary: the protocol whose numbers are shown.

    Returns:
      The section.
    """
    protocol = scores[0].reports[primary].protocol
    columns = [column(number, protocol) for number in NUMBERS]
    with_given = primary != "no_first" and all("no_first" in s.reports for s in scores)
    if with_given:
        title = "AUC with the first frame, which is given, left out"
        columns.append(Column("AUC, 1st frame out", title, better="high"))
    columns.append(Column("Frames/s", digits=1))
    rows = []
    for place in _ranked(scores, primary):
        tracker = scores[place]
        values = [getattr(tracker.reports[primary], number) for number in NUMBERS]
        values += [tracker.reports["no_first"].auc] if with_given else []
        rows.append(Row(tracker.name, [*values, tracker.frames_per_second], place))
    caption = f"Scores by the rules of {wording.rules(protocol)}."
    tables = [Table("Tracker", columns, rows, caption=caption)]
    return Section("overview", "Overview", tables=tables, template="overview")


def per_sequence(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> Table:
    """AUC with one row a sequence, one column a tracker.

    Args:
      scores: of the trackers.
      primary: the protocol whose numbers are shown.

    Returns:
      The table; the best of each sequence is marked.
    """
    columns = [Column(tracker.name, better="high") for tracker in scores]
    judged = [tracker.reports[primary].sequences for tracker in scores]
    rows = [Row(name, [j[name].auc for j in judged]) for name in judged[0]]
    caption = f"AUC of each sequence by the rules of {primary}."
    return Table("Sequence", columns, rows, caption=caption, marked_in="rows")


def one_pass(found: Evaluation) -> list[Section]:
    """Attributes where there are any, and what other toolkits would say.

    Args:
      found: of one pass.

    Returns:
      The sections.
    """
    by_protocol = compare.by_protocol(found.scores, primary=found.primary)
    ranking = compare.ranking_sentence(found.scores)
    protocols = protocol_section(by_protocol, remarks=[ranking] if ranking else [])
    if any(found.benchmark.attributes.values()):
        return [attribute_section(found), protocols]
    return [protocols]


def attribute_section(found: Evaluation) -> Section:
    """Scores of sequences with an attribute: a table a number, a radar where it reads.

    Args:
      found: of one pass; a sequence carries something.

    Returns:
      The section.
    """
    scores, primary = found.scores, found.primary
    carried = found.benchmark.attributes
    by_tracker = list(compare.by_attribute(scores, carried, primary=primary).items())
    counts = {a: one.num_sequences for a, one in by_tracker[0][1].items()}
    heads = [Column(a, f"{n} sequences", better="high") for a, n in counts.items()]
    pictures, tables = [], []
    if attribute_plots.can_draw(counts, scores):
        corners = [f"{a} ({n})" for a, n in counts.items()]
        drawn = {name: [by[a].auc for a in counts] for name, by in by_tracker}
        title = f"AUC by attribute on {wording.title_of(found.benchmark)}"
        figure = attribute_plots.radar(corners, drawn, title=title)
        pictures.append(drawing("attributes", figure))
    if attribute_plots.can_draw_grid(scores):
        pictures.append(drawing("attributes_success", _success_grid(found, counts)))
    for number in _BY_ATTRIBUTE:
        rows = []
        # The ranking is the overview's, so that rows are found again.
        for place in _ranked(scores, primary):
            name, by = by_tracker[place]
            rows.append(Row(name, [getattr(by[a], number) for a in counts], place))
        head = column(number, scores[0].reports[primary].protocol).head
        title = f"{head} by attribute"
        # Where there is no picture, the first table stands open in its place.
        folds = {"title": title if pictures or tables else "", "caption": title + "."}
        name = f"Tracker, {head}"
        tables.append(Table(name, heads, rows, is_shaded=True, **folds))
    return Section(
        key="attributes",
        title="Attributes",
        note=_ATTRIBUTES_NOTE,
        tables=tables,
        pictures=pictures,
        is_wide=True,
    )


def _success_grid(found: Evaluation, counts: Mapping[str, int]) -> Figure:
    """A success plot an attribute; `counts` are the sequences that carry it."""
    reports = {s.name: s.reports[found.primary] for s in found.scores}
    carried = found.benchmark.attributes
    curves = {n: attributes.success_curves(r, carried) for n, r in reports.items()}
    numbers = {n: attributes.by_attribute(r, carried) for n, r in reports.items()}
    panels = {
        f"{attribute} ({count})": {
            name: (curves[name][attribute], numbers[name][attribute].auc)
            for name in reports
        }
        for attribute, count in counts.items()
    }
    protocol = found.scores[0].reports[found.primary].protocol
    title = f"Success by attribute on {wording.title_of(found.benchmark)} [AUC]"
    options = {"title": title, "note": wording.rules(protocol)}
    return attribute_plots.success_grid(protocol.success_thresholds, panels, **options)


def protocol_section(
    reports: dict[str, ByProtocol], *, remarks: Sequence[str] = ()
) -> Section:
    """What the rules of scoring make of the same boxes.

    Args:
      reports: tracker -> protocol -> report, or the reason why there is none. The
        order of the trackers gives the colours.
      remarks: sentences on what was found, before those on refusals.

    Returns:
      The section: a table a number, the first one open.
    """
    protocols = list(dict.fromkeys(p for by in reports.values() for p in by))
    columns = [Column("Spread", "largest less smallest")]
    columns += [Column(name, better="high") for name in protocols]
    trackers = list(reports.items())
    order = sorted(
        range(len(trackers)),
        key=lambda k: -rank(getattr(trackers[k][1].get(protocols[0]), "auc", None)),
    )
    tables = []
    for number in NUMBERS:
        rows = []
        for place in order:
            name, by = trackers[place]
            values = [getattr(by.get(p), number, None) for p in protocols]
            there = [v for v in values if not is_none(v)]
            width = max(there) - min(there) if there else None
            rows.append(Row(name, [width, *values], place))
        title = f"{_HEADS[number]} by protocol"
        options = {"title": title if tables else "", "caption": title + "."}
        tables.append(Table(f"Tracker, {_HEADS[number]}", columns, rows, **options))
    return Section(
        key="protocols",
        title="What the toolkits would say",
        note=_PROTOCOLS_NOTE,
        tables=tables,
        remarks=[*remarks, *_refusals(reports)],
    )


def _ranked(scores: Sequence[TrackerScores], primary: str) -> list[int]:
    """Places of the trackers, best AUC first."""
    return sorted(
        range(len(scores)), key=lambda k: -rank(scores[k].reports[primary].auc)
    )


def rank(value: float | None) -> float:
    """What to sort by: nothing, and NaN, last."""
    return -1.0 if is_none(value) else float(value)


def _refusals(reports: dict[str, ByProtocol]) -> list[str]:
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
