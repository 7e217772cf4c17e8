"""Tests for jaxtrack.evaluation.fragments."""

import base64
import re

import cv2
import numpy as np

from jaxtrack.evaluation import fragments, plots


def png(height, width):
    image = np.zeros((height, width, 3), np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()


def test_image_is_inline_and_escaped():
    text = fragments.image(b"ab", "png", 'a "<b>"')
    data = base64.b64encode(b"ab").decode()
    assert f'src="data:image/png;base64,{data}"' in text
    assert 'alt="a &quot;&lt;b&gt;&quot;"' in text


def test_number_shows_few_digits_and_sorts_by_all():
    assert fragments.number(0.12345) == '<td class="n" data-v="0.12345">0.123</td>'
    assert fragments.number(7, digits=0) == '<td class="n" data-v="7">7</td>'
    # Types of numpy would print their names.
    assert fragments.number(np.float64(0.5), digits=1) == (
        '<td class="n" data-v="0.5">0.5</td>'
    )
    nothing = '<td class="n" data-v="-1">&ndash;</td>'
    assert fragments.number(None) == fragments.number(np.nan) == nothing


def test_tracker_has_its_line():
    text = fragments.tracker(1, "<b>")
    assert plots.color_of(1) in text and 'class="d0"' in text
    assert re.sub("<[^>]*>", "", text) == "&lt;b&gt;"
    again = fragments.tracker(1 + len(plots.PALETTE), "a")
    assert plots.color_of(1) in again and 'class="d1"' in again


def test_wide_plots_have_more_room():
    assert fragments.is_wide(png(100, 151)) and not fragments.is_wide(png(100, 150))
    assert not fragments.is_wide(b"no png")
    square, wide = {"a<": png(10, 12)}, {"b": png(10, 20)}
    assert '<div class="plots">' in fragments.gallery(square)
    assert '<div class="plots roomy">' in fragments.gallery(square | wide)
    assert fragments.gallery(square | wide).count("<img") == 2
    assert 'alt="a&lt;"' in fragments.gallery(square)


def test_sentences_beyond_a_few_fold():
    assert fragments.sentences([]) == ""
    assert fragments.sentences(["<a>"], kind="k") == (
        '<ul class="k"><li>&lt;a&gt;</li></ul>'
    )
    text = fragments.sentences(["a", "b", "c"], shown=1)
    first, folded = text.split("<details>")
    assert "<li>a</li>" in first and "<li>b</li>" not in first
    assert "2 more" in folded and "<li>b</li><li>c</li>" in folded


def test_copyable_holds_the_text_twice():
    content = "a & <b> | \N{EN DASH}\n"
    text = fragments.copyable('t".md', content)
    assert '<pre class="copy">a &amp; &lt;b&gt; | \N{EN DASH}\n</pre>' in text
    assert 'download="t&quot;.md"' in text
    data = re.search('href="data:text/plain;charset=utf-8;base64,([^"]*)"', text)[1]
    assert base64.b64decode(data).decode() == content


def test_facts_nest_and_are_escaped():
    given = {
        "<k>": "<v>",
        "config": {"model": {"levels": [2, 3], "none": []}, "window": None},
        "last": 1,
    }
    text = fragments.facts(given)
    assert "<dt>&lt;k&gt;</dt><dd>&lt;v&gt;</dd>" in text
    assert "<dt>levels</dt><dd>2, 3</dd>" in text
    assert "<dt>none</dt><dd>none</dd>" in text
    assert "<dt>window</dt><dd>\N{EN DASH}</dd>" in text
    # Groups come after facts, each folded, with how many it holds.
    assert text.index("<dt>last</dt>") < text.index("<summary>config <small>2</small>")
    assert text.count("<details>") == text.count("</details>") == 2
