"""Tests for jaxtrack.cli.video."""

import io
import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from jaxtrack.cli import first_box
from jaxtrack.cli import video as command
from jaxtrack.errors import InputError
from jaxtrack.tracking import drawing, video
from jaxtrack.tracking.outputs import Outputs
from jaxtrack.tracking.track_files import Row, TrackFiles
from jaxtrack.tracking.video_writer import VideoWriter
from tests.drift import drifting, write_frames


@pytest.fixture
def folder(tmp_path):
    """Seven frames of 60 x 41 pixels, and the first box."""
    images = write_frames(tmp_path / "video" / "img")
    (images.parent / "groundtruth_rect.txt").write_text("10,12,20,16\n")
    return images.parent


@pytest.fixture
def drift(monkeypatch):
    """Replaces the checkpoint by the drifting tracker."""
    monkeypatch.setattr(command.session_lib, "load", lambda source, model: drifting())


def track(folder, *, boxes=(), **options):
    """Runs the command over a folder."""
    found = first_box.first_boxes(str(folder), boxes)
    return command.run("run", str(folder), found, **options)


EXPECTED = np.array([[10.0 + t, 12, 20, 16] for t in range(7)])


def test_tracks_writes_and_reports(drift, folder, tmp_path, capsys):
    names = {"out": "out.mp4", "boxes": "boxes.txt", "csv": "boxes.csv"}
    files = {option: str(tmp_path / name) for option, name in names.items()}
    summary = track(folder, outputs=Outputs(**files))
    np.testing.assert_allclose(np.loadtxt(files["boxes"], delimiter=","), EXPECTED)
    np.testing.assert_allclose(summary.xywh[:, 0], EXPECTED)
    np.testing.assert_allclose(summary.scores[:, 0], 0.9 ** np.arange(7), rtol=1e-5)
    # 0.9 ** 5 is the first below 0.6.
    np.testing.assert_array_equal(summary.lost[:, 0], [False] * 5 + [True] * 2)
    header, *rows = pathlib.Path(files["csv"]).read_text().splitlines()
    assert header == "frame,target,x,y,w,h,score,lost"
    rows = np.array([row.split(",") for row in rows], float)
    np.testing.assert_allclose(rows[:, 2:6], EXPECTED)
    np.testing.assert_array_equal(rows[:, 0], range(7))
    np.testing.assert_array_equal(rows[:, 1], 1)
    np.testing.assert_allclose(rows[:, 6], summary.scores[:, 0], atol=1e-6)
    np.testing.assert_array_equal(rows[:, 7], summary.lost[:, 0])
    assert summary.tracking_fps > summary.total_fps > 0
    capture = cv2.VideoCapture(files["out"])
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 7
    assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == 42
    capture.release()
    said = capsys.readouterr()
    assert "7 frames, tracked at" in said.out and "lost in 2; wrote" in said.out
    assert "tracking with drift" in said.err and "7/7" in said.err
    assert {p.name for p in tmp_path.iterdir()} == {"video", *names.values()}


