"""Tests for jaxtrack.evaluation.run, with trackers that answer without a network."""

import types

import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.evaluation import loading, manifest, results, run, scoring
from jaxtrack.evaluation.batching import Tracked
from jaxtrack.weights.bundle import Bundle
from tests.evaluation.fixtures import moving_tracker


def track(videos, folder, *, identity=None, origin=0.0):
    """Answers the truth; returns what it was asked."""
    calls = []

    def truthful(videos, advance):
        for video in videos:
            calls.append(video.name)
            xywh = scoring.truth_xywh([video])[video.name]
            yield Tracked(video.name, xywh, np.full(len(xywh), 0.5))

    about = {"identity": identity or {"step": 1}, "around": {}, "origin": origin}
    assert run.track_unfinished(truthful, videos, folder, **about) == calls
    return calls


NAMES = ["ball", "car <1>", "dog"]


def test_writes_results_and_keeps_them(videos, tmp_path):
    folder = tmp_path / "r"
    assert track(videos, folder) == NAMES
    read = results.read_results(folder, {v.name: len(v.frames) for v in videos})
    for name, boxes in scoring.truth_xywh(videos).items():
        np.testing.assert_allclose(read[name], boxes, atol=1e-4)
    assert results.read_speed([folder / "dog.txt"]) == pytest.approx(2.0)
    assert track(videos, folder) == []


def test_tracks_again_what_changed(videos, tmp_path):
    folder = tmp_path / "r"
    track(videos, folder)
    videos[1].xyxy[2] += 1
    assert track(videos, folder) == ["car <1>"]
    (folder / "dog.txt").unlink()
    assert track(videos, folder) == ["dog"]
    (folder / "ball.txt").write_text("1,2,3\n")
    assert track(videos, folder) == ["ball"]
    assert track(videos, folder) == []
    assert track(videos, folder, identity={"step": 2}) == NAMES


@pytest.fixture
def checkpoint(monkeypatch):
    """What `load_for_inference` gives, of a tracker without a network."""
    config = get_config()
    config.run.seed = 3
    variables = {"shift": np.float32(2)}
    loaded = Bundle(config, variables, 12)
    monkeypatch.setattr(loading, "load_for_inference", lambda path: loaded)
    family = types.SimpleNamespace(
        network=lambda config, search_size: None,
        tracker=lambda config, model: moving_tracker([]),
    )
    monkeypatch.setattr(loading, "family_of", lambda config: family)
    return loaded


def run_lite0(videos, out):
    return run.track_checkpoint("runs/lite0", videos, out, name="lite0")


def test_runs_a_checkpoint_and_stamps_it(videos, tmp_path, checkpoint, capsys):
    folder = run_lite0(videos, tmp_path)
    assert folder == tmp_path / "results/lite0"
    truth = scoring.truth_xywh(videos)
    # The target moves two pixels a frame, and so does this tracker.
    score = scoring.score_folder("lite0", folder, truth)
    assert score.reports["otb"].ao == pytest.approx(1.0, abs=1e-5)
    made = score.manifest
    assert made["identity"]["step"] == 12
    assert made["identity"]["seed"] == 3
    assert made["identity"]["config"]["model"]["dtype"] == "float32"
    assert made["environment"]["precision"] == "float32"
    assert set(made["sequences"]) == set(truth)
    capsys.readouterr()
    run_lite0(videos, tmp_path)
    assert "3 of 3 sequences kept" in capsys.readouterr().out
    checkpoint.variables["shift"] += 1
    run_lite0(videos, tmp_path)
    assert "kept" not in capsys.readouterr().out
    assert manifest.read(folder)["identity"] != made["identity"]


def test_tracking_settings_are_overridden_alone(checkpoint):
    before = checkpoint.config.to_json()
    plain = loading.open_checkpoint("runs/lite0")
    assert plain.config.to_json() == before
    settings = {
        "tracking.window": 0.25,
        "tracking.refined_weight": 0.5,
        "online.every": 4,
        # As JSON has it.
        "online.regularization": [0.1, 0.2],
    }
    opened = loading.open_checkpoint("runs/lite0", tracking=settings)
    assert opened.config.tracking.window == 0.25
    assert opened.config.tracking.refined_weight == 0.5
    assert opened.config.online.every == 4
    assert opened.config.online.regularization == (0.1, 0.2)
    # The rest is as it was, and so is the checkpoint itself.
    assert opened.config.tracking.penalty == plain.config.tracking.penalty
    assert opened.config.tracking.proposals == plain.config.tracking.proposals
    assert checkpoint.config.to_json() == before
    # Results of other settings are other results.
    assert opened.identity != plain.identity
    assert opened.identity["config"]["online"]["every"] == 4


def test_other_settings_are_refused(checkpoint):
    for field in ("optimizer.lr", "model.name", "refine.samples", "refine", "on"):
        with pytest.raises(InputError, match=f"{field} is fixed by the training of ru"):
            loading.open_checkpoint("runs/lite0", tracking={field: 1})
    message = "runs/lite0: no setting config.online.evry: did you mean online.every"
    with pytest.raises(InputError, match=message):
        loading.open_checkpoint("runs/lite0", tracking={"online.evry": 4})


def test_first_frame_without_a_box(videos, tmp_path, checkpoint):
    videos[2].xyxy[0] = np.nan
    with pytest.raises(InputError, match="sequence dog: its first frame has no box"):
        run_lite0(videos, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no sequences"):
        run_lite0([], tmp_path / "out")
    skipped = []
    usable = run.usable_videos(videos, skip=lambda *fault: skipped.append(fault))
    assert [v.name for v in usable] == ["ball", "car <1>"]
    assert skipped == [("dog", "its first frame has no box to start from")]
    videos[0].frames[3].write_bytes(b"")
    (readable,) = run.readable_videos(videos, skip=lambda *fault: skipped.append(fault))
    assert readable.name == "car <1>" and "is empty" in dict(skipped)["ball"]
    with pytest.raises(InputError, match="no sequence can be tracked: .*is empty"):
        run.readable_videos(videos[:1], skip=lambda *fault: None)


def test_the_manifest_says_where_imported_weights_come_from(checkpoint, monkeypatch):
    assert "provenance" not in loading.open_checkpoint("run").around
    origin = {"files": {"model.pth": "ab12"}, "network": "siamcar (resnet50, released)"}
    imported = checkpoint._replace(provenance=origin)
    monkeypatch.setattr(loading, "load_for_inference", lambda path: imported)
    assert loading.open_checkpoint("model.pth").around["provenance"] == origin
