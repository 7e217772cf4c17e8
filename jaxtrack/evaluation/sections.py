"""A section of the report that an analysis fills: numbers, tables, pictures."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtrack.evaluation import fragments


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
      head: shown above it.
      title: shown when the pointer rests on the head.
      digits: after the point.
    """

    head: str
    title: str = ""
    digits: int = 3


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns.

    Attributes:
      name: of what the rows are.
      columns: of the numbers.
      rows: what each is called, and its numbers; None has none. A pair of a tracker's
        place and its name is shown in its colour.
      title: folds the table away behind these words; "" shows it.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[tuple[str | tuple[int, str], Sequence[float | None]]]
    title: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
      path: where it goes in the report's folder; `.png` or `.jpg`.
      content: of the file.
      caption: what it shows; "" where the picture says so itself.
    """

    path: str
    content: bytes
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """What one analysis found.

    Attributes:
      key: its name in `report.json`.
      title: its heading.
      note: what the numbers and pictures mean.
      numbers: for `report.json`.
      lines: for the command to print.
      tables: in order.
      pictures: in order.
      is_wide: whether a picture takes the page's whole width.
    """

    key: str
    title: str
    note: str
    numbers: dict[str, Any]
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    is_wide: bool = False


def as_html(section: Section) -> str:
    """Writes a section.

    Args:
      section: with names as they are; they are escaped here.

    Returns:
      HTML from its heading on.
    """
    figures = "".join(_figure(picture) for picture in section.pictures)
    kind = "maps" if section.is_wide else "plots few"
    return (
        f"<h2>{html.escape(section.title)}</h2>"
        f'<p class="note">{html.escape(section.note)}</p>'
        f"{''.join(_table(table) for table in section.tables if not table.title)}"
        + (f'<div class="{kind}">{figures}</div>' if figures else "")
        + "".join(_folded(table) for table in section.tables if table.title)
    )


def _figure(picture: Picture) -> str:
    """A picture and its caption."""
    kind = "png" if picture.path.endswith(".png") else "jpeg"
    text = picture.caption or picture.path.rsplit(".", 1)[0]
    caption = html.escape(picture.caption)
    if caption:
        caption = f"<figcaption>{caption}</figcaption>"
    return f"<figure>{fragments.image(picture.content, kind, text)}{caption}</figure>"


def _folded(table: Table) -> str:
    """A table that opens when asked for."""
    return (
        f"<details><summary>{html.escape(table.title)}</summary>{_table(table)}"
        "</details>"
    )


def _table(table: Table) -> str:
    """A table that sorts by its columns."""
    heads = "".join(
        f'<th class="n" title="{html.escape(column.title)}">{html.escape(column.head)}'
        "</th>"
        for column in table.columns
    )
    rows = "".join(
        f"<tr><td>{_called(name)}</td>"
        + "".join(
            fragments.number(value, column.digits)
            for value, column in zip(values, table.columns, strict=True)
        )
        + "</tr>"
        for name, values in table.rows
    )
    return (
        f'<div class="wide"><table class="sortable"><thead><tr><th>'
        f"{html.escape(table.name)}</th>{heads}</tr></thead><tbody>{rows}</tbody>"
        "</table></div>"
    )


def _called(name: str | tuple[int, str]) -> str:
    """A row's name, a tracker's with its spot of colour."""
    return html.escape(name) if isinstance(name, str) else fragments.tracker(*name)
