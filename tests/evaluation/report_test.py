"""Tests for jaxtrack.evaluation.report, in a browser where there is one."""

import dataclasses
import html.parser
import shutil
import subprocess

import cv2
import numpy as np
import pytest

from jaxtrack.evaluation import command, report
from jaxtrack.evaluation.sections import Column, Picture, Section, Table

VOID = {"meta", "img", "line", "polyline"}


class Page(html.parser.HTMLParser):
    """Checks nesting; collects rows of tables and addresses."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.addresses, self.cell = [], [], [], None
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.addresses += [v for k, v in attributes if k in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in VOID

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data


def png():
    return cv2.imencode(".png", np.zeros((4, 6, 3), np.uint8))[1].tobytes()


@pytest.fixture
def text(scores, videos):
    figures = {name: png() for name in ("success", "precision", "norm_precision")}
    worst = command.worst_sequences(scores, videos, count=2)
    return report.html_report(scores, figures, worst)


def test_page_is_whole_and_fetches_nothing(text):
    page = Page(text)
    # Three plots, two sequences of five frames.
    assert len(page.addresses) == 3 + 2 * 5
    assert all(a.startswith("data:image/") for a in page.addresses)


def test_names_are_escaped(text):
    assert "<b>&'" not in text
    assert text.count("</script>") == 1
    assert "car <1>" not in text and "car &lt;1&gt;" in text


def test_tables_hold_the_numbers(text, scores):
    rows = {row[0]: row for row in Page(text).rows if row}
    good = scores[0].reports["otb"]
    summary = next(r for r in Page(text).rows if r[0] == "good")
    assert summary[1] == f"{good.auc:.3f}"
    assert summary[7] == f"{scores[0].reports['no_first'].auc:.3f}"
    assert summary[8] == "50.0"
    dog = rows["dog"]
    assert dog[1] == "6"
    assert dog[2] == f"{good.sequences['dog'].auc:.3f}"


def test_summary_ranks_by_auc(text, scores):
    first = [row[0] for row in Page(text).rows[1:4]]
    assert first == ["good", scores[2].name, "bad"]


def test_unknown_speed_is_a_dash(scores):
    slow = dataclasses.replace(scores[0], speeds=dict.fromkeys(scores[0].speeds))
    rows = Page(report.html_report([slow], {}, {})).rows
    assert next(r for r in rows if r[0] == "good")[8] == "\u2013"


def test_unusable_truth_is_told(scores):
    of = scores[0].reports["otb"]
    ball = dataclasses.replace(of.sequences["ball"], num_unusable=2)
    of = dataclasses.replace(of, sequences={**of.sequences, "ball": ball})
    score = dataclasses.replace(scores[0], reports={**scores[0].reports, "otb": of})
    text = report.html_report([score], {}, {})
    assert "2 frames have no ground truth that <b>otb</b> accepts" in text


def test_stamp_is_shown_and_escaped(scores):
    stamp = {
        "identity": {"step": 7, "config": {"model": "<x>"}},
        "environment": {"device": "cpu: <cpu>", "versions": {"jax": "0.10.2"}},
    }
    text = report.html_report([dataclasses.replace(scores[0], stamp=stamp)], {}, {})
    assert "step 7, device cpu: &lt;cpu&gt;, jax 0.10.2" in text
    assert "&quot;model&quot;: &quot;&lt;x&gt;&quot;" in text


def test_analyses_stand_in_the_page(scores):
    table = Table("Tracker", [Column("n")], [((0, "x"), (0.5,))])
    picture = Picture("a.png", png(), "of a")
    section = Section("k", "What else", "n", {}, tables=[table], pictures=[picture])
    page = Page(report.html_report(scores, {}, {}, analyses=[section]))
    assert ["x", "0.500"] in page.rows
    assert len(page.addresses) == 1


CHECK = """
<script>
const key = text => [...document.querySelectorAll("table.heat thead tr:last-child th")]
  .filter(head => head.textContent.includes(text))[0];
const column = i => [...document.querySelectorAll("table.heat tbody tr")]
  .map(row => row.cells[i].textContent).join("|");
const out = [document.images.length,
  [...document.images].every(image => image.complete && image.naturalWidth > 0)];
key("Frames").click(); out.push(column(1));
key("Frames").click(); out.push(column(1));
key("Sequence").click(); out.push(column(0));
key("AUC").click(); out.push(column(2));
document.title = out.join(";");
</script>
"""


@pytest.mark.slow
def test_browser_shows_pictures_and_sorts(text, scores, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser: install the Debian package chromium")
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", CHECK + "</body>"))
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom")
    done = subprocess.run(
        [browser, *options, f"--user-data-dir={tmp_path}/profile", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
    )
    title = done.stdout.split("<title>")[1].split("</title>")[0].split(";")
    auc = sorted(s.auc for s in scores[0].reports["otb"].sequences.values())[::-1]
    assert title == [
        *("13", "true", "7|6|5", "5|6|7", "ball|car &lt", "1&gt", "|dog"),
        "|".join(f"{a:.3f}" for a in auc),
    ]
    assert np.all(np.diff(auc) <= 0)
