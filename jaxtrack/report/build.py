"""The report of an evaluation: one page that fetches nothing, and files beside it.

`report.html` has its style, script, pictures and tables inside; `report.json` holds the
numbers, `*.png`, `*.jpg` and `tables/*` what the page shows.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxtrack.evaluation import atomic
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.report import (
    analysis_sections,
    chapters,
    frames,
    rendering,
    sections,
    tables,
    vot_sections,
)
from jaxtrack.report.plots import curves
from jaxtrack.report.sections import Picture, Section
from jaxtrack.report.tables import Table


class Chapter(NamedTuple):
    """A part of the page.

    Attributes:
      key: to link to.
      title: its heading.
      template: name of a file in `templates/chapters/`.
      shown: what the template shows.
    """

    key: str
    title: str
    template: str
    shown: Any


class Contents(NamedTuple):
    """What the page shows.

    Attributes:
      found: what it is about.
      chapters: in order.
      pictures: files beside the page.
      tables: name of a file without its ending -> table to copy.
    """

    found: Evaluation
    chapters: list[Chapter]
    pictures: list[Picture]
    tables: dict[str, Table]


def write(found: Evaluation, out_dir: str | Path) -> Path:
    """Writes a report, each file whole or not at all, the page last.

    Args:
      found: with scores.
      out_dir: made where it is missing.

    Returns:
      The page.

    Raises:
      InputError: a frame cannot be read, or the folder not written to.
    """
    out_dir = Path(out_dir)
    contents = contents_of(found)
    page = html(f"Tracking report: {found.benchmark.name}", contents)
    for picture in contents.pictures:
        atomic.write_bytes(out_dir / picture.path, picture.content)
    for name, text in tables.files(contents.tables).items():
        atomic.write_text(out_dir / "tables" / name, text)
    numbers = json.dumps(found.as_json(), indent=1, allow_nan=False)
    atomic.write_text(out_dir / "report.json", numbers + "\n")
    atomic.write_text(out_dir / "report.html", page)
    return out_dir / "report.html"


def html(title: str, contents: Contents) -> str:
    """Fills the page; it fetches nothing and runs no script but its own.

    Args:
      title: of the page.
      contents: what it shows.

    Returns:
      The whole page.
    """
    found = contents.found
    return rendering.render(
        "page.html.j2",
        title=title,
        lead=chapters.lead(found),
        notes=found.notes,
        scores=found.scores,
        primary=found.primary,
        chapters=contents.chapters,
    )


def contents_of(found: Evaluation) -> Contents:
    """Draws and tabulates what the page shows.

    Args:
      found: with scores.

    Returns:
      The contents.

    Raises:
      InputError: a frame cannot be read.
    """
    return _of_restarts(found) if found.restarts else _of_one_pass(found)


def _of_one_pass(found: Evaluation) -> Contents:
    """The page of trackers that ran through each sequence once."""
    scores, primary = found.scores, found.primary
    drawn = curves.draw(scores, primary=primary)
    figures = [Picture(f"{name}.png", png) for name, png in drawn.items()]
    parts = sections.one_pass(found)
    after = analysis_sections.analyses(found.analyses)
    named = {
        "overview": sections.overview(scores, primary=primary),
        "sequences": sections.per_sequence(scores, primary=primary),
        **_named([*parts, *after]),
    }
    odd = chapters.warnings(found)
    made = [
        Chapter("overview", "Overview", "overview", named["overview"]),
        Chapter("curves", "Curves", "gallery", figures),
        *map(_chapter, parts),
        Chapter("sequences", "Sequences", "sequences", None),
        Chapter("worst", "Worst sequences", "worst", frames.worst(found)),
        *map(_chapter, after),
        Chapter("rules", "How it was scored", "rules", odd),
        Chapter("manifests", "How the results were made", "manifests", found.made_by),
        Chapter("tables", "Tables to copy", "copies", tables.files(named)),
    ]
    pictures = [p for part in (*parts, *after) for p in part.pictures]
    return Contents(found, made, [*figures, *pictures], named)


def _of_restarts(found: Evaluation) -> Contents:
    """The page of VOT's experiment."""
    parts = vot_sections.restarts(found)
    named = _named(parts)
    made = [
        *map(_chapter, parts),
        Chapter("manifests", "How the report was made", "manifests", found.made_by),
        Chapter("tables", "Tables to copy", "copies", tables.files(named)),
    ]
    pictures = [p for part in parts for p in part.pictures]
    return Contents(found, made, pictures, named)


def _chapter(part: Section) -> Chapter:
    """A section as a part of the page."""
    return Chapter(part.key, part.title, "section", part)


def _named(parts: Sequence[Section]) -> dict[str, Table]:
    """Names the tables of sections: by key, with a number where there are several."""
    return {
        f"{part.key}_{k}" if len(part.tables) > 1 else part.key: table
        for part in parts
        for k, table in enumerate(part.tables)
    }
