"""Tests for jaxtrack.evaluation.analysis.window_sweep; the tracker moves by it."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, results, scoring
from jaxtrack.evaluation.analysis import window_sweep
from jaxtrack.evaluation.analysis.outcome import Sweep

WINDOWS = (0.0, 0.2, 0.5)


def measure(videos, tmp_path, **options):
    options = {"name": "sharp", "windows": WINDOWS} | options
    return window_sweep.measure("sharp", videos, tmp_path, **options)


@pytest.fixture
def tracked(monkeypatch):
    """Notes what is tracked, share by share."""
    calls = []
    original = window_sweep.run.track_unfinished

    def watched(track, videos, folder, **options):
        names = original(track, videos, folder, **options)
        calls.append((folder.name, names))
        return names

    monkeypatch.setattr(window_sweep.run, "track_unfinished", watched)
    return calls


@pytest.mark.parametrize("batched", [False, True])
def test_each_share_is_tracked_and_scored(videos, tmp_path, checkpoints, batched):
    found = measure(videos, tmp_path, batched=batched)
    # The target moves by 2 px a frame, and so does the tracker at a share of 0.2.
    folder = tmp_path / "window_sweep/sharp"
    for name, truth in scoring.truth_xywh(videos).items():
        for window in WINDOWS:
            path = folder / str(window) / f"{name}.txt"
            boxes = results.read_boxes_xywh(path, len(truth))
            moved = (
                truth[0] + 10 * window * np.arange(len(truth))[:, None] * np.eye(4)[0]
            )
            np.testing.assert_allclose(boxes, moved, atol=1e-3)
    truth = scoring.truth_xywh(videos)
    for window, auc in zip(WINDOWS, found.auc["otb"], strict=True):
        score = scoring.score_folder("x", folder / str(window), truth)
        assert score.reports["otb"].auc == auc
    assert np.argmax(found.auc["otb"]) == 1
    assert found.own_window == 0.45
    assert set(found.auc) == set(scoring.REPORTED)


def test_numbers():
    found = Sweep((0.0, 0.3), {"otb": (0.5, 0.6), "no_first": (0.4, 0.1)}, 0.3)
    assert found.spread() == pytest.approx(0.1)
    assert found.spread("no_first") == pytest.approx(0.3)
    assert found.at_zero() == 0.5 and found.at_zero("no_first") == 0.4
    assert Sweep((0.1,), {"otb": (0.5,)}, 0.1).at_zero() is None


def test_finished_shares_are_kept(videos, tmp_path, checkpoints, tracked, capsys):
    first = measure(videos, tmp_path)
    # All shares share a compilation a canvas.
    assert checkpoints["sharp"].model.traced == ["step"] * 2
    names = [video.name for video in videos]
    assert tracked == [(str(window), names) for window in WINDOWS]
    made = manifest.read(tmp_path / "window_sweep/sharp/0.2")
    assert made["identity"] == {"weights": "sharp", "settings": {"window": 0.2}}
    tracked.clear()
    more = measure(videos, tmp_path, windows=(0.7, *WINDOWS, 0.2))
    assert [share for share, done in tracked if done] == ["0.7"]
    assert more.windows == (*WINDOWS, 0.7)
    assert more.auc["otb"][:3] == first.auc["otb"]
    assert "kept" not in capsys.readouterr().out


def test_faults_write_nothing(videos, tmp_path, checkpoints):
    with pytest.raises(InputError, match="no sequences"):
        measure([], tmp_path / "out")
    assert not (tmp_path / "out").exists()
