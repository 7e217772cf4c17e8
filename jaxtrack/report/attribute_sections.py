"""Sections of the page with scores by attribute and by protocol."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from jaxtrack.evaluation import compare
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.metrics import attributes
from jaxtrack.report import wording
from jaxtrack.report.plots import attributes as attribute_plots
from jaxtrack.report.sections import Section, by_auc, column, drawing, protocol_section
from jaxtrack.report.tables import Column, Row, Table

_BY_ATTRIBUTE = ("auc", "precision", "norm_precision")
_ATTRIBUTES_NOTE = (
    "Scores over the sequences with each attribute; their number follows the name. A "
    "sequence may have several attributes."
)


def attributes_and_protocols(evaluation: Evaluation) -> list[Section]:
    """Returns attributes, if there are any, and the scores of all protocols.

    Args:
      evaluation: of one pass.

    Returns:
      The sections.
    """
    by_protocol = compare.by_protocol(evaluation.scores, primary=evaluation.primary)
    ranking = compare.ranking_sentence(evaluation.scores)
    protocols = protocol_section(by_protocol, remarks=[ranking] if ranking else [])
    if any(evaluation.benchmark.attributes.values()):
        return [attribute_section(evaluation), protocols]
    return [protocols]


def attribute_section(evaluation: Evaluation) -> Section:
    """Shows scores by attribute: tables, a grid of plots, a radar plot if readable.

    Args:
      evaluation: of one pass; at least one sequence has an attribute.

    Returns:
      The section.
    """
    scores, primary = evaluation.scores, evaluation.primary
    carried = evaluation.benchmark.attributes
    by_tracker = list(compare.by_attribute(scores, carried, primary=primary).items())
    counts = {a: one.num_sequences for a, one in by_tracker[0][1].items()}
    heads = [Column(a, f"{n} sequences", better="high") for a, n in counts.items()]
    pictures, tables = [], []
    if attribute_plots.can_draw_radar(counts, scores):
        corners = [f"{a} ({n})" for a, n in counts.items()]
        lines = {name: [by[a].auc for a in counts] for name, by in by_tracker}
        title = f"AUC by attribute on {wording.title_of(evaluation.benchmark)}"
        figure = attribute_plots.radar(corners, lines, title=title)
        pictures.append(drawing("attributes", figure))
    if attribute_plots.can_draw_grid(scores):
        pictures.append(
            drawing("attributes_success", _success_grid(evaluation, counts))
        )
    for number in _BY_ATTRIBUTE:
        rows = []
        # The rows have the order of the overview.
        for place in by_auc(scores, primary):
            name, by = by_tracker[place]
            rows.append(Row(name, [getattr(by[a], number) for a in counts], place))
        head = column(number, scores[0].reports[primary].protocol).head
        title = f"{head} by attribute"
        # Without a picture, the first table is unfolded instead.
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


def _success_grid(evaluation: Evaluation, counts: Mapping[str, int]) -> Figure:
    """Draws one success plot per attribute; `counts` are the numbers of sequences."""
    reports = {s.name: s.reports[evaluation.primary] for s in evaluation.scores}
    carried = evaluation.benchmark.attributes
    curves = {n: attributes.success_curves(r, carried) for n, r in reports.items()}
    numbers = {n: attributes.by_attribute(r, carried) for n, r in reports.items()}
    panels = {
        f"{attribute} ({count})": {
            name: (curves[name][attribute], numbers[name][attribute].auc)
            for name in reports
        }
        for attribute, count in counts.items()
    }
    protocol = evaluation.scores[0].reports[evaluation.primary].protocol
    title = f"Success by attribute on {wording.title_of(evaluation.benchmark)} [AUC]"
    options = {"title": title, "note": wording.rules(protocol)}
    return attribute_plots.success_grid(protocol.success_thresholds, panels, **options)
