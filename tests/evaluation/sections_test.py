"""Tests for jaxtrack.evaluation.sections."""

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
    text = sections.as_html(section())
    for part in (
        *("<h2>T &lt;i&gt;</h2>", "n &amp; m", "AUC &lt;", "a &#x27;title&#x27;"),
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


def test_nothing_is_drawn_where_there_is_nothing():
    text = sections.as_html(section(tables=[], pictures=[]))
    assert "<div" not in text and "<table" not in text
