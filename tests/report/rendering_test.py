"""Tests for jaxtrack.report.rendering and for templates/macros.html.j2."""

import base64
import hashlib
import pathlib
import re

import cv2
import numpy as np
import pytest

from jaxtrack.report import rendering
from jaxtrack.report.plots import style
from jaxtrack.report.sections import Picture, Section
from jaxtrack.report.tables import Column, Row, Table

TEMPLATES = pathlib.Path(rendering.__file__).parent / "templates"


def png(height=10, width=12):
    return cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1].tobytes()


def filled(call, **values):
    """What a macro writes, without the spaces between tags."""
    names = "cell, facts, image, sentences, sortable, tracker"
    source = f"{{% from 'macros.html.j2' import {names} %}}{{{{ {call} }}}}"
    environment = rendering.environment()
    template = environment.from_string(source)
    template.environment = environment
    return re.sub(r">\s+<", "><", template.render(values)).strip()


def written(section):
    """What the template of a section writes."""
    text = rendering.render(f"sections/{section.template}.html.j2", section=section)
    return re.sub(r">\s+<", "><", text)


def test_image_is_inline_and_escaped():
    text = filled("image(content, 'png', text)", content=b"ab", text='a "<b>"')
    data = base64.b64encode(b"ab").decode()
    assert f'src="data:image/png;base64,{data}"' in text
    assert 'alt="a &#34;&lt;b&gt;&#34;"' in text


def test_number_shows_few_digits_and_sorts_by_all():
    for value, digits, text in (
        (0.12345, 3, '<td class="n" data-v="0.12345">0.123</td>'),
        (7, 0, '<td class="n" data-v="7">7</td>'),
        # Types of numpy would print their names.
        (np.float64(0.5), 1, '<td class="n" data-v="0.5">0.5</td>'),
        (None, 3, '<td class="n" data-v="-1">\N{EN DASH}</td>'),
        (np.nan, 3, '<td class="n" data-v="-1">\N{EN DASH}</td>'),
    ):
        assert filled("cell(value, digits)", value=value, digits=digits) == text


def test_tracker_has_its_line():
    text = filled("tracker('<b>', 1)")
    assert style.color_of(1) in text and 'class="d1"' in text
    assert re.sub("<[^>]*>", "", text) == "&lt;b&gt;"
    again = filled("tracker('a', place)", place=1 + len(style.PALETTE))
    assert style.color_of(1) in again and 'class="d3"' in again


def test_sentences_beyond_a_few_fold():
    assert filled("sentences([])") == ""
    assert filled("sentences(['<a>'], kind='k')") == (
        '<ul class="k"><li>&lt;a&gt;</li></ul>'
    )
    text = filled("sentences(['a', 'b', 'c'], shown=1)")
    first, folded = text.split("<details>")
    assert "<li>a</li>" in first and "<li>b</li>" not in first
    assert "2 more" in folded and "<li>b</li><li>c</li>" in folded


def test_facts_nest_and_are_escaped():
    given = {
        "<k>": "<v>",
        "config": {"model": {"levels": [2, 3], "none": []}, "window": None},
        "last": 1,
    }
    text = filled("facts(given)", given=given)
    assert "<dt>&lt;k&gt;</dt><dd>&lt;v&gt;</dd>" in text
    assert "<dt>levels</dt><dd>2, 3</dd>" in text
    assert "<dt>none</dt><dd>none</dd>" in text
    assert "<dt>window</dt><dd>\N{EN DASH}</dd>" in text
    # Groups come after facts, each folded, with how many it holds.
    assert text.index("<dt>last</dt>") < text.index("<summary>config <small>2</small>")
    assert text.count("<details>") == text.count("</details>") == 2


def test_marks_and_shades_are_shown():
    rows = [Row("x", (0.25,)), Row("y", (1.5,)), Row("z", (-1,)), Row("w", (None,))]
    table = Table("", [Column("a", better="high")], rows, is_shaded=True)
    text = filled("sortable(table)", table=table)
    for part in (
        '<td class="n second" data-v="0.25" style="--s:0.25">',
        '<td class="n best" data-v="1.5" style="--s:1.00">',
        '<td class="n" data-v="-1" style="--s:0.00">',
        '<td class="n" data-v="-1">\N{EN DASH}',
    ):
        assert part in text


