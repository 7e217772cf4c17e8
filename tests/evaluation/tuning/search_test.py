"""Tests for jaxtrack.evaluation.tuning.search; the tracker moves by the window."""

import contextlib
import csv
import errno
import fcntl
import shutil
import threading
import time

import numpy as np
import pytest

from jaxtrack import locks
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, results, run
from jaxtrack.evaluation.tuning import search, shared, splits, trials, tuned
from jaxtrack.shares import Share
from tests.evaluation.fixtures import material_of
from tests.refusals import refused


@pytest.fixture
def model(checkpoints):
    """Of checkpoints whose tracking settings can be replaced."""
    return checkpoints["sharp"].model


@pytest.fixture
def material(root):
    return material_of(root, patterns=["ball", "car*"])


def recipe_of(tmp_path, **changes):
    fields = {"checkpoint": "sharp", "out": tmp_path / "out", "trials": 10, "batch": 4}
    return search.Recipe(**fields | {"settings": ("tracking.window",)} | changes)


def material_of_none():
    return splits.Material(split="val", is_test=False, videos=[], truth={})


def tune(recipe, material, holdout=None):
    """The outcome of a tuning."""
    return search.tune(recipe, material, holdout=holdout)[0]


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_finds_the_window_and_writes_everything(model, material, tmp_path):
    recipe = recipe_of(tmp_path, trials=24, batch=8)
    found = tune(recipe, material)
    # The target moves by 2 px a frame, and so does the tracker at a window of 0.2; the
    # untuned 0.45 loses it.
    assert found["tracking"]["tracking.window"] == pytest.approx(0.2, abs=0.05)
    gained = found["gain"]
    assert gained["difference"] == pytest.approx(gained["tuned"] - gained["untuned"])
    assert gained["difference"] > 0.2 and gained["interval"][0] > 0
    assert found["holdout"] is None and found["importances"] == {"tracking.window": 1.0}
    hashes = [manifest.hash_sequence(v.frames, v.xyxy) for v in material.videos]
    about = found["tuned_on"]
    assert about["hashes"] == hashes and about["sequences"] == ["ball", "car <1>"]
    assert (about["split"], about["is_test"], about["trials"]) == ("val", False, 24)
    assert about["checkpoint"]["weights"] == "sharp"
    assert tuned.read(recipe.out / "tuned.json") == found
    rows = list(csv.DictReader((recipe.out / "trials.csv").read_text().splitlines()))
    assert len(rows) == 24 and float(rows[0]["tracking.window"]) == 0.45
    best = max(rows, key=lambda row: float(row["auc"]))
    assert int(best["trial"]) == found["trial"]
    assert float(best["tracking.window"]) == found["tracking"]["tracking.window"]
    assert float(best["auc"]) == pytest.approx(gained["tuned"], abs=1e-6)
    assert model.traced == ["step"]


def test_the_outcome_tracks_as_it_says(model, material, tmp_path):
    found = tune(recipe_of(tmp_path), material)
    tracking = found["tracking"]
    folder = run.track_checkpoint(
        "sharp", material.videos, tmp_path / "eval", name="sharp", tracking=tracking
    )
    counts = {video.name: len(video.frames) for video in material.videos}
    boxes = results.read_results(folder, counts)
    values = [splits.score(material, n, boxes[n])["auc"] for n in boxes]
    assert np.mean(values) == pytest.approx(found["gain"]["tuned"], abs=1e-9)


def test_one_by_one_finds_the_same_as_a_batch(model, material, tmp_path):
    one, four = (
        recipe_of(tmp_path, out=tmp_path / str(k), batch=k, sampler="random")
        for k in (1, 4)
    )
    assert tune(one, material) == tune(four, material)
    tables = {(recipe.out / "trials.csv").read_text() for recipe in (one, four)}
    assert len(tables) == 1


def test_interrupted_it_ends_alike_and_redoes_nothing(
    model, material, tmp_path, monkeypatch
):
    """Batches of 4, 4 and 2 trials on two sequences each: stops within and between."""
    whole = recipe_of(tmp_path, out=tmp_path / "whole")
    tune(whole, material)
    part, tracked, stops = recipe_of(tmp_path, out=tmp_path / "part"), [], [1, 3]
    original = trials.tracking_function

    def watched(opened, batch):
        track = original(opened, batch)

        def counting(settings, video, advance):
            if stops and len(tracked) == stops[0]:
                stops.pop(0)
                raise KeyboardInterrupt
            tracked.append(video.name)
            return track(settings, video, advance)

        return counting

    monkeypatch.setattr(trials, "tracking_function", watched)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tune(part, material)
    assert not (part.out / "tuned.json").exists()
    tune(part, material)
    # 3 batches of two sequences, each tracked once.
    assert len(tracked) == 6
    tables = [files_of(recipe.out) for recipe in (whole, part)]
    for name in ("tuned.json", "trials.csv"):
        assert tables[0][name] == tables[1][name]
    # Complete: nothing is tracked, and the same is written.
    tune(part, material)
    assert len(tracked) == 6
    assert files_of(part.out)["tuned.json"] == tables[1]["tuned.json"]


