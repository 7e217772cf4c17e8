"""A section of the report: numbers, tables, pictures."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jaxtrack.evaluation import fragments

# More columns than this have heads of several lines.
_MANY = 9


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
      head: shown above it.
      title: shown when the pointer rests on the head.
      digits: after the point.
      better: whether the best and second best number are marked, and which that is.
    """

    head: str
    title: str = ""
    digits: int = 3
    better: Literal["", "high", "low"] = ""


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns.

    Attributes:
      name: of what the rows are.
      columns: of the numbers.
      rows: what each is called, and its numbers; None has none, nor has NaN. A pair of
        a tracker's place and its name is shown in its colour.
      title: folds the table away behind these words; "" shows it.
      caption: above the table where it is copied into a paper.
      marked_in: where the best is looked for: "columns" compares the rows of a column,
        "rows" the columns of a row.
      is_shaded: whether a number in [0, 1] fills its cell by that share.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[tuple[str | tuple[int, str], Sequence[float | None]]]
    title: str = ""
    caption: str = ""
    marked_in: Literal["columns", "rows"] = "columns"
    is_shaded: bool = False


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
      remarks: sentences below the note.
    """

    key: str
    title: str
    note: str
    numbers: dict[str, Any]
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    is_wide: bool = False
    remarks: Sequence[str] = ()


def marks(table: Table) -> list[list[str]]:
    """Marks the best and the second best numbers, by the digits that are shown.

    Numbers that look the same share their mark. Nothing is marked among fewer than two
    numbers, no second among fewer than three.

    Args:
      table: its columns say what is better, `marked_in` what is compared.

    Returns:
      For each row, for each column: "best", "second" or "".
    """
    shown = [
        [
            None if value is None or value != value else round(float(value), c.digits)
            for value, c in zip(values, table.columns, strict=True)
        ]
        for _, values in table.rows
    ]
    found = [["" for _ in table.columns] for _ in shown]
    cells = [[(r, c) for r in range(len(shown))] for c in range(len(table.columns))]
    if table.marked_in == "rows":
        cells = [list(group) for group in zip(*cells, strict=True)]
    for group in cells:
        group = [
            (r, c)
            for r, c in group
            if table.columns[c].better and shown[r][c] is not None
        ]
        signs = [1 if table.columns[c].better == "high" else -1 for _, c in group]
        worth = [s * shown[r][c] for s, (r, c) in zip(signs, group, strict=True)]
        order = sorted(set(worth), reverse=True)
        for value, (r, c) in zip(worth, group, strict=True):
            if len(group) >= 2 and value == order[0]:
                found[r][c] = "best"
            elif len(group) >= 3 and value == order[1]:
                found[r][c] = "second"
    return found


def as_html(section: Section) -> str:
    """Writes a section.

    Args:
      section: with names as they are; they are escaped here.

    Returns:
      HTML of what stands below its heading.
    """
    figures = "".join(_figure(picture) for picture in section.pictures)
    kind = "maps" if section.is_wide else "plots few"
    if kind != "maps" and any(_is_wide(picture) for picture in section.pictures):
        kind = "plots roomy"
    return (
        f'<p class="note">{html.escape(section.note)}</p>'
        + fragments.sentences(section.remarks)
        + "".join(table_as_html(table) for table in section.tables if not table.title)
        + (f'<div class="{kind}">{figures}</div>' if figures else "")
        + "".join(_folded(table) for table in section.tables if table.title)
    )


def table_as_html(table: Table) -> str:
    """Writes a table that sorts by its columns where scripts run.

    Args:
      table: with names as they are; they are escaped here.

    Returns:
      HTML.
    """
    heads = "".join(
        f'<th class="n" title="{html.escape(column.title)}">'
        f"{html.escape(column.head).replace('_', '_<wbr>')}</th>"
        for column in table.columns
    )
    rows = "".join(
        f"<tr><td>{_called(name)}</td>"
        + "".join(
            _cell(value, column, mark, is_shaded=table.is_shaded)
            for value, column, mark in zip(values, table.columns, marked, strict=True)
        )
        + "</tr>"
        for (name, values), marked in zip(table.rows, marks(table), strict=True)
    )
    kind = "sortable many" if len(table.columns) > _MANY else "sortable"
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr><th>'
        f"{html.escape(table.name)}</th>{heads}</tr></thead><tbody>{rows}</tbody>"
        "</table></div>"
    )


def _figure(picture: Picture) -> str:
    """A picture and its caption."""
    kind = "png" if picture.path.endswith(".png") else "jpeg"
    text = picture.caption or picture.path.rsplit(".", 1)[0]
    caption = html.escape(picture.caption)
    if caption:
        caption = f"<figcaption>{caption}</figcaption>"
    return f"<figure>{fragments.image(picture.content, kind, text)}{caption}</figure>"


def _is_wide(picture: Picture) -> bool:
    """Whether it is a plot with a legend beside its axes."""
    return picture.path.endswith(".png") and fragments.is_wide(picture.content)


def _folded(table: Table) -> str:
    """A table that opens when asked for."""
    return (
        f"<details><summary>{html.escape(table.title)}</summary>"
        f"{table_as_html(table)}</details>"
    )


def _cell(value: float | None, column: Column, mark: str, *, is_shaded: bool) -> str:
    """A number's cell, marked and shaded."""
    cell = fragments.number(value, digits=column.digits)
    if mark:
        cell = cell.replace('class="n"', f'class="n {mark}"', 1)
    if is_shaded and value is not None and value == value:
        share = min(1.0, max(0.0, float(value)))
        cell = cell.replace("<td ", f'<td style="--s:{share:.2f}" ', 1)
    return cell


def _called(name: str | tuple[int, str]) -> str:
    """A row's name, a tracker's with its line's colour and dashes."""
    return html.escape(name) if isinstance(name, str) else fragments.tracker(*name)
