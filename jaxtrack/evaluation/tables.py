"""Tables to copy into a paper: Markdown and LaTeX."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from jaxtrack.evaluation import sections

_MARKDOWN = {c: f"\\{c}" for c in "\\`*_[]#|~$"} | {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": "--",
    "…": r"\ldots{}",
} | {c: f"\\{c}" for c in "{}$&%#_"}

# More columns than this do not fit beside each other.
_MANY = 8


def markdown_text(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    return "".join(_MARKDOWN.get(c, c) for c in " ".join(text.split()))


def latex_text(text: str) -> str:
    """A text that LaTeX sets as it is, on one line."""
    return "".join(_LATEX.get(c, c) for c in " ".join(text.split()))


def markdown(table: sections.Table) -> str:
    r"""Writes a table as GitHub's Markdown: the best in bold, the second underlined.

    Args:
      table: with names as they are; they are escaped here.

    Returns:
      Lines of text, the last one ended.
    """
    wraps = {"best": "**{}**", "second": "<ins>{}</ins>", "": "{}"}
    heads = [table.name, *(column.head for column in table.columns)]
    rows = [
        [markdown_text(head) for head in heads],
        [":--", *("--:" for _ in table.columns)],
        *_rows(table, markdown_text, wraps, "\N{EN DASH}"),
    ]
    caption = f"{markdown_text(table.caption)}\n\n" if table.caption else ""
    return caption + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def latex(table: sections.Table, *, label: str = "", is_long: bool = False) -> str:
    r"""Writes a table for LaTeX with booktabs: the best in bold, the second underlined.

    Args:
      table: with names as they are; they are escaped here. Its caption is set.
      label: for `\ref`; "" sets none.
      is_long: breaks the table over pages; needs the package longtable too.

    Returns:
      Lines of text, the last one ended.
    """
    wraps = {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}", "": "{}"}
    heads = " & ".join(
        latex_text(head) for head in (table.name, *(c.head for c in table.columns))
    )
    body = [" & ".join(row) for row in _rows(table, latex_text, wraps, "--")]
    lines = [r"\toprule", rf"{heads} \\", r"\midrule"]
    lines += [r"\endhead"] if is_long else []
    # Braces: a row that begins with [ would be taken for the gap of the one before.
    lines += [rf"{{}}{row} \\" if row.startswith("[") else rf"{row} \\" for row in body]
    lines += [r"\bottomrule"]
    caption = rf"\caption{{{latex_text(table.caption)}}}" if table.caption else ""
    caption += rf"\label{{{label}}}" if label else ""
    spec = "{l" + "r" * len(table.columns) + "}"
    if is_long:
        top = ["% needs the packages booktabs and longtable"]
        top += [rf"\begin{{longtable}}{spec}"]
        top += [rf"{caption} \\"] if caption else []
        bottom = [r"\end{longtable}"]
    else:
        top = ["% needs the packages booktabs and graphicx"]
        top += [r"\begin{table}", r"\centering"]
        top += [caption, r"\medskip"] if caption else []
        # No wider than the text, and no larger than it is.
        top += [r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"]
        top += [rf"\begin{{tabular}}{spec}"]
        bottom = [r"\end{tabular}}", r"\end{table}"]
    return "".join(f"{line}\n" for line in (*top, *lines, *bottom))


def turned(table: sections.Table) -> sections.Table:
    """Exchanges rows and columns.

    Args:
      table: its columns have the same digits and the same `better`.

    Returns:
      The table, without a name over its rows.

    Raises:
      ValueError: the columns differ.
    """
    kinds = {(column.digits, column.better) for column in table.columns}
    if len(kinds) != 1:
        raise ValueError(f"columns of {len(kinds)} kinds cannot become rows")
    ((digits, better),) = kinds
    return dataclasses.replace(
        table,
        name="",
        columns=[
            sections.Column(_name(called), digits=digits, better=better)
            for called, _ in table.rows
        ],
        rows=[
            (column.head, [values[k] for _, values in table.rows])
            for k, column in enumerate(table.columns)
        ],
        marked_in="columns" if table.marked_in == "rows" else "rows",
    )


def of_sections(parts: Sequence[sections.Section]) -> dict[str, sections.Table]:
    """Names the tables of a report's sections.

    Args:
      parts: the sections.

    Returns:
      Name of a file without its ending -> table: the section's key, with a number
      where it has several.
    """
    named = {}
    for part in parts:
        for k, table in enumerate(part.tables):
            named[f"{part.key}_{k}" if len(part.tables) > 1 else part.key] = table
    return named


def files(
    named: Mapping[str, sections.Table], *, long_from: int = 40
) -> dict[str, str]:
    """Writes tables as files for papers and for web pages.

    A table of one kind of numbers with many columns, and more of them than rows, is
    turned, so that it fits a page.

    Args:
      named: name of a file without its ending -> table.
      long_from: rows from which a LaTeX table is broken over pages.

    Returns:
      `NAME.md` and `NAME.tex` -> content; LaTeX labels are `tab:NAME`.
    """
    written = {}
    for name, table in named.items():
        kinds = {(column.digits, column.better) for column in table.columns}
        if len(kinds) == 1 and len(table.columns) > max(_MANY, len(table.rows)):
            table = turned(table)
        is_long = len(table.rows) >= long_from
        written[f"{name}.md"] = markdown(table)
        written[f"{name}.tex"] = latex(table, label=f"tab:{name}", is_long=is_long)
    return written


def _name(called: str | tuple[int, str]) -> str:
    """A row's name."""
    return called if isinstance(called, str) else called[1]


def _rows(
    table: sections.Table,
    escape: Callable[[str], str],
    wraps: Mapping[str, str],
    nothing: str,
) -> list[list[str]]:
    """Cells of all rows, marked."""
    rows = []
    for (called, values), marks in zip(table.rows, sections.marks(table), strict=True):
        row = [escape(_name(called))]
        for value, column, mark in zip(values, table.columns, marks, strict=True):
            is_there = value is not None and value == value
            cell = f"{value:.{column.digits}f}" if is_there else nothing
            row.append(wraps[mark].format(cell))
        rows.append(row)
    return rows
