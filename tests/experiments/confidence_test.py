"""Tests for experiments.figures.confidence, with a tracker without a network."""

import json

import cv2
import numpy as np
import pytest

from experiments.figures import confidence
from jaxtrack import cli, session


class Follower:
    """Answers the first box, a score that falls, and remembers what it was given."""

    def __init__(self):
        self.started = 0

    def init(self, image, xywh):
        assert image.shape == (90, 120, 3)
        self.xywh, self.score, self.started = np.array(xywh), 1.0, self.started + 1

    def update(self, image):
        self.score -= 0.25
        return session.TrackedBox(self.xywh, self.score)


@pytest.fixture
def sequences(tmp_path):
    """Two targets of 20 px that move 4 px a frame, and 40 in the last frame."""
    for name in ("ball", "other"):
        folder = tmp_path / "videos" / name / "img"
        folder.mkdir(parents=True)
        for number in range(4):
            image = np.full((90, 120, 3), 60, np.uint8)
            cv2.imwrite(str(folder / f"{number}.jpg"), image)
        rows = ["10,40,20,20", "14,40,20,20", "nan,nan,nan,nan", "50,40,20,20"]
        (folder.parent / "groundtruth_rect.txt").write_text("\n".join(rows) + "\n")
    return tmp_path / "videos"


def test_scores_and_boxes_are_compared(sequences, tmp_path, monkeypatch, capsys):
    follower, out = Follower(), tmp_path / "out"
    monkeypatch.setattr(session, "load", lambda checkpoint: follower)
    argv = ["--checkpoint=lite", f"--sequences={sequences}", f"--out={out}"]
    for count in (2, 2):  # The second time nothing is tracked again.
        cli.run_command(confidence, argv, prog="confidence")
        assert follower.started == count
    found = json.loads((out / "confidence.json").read_text())
    assert (found["num_frames"], found["num_sequences"]) == (4, 2)
    assert (found["lost"], found["roc_auc"], found["curve"]) == (0.5, 1.0, None)
    groups = [(g["score"], g["iou"], g["right"]) for g in found["groups"]]
    assert groups == [(0.25, 0, 0)] * 2 + [(0.75, pytest.approx(2 / 3), 1)] * 2
    by_threshold = {one["threshold"]: one for one in found["thresholds"]}
    assert by_threshold[0.5] == {
        "threshold": 0.5,
        "recall": 1.0,
        "false_alarms": 0.0,
        "precision": 1.0,
        "right": 0.0,
    }
    assert (out / "reliability.png").read_bytes()[1:4] == b"PNG"
    told = capsys.readouterr().out
    assert "4 frames of 2 sequences" in told and "| 0.750 | 0.667 | 100% | 1 |" in told

    other = tmp_path / "other"
    argv = [*argv[:2], f"--out={other}", "--exclude=b*", "--pattern=*"]
    cli.run_command(confidence, argv, prog="confidence")
    assert [path.stem for path in (other / "frames").iterdir()] == ["other"]
