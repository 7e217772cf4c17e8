"""Sections of the page for VOT's experiment with restarts."""

from collections.abc import Callable, Sequence

from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.metrics.vot import SequenceScore, VotReport
from jaxtrack.report.plots import vot as vot_plots
from jaxtrack.report.sections import Section, drawing, rank
from jaxtrack.report.tables import Column, Row, Table

COLUMNS = {
    "eao": Column("EAO", "expected average overlap", better="high"),
    "accuracy": Column("Accuracy", "mean overlap while tracking", better="high"),
    "robustness": Column("Robustness", "failures per 100 frames", better="low"),
    "failures": Column("Failures", "over all sequences", digits=1, better="low"),
}
_VOT_NOTE = (
    "The supervised experiment: a tracker that loses its target restarts five frames "
    "later. Best expected average overlap (EAO) first."
)
_OF_SEQUENCE: dict[str, Callable[[SequenceScore], float]] = {
    "accuracy": lambda one: one.accuracy,
    "failures": lambda one: sum(one.failures) / len(one.failures),
}


def restarts(evaluation: Evaluation) -> list[Section]:
    """Returns VOT's ranking with its plots, then tags and sequences.

    Args:
      evaluation: of VOT.

    Returns:
      The sections.
    """
    reports = list(evaluation.restarts.items())
    rows = [
        Row(name, [getattr(report, number) for number in COLUMNS], place)
        for place, (name, report) in enumerate(reports)
    ]
    rows.sort(key=lambda row: -rank(row.values[0]))
    pictures = {
        "Expected average overlap, ranked": vot_plots.eao_ranking_plot(
            evaluation.restarts
        ),
        "Expected overlap over length": vot_plots.eao_curve_plot(evaluation.restarts),
        "Accuracy and robustness": vot_plots.ar_plot(evaluation.restarts),
    }
    caption = f"{evaluation.primary}."
    ranking = Section(
        key="vot",
        title=evaluation.primary,
        note=_VOT_NOTE,
        tables=[Table("Tracker", [*COLUMNS.values()], rows, caption=caption)],
        pictures=[
            drawing(f"vot_{k}", figure, caption=shown)
            for k, (shown, figure) in enumerate(pictures.items())
        ],
    )
    tags = [_tags(reports)] if reports[0][1].tags else []
    return [ranking, *tags, _vot_sequences(reports)]


def _tags(reports: Sequence[tuple[str, VotReport]]) -> Section:
    """Tabulates scores by tag, one table per number."""
    tags = list(reports[0][1].tags)
    tables = []
    for number in ("eao", *_OF_SEQUENCE):
        how = COLUMNS[number]
        columns = [Column(t, digits=how.digits, better=how.better) for t in tags]
        rows = [
            Row(name, [getattr(report.tags[tag], number) for tag in tags], place)
            for place, (name, report) in enumerate(reports)
        ]
        caption = f"{how.head} by tag."
        tables.append(Table(f"Tracker, {how.head}", columns, rows, caption=caption))
    note = "Scores over the frames with each tag."
    return Section(key="tags", title="Tags", note=note, tables=tables)


def _vot_sequences(reports: Sequence[tuple[str, VotReport]]) -> Section:
    """Tabulates accuracy and failures of each sequence, one table each."""
    tables = []
    for number, value_of in _OF_SEQUENCE.items():
        how = COLUMNS[number]
        columns = [
            Column(name, digits=how.digits, better=how.better) for name, _ in reports
        ]
        rows = [
            Row(name, [value_of(report.sequences[name]) for _, report in reports])
            for name in reports[0][1].sequences
        ]
        options = {"title": how.head, "marked_in": "rows"}
        tables.append(Table(f"Sequence, {how.head}", columns, rows, **options))
    note = "Failures are means over repetitions."
    return Section(key="sequences", title="Sequences", note=note, tables=tables)
