"""Tests for jaxtrack.evaluation.analysis.analyze; trackers need no network."""

import json

import numpy as np

from jaxtrack.evaluation import compare
from jaxtrack.evaluation.analysis.analyze import analyze
from jaxtrack.evaluation.analysis.options import Options
from jaxtrack.evaluation.analysis.outcome import Analyses

TWO = {"good": "sharp", "bad": "blunt"}


def run(options, videos, tmp_path, scores, **others):
    return analyze(options, TWO, videos, tmp_path, scores=scores, **others)


def test_nothing_is_done_unasked(videos, tmp_path, scores, checkpoints):
    found = run(Options(), videos, tmp_path, scores)
    assert found == Analyses() and found.as_json() == {}


def test_alignment_compares_checkpoints(videos, tmp_path, scores, checkpoints):
    options = Options(alignment=True)
    found = run(options, videos, tmp_path, scores).as_json()["alignment"]
    good, bad = (found[name]["overall"] for name in TWO)
    assert good["correlation"] > bad["correlation"]
    assert good["regret"] < bad["regret"]
    assert set(found["good"]["sequences"]) == {v.name for v in videos}
    assert (tmp_path / "alignment/bad/dog.json").exists()
    # Points stay in the analysis' own file.
    assert "points" not in found["good"]["sequences"]["ball"]
    # What was measured earlier but is not asked for is not shown.
    found = run(options, videos[:1], tmp_path, scores).as_json()["alignment"]
    assert list(found["good"]["sequences"]) == ["ball"]
    assert found["good"]["overall"]["num_sequences"] == 1


def test_heatmaps_are_of_the_worst_and_the_named(videos, tmp_path, scores, checkpoints):
    worst = compare.worst_sequences(scores[0])
    for options, expected in (
        (Options(heatmaps=True), worst),
        (Options(heatmaps_of=("ball",)), ["ball"]),
        (Options(heatmaps=True, heatmaps_of=("ball", "dog")), worst),
    ):
        found = run(options, videos, tmp_path, scores).heatmaps
        assert list(found.frames) == list(found.views) == expected
        for name, views in found.views.items():
            assert list(views) == list(TWO)
            for seen in views.values():
                assert [view.maps.frame for view in seen] == found.frames[name]


def test_heatmaps_show_usable_frames_but_the_first(
    videos, tmp_path, scores, checkpoints
):
    videos[0].xyxy[4] = np.nan
    videos[2].xyxy[1:] = np.nan
    options = Options(heatmaps_of=("ball", "car <1>", "dog"))
    found = run(options, videos, tmp_path, scores)
    # Even steps through 5 and 7 frames, without the first and what has no true box.
    expected = {"ball": [1, 3], "car <1>": [2, 4, 6], "dog": []}
    assert found.heatmaps.frames == found.as_json()["heatmaps"] == expected
    assert list(found.heatmaps.views) == ["ball", "car <1>"]


def test_sweep_compares_checkpoints(videos, tmp_path, scores, checkpoints):
    options = Options(windows=(0.0, 0.2))
    found = run(options, videos, tmp_path, scores, batched=True)
    assert list(found.window_sweep) == ["good", "bad"]
    # Both move alike; the share of 0.2 is the target's speed.
    first, second = (found.window_sweep[name].auc["otb"] for name in TWO)
    assert first == second and first[1] > first[0]
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))["window_sweep"]
    assert told["good"]["spread"] == first[1] - first[0]
    assert told["good"]["at_zero"] == first[0]
    assert told["good"]["windows"] == [0.0, 0.2]
    assert told["good"]["own_window"] == 0.45
