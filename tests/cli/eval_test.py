"""Tests for `jaxtrack eval`: from options to a page, and faults in one line."""

import json

import pytest

from jaxtrack import cli
from tests.evaluation.fixtures import root, scores, videos
from tests.refusals import refused

__all__ = ["root", "scores", "videos"]


def test_files_become_a_page(root, tmp_path, scores, capsys):
    two = [f"--results=mine={tmp_path / 'results0'}"]
    two += [f"--results=theirs={tmp_path / 'results1'}"]
    cli.main(["eval", f"--sequences={root}", *two, f"--out={tmp_path / 'out'}"])
    lines = capsys.readouterr().out.splitlines()
    auc = scores[0].reports["otb"].auc
    assert lines[0].startswith(f"mine    AUC {auc:.3f}")
    assert lines[1].startswith("theirs  AUC")
    assert lines[-1] == f"report: {tmp_path / 'out/report.html'}"
    written = json.loads((tmp_path / "out/report.json").read_text())
    assert written["trackers"]["mine"]["otb"]["auc"] == auc
    assert (tmp_path / "out/tables/overview.tex").is_file()


def test_faults_are_one_line_and_write_nothing(root, tmp_path, scores, capsys):
    given = (
        *(f"--sequences={root}", f"--results=mine={tmp_path / 'results0'}"),
        f"--out={tmp_path / 'out'}",
    )
    for option, message in (
        ("--window_sweep", "--window_sweep needs a --checkpoint"),
        ("--windows=0,2", "--windows=2: give numbers from 0 to 1"),
        ("--heatmaps_of=cat", "--heatmaps_of needs a --checkpoint"),
        ("--results=mine", "--results=mine: give NAME=DIR"),
    ):
        assert message in refused(capsys, "eval", *given, option)
    (tmp_path / "results0/ball.txt").write_text("1,2,3,4\n1,2,x,4\n")
    assert "ball.txt, line 2" in refused(capsys, "eval", *given, "--strict")
    assert not list((tmp_path / "out").glob("re*"))


def test_truth_may_be_files_alone(root, tmp_path, scores, capsys):
    for name in ("ball", "car <1>", "dog"):
        truth = (root / name / "groundtruth_rect.txt").read_text()
        (tmp_path / f"{name}.txt").write_text(truth)
    given = [f"--results=mine={tmp_path / 'results0'}", f"--out={tmp_path / 'out'}"]
    cli.main(["eval", f"--ground_truth={tmp_path}", *given])
    written = json.loads((tmp_path / "out/report.json").read_text())
    auc = scores[0].reports["otb"].auc
    assert written["trackers"]["mine"]["otb"]["auc"] == pytest.approx(auc, abs=1e-12)
    capsys.readouterr()
    for options, message in (
        ((f"--ground_truth={tmp_path}", f"--sequences={root}"), "stands for"),
        ((f"--sequences={root}", "--absent=x"), "--absent is for --ground_truth"),
    ):
        assert message in refused(capsys, "eval", *given, *options)


def test_one_bad_sequence_stops_nothing(root, tmp_path, scores, capsys):
    (tmp_path / "results0/ball.txt").write_text("1,2,3,4\n1,2,x,4\n")
    (root / "dog/groundtruth_rect.txt").write_text("1,2,3\n")
    (tmp_path / "list.txt").write_text("ball\nDog\ncar <1>\n")
    out = tmp_path / "out"
    given = [f"--results=mine={tmp_path / 'results0'}", f"--out={out}"]
    with pytest.raises(SystemExit) as end:
        cli.main(
            ["eval", f"--sequences={root}", f"--only={tmp_path / 'list.txt'}", *given]
        )
    assert end.value.code == 3
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("skipped dog: ") and "line 1: expected 4" in said[0]
    assert said[1].startswith("skipped ball: mine: ") and "line 2" in said[1]
    assert said[2:] == ["finished with 2 skipped"]
    written = json.loads((out / "report.json").read_text())
    assert list(written["trackers"]["mine"]["sequences"]) == ["car <1>"]
    assert [one["name"] for one in written["skipped"]] == ["dog", "ball"]
    assert "Left out for all trackers: dog: " in (out / "report.html").read_text()
    assert "no such file" in refused(
        capsys, "eval", f"--sequences={root}", "--only=none", *given
    )
