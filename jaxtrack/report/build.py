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
    frames,
    rendering,
    sections,
    tables,
    vot_sections,
    wording,
)
from jaxtrack.report.plots import curves
from jaxtrack.report.sections import Section, drawing


def write(found: Evaluation, out_dir: str | Path) -> Path:
    """Writes a report, each file as a whole or not at all, the page last.

    Args:
      found: with scores.
      out_dir: created if it is missing.

    Returns:
      The path of the page.

    Raises:
      InputError: a frame cannot be read, or the folder cannot be written to.
    """
    out_dir = Path(out_dir)
    shown = sections_of(found)
    page = html(f"Tracking report: {found.benchmark.name}", found, shown)
    for section in shown:
        for picture in section.pictures:
            for path, content in picture.files():
                atomic.write_bytes(out_dir / path, content)
    for name, text in _table_files(shown).items():
        atomic.write_text(out_dir / "tables" / name, text)
    numbers = json.dumps(found.as_json(), indent=1, allow_nan=False)
    atomic.write_text(out_dir / "report.json", numbers + "\n")
    atomic.write_text(out_dir / "report.html", page)
    return out_dir / "report.html"


def html(title: str, found: Evaluation, shown: Sequence[Section]) -> str:
    """Renders the page; it loads nothing and runs only its own script.

    Args:
      title: of the page.
      found: the evaluation.
      shown: the sections, in order.

    Returns:
      The HTML of the page.
    """
    return rendering.render(
        "page.html.j2",
        title=title,
        lead=wording.lead(found),
        notes=wording.notes(found),
        scores=found.scores,
        primary=found.primary,
        sections=shown,
    )


def sections_of(found: Evaluation) -> list[Section]:
    """Makes the figures and tables of the page.

    Args:
      found: with scores.

    Returns:
      The sections, in order.

    Raises:
      InputError: a frame cannot be read.
    """
    parts = vot_sections.restarts(found) if found.restarts else _of_one_pass(found)
    made = f"How the {'report was' if found.restarts else 'results were'} made"
    manifests = {"template": "manifests", "shown": found.made_by}
    copies = {"template": "copies", "shown": _table_files(parts)}
    return [
        *parts,
        Section("manifests", made, **manifests),
        Section("tables", "Tables for papers", **copies),
    ]


def _of_one_pass(found: Evaluation) -> list[Section]:
    """Returns the sections of a one-pass evaluation."""
    named = {"benchmark": wording.title_of(found.benchmark)}
    drawn = curves.draw(found.scores, primary=found.primary, **named)
    shared, own = wording.warnings(found)
    by_sequence = [sections.per_sequence(found.scores, primary=found.primary)]
    return [
        sections.overview(found.scores, primary=found.primary),
        Section(
            key="curves",
            title="Curves",
            pictures=[drawing(name, figure) for name, figure in drawn.items()],
            template="gallery",
        ),
        *sections.one_pass(found),
        Section("sequences", "Sequences", tables=by_sequence, template="sequences"),
        Section(
            "worst", "Worst sequences", template="worst", shown=frames.worst(found)
        ),
        *analysis_sections.analyses(found.analyses),
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