def test_many_columns_have_heads_of_several_lines():
    for count, is_many in ((9, False), (10, True)):
        columns = [Column(f"a_{k}<") for k in range(count)]
        table = Table("", columns, [Row("x", [0.5] * count)])
        text = filled("sortable(table)", table=table)
        assert ('class="sortable many"' in text) is is_many
        assert ">a_<wbr>0&lt;</th>" in text


def section(**changes):
    columns = [Column("AUC <", "a 'title'"), Column("frames", digits=0)]
    rows = [Row("x<y", (0.5, 3), 1), Row("all", (None, 4))]
    folded = Table("Sequence", columns[:1], [Row("a", (0.25,))], title="more >")
    given = {
        "tables": [Table("Tracker", columns, rows), folded],
        "pictures": [Picture("a.png", png()), Picture("b.jpg", b"2", "c <")],
    }
    return Section(key="k", title="T <i>", note="n & m", **given | changes)


def test_a_section_is_there_and_escaped():
    text = written(section(remarks=["r <u>"]))
    for part in (
        *("n &amp; m", "AUC &lt;", "a &#39;title&#39;", "<li>r &lt;u&gt;</li>"),
        *(">0.500</td>", ">3</td>", "\N{EN DASH}", "x&lt;y", "<td>all</td>"),
        *("data:image/png", "data:image/jpeg", "<figcaption>c &lt;</figcaption>"),
        *("<summary>more &gt;</summary>", 'class="plots few"'),
    ):
        assert part in text, part
    # The folded table comes last, the open one before the pictures.
    places = [text.index(p) for p in ("x&lt;y", "image/png", "<details>", ">0.250<")]
    assert places == sorted(places)
    text = written(section(tables=[], pictures=[]))
    assert "<div" not in text and "<table" not in text and "<ul" not in text


def test_pictures_have_the_room_they_need():
    wide = Picture("a.png", png(10, 20))
    assert 'class="plots roomy"' in written(section(pictures=[wide]))
    text = written(section(is_wide=True))
    assert 'class="maps"' in text and "plots" not in text
    square = Picture("a<.png", png())
    assert '<div class="plots">' in written(
        Section("", "", pictures=[square], template="gallery")
    )
    text = written(Section("", "", pictures=[square, wide], template="gallery"))
    assert '<div class="plots roomy">' in text and text.count("<img") == 2
    assert 'alt="a&lt;"' in text
    assert rendering.is_wide(png(100, 151)) and not rendering.is_wide(png(100, 150))
    assert not rendering.is_wide(b"no png")


def test_copies_hold_the_text_twice():
    content = "a & <b> | \N{EN DASH}\n"
    text = written(Section("", "", template="copies", shown={'t".md': content}))
    assert '<pre class="copy">a &amp; &lt;b&gt; | \N{EN DASH}\n</pre>' in text
    assert 'download="t&#34;.md"' in text
    data = re.search('href="data:text/plain;charset=utf-8;base64,([^"]*)"', text)[1]
    assert base64.b64decode(data).decode() == content


def test_nothing_is_fetched():
    sources = [*TEMPLATES.rglob("*.html.j2"), *TEMPLATES.parent.glob("*.[cj]s*")]
    assert {path.name for path in sources} >= {"page.html.j2", "style.css", "sort.js"}
    for path in sources:
        text = path.read_text().replace('src="data:', "")
        assert not re.search(r"https?:|//\w|url\(|@import|src=", text), path


def test_the_policy_allows_the_page_and_nothing_else():
    text = rendering.render("page.html.j2", title="", lead="", notes=[], sections=[])
    policy = re.search('Security-Policy" content="([^"]*)"', text)[1]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed.pop("default-src") == "'none'"
    assert allowed.pop("img-src") == "data:"
    assert allowed.pop("style-src") == "'unsafe-inline'"
    # The hash is of all that stands between the tags.
    script = re.search("<script>(.*?)</script>", text, re.DOTALL)[1]
    digest = hashlib.sha256(script.encode()).digest()
    hashed = base64.b64encode(digest).decode()
    assert allowed.pop("script-src") == f"'sha256-{hashed}'"
    assert set(allowed.values()) == {"'none'"}
    assert text.index("Security-Policy") < text.index("<style>")


def test_braces_of_the_style_are_closed():
    bare = re.sub(r'"[^"]*"', "", (TEMPLATES.parent / "style.css").read_text())
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert 0 <= depth <= 2
    assert depth == 0


def test_what_a_template_lacks_is_an_error():
    with pytest.raises(Exception, match="'lead' is undefined"):
        rendering.render("page.html.j2", title="t")
