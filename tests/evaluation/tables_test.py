"""Tests for jaxtrack.evaluation.tables, set by LaTeX where there is one."""

import re
import shutil
import subprocess

import pytest

from jaxtrack.evaluation import tables
from jaxtrack.evaluation.sections import Column, Table

ODD = r"""<b>&'"$x_1$ #5 100% {a}|~^\end"""


def table(**changes):
    columns = [
        Column("AUC", better="high"),
        Column("R ≤", better="low", digits=1),
        Column("Frames/s_", digits=1),
    ]
    rows = [
        ((0, "a"), (0.61249, 3.0, 40.0)),
        ((1, ODD), (0.6, None, 50.04)),
        ("[c]", (0.3, 1.0, float("nan"))),
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
    assert tables.markdown_text(given) == (
        r"a \| b &lt;b&gt;&amp;'" + r'"\$x\_1\$ \#5 100% {a}\|\~^\\end'
    )
    assert tables.latex_text(given) == (
        r"a \textbar{} b \textless{}b\textgreater{}\&'" + r'"\$x\_1\$ \#5 100\% \{a\}'
        r"\textbar{}\textasciitilde{}\textasciicircum{}\textbackslash{}end"
    )
    rows = tables.markdown(table(rows=[((0, given), (1, 2, 3))])).splitlines()
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
    named = {"few": table(), "many": table(rows=[("a", (1, 2, 3))] * 5)}
    written = tables.files(named, long_from=5)
    assert list(written) == ["few.md", "few.tex", "many.md", "many.tex"]
    assert r"\begin{tabular}" in written["few.tex"]
    assert r"\begin{longtable}" in written["many.tex"]
    assert r"\label{tab:many} \\" in written["many.tex"]
    assert written["few.md"] == tables.markdown(table())


def test_turned_by_hand():
    columns = [Column(c, digits=1, better="high") for c in "ab"]
    given = Table("T", columns, [((0, "x"), (1, 2)), ((1, "y"), (3, 1))])
    # The best of each column is the best of each row now.
    assert tables.markdown(tables.turned(given)).splitlines() == [
        "|  | x | y |",
        "| :-- | --: | --: |",
        "| a | 1.0 | **3.0** |",
        "| b | **2.0** | 1.0 |",
    ]
    back = tables.turned(tables.turned(given))
    assert back.marked_in == "columns"
    assert [list(values) for _, values in back.rows] == [[1, 2], [3, 1]]
    with pytest.raises(ValueError, match="2 kinds"):
        tables.turned(table(columns=table().columns[:2]))


@pytest.mark.parametrize(
    ("num_columns", "num_rows", "is_turned"),
    [(9, 8, True), (9, 9, False), (8, 2, False)],
)
def test_wide_tables_are_turned(num_columns, num_rows, is_turned):
    columns = [Column(f"c{k}") for k in range(num_columns)]
    rows = [(f"r{k}", [0.5] * num_columns) for k in range(num_rows)]
    text = tables.files({"t": Table("T", columns, rows)})["t.md"]
    assert text.startswith("|  | r0") is is_turned
    assert text.startswith("| T | c0") is not is_turned
    # Columns that differ cannot be rows.
    columns = [*columns[1:], Column("other", digits=1)]
    text = tables.files({"t": Table("T", columns, rows)})["t.md"]
    assert text.startswith("| T | c1")


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
