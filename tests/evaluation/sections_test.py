"""Tests for jaxtrack.evaluation.sections."""

import cv2
import numpy as np
import pytest

from jaxtrack.evaluation import sections
from jaxtrack.evaluation.sections import Column, Picture, Section, Table


def section(**changes):
    columns = [Column("AUC <", "a 'title'"), Column("frames", digits=0)]
    return Section(
        key="k",
        title="T <i>",
        note="n & m",
        numbers={},
        **{
            "tables": [
                Table("Tracker", columns, [((1, "x<y"), (0.5, 3)), ("all", (None, 4))]),
                Table("Sequence", columns[:1], [("a", (0.25,))], title="more >"),
            ],
            "pictures": [Picture("a.png", b"1"), Picture("b.jpg", b"2", "c <")],
            **changes,
        },
    )


def test_everything_is_there_and_escaped():
    text = sections.as_html(section(remarks=["r <u>"]))
    for part in (
        *("n &amp; m", "AUC &lt;", "a &#x27;title&#x27;", "<li>r &lt;u&gt;</li>"),
        *(">0.500</td>", ">3</td>", "&ndash;", "x&lt;y", "<td>all</td>"),
        *("data:image/png", "data:image/jpeg", "<figcaption>c &lt;</figcaption>"),
        *("<summary>more &gt;</summary>", 'class="plots few"'),
    ):
        assert part in text
    # The folded table comes last, the open one before the pictures.
    places = [text.index(p) for p in ("x&lt;y", "image/png", "<details>", ">0.250<")]
    assert places == sorted(places)


def test_wide_pictures_take_a_line_each():
    text = sections.as_html(section(is_wide=True))
    assert 'class="maps"' in text and "plots" not in text


def test_plots_with_a_legend_beside_them_have_more_room():
    png = cv2.imencode(".png", np.zeros((10, 20, 3), np.uint8))[1].tobytes()
    text = sections.as_html(section(pictures=[Picture("a.png", png)]))
    assert 'class="plots roomy"' in text


def test_nothing_is_drawn_where_there_is_nothing():
    text = sections.as_html(section(tables=[], pictures=[]))
    assert "<div" not in text and "<table" not in text and "<ul" not in text


def marked(values, **changes):
    columns = [Column("a", better="high"), Column("b", better="low"), Column("c")]
    rows = [(str(i), row) for i, row in enumerate(values)]
    return sections.marks(Table("", columns, rows, **changes))


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
    rows = [("x", (0.1, 0.3, 0.2)), ("y", (0.5, 0.5, 0.4))]
    assert sections.marks(Table("", columns, rows, marked_in="rows")) == [
        ["", "best", "second"],
        ["best", "best", "second"],
    ]


def test_marks_and_shades_are_shown():
    columns = [Column("a", better="high")]
    rows = [("x", (0.25,)), ("y", (1.5,)), ("z", (-1,)), ("w", (None,))]
    text = sections.table_as_html(Table("", columns, rows, is_shaded=True))
    for part in (
        '<td style="--s:0.25" class="n second" data-v="0.25">',
        '<td style="--s:1.00" class="n best" data-v="1.5">',
        '<td style="--s:0.00" class="n" data-v="-1">',
        '<td class="n" data-v="-1">&ndash;',
    ):
        assert part in text


@pytest.mark.parametrize(("count", "is_many"), [(9, False), (10, True)])
def test_many_columns_have_heads_of_several_lines(count, is_many):
    columns = [Column(f"a_{k}") for k in range(count)]
    text = sections.table_as_html(Table("", columns, [("x", [0.5] * count)]))
    assert ('class="sortable many"' in text) is is_many
    assert ">a_<wbr>0</th>" in text


def test_rows_are_as_long_as_the_columns():
    with pytest.raises(ValueError):
        sections.marks(Table("", [Column("a")], [("x", (1, 2))]))
