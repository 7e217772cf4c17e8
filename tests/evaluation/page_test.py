"""Tests for jaxtrack.evaluation.page."""

import base64
import hashlib
import re

from jaxtrack.evaluation import page


def test_nothing_is_fetched():
    text = page.STYLE + page.SCRIPT + page.TEMPLATE.template
    assert not re.search(r"https?:|//\w|url\(|@import|src=", text)


def test_template_needs_exactly_what_the_report_gives():
    expected = {
        *("policy", "style", "script", "title", "lead", "contents", "notes"),
        "chapters",
    }
    assert set(page.TEMPLATE.get_identifiers()) == expected


def test_policy_allows_the_page_and_nothing_else():
    allowed = dict(part.split(" ", 1) for part in page.POLICY.split("; "))
    assert allowed.pop("default-src") == "'none'"
    assert allowed.pop("img-src") == "data:"
    assert allowed.pop("style-src") == "'unsafe-inline'"
    digest = hashlib.sha256(page.SCRIPT.encode()).digest()
    hashed = base64.b64encode(digest).decode()
    assert allowed.pop("script-src") == f"'sha256-{hashed}'"
    assert set(allowed.values()) == {"'none'"}
    # The hash is of all that stands between the tags.
    assert "<script>$script</script>" in page.TEMPLATE.template
    assert page.TEMPLATE.template.index("$policy") < page.TEMPLATE.template.index(
        "$style"
    )


def test_braces_of_the_style_are_closed():
    bare = re.sub(r'"[^"]*"', "", page.STYLE)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert 0 <= depth <= 2
    assert depth == 0
