"""Tests for jaxtrack.evaluation.report, in a browser where there is one."""

import dataclasses
import html
import html.parser
import http.server
import re
import shutil
import subprocess
import threading

import cv2
import numpy as np
import pytest

from jaxtrack.evaluation import page, report, standings, worst
from jaxtrack.evaluation.sections import Column, Picture, Section, Table

VOID = {"meta", "img", "line", "polyline", "wbr"}


class Page(html.parser.HTMLParser):
    """Checks nesting; collects rows of tables and addresses."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.cell = [], [], None
        self.addresses, self.ids = [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.addresses += [v for k, v in attributes if k in ("src", "href")]
        self.ids += [v for k, v in attributes if k == "id"]
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
    shots = worst.worst_sequences(scores, videos, count=2)
    return report.html_report(scores, figures, shots)


def everything(scores, videos):
    """A report with all that there can be, of names that need escaping."""
    carried = {video.name: ("Fast <i>", f"of_{video.name[:1]}") for video in videos}
    parts = [
        standings.attribute_section(scores, carried),
        standings.protocol_section({s.name: s.reports for s in scores}),
        standings.vot_section(
            {"a<b>": {"eao": 0.3}}, {"A-R": png()}, edition="VOT <1>"
        ),
    ]
    return report.html_report(
        scores,
        {"success": png()},
        worst.worst_sequences(scores, videos, count=1),
        parts=parts,
        notes=["3 rows were <damaged> & repaired"],
        stamp={"config": {"model": "<x>"}, "seeds": [0, 1]},
        title="Report of <b>&",
    )


def test_page_is_whole_and_fetches_nothing(text):
    page = Page(text)
    # Two tables as Markdown and as LaTeX, three plots, two sequences of five frames.
    inline = [a for a in page.addresses if not a.startswith("#")]
    assert len(inline) == 2 * 2 + 3 + 2 * 5
    assert all(a.startswith(("data:image/", "data:text/plain")) for a in inline)


def test_contents_lead_to_chapters(scores, videos):
    page = Page(everything(scores, videos))
    inside = [a[1:] for a in page.addresses if a.startswith("#")]
    assert inside == page.ids
    assert inside == [
        *("overview", "curves", "attributes", "protocols", "vot", "sequences", "worst"),
        *("rules", "stamps", "tables"),
    ]


def test_everything_is_there_and_nothing_of_it_is_markup(scores, videos):
    text = everything(scores, videos)
    Page(text)
    for part in (
        *("<title>Report of &lt;b&gt;&amp;</title>", "Fast &lt;i&gt;", "a&lt;b&gt;"),
        *("VOT &lt;1&gt;", "<li>3 rows were &lt;damaged&gt; &amp; repaired</li>"),
        *("<dt>model</dt><dd>&lt;x&gt;</dd>", "<dt>seeds</dt><dd>0, 1</dd>"),
    ):
        assert part in text
    for part in ("<b>&", "Fast <i>", "a<b>", "<damaged>", "<x>", "car <1>"):
        assert part not in text
    assert text.count("</script>") == 1
    # Notes come before any number.
    assert text.index("damaged") < text.index('id="overview"')


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


def test_another_protocol_may_rank(scores):
    text = report.html_report(scores, {}, {}, primary="no_first")
    good = scores[0].reports["no_first"]
    rows = Page(text).rows
    assert next(r for r in rows if r[0] == "good")[1] == f"{good.auc:.3f}"
    dog = next(r for r in rows if r[0] == "dog")
    assert dog[2] == f"{good.sequences['dog'].auc:.3f}"
    assert "scored by the rules of no_first" in text
    assert f"AUC {good.auc:.3f}" in text


def test_summary_ranks_by_auc(text, scores):
    first = [row[0] for row in Page(text).rows[1:4]]
    assert first == ["good", scores[2].name, "bad"]


@pytest.mark.parametrize(("count", "columns"), [(3, 3), (4, 2), (6, 2), (7, 1)])
def test_sequences_show_less_of_more_trackers(scores, count, columns):
    many = [dataclasses.replace(scores[0], name=f"t{i}") for i in range(count)]
    rows = Page(report.html_report(many, {}, {})).rows
    assert len(next(r for r in rows if r[0] == "dog")) == 2 + columns * count


def test_tables_to_copy_are_those_shown(scores):
    table = Table("Tracker", [Column("n")], [("x", (0.5,))])
    two = Section("k", "", "", {}, tables=[table, table])
    named = report.tables_of(scores, [two, Section("one", "", "", {}, tables=[table])])
    assert list(named) == ["overview", "sequences", "k_0", "k_1", "one"]
    text = report.html_report(scores, {}, {}, analyses=[two])
    for name in ("overview.tex", "sequences.md", "k_0.md", "k_1.tex"):
        assert f'download="{name}"' in text
    assert "\\begin{tabular}{lr}" in text


def test_unknown_speed_is_a_dash(scores):
    slow = dataclasses.replace(scores[0], speeds=dict.fromkeys(scores[0].speeds))
    rows = Page(report.html_report([slow], {}, {})).rows
    assert next(r for r in rows if r[0] == "good")[8] == "\u2013"


def test_analyses_stand_in_the_page(scores):
    table = Table("Tracker", [Column("n")], [((0, "x"), (0.5,))])
    picture = Picture("a.png", png(), "of a")
    section = Section("k", "What else", "n", {}, tables=[table], pictures=[picture])
    text = report.html_report(scores, {}, {}, analyses=[section])
    page = Page(text)
    assert ["x", "0.500"] in page.rows
    assert len([a for a in page.addresses if a.startswith("data:image/")]) == 1
    assert text.index('<h2 id="k">What else</h2>') > text.index('id="worst"')


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


def shown(text, folder, *options):
    """What a browser makes of a page, scripts run; skips where there is none."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser: install the Debian package chromium")
    path = folder / "report.html"
    path.write_text(text)
    given = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", *options)
    done = subprocess.run(
        [browser, *given, f"--user-data-dir={folder}/profile", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def measured(text, script):
    """The page with a script of the test's, which its policy would not run."""
    assert page.POLICY in text
    loose = re.sub("'sha256-[^']*'", "'unsafe-inline'", page.POLICY)
    return text.replace(page.POLICY, loose).replace("</body>", script + "</body>")


def title_of(dom):
    return html.unescape(dom.split("<title>")[1].split("</title>")[0])


@pytest.mark.slow
def test_browser_shows_pictures_and_sorts(text, scores, tmp_path):
    title = title_of(shown(measured(text, CHECK), tmp_path)).split(";")
    auc = sorted(s.auc for s in scores[0].reports["otb"].sequences.values())[::-1]
    assert title == [
        *("13", "true", "7|6|5", "5|6|7", "ball|car <1>|dog"),
        "|".join(f"{a:.3f}" for a in auc),
    ]
    assert np.all(np.diff(auc) <= 0)


@pytest.mark.slow
def test_browser_runs_the_pages_script_and_no_other(text, tmp_path):
    other = "<script>document.title = 'theirs'</script>"
    dom = shown(text.replace("</body>", other + "</body>"), tmp_path)
    assert title_of(dom) == "Tracking report"
    # The page's own script makes headings reachable by keyboard: nine of the overview
    # and, of the sequences, two and three for each of three trackers.
    assert len(re.findall('<th [^>]*tabindex="0"|<th tabindex="0"', dom)) == 9 + 2 + 9


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_browser_has_no_need_to_scroll_sideways(scores, videos, tmp_path, width):
    long = "a_name_that_is_much_too_long_for_any_column_of_a_table_" * 2
    many = [dataclasses.replace(scores[0], name=f"{long}{i}") for i in range(8)]
    script = """<script>
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    document.title = [innerWidth, document.documentElement.scrollWidth].join();
    </script>"""
    text = measured(everything(many, videos), script)
    dom = shown(text, tmp_path, f"--window-size={width},900")
    inner, needed = map(int, title_of(dom).split(","))
    assert inner <= max(width, 500) and needed <= inner


@pytest.mark.slow
def test_browser_asks_nobody_for_anything(text, tmp_path):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        root = f"http://127.0.0.1:{server.server_port}"
        intruders = (
            f'<img src="{root}/image"><script src="{root}/script"></script>'
            f'<link rel="stylesheet" href="{root}/style">'
            f'<iframe src="{root}/frame"></iframe></body>'
        )
        bad = text.replace("</body>", intruders)
        assert "Tracking report" in shown(bad, tmp_path)
        assert asked == []
        # Without the page's policy they are asked for: the server does notice.
        shown(re.sub('<meta http-equiv="Content-Sec[^>]*>', "", bad), tmp_path)
        assert set(asked) >= {"/image", "/script", "/style", "/frame"}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
