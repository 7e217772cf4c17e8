"""Tables of numbers: what is best in them, and as text to copy into a paper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtrack.report import rendering

_LONG = 40  # Rows from which a LaTeX table is broken over pages.


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


class Row(NamedTuple):
    """A row of numbers.

    Attributes:
      name: what it is called.
      values: its numbers; None and NaN say that there is none.
      place: of the tracker that it is of, whose colour is shown; None of none.
    """

    name: str
    values: Sequence[float | None]
    place: int | None = None


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns.

    Attributes:
      name: of what the rows are.
      columns: of the numbers.
      rows: of the numbers.
      title: folds the table away behind these words; "" shows it.
      caption: above the table where it is copied into a paper.
      marked_in: where the best is looked for: "columns" compares the rows of a column,
        "rows" the columns of a row.
      is_shaded: whether a number in [0, 1] fills its cell by that share.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    title: str = ""
    caption: str = ""
    marked_in: Literal["columns", "rows"] = "columns"
    is_shaded: bool = False

    @property
    def marked(self) -> list[tuple[Row, list[tuple[float | None, Column, str]]]]:
        """Rows, each with its values, their columns and their marks; see `marks`."""
        return [
            (row, list(zip(row.values, self.columns, marked, strict=True)))
            for row, marked in zip(self.rows, marks(self), strict=True)
        ]


def marks(table: Table) -> list[list[str]]:
    """Marks the best and the second best numbers, by the digits that are shown.

    Numbers that look the same share their mark. Nothing is marked among fewer than two
    numbers, no second among fewer than three.

    Args:
      table: its columns say what is better, `marked_in` what is compared.

    Returns:
      For each row, for each column: "best", "second" or "".
    """
    worth = [
        [
            None
            if is_none(value) or not column.better
            else (1 if column.better == "high" else -1) * round(value, column.digits)
            for value, column in zip(row.values, table.columns, strict=True)
        ]
        for row in table.rows
    ]
    if table.marked_in == "rows":
        return [_marks(group) for group in worth]
    by_column = [_marks(group) for group in zip(*worth, strict=True)]
    return [list(row) for row in zip(*by_column, strict=True)]


def _marks(worth: Sequence[float | None]) -> list[str]:
    """Marks numbers of one group, of which the highest is the best."""
    there = [value for value in worth if value is not None]
    ranked = sorted(set(there), reverse=True)
    names = dict(zip(ranked, ("best", "second")[: len(there) - 1], strict=False))
    return [names.get(value, "") for value in worth]


def is_none(value: float | None) -> bool:
    """Whether there is no number."""
    return value is None or value != value


def markdown(table: Table) -> str:
    """Writes a table as GitHub's Markdown: the best in bold, the second underlined.

    Args:
      table: with names as they are; they are escaped here.

    Returns:
      Lines of text, the last one ended.
    """
    wraps = {"best": "**{}**", "second": "<ins>{}</ins>", "": "{}"}
    return _written("table.md.j2", table, rendering.markdown_text, wraps, "\N{EN DASH}")


def latex(table: Table, *, label: str = "", is_long: bool = False) -> str:
    r"""Writes a table for LaTeX with booktabs: the best in bold, the second underlined.

    Args:
      table: with names as they are; they are escaped here. Its caption is set.
      label: for `\ref`; "" sets none.
      is_long: breaks the table over pages; needs the package longtable too.

    Returns:
      Lines of text, the last one ended.
    """
    wraps = {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}", "": "{}"}
    how, about = (rendering.latex_text, wraps, "--"), {"label": label}
    return _written("table.tex.j2", table, *how, **about, is_long=is_long)


def _written(
    template: str,
    table: Table,
    escape: Callable[[str], str],
    wraps: Mapping[str, str],
    nothing: str,
    **about: str | bool,
) -> str:
    """Fills a template with the texts of all rows, names first, marks wrapped."""
    rows = []
    for row, cells in table.marked:
        texts = [escape(row.name)]
        for value, column, mark in cells:
            text = nothing if is_none(value) else f"{value:.{column.digits}f}"
            texts.append(wraps[mark].format(text))
        rows.append(texts)
    return rendering.render(template, table=table, rows=rows, **about)


def files(named: Mapping[str, Table]) -> dict[str, str]:
    """Writes tables as files for papers and for web pages.

    Args:
      named: name of a file without its ending -> table.

    Returns:
      `NAME.md` and `NAME.tex` -> content; LaTeX labels are `tab:NAME`.
    """
    written = {}
    for name, table in named.items():
        is_long = len(table.rows) >= _LONG
        written[f"{name}.md"] = markdown(table)
        written[f"{name}.tex"] = latex(table, label=f"tab:{name}", is_long=is_long)
    return written