def test_several_targets_have_a_line_each_and_a_place_in_the_line(
    drift, folder, tmp_path, capsys
):
    boxes, csv = (str(tmp_path / name) for name in ("boxes.txt", "boxes.csv"))
    (tmp_path / "first.txt").write_text("5,6,10,12\n1,1,1,1\n")
    given = ["10,12,20,16", str(tmp_path / "first.txt")]
    outputs = Outputs(boxes=boxes, csv=csv)
    summary = track(folder, boxes=given, outputs=outputs)
    second = np.array([[5.0 + t, 6, 10, 12] for t in range(7)])
    expected = np.hstack([EXPECTED, second])
    np.testing.assert_allclose(np.loadtxt(boxes, delimiter=","), expected)
    table = np.loadtxt(csv, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(
        table[:, :2], [(t, k) for t in range(7) for k in (1, 2)]
    )
    np.testing.assert_allclose(table[1::2, 2:6], second)
    assert summary.lost.shape == (7, 2)
    assert "target 1 counts as lost in 2; target 2 counts" in capsys.readouterr().out


def test_without_a_place_boxes_go_to_standard_output(drift, folder, capsys):
    track(folder)
    said = capsys.readouterr()
    found = np.loadtxt(io.StringIO(said.out), delimiter=",")
    np.testing.assert_allclose(found, EXPECTED)
    assert "7 frames, tracked at" in said.err


def test_a_bad_frame_stops_nothing_unless_asked_to(drift, folder, tmp_path, capsys):
    (folder / "img" / "4.jpg").write_bytes(b"")
    cv2.imwrite(str(folder / "img" / "5.jpg"), np.zeros((30, 20, 3), np.uint8))
    out, boxes = tmp_path / "out.mp4", tmp_path / "boxes.txt"
    files = Outputs(out=str(out), boxes=str(boxes))
    summary = track(folder, outputs=files)
    # A row a frame: rows and frames keep their numbers.
    np.testing.assert_allclose(np.loadtxt(boxes, delimiter=","), EXPECTED)
    assert summary.skipped == 1
    said = capsys.readouterr()
    assert "4.jpg is empty" in said.err and "frame 6 is 20 x 30 pixels" in said.err
    assert "finished with 1 skipped" in said.out
    with video.FrameReader(out) as reader:
        assert len(list(reader)) == 7
    with pytest.raises(InputError, match=r"4\.jpg is empty"):
        track(folder, outputs=files, strict=True)
    # What was found until then stays, the picture of it too.
    np.testing.assert_allclose(np.loadtxt(boxes, delimiter=","), EXPECTED[:4])
    with video.FrameReader(out) as reader:
        assert len(list(reader)) == 4
    assert {p.name for p in tmp_path.iterdir()} == {"video", "boxes.txt", "out.mp4"}


def test_boxes_go_on_where_the_video_cannot_be_written(
    drift, folder, tmp_path, monkeypatch
):
    def fail(self, image):
        self._process.kill()
        raise InputError("out.mp4 could not be written: disk full")

    monkeypatch.setattr(VideoWriter, "write", fail)
    out, boxes = tmp_path / "out.mp4", tmp_path / "boxes.txt"
    with pytest.raises(InputError, match="could not be written"):
        track(folder, outputs=Outputs(out=str(out), boxes=str(boxes)))
    np.testing.assert_allclose(np.loadtxt(boxes, delimiter=","), EXPECTED)
    assert not out.exists()


def test_boxes_are_on_the_disk_as_they_come(folder, tmp_path):
    boxes, seen = tmp_path / "boxes.txt", []
    with video.FrameReader(folder) as reader:
        plain = reader._frame

        def frame(image, canvas):
            seen.append(len(boxes.read_text().splitlines()))
            return plain(image, canvas)

        reader._frame = frame
        outputs = Outputs(boxes=str(boxes))
        command.track(drifting(), reader, EXPECTED[:1], outputs)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_ctrl_c_ends_a_camera_and_interrupts_a_file(folder, tmp_path):
    outputs = Outputs(out=str(tmp_path / "a.mp4"))

    def until_third(is_live):
        with video.FrameReader(folder) as reader:
            reader.is_live = is_live
            plain = reader._frame

            def frame(image, canvas):
                if reader._count == 3:
                    raise KeyboardInterrupt
                return plain(image, canvas)

            reader._frame = frame
            return command.track(drifting(), reader, EXPECTED[:1], outputs)

    assert len(until_third(True).scores) == 3
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(KeyboardInterrupt):
        until_third(False)
    assert (tmp_path / "a.mp4").exists()  # With the frames until then.


def row(*boxes, score=0.9):
    """A row of boxes of one score, lost below a half."""
    scores = np.full(len(boxes), score)
    return Row(0, np.array(boxes, float), scores, scores < 0.5)


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_draws_where_the_box_is(score):
    frame = video.pad(np.zeros((100, 120, 3), np.uint8), (256, 256))
    picture = drawing.draw_boxes(frame, row([40, 60, 40, 20], score=score), fps=30.0)
    assert picture.shape == (100, 120, 3)
    ys, xs = np.nonzero(picture[50:].any(axis=2))
    # Sides at 40..80 by 60..80; the line of 2 pixels straddles them by one.
    assert (xs.min(), xs.max()) == (39, 80)
    assert (ys.min() + 50, ys.max() + 50) == (59, 80)
    red, green = picture[60, 60, :2]
    assert (red > green) == (score < 0.5)
    assert picture[:40].max() == 255
    assert not frame.image.any()


def test_draws_several_boxes_each_in_its_color():
    frame = video.pad(np.zeros((100, 120, 3), np.uint8), (256, 256))
    picture = drawing.draw_boxes(frame, row([20, 50, 60, 40], [90, 60, 20, 30]))
    assert tuple(picture[89, 50]) == drawing.COLORS[0]
    assert tuple(picture[89, 100]) == drawing.COLORS[1]


def test_draws_a_lost_box_without_fault():
    frame = video.pad(np.zeros((40, 40, 3), np.uint8), (256, 256))
    far = [1e9, -1e9, 1e9, 1e9]
    assert drawing.draw_boxes(frame, row(far)).shape == (40, 40, 3)
    assert drawing.draw_boxes(frame, row(far, far)).shape == (40, 40, 3)


def test_rewrites_what_was_corrected_and_goes_on(tmp_path):
    boxes, csv = tmp_path / "boxes.txt", tmp_path / "boxes.csv"
    first, second = row([1, 2, 3, 4]), row([5, 6, 7, 8])._replace(frame=1)
    with TrackFiles(boxes=str(boxes), csv=str(csv)) as files:
        files.write(first)
        files.rewrite([row([9, 2, 3, 4])])
        assert boxes.read_text() == "9.0000,2.0000,3.0000,4.0000\n"
        files.write(second)
    np.testing.assert_array_equal(
        np.loadtxt(boxes, delimiter=","), [[9, 2, 3, 4], [5, 6, 7, 8]]
    )
    assert [line[:5] for line in csv.read_text().splitlines()] == [
        "frame",
        "0,1,9",
        "1,1,5",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"boxes.txt", "boxes.csv"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_full_disk_is_told_with_the_name_of_the_file():
    told = "cannot write /dev/full: No space left on device: free space, then run"
    with pytest.raises(InputError, match=told), TrackFiles(boxes="/dev/full") as files:
        files.write(row([1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": Outputs(out="a.gif")}, "a.gif does not end in .mp4"),
        ({"outputs": Outputs(boxes="no/boxes.txt")}, "no folder for --boxes"),
        ({"outputs": Outputs(csv="no/boxes.csv")}, "no folder for --csv"),
        ({"outputs": Outputs(csv="/")}, "is a folder: give the name of a file"),
        ({"checkpoint": "nowhere"}, "nowhere"),
    ],
)
def test_refuses(folder, changes, message):
    given = {"checkpoint": "run"} | changes
    with pytest.raises(InputError, match=message):
        boxes = first_box.first_boxes(str(folder), [])
        command.run(given.pop("checkpoint"), str(folder), boxes, **given)


def test_imports_nothing_that_only_training_needs():
    script = (
        "import sys\n"
        "from jaxtrack.cli import video\n"
        "video.session_lib.load('lite')\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    slow = {"orbax", "optax", "grain", "tensorflow_datasets", "matplotlib", "pandas"}
    assert not slow & set(done.stdout.split())
