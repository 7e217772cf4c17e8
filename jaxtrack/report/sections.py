"""Sections of a page, and the overview and protocols of a one-pass evaluation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from matplotlib.figure import Figure

from jaxtrack.evaluation.compare import ByProtocol
from jaxtrack.evaluation.scoring import PRIMARY, TrackerScores
from jaxtrack.metrics.ope import NUMBERS
from jaxtrack.metrics.protocols import OpeProtocol
from jaxtrack.report import wording
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
    ("precision", "at"): "fraction of frames with a center error of at most 20 px",
    ("precision", "area"): "area under the precision curve",
    ("norm_precision", "at"): "fraction of frames with a normalized error <= 0.2",
    ("norm_precision", "mean"): "mean of the normalized precision curve",
    ("norm_precision", "area"): "area under the normalized precision curve",
    ("ao", ""): "mean IoU",
    ("sr50", ""): "fraction of frames with IoU > 0.5",
    ("sr75", ""): "fraction of frames with IoU > 0.75",
}
_PROTOCOLS_NOTE = (
    "The same boxes, scored by every toolkit's protocol. Compare numbers only within a "
    "column; the spread shows how much they depend on the toolkit."
)


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
      path: in the report's folder; `.png` or `.jpg`.
      content: of the file.
      caption: what it shows; "" if the picture has a title.
      figure: its source, if it can be saved as vector graphics.
    """

    path: str
    content: bytes
    caption: str = ""
    figure: Figure | None = None

    def files(self) -> Iterator[tuple[PurePath, bytes]]:
        """Yields path and content of the picture and of its vector graphics."""
        path = PurePath(self.path)
        yield path, self.content
        for kind in style.VECTOR if self.figure else ():
            yield path.with_suffix(f".{kind}"), style.file_of(self.figure, kind)


def drawing(name: str, figure: Figure, *, caption: str = "") -> Picture:
    """Makes a picture of a figure.

    Args:
      name: path in the report's folder, without extension.
      figure: to draw.
      caption: what it shows; "" if the picture has a title.
    """
    return Picture(f"{name}.png", style.file_of(figure, "png"), caption, figure)


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
      key: its name in links and file names.
      title: its heading.
      note: what the numbers and pictures mean; "" if the template has it.
      tables: in order.
      pictures: in order.
      is_wide: whether a picture takes the full width of the page.
      remarks: sentences below the note.
      template: name of a file in `templates/sections/`.
      shown: other data for the template.
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
    """Returns the column of a number, described for a protocol.

    Args:
      number: of `ope.NUMBERS`.
      protocol: defines the number.

    Returns:
      A column whose best value is marked.
    """
    how = {
        "auc": protocol.auc_is,
        "precision": protocol.precision_is,
        "norm_precision": protocol.norm_precision_is,
    }.get(number, "")
    head = "Prec. 20 px" if (number, how) == ("precision", "at") else _HEADS[number]
    return Column(head, _MEANINGS[number, how], better="high")


def overview(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> Section:
    """Tabulates all numbers and the speed of all trackers, best AUC first.

    Args:
      scores: of the trackers; their order gives the colors.
      primary: the protocol whose numbers are shown.

    Returns:
      The section.
    """
    protocol = scores[0].reports[primary].protocol
    columns = [column(number, protocol) for number in NUMBERS]
    with_given = primary != "no_first" and all("no_first" in s.reports for s in scores)
    if with_given:
        title = "AUC without the first frame, whose box is given"
        columns.append(Column("AUC, 1st frame out", title, better="high"))
    columns.append(Column("Frames/s", digits=1))
    rows = []
    for place in by_auc(scores, primary):
        tracker = scores[place]
        values = [getattr(tracker.reports[primary], number) for number in NUMBERS]
        values += [tracker.reports["no_first"].auc] if with_given else []
        rows.append(Row(tracker.name, [*values, tracker.frames_per_second], place))
    caption = f"Scores by protocol {wording.rules(protocol)}."
    tables = [Table("Tracker", columns, rows, caption=caption)]
    return Section("overview", "Overview", tables=tables, template="overview")


def per_sequence(scores: Sequence[TrackerScores], *, primary: str = PRIMARY) -> Table:
    """Tabulates AUC with one row per sequence and one column per tracker.

    Args:
      scores: of the trackers.
      primary: the protocol whose numbers are shown.

    Returns:
      The table; the best of each sequence is marked.
    """
    columns = [Column(tracker.name, better="high") for tracker in scores]
    by_tracker = [tracker.reports[primary].sequences for tracker in scores]
    rows = [Row(name, [j[name].auc for j in by_tracker]) for name in by_tracker[0]]
    caption = f"AUC of each sequence by protocol {primary}."
    return Table("Sequence", columns, rows, caption=caption, marked_in="rows")


def protocol_section(
    reports: dict[str, ByProtocol], *, remarks: Sequence[str] = ()
) -> Section:
    """Compares the scores of all protocols for the same boxes.

    Args:
      reports: tracker -> protocol -> report, or the reason why there is none. The
        order of the trackers gives the colors.
      remarks: sentences before those on missing scores.

    Returns:
      The section: one table per number, the first one unfolded.
    """
    protocols = list(dict.fromkeys(p for by in reports.values() for p in by))
    columns = [Column("Spread", "largest minus smallest")]
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
            known = [v for v in values if not is_none(v)]
            width = max(known) - min(known) if known else None
            rows.append(Row(name, [width, *values], place))
        title = f"{_HEADS[number]} by protocol"
        options = {"title": title if tables else "", "caption": title + "."}
        tables.append(Table(f"Tracker, {_HEADS[number]}", columns, rows, **options))
    return Section(
        key="protocols",
        title="Scores by protocol",
        note=_PROTOCOLS_NOTE,
        tables=tables,
        remarks=[*remarks, *_refusals(reports)],
    )


def by_auc(scores: Sequence[TrackerScores], primary: str) -> list[int]:
    """Returns the indices of the trackers, best AUC first.

    Args:
      scores: of the trackers.
      primary: the protocol.
    """
    return sorted(
        range(len(scores)), key=lambda k: -rank(scores[k].reports[primary].auc)
    )


def rank(value: float | None) -> float:
    """Returns a key to sort by; None and NaN come last."""
    return -1.0 if is_none(value) else float(value)


def _refusals(reports: dict[str, ByProtocol]) -> list[str]:
    """Lists which protocols could not score which trackers; a sentence per reason."""
    refused: dict[tuple[str, str], list[str]] = {}
    for tracker, by in reports.items():
        for protocol, reason in by.items():
            if isinstance(reason, str):
                refused.setdefault((protocol, reason), []).append(tracker)
    return [
        f"{protocol} has no scores: {reason}"
        if len(names) == len(reports)
        else f"{protocol} has no scores for {', '.join(names)}: {reason}"
        for (protocol, reason), names in refused.items()
    ]
