"""Tests for benchmarks.real_video."""

import csv
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import jaxtrack
from benchmarks.real_video import __main__ as real_video
from benchmarks.real_video import scores, tables, trackers
from jaxtrack import cli
from jaxtrack.errors import InputError


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two sequences of a bright square that moves to the right."""
    root = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    for name, step in (("slow", 1), ("fast", 3)):
        (root / name / "img").mkdir(parents=True)
        ground = rng.integers(0, 90, (60, 80, 3)).astype(np.uint8)
        boxes = []
        for number in range(4):
            image, x = ground.copy(), 20 + step * number
            image[20:36, x : x + 16] = 220
            cv2.imwrite(str(root / name / "img" / f"{number:04d}.jpg"), image)
            boxes.append(f"{x},20,16,16\n")
        (root / name / "groundtruth_rect.txt").write_text("".join(boxes))
    return root


def run(*options):
    cli.run_command(real_video, list(options), prog="real_video")


def refused(capsys, *options):
    """The one line that a command refuses with."""
    with pytest.raises(SystemExit) as ended:
        run(*options)
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert ended.value.code == 2
    return told


def test_writes_what_it_measured(root, tmp_path, capsys):
    options = (f"--sequences={root}", "--opencv=mil", f"--out={tmp_path}")
    run(*options, "--group=moving fast=f*")
    told = json.loads((tmp_path / "real_video.json").read_text())
    (row,) = told["trackers"]
    assert row["name"] == told["reference"] == "MIL"
    assert told["groups"] == {"all": ["fast", "slow"], "moving fast": ["fast"]}
    assert row["groups"]["all"]["auc"] == pytest.approx(
        np.mean(list(row["sequences"].values()))
    )
    assert row["groups"]["moving fast"]["auc"] == row["sequences"]["fast"]
    assert row["startup_cold"] > row["frames_per_second"] ** -1 > 0
    assert row["peak_mb"] > 10
    with (tmp_path / "real_video.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["group"] for line in lines] == ["all", "moving fast"]
    text = (tmp_path / "real_video.md").read_text()
    assert "| MIL |" in text and "moving fast (1)" in text
    assert text in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "real_video.png")) is not None


def test_a_checkpoint_that_is_missing_is_named(root, tmp_path, capsys):
    option = f"--checkpoint=mine={tmp_path / 'none'}"
    told = refused(capsys, f"--sequences={root}", "--opencv=", option)
    assert told.startswith("error: mine, fast: ") and "none" in told


def test_refuses_in_words(root, tmp_path, capsys):
    mil = (f"--sequences={root}", "--opencv=mil")
    assert "no tracker: give" in refused(capsys, mil[0], "--opencv=")
    assert "choose from nano" in refused(capsys, mil[0], "--opencv=boosting")
    assert "needs its weights" in refused(capsys, mil[0], "--opencv=nano")
    assert "no such file" in refused(capsys, *mil, "--nano_head=none.onnx")
    assert "no such tracker, they are MIL" in refused(capsys, *mil, "--reference=a")
    assert "matches no sequence" in refused(capsys, *mil, "--group=a=b*")
    assert "write NAME=GLOB" in refused(capsys, *mil, "--group=slow")
    assert "no sequence 'x*'" in refused(capsys, *mil, "--pattern=x*")
    assert "leaves no sequence" in refused(capsys, *mil, "--exclude=*")
    twice = ("--checkpoint=a/lite", "--checkpoint=b/lite")
    assert "two trackers are called 'lite'" in refused(capsys, *mil, *twice)
    (tmp_path / "ball").mkdir()
    cv2.imwrite(str(tmp_path / "ball" / "1.jpg"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "ball" / "groundtruth_rect.txt").write_text("1,1,2,2\n")
    told = refused(capsys, f"--sequences={tmp_path}", "--opencv=mil")
    assert "ball: it has only one frame" in told
    cv2.imwrite(str(tmp_path / "ball" / "2.jpg"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "ball" / "groundtruth_rect.txt").write_text("nan,nan,nan,nan\n1,1,2,2")
    told = refused(capsys, f"--sequences={tmp_path}", "--opencv=mil")
    assert "ball: its first frame has no box" in told


def test_sequences_are_taken_and_left_out(root):
    def names(*chosen):
        return [video.name for video in real_video.read_videos(str(root), *chosen)]

    assert names([], []) == ["fast", "slow"]
    assert names([], ["f*"]) == names(["s*"], []) == ["slow"]


def test_a_tracker_that_this_opencv_lacks(monkeypatch):
    monkeypatch.setitem(trackers.OPENCV, "csrt", ("CSRT", "TrackerNowhere"))
    with pytest.raises(InputError, match="has no CSRT: leave it out of --opencv"):
        trackers.opencv_specs(["csrt"], {"nano_backbone": "", "nano_head": ""})
    found = trackers.opencv_specs(None, {"nano_backbone": "", "nano_head": ""})
    names = {spec.source for spec in found}
    assert "mil" in names and not names & {"csrt", "nano"}


def test_names_of_checkpoints():
    specs = trackers.jaxtrack_specs(["lite", "a=runs/b", "runs/c", "x/d.safetensors"])
    assert [spec.name for spec in specs] == ["lite", "a", "c", "d"]
    assert specs[1].source == "runs/b"


def test_a_session_behind_the_two_verbs(monkeypatch):
    calls = []
    session = SimpleNamespace(
        init=lambda *given: calls.append(given),
        update=lambda image: (np.array([1.0, 2, 3, 4]), 0.5),
    )
    monkeypatch.setattr(jaxtrack, "load", {"lite": session}.get, raising=False)
    tracker = trackers.open_tracker(trackers.Spec("lite", "jaxtrack", "lite"))
    tracker.init("image", [0, 0, 2, 2])
    np.testing.assert_array_equal(tracker.update("next"), [1, 2, 3, 4])
    assert calls == [("image", [0, 0, 2, 2])]


def test_opencv_gets_whole_pixels_and_keeps_its_last_box():
    given, answers = [], [(True, (1, 2, 3, 4)), (False, (0, 0, 0, 0))]
    fake = SimpleNamespace(
        init=lambda image, box: given.append(box), update=lambda image: answers.pop(0)
    )
    tracker = trackers.OpenCvTracker(lambda: fake)
    tracker.init(None, [0.6, 1.4, 10.5, 7.0])
    assert given == [(1, 1, 10, 7)]
    assert tracker.update(None) == tracker.update(None) == (1, 2, 3, 4)


def test_scores_by_hand():
    # IoU 1 is above 20 of the 21 thresholds, IoU 0 above none; row 0 does not count.
    truth = {"a": np.tile([0.0, 0, 10, 10], (3, 1))}
    half = truth["a"].copy()
    half[2] += [50, 0, 0, 0]
    tracked = [
        scores.Tracked(name, {"a": xywh}, {"a": [9.0, 0.1, 0.3]}, 2.0, 1.0, 80.0)
        for name, xywh in (("right", truth["a"]), ("half", half))
    ]
    right, other = scores.score(tracked, truth, {"all": ["a"]}, reference="right")
    assert right.groups["all"] == (20 / 21, 1.0, 1.0, None, None, None)
    found = other.groups["all"]
    np.testing.assert_allclose(found[:3], [10 / 21, 0.5, 0.5])
    np.testing.assert_allclose(found[3:], [-10 / 21] * 3)
    assert right.frames_per_second == pytest.approx(5)  # Of 0.2 s.
    assert right.mean_frames_per_second == pytest.approx(5)
    assert tables.change(found) == "-0.476 (-0.476 to -0.476)"
