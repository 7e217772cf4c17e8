"""Tables of numbers: marking the best, and output as Markdown and LaTeX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtrack.report import rendering

_LONG = 40  # Rows from which a LaTeX table spans pages.


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
      head: its heading.
      title: the tooltip of the heading.
      digits: after the decimal point.
      better: "high" or "low" marks the best and second best number; "" marks none.
    """

    head: str
    title: str = ""
    digits: int = 3
    better: Literal["", "high", "low"] = ""


class Row(NamedTuple):
    """A row of numbers.

    Attributes:
      name: its label.
      values: its numbers; None and NaN mean that there is none.
      place: index of its tracker, which gives the color; None for no tracker.
    """

    name: str
    values: Sequence[float | None]
    place: int | None = None


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns.

    Attributes:
      name: heading of the row names.
      columns: of the numbers.
      rows: of the numbers.
      title: folds the table below this title; "" shows it.
      caption: of the table in a paper.
      marked_in: "columns" marks the best of each column, "rows" of each row.
      is_shaded: whether a number in [0, 1] fills that fraction of its cell.
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
        """Returns rows, each with values, their columns and marks; see `marks`."""
        return [
            (row, list(zip(row.values, self.columns, marked, strict=True)))
            for row, marked in zip(self.rows, marks(self), strict=True)
        ]


def marks(table: Table) -> list[list[str]]:
    """Marks the best and the second best numbers, rounded as shown.

    Equal numbers share their mark. Among fewer than two numbers none is marked, among
    fewer than three no second.

    Args:
      table: its columns define what is better, `marked_in` what is compared.

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
    """Marks the numbers of one group; higher is better."""
    known = [value for value in worth if value is not None]
    ranked = sorted(set(known), reverse=True)
    names = dict(zip(ranked, ("best", "second")[: len(known) - 1], strict=False))
    return [names.get(value, "") for value in worth]


def is_none(value: float | None) -> bool:
    """Returns whether there is no number."""
    return value is None or value != value


def markdown(table: Table) -> str:
    """Formats a table as GitHub Markdown: the best in bold, the second underlined.

    Args:
      table: with unescaped names.

    Returns:
      Lines of text, with a final newline.
    """
    wraps = {"best": "**{}**", "second": "<ins>{}</ins>", "": "{}"}
    return _written("table.md.j2", table, rendering.markdown_text, wraps, "\N{EN DASH}")


def latex(table: Table, *, label: str = "", is_long: bool = False) -> str:
    r"""Formats a table as LaTeX with booktabs: the best bold, the second underlined.

    Args:
      table: with unescaped names.
      label: for `\ref`; "" sets none.
      is_long: whether the table may span pages; needs the package longtable.

    Returns:
      Lines of text, with a final newline.
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
    """Renders a template with the texts of all rows, names first, marks applied."""
    rows = []
    for row, cells in table.marked:
        texts = [escape(row.name)]
        for value, column, mark in cells:
            text = nothing if is_none(value) else f"{value:.{column.digits}f}"
            texts.append(wraps[mark].format(text))
        rows.append(texts)
    return rendering.render(template, table=table, rows=rows, **about)


def files(named: Mapping[str, Table]) -> dict[str, str]:
    """Formats tables as files for papers and for web pages.

    Args:
      named: file name without extension -> table.

    Returns:
      `NAME.md` and `NAME.tex` -> content; LaTeX labels are `tab:NAME`.
    """
    texts = {}
    for name, table in named.items():
        is_long = len(table.rows) >= _LONG
        texts[f"{name}.md"] = markdown(table)
        texts[f"{name}.tex"] = latex(table, label=f"tab:{name}", is_long=is_long)
    return texts
