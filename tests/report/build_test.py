"""Tests for jaxtrack.report.build, in a browser where there is one."""

import dataclasses
import html
import html.parser
import http.server
import json
import re
import shutil
import subprocess
import threading

import cv2
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation.analysis.outcome import Analyses
from jaxtrack.report import build, frames
from tests.evaluation.fixtures import with_videos
from tests.report.analysis_sections_test import aligned

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


@pytest.fixture
def uncurved(monkeypatch):
    """Draws no curves, which take the most time."""
    monkeypatch.setattr(build.curves, "draw", lambda scores, **options: {})


def page_of(found, title="Tracking report"):
    return build.html(title, found, build.sections_of(found))


@pytest.fixture(scope="module")
def text(found):
    return page_of(found)


@pytest.fixture(scope="module")
def full_text(found):
    return page_of(everything(found), "Report of <b>&")


def everything(found):
    """A report with all that there can be of one pass, of names that need escaping."""
    carried = {
        video.name: ("Fast <i>", f"of_{video.name[:1]}")
        for video in found.benchmark.videos
    }
    return dataclasses.replace(
        with_videos(found, attributes=carried),
        analyses=Analyses(alignment={"a<b>": aligned(0.7, 0.1)}),
        notes=("3 rows were <damaged> & repaired",),
        made_by={"config": {"model": "<x>"}, "seeds": [0, 1]},
    )


def test_everything_is_written(found, tmp_path):
    out = tmp_path / "out"
    assert build.write(found, out) == out / "report.html"
    plots = ("success", "precision", "norm_precision")
    names = {f"{name}.png" for name in plots}
    papers = {f"{name}.{kind}" for name in plots for kind in ("pdf", "svg")}
    others = {"report.json", "report.html", "tables"}
    assert {p.name for p in out.iterdir()} == names | others | papers
    tables = {f"{n}.{e}" for n in ("overview", "sequences") for e in ("md", "tex")}
    assert tables <= {p.name for p in (out / "tables").iterdir()}
    for name in names:
        assert cv2.imread(str(out / name)).shape[1] > 500
    written = json.loads((out / "report.json").read_text())
    auc = found.scores[0].reports["otb"].auc
    assert written["trackers"]["good"]["otb"]["auc"] == auc
    assert (out / "report.html").read_text().startswith("<!doctype html>")


def test_what_cannot_be_written_leaves_no_page(found, tmp_path, uncurved):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write .*file"):
        build.write(found, tmp_path / "file")
    odd = dataclasses.replace(found, made_by={"number": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        build.write(odd, tmp_path / "odd")
    assert not (tmp_path / "odd/report.html").exists()


def test_a_picture_that_cannot_be_read_is_left_out(found, tmp_path):
    paths = {v.name: [tmp_path / "0001.png"] * 9 for v in found.benchmark.videos}
    drawn = frames.worst(with_videos(found, frames=paths))
    assert drawn and not any(drawn.values())


def test_page_is_whole_and_fetches_nothing(text):
    page = Page(text)
    inline = [a for a in page.addresses if not a.startswith("#")]
    assert all(a.startswith(("data:image/", "data:text/plain")) for a in inline)
    # Three curves, three sequences of five frames, or all of them where there are less.
    assert sum(a.startswith("data:image/") for a in inline) == 3 + 3 * 5
    # The overview, the sequences and six numbers, as Markdown and as LaTeX.
    assert sum(a.startswith("data:text/plain") for a in inline) == 2 * 8


def test_contents_lead_to_sections(full_text):
    page = Page(full_text)
    inside = [a[1:] for a in page.addresses if a.startswith("#")]
    assert inside == page.ids
    assert inside == [
        *("overview", "curves", "attributes", "protocols", "sequences", "worst"),
        *("alignment", "rules", "manifests", "tables"),
    ]


def test_everything_is_there_and_nothing_of_it_is_markup(full_text):
    text = full_text
    Page(text)
    for part in (
        *("<title>Report of &lt;b&gt;&amp;</title>", "Fast &lt;i&gt;", "a&lt;b&gt;"),
        *("<li>3 rows were &lt;damaged&gt; &amp; repaired</li>", "car &lt;1&gt;"),
        *("<dt>model</dt><dd>&lt;x&gt;</dd>", "<dt>seeds</dt><dd>0, 1</dd>"),
    ):
        assert part in text, part
    for part in ("<b>&", "Fast <i>", "a<b>", "<damaged>", "<x>", "car <1>"):
        assert part not in text
    assert text.count("</script>") == 1
    # Notes come before any number.
    assert text.index("damaged") < text.index('id="overview"')


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
    # Best first.
    first = [row[0] for row in Page(text).rows[1:4]]
    assert first == ["good", scores[2].name, "bad"]


def test_another_protocol_may_rank(found, uncurved):
    text = page_of(dataclasses.replace(found, primary="no_first"))
    good = found.scores[0].reports["no_first"]
    rows = Page(text).rows
    assert next(r for r in rows if r[0] == "good")[1] == f"{good.auc:.3f}"
    dog = next(r for r in rows if r[0] == "dog")
    assert dog[2] == f"{good.sequences['dog'].auc:.3f}"
    assert "frames. Protocol no_first" in text
    assert f"AUC {good.auc:.3f}" in text


def test_unknown_speed_is_a_dash(found, scores, uncurved):
    slow = dataclasses.replace(scores[0], speeds=dict.fromkeys(scores[0].speeds))
    rows = Page(page_of(dataclasses.replace(found, scores=[slow]))).rows
    assert next(r for r in rows if r[0] == "good")[8] == "\u2013"


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
    loose, count = re.subn("'sha256-[^']*'", "'unsafe-inline'", text)
    assert count == 1
    return loose.replace("</body>", script + "</body>")


def title_of(dom):
    return html.unescape(dom.split("<title>")[1].split("</title>")[0])


@pytest.mark.slow
def test_browser_shows_pictures_and_sorts(text, scores, tmp_path):
    title = title_of(shown(measured(text, CHECK), tmp_path)).split(";")
    auc = sorted(s.auc for s in scores[0].reports["otb"].sequences.values())[::-1]
    assert title == [
        *("18", "true", "7|6|5", "5|6|7", "ball|car <1>|dog"),
        "|".join(f"{a:.3f}" for a in auc),
    ]
    assert np.all(np.diff(auc) <= 0)


@pytest.mark.slow
def test_browser_runs_the_pages_script_and_no_other(text, tmp_path):
    other = "<script>document.title = 'theirs'</script>"
    dom = shown(text.replace("</body>", other + "</body>"), tmp_path)
    assert title_of(dom) == "Tracking report"
    # The page's own script makes headings reachable by keyboard.
    rows = re.findall("<thead>.*?</thead>", dom, re.DOTALL)
    assert len(rows) == 1 + 6 + 1
    for row in rows:
        last = row.split("<tr")[-1]
        assert last.count("<th") == last.count('tabindex="0"') > 5


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_browser_has_no_need_to_scroll_sideways(found, scores, tmp_path, width):
    long = "a_name_that_is_much_too_long_for_any_column_of_a_table_" * 2
    many = [dataclasses.replace(scores[0], name=f"{long}{i}") for i in range(8)]
    script = """<script>
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    document.title = [innerWidth, document.documentElement.scrollWidth].join();
    </script>"""
    found = everything(dataclasses.replace(found, scores=many))
    text = measured(page_of(found), script)
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
