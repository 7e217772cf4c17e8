"""The report of an evaluation: a self-contained page, and more files.

`report.html` contains its style, script, pictures and tables; `report.json` has the
numbers, `*.png`, `*.jpg` and `tables/*` the contents of the page, `*.pdf` and `*.svg`
the figures for papers.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from jaxtrack.evaluation import atomic
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.report import (
    analysis_sections,
    attribute_sections,
    frames,
    rendering,
    sections,
    tables,
    vot_sections,
    wording,
)
from jaxtrack.report.plots import curves
from jaxtrack.report.sections import Section, drawing


def write(evaluation: Evaluation, out_dir: str | Path) -> Path:
    """Writes a report, each file as a whole or not at all, the page last.

    Args:
      evaluation: with scores.
      out_dir: created if it is missing.

    Returns:
      The path of the page.

    Raises:
      InputError: a frame cannot be read, or the folder cannot be written to.
    """
    out_dir = Path(out_dir)
    parts = sections_of(evaluation)
    page = html(f"Tracking report: {evaluation.benchmark.name}", evaluation, parts)
    for section in parts:
        for picture in section.pictures:
            for path, content in picture.files():
                atomic.write_bytes(out_dir / path, content)
    for name, text in _table_files(parts).items():
        atomic.write_text(out_dir / "tables" / name, text)
    numbers = json.dumps(evaluation.as_json(), indent=1, allow_nan=False)
    atomic.write_text(out_dir / "report.json", numbers + "\n")
    atomic.write_text(out_dir / "report.html", page)
    return out_dir / "report.html"


def html(title: str, evaluation: Evaluation, parts: Sequence[Section]) -> str:
    """Renders the page; it loads nothing and runs only its own script.

    Args:
      title: of the page.
      evaluation: the evaluation.
      parts: the sections, in order.

    Returns:
      The HTML of the page.
    """
    return rendering.render(
        "page.html.j2",
        title=title,
        lead=wording.lead(evaluation),
        notes=wording.notes(evaluation),
        scores=evaluation.scores,
        primary=evaluation.primary,
        sections=parts,
    )


def sections_of(evaluation: Evaluation) -> list[Section]:
    """Makes the figures and tables of the page.

    Args:
      evaluation: with scores.

    Returns:
      The sections, in order.

    Raises:
      InputError: a frame cannot be read.
    """
    parts = (
        vot_sections.restarts(evaluation)
        if evaluation.restarts
        else _of_one_pass(evaluation)
    )
    title = f"How the {'report was' if evaluation.restarts else 'results were'} made"
    manifests = {"template": "manifests", "shown": evaluation.made_by}
    copies = {"template": "copies", "shown": _table_files(parts)}
    return [
        *parts,
        Section("manifests", title, **manifests),
        Section("tables", "Tables for papers", **copies),
    ]


def _of_one_pass(evaluation: Evaluation) -> list[Section]:
    """Returns the sections of a one-pass evaluation."""
    options = {"benchmark": wording.title_of(evaluation.benchmark)}
    figures = curves.draw(evaluation.scores, primary=evaluation.primary, **options)
    shared, own = wording.warnings(evaluation)
    by_sequence = [sections.per_sequence(evaluation.scores, primary=evaluation.primary)]
    return [
        sections.overview(evaluation.scores, primary=evaluation.primary),
        Section(
            key="curves",
            title="Curves",
            pictures=[drawing(name, figure) for name, figure in figures.items()],
            template="gallery",
        ),
        *attribute_sections.attributes_and_protocols(evaluation),
        Section("sequences", "Sequences", tables=by_sequence, template="sequences"),
        Section(
            "worst", "Worst sequences", template="worst", shown=frames.worst(evaluation)
        ),
        *analysis_sections.analyses(evaluation.analyses),
        Section(
            key="rules",
            title="How it was scored",
            remarks=shared,
            template="rules",
            shown=own,
        ),
    ]


def _table_files(parts: Sequence[Section]) -> dict[str, str]:
    """Returns name -> text; names are the section's key, numbered if there are more."""
    named = {
        f"{part.key}_{k}" if len(part.tables) > 1 else part.key: table
        for part in parts
        for k, table in enumerate(part.tables)
    }
    return tables.files(named)
