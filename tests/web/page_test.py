"""Tests for the page's server: jaxtrack.web.run and jaxtrack.web.app."""

import json
import time

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra web")
pytest.importorskip("httpx2", reason="drives the page's server")

from starlette.testclient import TestClient

from jaxtrack.cli import page
from jaxtrack.errors import InputError
from jaxtrack.tracking.outputs import NOWHERE, Outputs
from jaxtrack.tracking.video import FrameReader
from jaxtrack.web import app, frames, serve
from jaxtrack.web.run import Run
from tests.drift import drifting, write_frames

BOXES = [[10.0, 12, 20, 16], [5.0, 6, 10, 12]]


@pytest.fixture
def folder(tmp_path):
    return write_frames(tmp_path / "img")


@pytest.fixture
def start(folder):
    """Starts runs over seven frames, which are closed at the end."""
    runs = []

    def begin(outputs=NOWHERE, **options):
        video = frames.open_frames(str(folder), warn=None)
        runs.append(Run(video, drifting, paths=outputs, **options))
        app_of = app.make(runs[-1], "secret")
        client = TestClient(app_of, base_url="http://127.0.0.1/secret/")
        return runs[-1], client

    yield begin
    for run in runs:
        run.close()


def wait(run, *phases):
    """Waits for a phase; returns all that a page is told."""
    end = time.monotonic() + 60
    while (news := run.news(-1, 0))["phase"] not in phases:
        assert time.monotonic() < end, news
        time.sleep(0.01)
    return news


def ask(client, name, **body):
    return client.post(name, content=json.dumps(body))


def lefts(news, target):
    return [targets[target][0] for _, targets in news["rows"]]


def test_draws_tracks_corrects_and_writes(start, tmp_path):
    outputs = Outputs(csv=str(tmp_path / "a.csv"), boxes=str(tmp_path / "a.txt"))
    run, client = start(outputs)
    assert client.get("about").json()["width"] == 60
    assert client.get("frames/0.jpg").headers["content-type"] == "image/jpeg"
    assert client.get("frames/9.jpg").status_code == 404
    ask(client, "draft", frame=0, boxes=BOXES[:1])
    assert run.news(-1, 0)["draft"] == {"frame": 0, "boxes": BOXES[:1]}  # Loaded again.

    assert ask(client, "track", frame=0, boxes=BOXES).status_code == 200
    news = wait(run, "done")
    assert lefts(news, 0) == list(range(10, 17)) and lefts(news, 1) == list(
        range(5, 12)
    )
    assert [targets[0][5] for _, targets in news["rows"]] == [False] * 5 + [True] * 2
    assert [targets[0][6] for _, targets in news["rows"]] == [True] + [False] * 6
    found = np.loadtxt(outputs.boxes, delimiter=",")
    expected = np.add(np.ravel(BOXES), [[t, 0, 0, 0] * 2 for t in range(7)])
    np.testing.assert_allclose(found, expected)

    refused = ask(client, "track", frame=4, boxes=[None, None])
    assert (
        refused.status_code == 400 and "change a box first" in refused.json()["error"]
    )
    cursor = news["cursor"]
    ask(client, "track", frame=4, boxes=[None, [30, 6, 10, 12]])
    wait(run, "done")
    told = run.news(news["generation"], cursor)
    assert [number for number, _ in told["rows"]] == [4, 5, 6]
    assert lefts(told, 1) == [30, 31, 32] and lefts(told, 0) == [14, 15, 16]
    # What is on the disk and what is downloaded agree.
    table = client.get("tracked.csv").text
    assert table == (tmp_path / "a.csv").read_text()
    assert len(table.splitlines()) == 15
    rows = client.get("tracked.json").json()["rows"]
    assert [(r["frame"], r["target"]) for r in rows if r["given"]] == [
        (0, 1),
        (0, 2),
        (4, 2),
    ]


def test_downloads_the_video(start, tmp_path):
    run, client = start()
    refused = client.get("tracked.mp4")
    assert refused.json() == {"error": "nothing is tracked yet"}
    ask(client, "track", frame=0, boxes=BOXES)
    wait(run, "done")
    path = tmp_path / "a.mp4"
    path.write_bytes(client.get("tracked.mp4").content)
    with FrameReader(path) as reader:
        assert len(list(reader)) == 7


