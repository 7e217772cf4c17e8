"""The page in a headless Chromium: a real drag, the shipped tracker, real downloads."""

import json
import re
import shutil
import time

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra web")
pytest.importorskip("skimage", reason="scenes are composed of its photographs")

import jaxtrack
from jaxtrack.data.composed import ComposedSource, write_sequences
from jaxtrack.datasets.files import read_xywh
from jaxtrack.tracking.video import FrameReader
from jaxtrack.web import frames, serve
from jaxtrack.web.run import Run

sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path"),
]
LENGTH, CORRECTED = 24, 8
# Boxes of one target alone and of a batch differ by rounding.
TOLERANCE = {"atol": 0.02}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A pattern of 24 composed frames, and the target's boxes."""
    source = ComposedSource(num_tracks=1, length=LENGTH, seed=3, split="eval")
    (folder,) = write_sequences(source, tmp_path_factory.mktemp("clip"))
    return str(folder / "img" / "%04d.jpg"), read_xywh(folder / "groundtruth_rect.txt")


@pytest.fixture(scope="module")
def session():
    return jaxtrack.load("lite")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        yield playwright.chromium.launch(**options)


class Fingers:
    """Drags on the picture, with the mouse or, on a phone, with a finger."""

    def __init__(self, page, *, is_phone, size):
        self._page, self._size = page, size
        self._cdp = page.context.new_cdp_session(page) if is_phone else None

    def drag(self, start, end):
        """From one point of the picture to another, pixels of the frame."""
        place = self._page.locator("#boxes").bounding_box()
        scale = place["width"] / self._size[0]
        points = [(1 - t) * np.array(start) + t * np.array(end) for t in (0, 0.5, 1)]
        points = (
            [place["x"] + scale * x for x, _ in points],
            [place["y"] + scale * y for _, y in points],
        )
        moves = list(zip(*points, strict=True))
        if self._cdp:
            for kind, point in zip(("Start", "Move", "Move"), moves, strict=True):
                self._touch(kind, [dict(zip("xy", point, strict=True))])
            self._touch("End", [])
            return
        self._page.mouse.move(*moves[0])
        self._page.mouse.down()
        for point in moves[1:]:
            self._page.mouse.move(*point)
        self._page.mouse.up()

    def _touch(self, kind, points):
        told = {"type": f"touch{kind}", "touchPoints": points}
        self._cdp.send("Input.dispatchTouchEvent", told)


def says(page, name, words):
    """Waits until an element's text begins with words."""
    place = sync_api.expect(page.locator(f"#{name}"))
    place.to_have_text(re.compile(f"^{words}"), timeout=180_000)


def finish(run, page, *, changes):
    """Waits until as many rows are written and the page says that it is done."""
    end = time.monotonic() + 180
    while (news := run.news(-1, 0))["phase"] != "done" or news["cursor"] != changes:
        assert time.monotonic() < end, news
        page.wait_for_timeout(50)
    says(page, "status", f"Done: {LENGTH} frames")


def downloaded(page, kind, folder):
    with page.expect_download(timeout=60_000) as download:
        page.click(f"[data-kind={kind}]")
    path = folder / f"tracked.{kind}"
    download.value.save_as(path)
    return path


def boxes_of(path):
    """`[T, 4]` of a JSON download, and the frames whose boxes were given."""
    rows = json.loads(path.read_text())["rows"]
    given = [row["frame"] for row in rows if row["given"]]
    return np.array([[row[name] for name in "xywh"] for row in rows]), given


def tracked(session, source, xywh, first):
    """What the session says of the frames from one on."""
    with FrameReader(source, start=first) as reader:
        found = [
            session.update(frame) if k else session.init(frame, xywh)
            for k, frame in enumerate(reader)
        ]
    return np.array([box.xywh for box in found])


@pytest.mark.parametrize("width", [1280, 360])
def test_drag_track_scrub_correct_download(browser, clip, session, width, tmp_path):
    source, truth = clip
    run = Run(frames.open_frames(source, warn=None), lambda: session)
    is_phone = width < 500
    context = browser.new_context(
        viewport={"width": width, "height": 760}, has_touch=is_phone, is_mobile=is_phone
    )
    errors = []
    with serve.Server(run) as server, context.new_page() as page:
        page.on("pageerror", lambda fault: errors.append(fault))
        page.on("console", lambda m: m.type == "error" and errors.append(m.text))
        page.on("request", lambda r: r.url.startswith(server.url) or errors.append(r))
        page.goto(server.url)
        page.wait_for_selector("#picture img")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        fingers = Fingers(page, is_phone=is_phone, size=(480, 360))

        x, y, w, h = truth[0]
        fingers.drag((x, y), (x + w, y + h))
        page.wait_for_selector(".box")
        page.reload()  # Nothing is lost.
        page.wait_for_selector(".box")
        page.click("#main")
        finish(run, page, changes=LENGTH)
        found, given = boxes_of(downloaded(page, "json", tmp_path))
        assert given == [0]
        # A drag is whole pixels of the screen, of 480 on 360 of them.
        np.testing.assert_allclose(found[0], truth[0], atol=2.5)
        expected = tracked(session, source, found[0], 0)
        np.testing.assert_allclose(found, expected, **TOLERANCE)

        page.locator("#frame").fill(str(CORRECTED))
        says(page, "number", f"frame {CORRECTED}$")
        center = found[CORRECTED, :2] + found[CORRECTED, 2:] / 2
        fingers.drag(center, np.add(center, (12, 9)))
        says(page, "main", f"Track from frame {CORRECTED}")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Enter")
        finish(run, page, changes=2 * LENGTH - CORRECTED)
        after, given = boxes_of(downloaded(page, "json", tmp_path))
        assert given == [0, CORRECTED]
        np.testing.assert_array_equal(after[:CORRECTED], found[:CORRECTED])
        moved = after[CORRECTED] - found[CORRECTED]
        np.testing.assert_allclose(moved, [12, 9, 1, 0], atol=1.6)
        expected = tracked(session, source, after[CORRECTED], CORRECTED)
        np.testing.assert_allclose(after[CORRECTED:], expected, **TOLERANCE)

        assert len(downloaded(page, "csv", tmp_path).read_text().split()) == LENGTH + 1
        with FrameReader(downloaded(page, "mp4", tmp_path)) as reader:
            assert len(list(reader)) == LENGTH
        run.close()
        says(page, "status", "Ended")
    context.close()
    assert not errors
