"""Tests for experiments.figures.clip."""

import types

import cv2
import numpy as np

import jaxtrack
from experiments.figures import clip as figure
from jaxtrack.cli import demo_clip


def test_draws_the_box_where_the_tracker_says(tmp_path, monkeypatch):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((60, 80, 3), np.uint8))
    answers = [np.array([4.0, 8, 20, 20]), np.array([20.0, 8, 20, 20])]
    session = types.SimpleNamespace(
        init=lambda image, box: None, update=lambda image: (answers.pop(0), 0.5)
    )
    monkeypatch.setattr(jaxtrack, "load", {"lite": session}.get, raising=False)
    clip = demo_clip.Clip(tmp_path, "0,8,20,20", "", "")
    frames = list(figure.tracked(clip, "lite", width=40))
    assert [frame.shape for frame in frames] == [(30, 40, 3)] * 3
    # At half the size a left edge lies at x / 2, two pixels wide.
    for frame, x in zip(frames, (0, 2, 10), strict=True):
        lit = np.flatnonzero(frame[9, :, 1] > 100)
        assert abs(lit[0] - x) <= 1 and abs(lit[-1] - x - 10) <= 1


def test_an_animation_has_its_frames(tmp_path):
    frames = [np.full((32, 48, 3), shade, np.uint8) for shade in (0, 120, 240)]
    path = tmp_path / "a.webp"
    path.write_bytes(figure.animation(frames, milliseconds=80, quality=90))
    is_read, found = cv2.imreadanimation(str(path))
    assert is_read and list(found.durations) == [80] * 3
    shades = [frame[16, 24, 0] for frame in found.frames]
    np.testing.assert_allclose(np.array(shades, float), [0, 120, 240], atol=3)