def test_events_tell_all_and_end(start):
    run, client = start()
    ask(client, "track", frame=0, boxes=BOXES[:1])
    wait(run, "done")
    run.close()
    (event,) = client.get("events").text.strip().split("\n\n")
    news = json.loads(event.removeprefix("data: "))
    assert news["phase"] == "ended" and lefts(news, 0) == list(range(10, 17))
    assert ask(client, "track", frame=0, boxes=BOXES).status_code == 400


def test_pauses_goes_on_and_starts_over(start, tmp_path):
    outputs = Outputs(csv=str(tmp_path / "a.csv"), out=str(tmp_path / "a.mp4"))
    run, client = start(outputs, boxes=BOXES[:1])
    assert run.news(-1, 0)["draft"]["boxes"] == BOXES[:1]
    walk = run.frames.walk

    def slow(first):
        for found in walk(first):
            if found[0] == 3:
                ask(client, "pause")
            yield found

    run.frames.walk = slow
    ask(client, "track", frame=0, boxes=BOXES[:1])
    assert lefts(wait(run, "pause"), 0) == [10, 11, 12]
    run.frames.walk = walk
    ask(client, "resume")
    wait(run, "done")
    ask(client, "restart")
    news = wait(run, "draw")
    assert news["draft"]["boxes"] == BOXES[:1] and news["rows"] == []
    ask(client, "track", frame=0, boxes=BOXES)
    assert len(wait(run, "done")["rows"][0][1]) == 2
    run.close()
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 15
    with FrameReader(tmp_path / "a.mp4") as reader:
        assert len(list(reader)) == 7


def test_a_fault_is_told_in_words(start, folder):
    (folder / "3.jpg").write_bytes(b"")
    run, client = start()
    ask(client, "track", frame=0, boxes=BOXES)
    news = wait(run, "fault")
    assert "3.jpg is empty" in news["fault"] and len(news["rows"]) == 3
    assert client.get("tracked.csv").status_code == 200
    with pytest.raises(InputError, match="has ended"):
        run.track(0, BOXES)


REFUSED = {
    b"{": "expected a frame and boxes",
    b'{"frame": 0, "boxes": [[1, 2, 3]]}': "expected a frame and boxes",
    b'{"frame": 0, "boxes": [["a", 2, 3, 4]]}': "expected a frame and boxes",
    b'{"frame": 0, "boxes": [[NaN, 2, 3, 4]]}': "expected a frame and boxes",
    b'{"frame": 0, "boxes": []}': "no box yet",
    b'{"frame": 0, "boxes": [[90, 2, 3, 4]]}': "outside of the picture",
    b'{"frame": 5, "boxes": [[1, 2, 3, 4]]}': "frame 5 is no longer kept",
}


def test_refuses_what_is_no_box(start):
    _, client = start()
    for body, message in REFUSED.items():
        answer = client.post("track", content=body)
        assert answer.status_code == 400 and message in answer.json()["error"], body


def test_answers_only_this_machine_and_who_knows_the_token(start):
    _, client = start()
    assert client.get("").status_code == 200
    assert "script-src 'self'" in client.get("").headers["content-security-policy"]
    assert client.get("app.js").headers["content-type"].startswith("text/javascript")
    for path in (
        "/",
        "/about",
        "/other/about",
        "/secret/../../run.py",
        "/secret/run.py",
    ):
        assert client.get(f"http://127.0.0.1{path}").status_code == 404
    assert client.get("about", headers={"Host": "evil.example"}).status_code == 400
    assert client.post("close").status_code == 404


def test_a_live_source_is_tracked_from_where_it_was_held(folder):
    video = frames.Live(FrameReader(folder))
    run = Run(video, drifting)
    video._thread.join()
    run.track(4, BOXES[:1])
    news = wait(run, "done")
    assert [number for number, _ in news["rows"]] == [4, 5, 6]
    assert lefts(news, 0) == [10, 11, 12]
    run.close()


def test_without_page_or_display_the_ways_are_named(monkeypatch):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(serve.sys, "platform", "linux")
    ways = r"--box=x,y,w,h.*--box=FILE.*pip install 'jaxtrack\[web\]'.*--no_browser"
    with pytest.raises(InputError, match=ways):
        page.check(open_browser=True)
    page.check(open_browser=False)
    monkeypatch.setattr(page, "_PACKAGES", ("uvicorn", "starlette"))
    monkeypatch.setitem(serve.sys.modules, "uvicorn", None)
    with pytest.raises(InputError, match=r"FILE.*uvicorn is not.*'jaxtrack\[web\]'"):
        page.check(open_browser=False)
