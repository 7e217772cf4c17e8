"""Tests for jaxtrack.evaluation.evaluate: plain folders, public benchmarks, VOT."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.errors import InputError
from jaxtrack.evaluation import evaluate, manifest, results, run, settings, vot_files
from jaxtrack.evaluation.analysis.options import Options
from jaxtrack.metrics import ope
from tests.datasets import fake_datasets as fake


def evaluated(root, tmp_path, *, patterns=(), **changes):
    """Evaluates results of plain folders."""
    benchmark = datasets.load("folders", root, sequences=patterns)
    given = {"results_of": {"mine": tmp_path / "results0"}} | changes
    return evaluate.evaluate(benchmark, tmp_path / "out", **given)


def test_files_are_scored(root, tmp_path, scores):
    two = {"mine": tmp_path / "results0", "theirs": tmp_path / "results1"}
    found = evaluated(root, tmp_path, results_of=two)
    assert [s.name for s in found.scores] == ["mine", "theirs"]
    auc = scores[0].reports["otb"].auc
    assert found.scores[0].reports["otb"].auc == auc
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert told["trackers"]["mine"]["otb"]["auc"] == auc
    assert told["manifest"]["benchmark"] == "folders" and told["notes"] == []
    assert list(told["parts"]) == ["protocols"] and told["analyses"] == {}
    part = evaluated(root, tmp_path, patterns=["b*", "dog"])
    assert list(part.scores[0].predicted) == ["ball", "dog"]
    assert part.notes == ("2 of 3 sequences chosen.",)
    assert evaluated(root, tmp_path, patterns=["*"]).notes == ()
    # Nothing is written: that is the report's to do.
    assert not (tmp_path / "out").exists()


def test_checkpoints_and_files_side_by_side(root, tmp_path, scores, monkeypatch):
    asked = []

    def track(checkpoint, videos, out_dir, *, name, batched, tracking, **about):
        assert (tracking, about["origin"], about["share"].count) == ({}, 0.0, 1)
        asked.append((checkpoint, len(videos), out_dir, name, batched))
        return tmp_path / {"x/a": "results2", "x/b": "results1"}[checkpoint]

    monkeypatch.setattr(run, "track_checkpoint", track)
    two = {"second": "x/b", "a": "x/a"}
    found = evaluated(root, tmp_path, checkpoints=two, batched=True)
    assert [s.name for s in found.scores] == ["second", "a", "mine"]
    assert asked == [
        (place, 3, tmp_path / "out", name, True) for name, place in two.items()
    ]
    assert found.folders == {
        "second": tmp_path / "results1",
        "a": tmp_path / "results2",
    }
    with pytest.raises(InputError, match="another name"):
        evaluated(root, tmp_path, checkpoints={"mine": "x/a"})


def test_analyses_are_run_and_kept(root, tmp_path, scores, checkpoints):
    given = {"checkpoints": {"good": "sharp", "blunt": "blunt"}}
    options = Options(alignment=True, heatmaps_of=("dog",), windows=(0.0, 0.2))
    found = evaluated(root, tmp_path, **given, analyses=options)
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert list(told["trackers"]) == ["good", "blunt", "mine"]
    assert list(told["analyses"]) == ["alignment", "heatmaps", "window_sweep"]
    overall = told["analyses"]["alignment"]["good"]["overall"]
    assert overall["correlation"] == pytest.approx(1)
    assert told["analyses"]["window_sweep"]["blunt"]["windows"] == [0.0, 0.2]
    # All of it is kept: nothing is tracked or looked at again.
    for opened in checkpoints.values():
        opened.model.traced.clear()
    options = Options(alignment=True, windows=(0.0, 0.2))
    evaluated(root, tmp_path, **given, analyses=options)
    assert not any(opened.model.traced for opened in checkpoints.values())


def test_what_cannot_be_done_tracks_nothing(root, tmp_path, scores, checkpoints):
    sharp = {"checkpoints": {"sharp": "sharp"}}
    chosen = settings.choose(changes={"tracking.window": 0.1})
    for changes, message in (
        ({"results_of": {}}, "nothing to score"),
        ({"results_of": {"a": "nowhere"}}, "no folder of results nowhere"),
        ({"patterns": ["cat*"]}, r"cat\*"),
        ({"checkpoints": {"../a": "sharp"}}, "leave out separators"),
        ({"analyses": Options(alignment=True)}, "--alignment needs a --checkpoint"),
        ({"analyses": Options(heatmaps=True)}, "--heatmaps needs a --checkpoint"),
        ({"analyses": Options(heatmaps_of=("dog",))}, "--heatmaps_of needs a --check"),
        ({"analyses": Options(windows=(0.0,))}, "--window_sweep needs a --checkpoint"),
        (
            sharp | {"analyses": Options(heatmaps_of=("dog", "cat"))},
            "--heatmaps_of=cat: no such sequence among the 3 that",
        ),
        (
            sharp | {"analyses": Options(alignment=True), "settings": chosen},
            "--alignment looks at checkpoints with their own",
        ),
    ):
        with pytest.raises(InputError, match=message):
            evaluated(root, tmp_path, **changes)
        assert not (tmp_path / "out").exists()


@pytest.fixture
def otb(tmp_path):
    """Two sequences whose targets move one pixel a frame."""
    fake.otb_sequence(tmp_path / "otb", "Boy", 5)
    fake.otb_sequence(tmp_path / "otb", "Car1", 6)
    return datasets.load("otb100", tmp_path / "otb", allow_missing=True)


def tracked(benchmark, tmp_path, **changes):
    """Evaluates a checkpoint on a benchmark."""
    given = {"checkpoints": {"sharp": "sharp"}} | changes
    return evaluate.evaluate(benchmark, tmp_path / "out", **given)


def test_files_of_otb_count_from_one(tmp_path, otb, checkpoints):
    # The stand-in moves by ten times its window, 4.5 px, or by what it is told: 1 px.
    chosen = settings.choose(changes={"tracking.window": 0.1})
    found = tracked(otb, tmp_path, settings=chosen)
    rows = np.loadtxt(tmp_path / "out/results/sharp/Boy.txt", delimiter=",")
    np.testing.assert_allclose(rows, otb.truth["Boy"], atol=1e-4)
    (score,) = found.scores
    assert score.reports["otb"].auc == pytest.approx(20 / 21)
    # All toolkits were asked, and say the same of perfect boxes but for the threshold.
    assert set(score.reports) >= {"otb", "pysot", "pytracking_otb", "trackingnet"}
    assert found.made_by["settings"] == {"set": {"tracking.window": 0.1}}
    assert found.made_by["benchmark"] == "otb100" and found.made_by["data"]
    assert found.notes[0].startswith("98 of 100 sequences are missing")
    # A part of a benchmark is not sent.
    assert evaluate.submit(found, tmp_path / "out") == []


def test_other_settings_are_another_run(tmp_path, otb, checkpoints):
    still = settings.choose(changes={"tracking.window": 0.0})
    slow, fast, again = (
        tracked(otb, tmp_path, settings=chosen).scores[0].reports["otb"].auc
        for chosen in (still, None, still)
    )
    assert slow == again != fast


def test_other_peoples_files_are_read_as_they_are(tmp_path, otb):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    rows = otb.truth["Boy"]
    # Another spelling, tabs, a row too many; and another case.
    text = "".join("\t".join(f"{v:g}" for v in row) + "\n" for row in rows)
    (theirs / "boy.txt").write_text(text)
    (theirs / "CAR1.txt").write_text(text + "7\t3\t4\t5\n" * 2)
    given = {"checkpoints": {}, "results_of": {"theirs": theirs}}
    (score,) = tracked(otb, tmp_path, **given, protocol="pytracking_otb").scores
    assert score.reports["pytracking_otb"].auc == pytest.approx(20 / 21)
    assert any("Car1" in note for note in score.reports["pytracking_otb"].warnings)
    # By the rules of another toolkit the surplus row is an error, and told.
    assert "Car1" in score.refused["got10k"]
    # Where they rank, it is left out, or stops all.
    found = tracked(otb, tmp_path, **given, protocol="got10k")
    assert list(found.scores[0].reports["got10k"].sequences) == ["Boy"]
    ((name, reason),) = found.skipped
    assert name == "Car1" and "theirs: results are (7, 4)" in reason
    with pytest.raises(InputError, match=r"Car1: theirs: results are \(7, 4\)"):
        tracked(otb, tmp_path, **given, protocol="got10k", strict=True)


def test_lasot_is_scored_by_its_own_rules_and_sent(tmp_path, checkpoints):
    for name in ("cat-1", "cat-2"):
        fake.lasot_sequence(tmp_path / "lasot", name, 4, absent=(2,))
    (tmp_path / "lasot/testing_set.txt").write_text("cat-1\ncat-2\n")
    lasot = datasets.load("lasot", tmp_path / "lasot")
    found = tracked(lasot, tmp_path)
    assert next(iter(found.scores[0].reports)) == found.primary == "lasot"
    boxes = results.read_results(found.folders["sharp"], dict.fromkeys(lasot.truth, 4))
    expected = ope.score(lasot.truth, boxes, protocol="lasot", absent=lasot.absent)
    assert found.scores[0].reports["lasot"].auc == expected.auc
    sent = tmp_path / "out/submissions/lasot_sharp.zip"
    assert evaluate.submit(found, tmp_path / "out") == [sent]
    with zipfile.ZipFile(sent) as archive:
        assert set(archive.namelist()) == {
            f"sharp_tracking_result/cat-{k}.txt" for k in (1, 2)
        }


def test_what_a_server_scores_is_tracked_and_packed(tmp_path, checkpoints):
    for number in (1, 2):
        fake.got10k_sequence(tmp_path / "got", "test", number)
    part = datasets.load("got10k_test", tmp_path / "got", allow_missing=True)
    got = dataclasses.replace(part, num_expected=2)
    found = tracked(got, tmp_path)
    assert found.scores == []
    (sent,) = evaluate.submit(found, tmp_path / "out")
    assert sent == tmp_path / "out/submissions/got10k_test_sharp.zip"
    with zipfile.ZipFile(sent) as archive:
        assert len(archive.namelist()) == 4


def test_tuning_on_what_is_scored_is_said_first(tmp_path, otb, checkpoints):
    hashes = [manifest.hash_sequence(video.frames, video.xyxy) for video in otb.videos]
    outcome = {
        "tracking": {"tracking.window": 0.1},
        "tuned_on": {
            "split": "otb100",
            "is_test": True,
            "sequences": [otb.videos[0].name],
            "hashes": hashes[:1],
            "trials": 8,
            "sampler": "tpe",
            "seed": 0,
        },
    }
    path = tmp_path / "tuned.json"
    path.write_text(json.dumps(outcome))
    chosen = settings.choose(tuned_file=str(path))
    told = tracked(otb, tmp_path, settings=chosen).as_json()
    assert told["manifest"]["settings"]["tuned"]["overlap"] == [otb.videos[0].name]
    assert "tuned on a test split" in told["notes"][0]
    assert "1 of the 2 sequences scored" in told["notes"][1]


@pytest.fixture
def vot2018(tmp_path, checkpoints):
    """Two sequences of targets that rest; one has a tag on its first frames."""
    for name in ("ants1", "bag"):
        rows = np.tile([2.0, 2, 3, 3], (120, 1))
        folder = fake.vot_sequence(tmp_path / "vot", name, rows)
    (folder / "occlusion.tag").write_text("1\n" * 60)
    return datasets.load("vot2018", tmp_path / "vot", allow_missing=True)


def test_vot_is_run_with_restarts(tmp_path, vot2018, checkpoints):
    # At rest the tracker is right forever; moving by 4.5 px a frame it fails at once,
    # in frame 1, and again every sixth frame: 1, 7, ..., 115.
    still = settings.choose(changes={"tracking.window": 0.0})
    given = {"checkpoints": {"good": "sharp"}, "settings": still}
    good = tracked(vot2018, tmp_path, **given).restarts["good"]
    assert (good.failures, good.robustness) == (0, 0)
    found = tracked(
        vot2018,
        tmp_path,
        checkpoints={"bad": "sharp"},
        settings=settings.choose(changes={"tracking.window": 0.45}),
        results_of={"good": tmp_path / "out/results/good"},
    )
    assert list(found.restarts) == ["bad", "good"]
    assert found.restarts["bad"].failures == 2 * 20
    assert found.restarts["good"].eao == good.eao > 0.9 > found.restarts["bad"].eao
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert told["vot"]["edition"] == "vot2018"
    assert told["vot"]["trackers"]["good"]["eao"] == good.eao
    assert told["manifest"]["settings"] == {"set": {"tracking.window": 0.45}}
    assert found.notes[0].startswith("58 of 60")
    # What is finished is kept.
    traced = checkpoints["sharp"].model.traced
    traced.clear()
    tracked(vot2018, tmp_path, **given)
    assert not traced


def test_faults_of_vot(tmp_path, vot2018):
    folder = tmp_path / "theirs"
    rows = [np.array([1.0]), *[np.array([2.0, 2, 3, 3])] * 119]
    vot_files.write_runs(folder, "bag", [rows], np.zeros((120, 1)))
    for changes, message in (
        ({"results_of": {"theirs": folder}, "strict": True}, "ants1_001.txt"),
        ({"analyses": Options(alignment=True)}, "--alignment looks at one pass"),
        ({"checkpoints": {}}, "nothing to score"),
    ):
        with pytest.raises(InputError, match=message):
            tracked(vot2018, tmp_path, **changes)
        assert not (tmp_path / "out").exists()
