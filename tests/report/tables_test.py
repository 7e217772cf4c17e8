"""Tests for jaxtrack.report.tables, set by LaTeX where there is one."""

import re
import shutil
import subprocess

import pytest

from jaxtrack.report import rendering, tables
from jaxtrack.report.tables import Column, Row, Table

ODD = r"""<b>&'"$x_1$ #5 100% {a}|~^\end"""


def table(**changes):
    columns = [
        Column("AUC", better="high"),
        Column("R ≤", better="low", digits=1),
        Column("Frames/s_", digits=1),
    ]
    rows = [
        Row("a", (0.61249, 3.0, 40.0), 0),
        Row(ODD, (0.6, None, 50.04), 1),
        Row("[c]", (0.3, 1.0, float("nan"))),
    ]
    return Table(**{"name": "Tracker_", "columns": columns, "rows": rows} | changes)


def test_markdown_by_hand():
    assert tables.markdown(table(rows=table().rows[::2])).splitlines() == [
        r"| Tracker\_ | AUC | R ≤ | Frames/s\_ |",
        "| :-- | --: | --: | --: |",
        "| a | **0.612** | 3.0 | 40.0 |",
        "| \\[c\\] | 0.300 | **1.0** | \N{EN DASH} |",
    ]


def test_latex_by_hand():
    text = tables.latex(table(rows=table().rows[::2], caption="50% of it"), label="t")
    assert text.splitlines() == [
        "% needs the packages booktabs and graphicx",
        r"\begin{table}",
        r"\centering",
        r"\caption{50\% of it}\label{t}",
        r"\medskip",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"Tracker\_ & AUC & R $\leq$ & Frames/s\_ \\",
        r"\midrule",
        r"a & \textbf{0.612} & 3.0 & 40.0 \\",
        r"{}[c] & 0.300 & \textbf{1.0} & -- \\",
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]


def test_the_second_of_three_is_underlined():
    assert "| <ins>0.600</ins> |" in tables.markdown(table())
    assert r"\underline{0.600}" in tables.latex(table())


def test_odd_names_are_one_cell_on_one_line():
    given = "a |\n\tb " + ODD
    assert rendering.markdown_text(given) == (
        r"a \| b &lt;b&gt;&amp;'" + r'"\$x\_1\$ \#5 100% {a}\|\~^\\end'
    )
    assert rendering.latex_text(given) == (
        r"a \textbar{} b \textless{}b\textgreater{}\&'" + r'"\$x\_1\$ \#5 100\% \{a\}'
        r"\textbar{}\textasciitilde{}\textasciicircum{}\textbackslash{}end"
    )
    rows = tables.markdown(table(rows=[Row(given, (1, 2, 3), 0)])).splitlines()
    # Four cells, five bars: the escaped ones do not count.
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


@pytest.mark.parametrize("is_long", [False, True])
def test_latex_is_balanced(is_long):
    text = tables.latex(table(caption=ODD), label="a", is_long=is_long)
    bare = re.sub(r"\\[\\{}$&%#_]", "", text)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    begun = re.findall(r"\\begin{(\w+)}", text)
    assert begun == re.findall(r"\\end{(\w+)}", text)[::-1] and begun
    rows = [row for row in bare.splitlines() if "&" in row]
    assert [row.count("&") for row in rows] == [3] * 4


def test_files_break_long_tables_over_pages():
    named = {"few": table(), "many": table(rows=[Row("a", (1, 2, 3))] * 40)}
    written = tables.files(named)
    assert list(written) == ["few.md", "few.tex", "many.md", "many.tex"]
    assert r"\begin{tabular}" in written["few.tex"]
    assert r"\begin{longtable}" in written["many.tex"]
    assert r"\label{tab:many} \\" in written["many.tex"]
    assert written["few.md"] == tables.markdown(table())


def marked(values, **changes):
    columns = [Column("a", better="high"), Column("b", better="low"), Column("c")]
    rows = [Row(str(i), row) for i, row in enumerate(values)]
    return tables.marks(Table("", columns, rows, **changes))


def test_marks_of_columns():
    assert marked([(0.2, 0.2, 1), (0.9, 0.9, 2), (0.5, 0.5, 3)]) == [
        ["", "best", ""],
        ["best", "", ""],
        ["second", "second", ""],
    ]


def test_marks_go_by_what_is_shown():
    # 0.6121 and 0.6124 both read 0.612; 0.611 is second, not third.
    assert marked([(0.6121, 1, 1), (0.6124, 1, 1), (0.611, 1, 1)]) == [
        ["best", "best", ""],
        ["best", "best", ""],
        ["second", "best", ""],
    ]


def test_what_is_missing_is_not_marked():
    rows = [(None, 0.1, 1), (float("nan"), None, 1), (0.1, 0.2, 1), (0.2, 0.3, 1)]
    assert marked(rows) == [
        # Two numbers in the first column have no second best.
        ["", "best", ""],
        ["", "", ""],
        ["", "second", ""],
        ["best", "", ""],
    ]
    assert marked([(0.5, 0.5, 0.5)]) == [["", "", ""]]
    assert marked([]) == []


def test_marks_of_rows():
    columns = [Column(c, better="high") for c in "abc"]
    rows = [Row("x", (0.1, 0.3, 0.2)), Row("y", (0.5, 0.5, 0.4))]
    assert tables.marks(Table("", columns, rows, marked_in="rows")) == [
        ["", "best", "second"],
        ["best", "best", "second"],
    ]


def test_rows_are_as_long_as_the_columns():
    with pytest.raises(ValueError):
        tables.marks(Table("", [Column("a")], [Row("x", (1, 2))]))


@pytest.mark.slow
def test_latex_sets_it(tmp_path):
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no LaTeX: install the Debian package texlive-latex-recommended")
    body = "".join(
        tables.latex(table(caption=ODD), label=f"a{is_long}", is_long=is_long)
        for is_long in (False, True)
    )
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs, graphicx, longtable}\n"
        f"\\begin{{document}}\n{body}\\end{{document}}\n"
    )
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-1500:]
