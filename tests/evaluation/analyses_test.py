"""Tests for jaxtrack.evaluation.analyses, with trackers that need no network."""

import json

import cv2
import numpy as np
import pytest

from jaxtrack.evaluation import analyses, heatmaps
from jaxtrack.evaluation.wanted import Wanted

TWO = {"good": "sharp", "bad": "blunt"}


def run(wanted, videos, tmp_path, scores, checkpoints=TWO, **options):
    options = {"scores": scores, "worst": ["dog"]} | options
    return analyses.run(wanted, checkpoints, videos, tmp_path, **options)


def test_nothing_is_done_unasked(videos, tmp_path, scores, checkpoints):
    assert run(Wanted(), videos, tmp_path, scores) == []


def test_alignment_compares_checkpoints(videos, tmp_path, scores, checkpoints):
    (section,) = run(Wanted(alignment=True), videos, tmp_path, scores)
    good, bad = (section.numbers[name]["overall"] for name in TWO)
    assert good["correlation"] > bad["correlation"]
    assert good["regret"] < bad["regret"]
    assert set(section.numbers["good"]["sequences"]) == {v.name for v in videos}
    assert len(section.pictures) == len(section.lines) == 2
    assert (tmp_path / "alignment/bad.json").exists()


def test_sequences_measured_earlier_but_not_asked_for_are_not_shown(
    videos, tmp_path, scores, checkpoints
):
    run(Wanted(alignment=True), videos, tmp_path, scores)
    (section,) = run(Wanted(alignment=True), videos[:1], tmp_path, scores)
    assert list(section.numbers["good"]["sequences"]) == ["ball"]
    assert section.numbers["good"]["overall"]["num_sequences"] == 1


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(heatmaps=True), ["dog"]),
        (Wanted(heatmaps_of=("ball",)), ["ball"]),
        (Wanted(heatmaps=True, heatmaps_of=("ball", "dog")), ["dog", "ball"]),
    ],
)
def test_heatmaps_are_drawn_of_the_worst_and_the_named(
    videos, tmp_path, scores, checkpoints, wanted, expected
):
    (section,) = run(wanted, videos, tmp_path, scores)
    assert list(section.numbers) == expected
    assert [p.caption for p in section.pictures] == expected
    for picture in section.pictures:
        image = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape[1] > 900


def test_heatmaps_show_usable_frames_but_the_first(
    videos, tmp_path, scores, checkpoints, monkeypatch
):
    asked = []

    def draw(lenses, video, frames):
        asked.append(([one.name for one in lenses], video.name, frames))
        return b"jpeg"

    monkeypatch.setattr(heatmaps, "draw", draw)
    videos[0].xyxy[4] = np.nan
    videos[2].xyxy[1:] = np.nan
    wanted = Wanted(heatmaps_of=("ball", "car <1>", "dog"))
    (section,) = run(wanted, videos, tmp_path, scores)
    assert [names for names, _, _ in asked] == [["good", "bad"]] * 2
    # Even steps through 5 and 7 frames, without the first and what has no true box.
    assert [frames for _, _, frames in asked] == [[1, 3], [2, 4, 6]]
    assert section.numbers == {"ball": [1, 3], "car <1>": [2, 4, 6], "dog": []}


def test_sweep_compares_checkpoints(videos, tmp_path, scores, checkpoints):
    wanted = Wanted(windows=(0.0, 0.2))
    (section,) = run(wanted, videos, tmp_path, scores, together=True)
    assert list(section.numbers) == ["good", "bad"]
    # Both move alike; the share of 0.2 is the target's speed.
    first, second = (section.numbers[name]["auc"]["otb"] for name in TWO)
    assert first == second and first[1] > first[0]


def test_everything_at_once_is_json(videos, tmp_path, scores, checkpoints):
    wanted = Wanted(alignment=True, heatmaps=True, windows=(0.2,))
    sections = run(wanted, videos, tmp_path, scores)
    assert [s.key for s in sections] == ["alignment", "heatmaps", "window_sweep"]
    json.dumps([s.numbers for s in sections], allow_nan=False)
