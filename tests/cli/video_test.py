"""Tests for jaxtrack.cli.video."""

import itertools

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.cli import video as command
from jaxtrack.errors import InputError
from jaxtrack.tracking import drawing, run, video
from jaxtrack.tracking.state import TrackerOutput, TrackerState, of_whole_frames


def drift_tracker():
    """Moves the box by one pixel a frame, and doubts itself a little more each time."""

    def init(variables, frame, box):
        return TrackerState(template=jnp.float32(1.0), box=box, fill=variables)

    def step(variables, state, frame):
        state = state.replace(box=state.box + variables, template=state.template * 0.9)
        return state, TrackerOutput(state.box, state.template)

    return of_whole_frames(init, step)


DRIFT = jnp.array([1.0, 0.0, 0.0, 0.0])


@pytest.fixture
def folder(tmp_path):
    """Seven frames of 60 x 41 pixels, and the first box."""
    images = tmp_path / "video" / "img"
    images.mkdir(parents=True)
    for k in range(7):
        cv2.imwrite(str(images / f"{k}.jpg"), np.full((41, 60, 3), 90, np.uint8))
    (images.parent / "groundtruth_rect.txt").write_text("10,12,20,16\n")
    return images.parent


@pytest.fixture
def drift(monkeypatch):
    """Replaces the checkpoint by the drifting tracker."""

    class Saved:
        config, variables = None, np.asarray(DRIFT)

    monkeypatch.setattr(command.inference, "load_for_inference", lambda path: Saved)
    monkeypatch.setattr(command, "tracker_of", lambda config: drift_tracker())


def test_tracks_writes_and_reports(drift, folder, tmp_path, capsys):
    out, boxes = tmp_path / "out.mp4", tmp_path / "boxes.txt"
    summary = command.run("run", str(folder), out=str(out), boxes=str(boxes))
    expected = np.array([[10.0 + t, 12, 20, 16] for t in range(7)])
    np.testing.assert_allclose(np.loadtxt(boxes, delimiter=","), expected)
    np.testing.assert_allclose(summary.scores, 0.9 ** np.arange(7), rtol=1e-5)
    assert summary.tracking_fps > summary.total_fps > 0
    capture = cv2.VideoCapture(str(out))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 7
    assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == 42
    capture.release()
    said = capsys.readouterr()
    assert "7 frames, tracked at" in said.out
    assert "7/7" in said.err
    assert {p.name for p in tmp_path.iterdir()} == {"video", "out.mp4", "boxes.txt"}


def test_a_bad_frame_leaves_no_output(drift, folder, tmp_path):
    (folder / "img" / "4.jpg").write_bytes(b"")
    out, boxes = tmp_path / "out.mp4", tmp_path / "boxes.txt"
    with pytest.raises(InputError, match=r"4\.jpg is empty"):
        command.run("run", str(folder), out=str(out), boxes=str(boxes))
    assert {p.name for p in tmp_path.iterdir()} == {"video"}


def test_ctrl_c_ends_a_camera_and_aborts_a_file(folder, tmp_path):
    drivers = run.compile_tracker(drift_tracker())
    box = np.array([20, 20, 20, 16], np.float32)

    def track(length):
        with video.FrameReader(folder) as reader:
            reader.length = length
            plain = reader._frame

            def frame(image):
                if reader._count == 3:
                    raise KeyboardInterrupt
                return plain(image)

            reader._frame = frame
            return command.track(
                drivers, DRIFT, reader, box, out=str(tmp_path / "a.mp4")
            )

    assert len(track(None).scores) == 3
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(KeyboardInterrupt):
        track(7)
    assert not (tmp_path / "a.mp4").exists()


def test_window_shows_and_ends_on_q(drift, folder, monkeypatch):
    shown, keys = [], itertools.chain([255, 255], itertools.repeat(ord("q")))
    monkeypatch.setattr(cv2, "namedWindow", lambda *a: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: shown.append("closed"))
    monkeypatch.setattr(cv2, "imshow", lambda name, image: shown.append(image.shape))
    monkeypatch.setattr(cv2, "waitKey", lambda ms: next(keys))
    summary = command.run("run", str(folder), box="1,1,9,9", show=True)
    assert len(summary.scores) == 3
    assert shown == [(41, 60, 3)] * 3 + ["closed"]


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_draws_where_the_box_is(score):
    frame = video.pad(np.zeros((100, 120, 3), np.uint8), (256, 256))
    output = TrackerOutput(np.array([60, 70, 40, 20], np.float32), np.float32(score))
    picture = drawing.draw_box(frame, output, fps=30.0)
    assert picture.shape == (100, 120, 3)
    ys, xs = np.nonzero(picture[50:].any(axis=2))
    # Sides at 40..80 by 60..80; the line of 2 pixels straddles them by one.
    assert (xs.min(), xs.max()) == (39, 80)
    assert (ys.min() + 50, ys.max() + 50) == (59, 80)
    red, green = picture[60, 60, :2]
    assert (red > green) == (score < 0.5)
    assert picture[:40].max() == 255
    assert not frame.image.any()


def test_draws_a_lost_box_without_fault():
    frame = video.pad(np.zeros((40, 40, 3), np.uint8), (256, 256))
    far = TrackerOutput(np.array([1e9, -1e9, 1e9, 1e9], np.float32), np.float32(0))
    assert drawing.draw_box(frame, far, fps=float("nan")).shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"video": ""}, "no video"),
        ({"checkpoint": ""}, "no checkpoint"),
        ({"out": "a.gif"}, "a.gif does not end in .mp4"),
        ({"boxes": "nowhere/boxes.txt"}, "no folder for --boxes"),
        ({"checkpoint": "nowhere"}, "nowhere"),
    ],
)
def test_refuses(folder, changes, message):
    given = {"checkpoint": "run", "video": str(folder)} | changes
    with pytest.raises(InputError, match=message):
        command.run(given.pop("checkpoint"), given.pop("video"), **given)


def test_no_window_in_this_opencv(drift, folder, monkeypatch):
    def refuse(*arguments):
        raise cv2.error("no GUI")

    monkeypatch.setattr(cv2, "namedWindow", refuse)
    with pytest.raises(InputError, match="--show needs a display"):
        command.run("run", str(folder), show=True)