def test_processes_share_the_sequences(model, material, tmp_path, monkeypatch):
    """The second process tracks "ball", until it is lost; the outcome is the same."""
    alone = recipe_of(tmp_path, out=tmp_path / "alone")
    tune(alone, material)
    recipe, tracked = recipe_of(tmp_path, out=tmp_path / "two"), []
    original = trials.tracking_function

    def watched(opened, batch):
        track = original(opened, batch)

        def counting(settings, video, advance):
            is_first = threading.current_thread() is threading.main_thread()
            while not any((recipe.out / "processes").glob("1-of-2-*")):
                time.sleep(0.02)  # The other one is not at work yet.
            tracked.append((video.name, is_first))
            if not is_first and tracked.count((video.name, False)) == 2:
                raise InputError("lost")
            return track(settings, video, advance)

        return counting

    def assist():
        with contextlib.suppress(InputError):
            search.assist(recipe, material, share=Share(1, 2))

    monkeypatch.setattr(trials, "tracking_function", watched)
    other = threading.Thread(target=assist)
    other.start()
    search.tune(recipe, material, share=Share(0, 2))
    other.join()
    # Of three batches the second process tracks one, and is lost in the next.
    assert tracked.count(("ball", False)) == 2 and tracked.count(("ball", True)) == 2
    assert tracked.count(("car <1>", True)) == 3
    for name in ("tuned.json", "trials.csv"):
        assert files_of(recipe.out)[name] == files_of(alone.out)[name]


def test_the_loss_of_process_0_is_told(tmp_path):
    exchange = shared.Exchange(tmp_path, Share(0, 2), "study")
    for asked, lost in (({0: {"w": 1.0}}, True), ({}, False)):
        exchange.publish(asked)
        holds = iter([True, False])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(locks, "is_held", lambda *_, holds=holds, **__: next(holds))
            message = pytest.raises(InputError, match="process 0 was lost")
            with message if lost else contextlib.nullcontext():
                other = exchange._replace(share=Share(1, 2))
                other.follow(None, material_of_none(), None)


def test_the_end_of_the_search_is_no_batch(material, tmp_path, monkeypatch):
    """Process 0 is still there while it weighs the fields and scores the holdout."""
    exchange, measured = shared.Exchange(tmp_path, Share(0, 2), "study"), []

    def score_all(track, material, video, asked, advance):
        measured.append((video.name, asked))
        exchange.publish({})
        return {0: {"auc": 0.5}}

    exchange.publish({0: {"w": 1.0}})
    holds = iter([True, True, True, False])
    monkeypatch.setattr(locks, "is_held", lambda *_, **__: next(holds))
    monkeypatch.setattr(trials, "score_all", score_all)
    exchange._replace(share=Share(1, 2)).follow(None, material, None)
    assert measured == [("ball", {0: {"w": 1.0}})]


def test_a_process_of_another_command_is_not_waited_for(material, tmp_path):
    first = shared.Exchange(tmp_path, Share(0, 2), "study")
    first.publish({0: {"w": 1.0}})
    for other in (first._replace(identity="else"), first._replace(share=Share(0, 3))):
        other = other._replace(share=other.share._replace(number=1))
        holds = iter([True, True, False])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(locks, "is_held", lambda *_, holds=holds, **__: next(holds))
            with pytest.raises(InputError, match="process 0"):
                other.follow(None, material_of_none(), None)
        with locks.locked(tmp_path / "processes", "tuning", name=other._lock()):
            assert other.is_at_work()
            assert not first._replace(share=Share(1, 2)).is_at_work()


