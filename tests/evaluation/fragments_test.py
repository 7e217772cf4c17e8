"""Tests for jaxtrack.evaluation.fragments."""

import base64

from jaxtrack.evaluation import fragments, plots


def test_image_is_inline_and_escaped():
    text = fragments.image(b"ab", "png", 'a "<b>"')
    data = base64.b64encode(b"ab").decode()
    assert f'src="data:image/png;base64,{data}"' in text
    assert 'alt="a &quot;&lt;b&gt;&quot;"' in text


def test_number_shows_few_digits_and_sorts_by_all():
    assert fragments.number(0.12345) == '<td class="n" data-v="0.12345">0.123</td>'
    assert fragments.number(7, 0) == '<td class="n" data-v="7">7</td>'
    assert "&ndash;" in fragments.number(None)


def test_tracker_has_its_colour():
    text = fragments.tracker(1, "<b>")
    assert plots.color_of(1) in text and text.endswith("&lt;b&gt;")
