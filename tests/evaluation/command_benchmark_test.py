"""Tests for jaxtrack.evaluation.command on public benchmarks, in tiny copies."""

import dataclasses
import json

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.errors import InputError
from jaxtrack.evaluation import command, results, runner, settings, stamp, submissions
from jaxtrack.metrics import ope
from tests.datasets import fake_datasets as fake


@pytest.fixture
def otb(tmp_path):
    """Two sequences whose targets move one pixel a frame."""
    fake.otb_sequence(tmp_path / "otb", "Boy", 5)
    fake.otb_sequence(tmp_path / "otb", "Car1", 6)
    return datasets.load("otb100", tmp_path / "otb", allow_missing=True)


def evaluate(benchmark, tmp_path, **changes):
    return command.evaluate(
        **{
            "checkpoint": "sharp",
            "results_of": [],
            "benchmark": benchmark,
            "out_dir": str(tmp_path / "out"),
            **changes,
        }
    )


def test_files_of_otb_count_from_one(tmp_path, otb, checkpoints, capsys):
    # The stand-in moves by ten times its window, 4.5 px, or by what it is told: 1 px.
    chosen = settings.choose(changes=["window=0.1"])
    (scores,) = evaluate(otb, tmp_path, chosen=chosen)
    rows = np.loadtxt(tmp_path / "out/results/sharp/Boy.txt", delimiter=",")
    np.testing.assert_allclose(rows, otb.truth["Boy"], atol=1e-4)
    assert scores.reports["otb"].auc == pytest.approx(20 / 21)
    # All toolkits were asked, and say the same of perfect boxes but for the threshold.
    assert set(scores.reports) >= {"otb", "pysot", "pytracking_otb", "trackingnet"}
    page = (tmp_path / "out/report.html").read_text()
    assert "What the toolkits would say" in page and "sequences are missing" in page
    written = json.loads((tmp_path / "out/report.json").read_text())
    assert written["stamp"]["settings"] == {"set": {"window": 0.1}}
    assert written["stamp"]["benchmark"] == "otb100" and written["stamp"]["data"]
    assert "note: 98 of 100 sequences are missing" in capsys.readouterr().out
    # The picture of a frame, whose pixels count from 0, is of a whole report.
    assert (tmp_path / "out/tables/overview.tex").is_file()


def test_interrupted_it_goes_on(tmp_path, otb, checkpoints, monkeypatch, capsys):
    seen = []

    def write(folder, name, xywh, seconds, real=results.write_result):
        if len(seen) == 1:
            raise KeyboardInterrupt
        seen.append(name)
        real(folder, name, xywh, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(runner.results, "write_result", write)
        with pytest.raises(KeyboardInterrupt):
            evaluate(otb, tmp_path)
    evaluate(otb, tmp_path)
    assert "1 of 2 sequences kept" in capsys.readouterr().out


def test_other_settings_are_another_run(tmp_path, otb, checkpoints):
    still = settings.choose(changes=["window=0.0"])
    (slow,) = evaluate(otb, tmp_path, chosen=still)
    (fast,) = evaluate(otb, tmp_path)
    assert slow.reports["otb"].auc != fast.reports["otb"].auc
    (again,) = evaluate(otb, tmp_path, chosen=still)
    assert again.reports["otb"].auc == slow.reports["otb"].auc


def test_other_peoples_files_are_read_as_they_are(tmp_path, otb):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    rows = otb.truth["Boy"]
    # Another spelling, tabs, a row too many; and another case.
    text = "".join("\t".join(f"{v:g}" for v in row) + "\n" for row in rows)
    (theirs / "boy.txt").write_text(text)
    (theirs / "CAR1.txt").write_text(text + "7\t3\t4\t5\n" * 2)
    given = {"checkpoint": "", "results_of": [f"theirs={theirs}"]}
    (scores,) = evaluate(otb, tmp_path, **given, protocol="pytracking_otb")
    assert scores.reports["pytracking_otb"].auc == pytest.approx(20 / 21)
    assert any("Car1" in note for note in scores.reports["pytracking_otb"].warnings)
    # By the rules of another toolkit the surplus row is an error, and told.
    assert "Car1" in scores.refused["got10k"]
    with pytest.raises(InputError, match="results of theirs in .*Car1"):
        evaluate(otb, tmp_path, **given, protocol="got10k")


def test_lasot_is_scored_by_its_own_rules_and_sent(tmp_path, checkpoints, capsys):
    for name in ("cat-1", "cat-2"):
        fake.lasot_sequence(tmp_path / "lasot", name, 4, absent=(2,))
    (tmp_path / "lasot/testing_set.txt").write_text("cat-1\ncat-2\n")
    lasot = datasets.load("lasot", tmp_path / "lasot")
    (scores,) = evaluate(lasot, tmp_path)
    assert next(iter(scores.reports)) == "lasot"
    folder = tmp_path / "out/results/sharp"
    boxes = results.read_results(folder, dict.fromkeys(lasot.truth, 4))
    expected = ope.score(lasot.truth, boxes, protocol="lasot", absent=lasot.absent)
    assert scores.reports["lasot"].auc == expected.auc
    sent = tmp_path / "out/submissions/lasot_sharp.zip"
    submissions.check(lasot, sent)
    assert f"submission, checked: {sent}" in capsys.readouterr().out


def test_what_a_server_scores_is_tracked_and_packed(tmp_path, checkpoints, capsys):
    for number in (1, 2):
        fake.got10k_sequence(tmp_path / "got", "test", number)
    part = datasets.load("got10k_test", tmp_path / "got", allow_missing=True)
    got = dataclasses.replace(part, num_expected=2)
    assert evaluate(got, tmp_path) == []
    submissions.check(got, tmp_path / "out/submissions/got10k_test_sharp.zip")
    assert not (tmp_path / "out/report.html").exists()
    assert "submission, checked" in capsys.readouterr().out


def test_analyses_and_other_settings_exclude_each_other(tmp_path, otb, checkpoints):
    wanted = command.Wanted(alignment=True)
    chosen = settings.choose(changes=["window=0.1"])
    with pytest.raises(InputError, match="--alignment looks at checkpoints with their"):
        evaluate(otb, tmp_path, chosen=chosen, wanted=wanted)


def test_tuning_on_what_is_scored_is_said_first(tmp_path, otb, checkpoints):
    hashes = [stamp.hash_sequence(video.frames, video.xyxy) for video in otb.videos]
    outcome = {
        "tracking": {"window": 0.1},
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
    evaluate(otb, tmp_path, chosen=settings.choose(tuned_file=str(path)))
    written = json.loads((tmp_path / "out/report.json").read_text())
    assert written["stamp"]["settings"]["tuned"]["overlap"] == [otb.videos[0].name]
    assert "tuned on a test split" in written["notes"][0]
    assert "1 of the 2 sequences scored" in written["notes"][1]
