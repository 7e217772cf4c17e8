"""Tests for jaxtrack.evaluation.page."""

import re

from jaxtrack.evaluation import page


def test_nothing_is_fetched():
    text = page.STYLE + page.SCRIPT + page.TEMPLATE.template
    assert not re.search(r"https?:|//\w|url\(|@import|src=", text)


def test_template_needs_exactly_what_the_report_gives():
    expected = {
        *("style", "script", "lead", "summary", "plots", "analyses", "sequences"),
        *("worst_title", "worst", "notes", "stamps"),
    }
    assert set(page.TEMPLATE.get_identifiers()) == expected
