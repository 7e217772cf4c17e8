"""Tests for experiments.over_time and the videos that it measures on."""

import dataclasses
import functools
import json

import cv2
import numpy as np
import pytest

from experiments import covered_clips, hard_scenes, over_time
from jaxtrack import session
from jaxtrack.data.composed.source import ComposedSource
from jaxtrack.datasets import folders
from jaxtrack.evaluation import loading, results
from tests.data.composed.conftest import write_photo, write_video
from tests.refusals import refused

TRUTH = np.tile([10.0, 10.0, 20.0, 20.0], (40, 1))
VISIBLE = np.ones(40)
VISIBLE[10:20], VISIBLE[20:22] = 0.0, 0.3


def test_recoveries():
    iou = np.zeros(40)
    iou[:10] = 0.8
    assert over_time.recoveries(iou, VISIBLE) == [None]
    # Half of the target is to be seen from frame 22 on.
    iou[25] = 0.5
    assert over_time.recoveries(iou, VISIBLE) == [3]
    # One that was lost before it was hidden, and one hidden for four frames.
    assert over_time.recoveries(np.where(np.arange(40) < 10, 0.3, iou), VISIBLE) == []
    assert over_time.recoveries(iou, np.where(np.arange(40) < 16, 1.0, VISIBLE)) == []


def test_hidden_frames_do_not_count():
    boxes = TRUTH.copy()
    boxes[10:20, 0] = 1000
    boxes[30:] = [10, 10, 20, 10]
    found = over_time.follow(boxes, TRUTH, VISIBLE)
    # Of 29 frames 19 have IoU 1, above 20 of 21 thresholds, and ten 0.5, above 10.
    assert found.auc == pytest.approx((19 * 20 + 10 * 10) / (29 * 21))
    assert found.lost == 0
    assert found.size_error == pytest.approx(10 * np.log(2) / (2 * 30), rel=0.04)
    assert found.recovery == (0,)


def write_clip(folder):
    (folder / "img").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(len(TRUTH)):
        image = rng.integers(0, 255, (48, 64, 3), np.uint8)
        cv2.imwrite(str(folder / "img" / f"{number + 1:04d}.jpg"), image)
    np.savetxt(folder / "groundtruth_rect.txt", TRUTH, "%g", delimiter=",")
    np.savetxt(folder / "visible.txt", VISIBLE, "%g")


def test_trackers_are_compared_with_the_first(tmp_path, capsys):
    write_clip(tmp_path / "videos" / "clip")
    argv = [f"--sequences={tmp_path / 'videos'}", f"--out={tmp_path / 'out'}"]
    for name, shift in (("plain", 1000), ("memory", 0)):
        boxes = TRUTH + [[shift, 0, 0, 0]] * (np.arange(40) >= 10)[:, None]
        results.write_result(tmp_path / name, "clip", boxes, np.ones(40))
        argv.append(f"--results={tmp_path / name}")
    over_time.cli.run_command(over_time, argv, prog="over_time")
    assert "100% of 1" in capsys.readouterr().out
    plain, memory = json.loads((tmp_path / "out" / "over_time.json").read_text())
    assert plain["recovered"] == 0 and plain["change"] is None
    assert memory["frames"] == 0
    assert memory["change"]["difference"] == memory["auc"] - plain["auc"] > 0
    with open(tmp_path / "videos" / "clip" / "visible.txt", "a") as file:
        file.write("1\n")
    assert "41 lines for 40 frames" in refused(capsys, *argv, command=over_time)


@pytest.fixture
def pictures(tmp_path):
    """Folders of photographs and of a video with masks."""
    (tmp_path / "photos").mkdir()
    for number in range(3):
        write_photo(tmp_path / "photos" / f"{number}.png", number)
    write_video(tmp_path / "cutouts" / "ball")
    return tmp_path / "photos", tmp_path / "cutouts"


@pytest.mark.slow
@pytest.mark.parametrize("kind", hard_scenes.KINDS)
def test_scenes_are_written_with_what_can_be_seen(tmp_path, pictures, kind):
    photos, cutouts = pictures
    out = tmp_path / "out"
    how = {"num": 1, "seed": 0, "photos": photos, "cutouts": cutouts}
    hard_scenes.write_scenes(out, kind, **how)
    visible = np.loadtxt(out / f"{kind}_0000" / "visible.txt")
    assert len(visible) == 180 and visible[0] == 1
    hidden = (visible < over_time.HIDDEN).sum()
    assert (hidden == 0) if kind == "twins" else (hidden >= 10)


@pytest.mark.slow
def test_a_clip_is_covered_once(tmp_path, pictures):
    photos, _ = pictures
    write_clip(tmp_path / "videos" / "clip")
    video = folders.read_sequence(tmp_path / "videos" / "clip")
    covered_clips.write_covered(tmp_path, video, next(photos.iterdir()))
    assert not (tmp_path / "covered_clip").exists()  # Too short.
    long = dataclasses.replace(
        video, frames=video.frames * 2, xyxy=np.tile(video.xyxy, (2, 1))
    )
    covered_clips.write_covered(tmp_path, long, next(photos.iterdir()))
    visible = np.loadtxt(tmp_path / "covered_clip" / "visible.txt")
    assert len(visible) == 80 and (visible[:15] == 1).all() and visible[-1] == 1
    first = tmp_path / "covered_clip" / "img" / "0001.jpg"
    assert first.is_symlink()
    hidden = int(np.argmin(visible))
    image = cv2.imread(str(first.with_name(f"{hidden + 1:04d}.jpg")))
    own = cv2.imread(str(long.frames[hidden]))
    assert (image[15:25, 15:25] != own[15:25, 15:25]).any()
    np.testing.assert_allclose(image[40:, 50:], own[40:, 50:], atol=40)


@pytest.mark.slow
def test_lite_holds_a_hidden_target_and_finds_it_again():
    source = ComposedSource(
        num_tracks=1,
        length=90,
        split="eval",
        seed=1,
        settings=hard_scenes.KINDS["occluded"][1],
        composer=functools.partial(hard_scenes.occluded, times=1),
    )
    xyxy = source.track_boxes(0)
    truth = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    visible = hard_scenes.visible(source.scene(0))
    boxes, lost = [truth[0]], [False]
    opened = loading.open_checkpoint("lite", tracking={"tracking.over_time": True})
    with session.Session(opened.tracker, opened.variables, lost_below=0.4) as follower:
        follower.init(source.frame(0, 0).image, truth[0])
        for time in range(1, source.length):
            boxes.append(follower.update(source.frame(0, time).image).xywh)
            lost.append(follower.lost)
    found = over_time.follow(np.array(boxes), truth, visible)
    hidden = visible == 0
    assert hidden.sum() >= 10 and np.mean(np.array(lost)[hidden]) > 0.9
    assert found.recovery[0] <= 5 and found.lost < 0.05