def test_without_locks_only_process_0_tunes(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    other = shared.Exchange(tmp_path, Share(1, 2), "study")
    with pytest.raises(InputError, match="without locks processes cannot tune"):
        other.await_readable(material_of_none(), None)


def test_process_0_alone_decodes(material, tmp_path, monkeypatch):
    """It tells what cannot be read; a list that it did not finish is not believed."""
    first, decoded = shared.Exchange(tmp_path, Share(0, 2), "study"), []
    other = first._replace(share=Share(1, 2))

    def readable_videos(videos, skip):
        decoded.extend(video.name for video in videos)
        assert not (tmp_path / "processes/readable.json").exists()
        skip("ball", "img/0003.png is cut off")
        return videos[1:]

    monkeypatch.setattr(run, "readable_videos", readable_videos)
    (tmp_path / "processes").mkdir()
    (tmp_path / "processes/readable.json").write_text('{"identity": "study"')
    told = []
    with locks.locked(tmp_path, "tuning"):
        kept = first.publish_readable(material, lambda *fault: told.append(fault))
        found = other.await_readable(material, lambda *fault: told.append(fault))
        with pytest.raises(InputError, match="sequence ball: img/0003.png is cut off"):
            other.await_readable(material, None)
    assert [video.name for video in kept.videos] == ["car <1>"]
    assert found == kept and decoded == ["ball", "car <1>"]
    assert told == [("ball", "img/0003.png is cut off")] * 2
    # Lost before it had told, or of another command.
    holds = iter([True, False])
    monkeypatch.setattr(locks, "is_held", lambda *_, **__: next(holds))
    with pytest.raises(InputError, match="before it had told which sequences"):
        other._replace(identity="else").await_readable(material, None)


def test_two_at_once_are_refused(model, material, tmp_path):
    with locks.locked(tmp_path / "out", "tuning"):
        with pytest.raises(InputError, match="another tuning .* is at work"):
            tune(recipe_of(tmp_path), material)


def test_a_folder_holds_one_study(model, material, root, tmp_path):
    tune(recipe_of(tmp_path, trials=1), material)
    kept = files_of(tmp_path / "out")
    for changes, message in (
        ({"checkpoint": "blunt"}, r"another checkpoint \(weights\)"),
        ({"sampler": "random"}, r"another sampler \('tpe' there, 'random' now\)"),
        ({"seed": 1}, "another seed"),
        ({"metric": "ao"}, "another metric"),
        (
            {"settings": ("tracking.window", "tracking.penalty")},
            r"another ranges \(tracking.penalty\)",
        ),
    ):
        with pytest.raises(InputError, match=message):
            tune(recipe_of(tmp_path, **changes), material)
        assert files_of(tmp_path / "out") == kept
    for patterns in (["ball"], ["ball", "dog"]):
        other = material_of(root, patterns=patterns)
        with pytest.raises(InputError, match=r"another sequences \(car <1>"):
            tune(recipe_of(tmp_path, trials=1), other)
    material.videos[0].xyxy[3] += 1
    with pytest.raises(InputError, match=r"another sequences \(ball\)"):
        tune(recipe_of(tmp_path, trials=1), material)


def test_holdout(model, material, root, tmp_path):
    holdout = material_of(root, patterns=["dog"])
    recipe = recipe_of(tmp_path)
    found = tune(recipe, material, holdout)
    gained = found["holdout"]["gain"]
    assert found["holdout"]["sequences"] == ["dog"]
    assert gained["sequences"] == 1 and gained["difference"] > 0.1
    # The same sequence under another name is still the same.
    shutil.copytree(root / "ball", tmp_path / "others" / "renamed")
    again = material_of(tmp_path / "others")
    with pytest.raises(InputError, match="--holdout has 1 of .* such as renamed"):
        tune(recipe, material, again)


def test_what_it_begins_with_is_part_of_the_outcome(model, material, root, tmp_path):
    begun = {"tracking.window": 0.3, "tracking.size_rate": 0.25}
    holdout = material_of(root, patterns=["dog"])
    recipe = recipe_of(tmp_path, trials=2, tracking=begun)
    found = tune(recipe, material, holdout)
    assert found["tracking"]["tracking.size_rate"] == 0.25 and list(
        found["ranges"]
    ) == ["tracking.window"]
    rows = list(csv.DictReader((recipe.out / "trials.csv").read_text().splitlines()))
    assert float(rows[0]["tracking.window"]) == 0.3
    # 0.3 is nearer to the target's 0.2 than the checkpoint's own 0.45.
    other = recipe_of(tmp_path, trials=1, out=tmp_path / "own")
    own = tune(other, material, holdout)
    for gained in (found["gain"], found["holdout"]["gain"]):
        assert gained["untuned"] > own["gain"]["untuned"]
    with pytest.raises(InputError, match="another checkpoint"):
        tune(recipe._replace(tracking={}), material)


def test_untuned_settings_stay_where_nothing_is_better(model, material, tmp_path):
    recipe = recipe_of(tmp_path, settings=("tracking.penalty",), trials=6)
    found = tune(recipe, material)  # The tracker has no use for a penalty.
    assert found["trial"] == 0 and found["tracking"] == {"tracking.penalty": 0.0}
    assert found["gain"]["difference"] == 0 and found["importances"] is None


def test_a_test_split_is_told(model, root, tmp_path):
    material = material_of(root, patterns=["ball"], split="test")
    found = tune(recipe_of(tmp_path, trials=1), material)
    assert found["tuned_on"]["is_test"] and found["tuned_on"]["split"] == "test"
    read = tuned.read(tmp_path / "out/tuned.json")
    assert len(tuned.describe(read, material.hashes())[1]) == 2


def test_the_command_fails_in_one_line(root, tmp_path, capsys):
    for given, message in (
        ((), "--checkpoint is missing"),
        (("--checkpoint=lite",), "no source of sequences: name a folder"),
        (("--checkpoint=lite", f"--sequences={root}", "--split=test"), "--tune_on"),
        (("--checkpoint=nowhere", f"--sequences={root}"), "nowhere"),
        (("--trials=0",), "--trials=0: give a whole number of at least 1"),
    ):
        assert message in refused(capsys, "tune", *given, f"--out={tmp_path / 'out'}")
        assert not (tmp_path / "out").exists()
