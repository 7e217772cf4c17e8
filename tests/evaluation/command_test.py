"""Tests for jaxtrack.evaluation.command and for eval.py."""

import json
import pathlib

import cv2
import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.evaluation import command, compare, runner, source
from jaxtrack.evaluation.wanted import Wanted

ROOT = pathlib.Path(__file__).resolve().parents[2]


def evaluate(root, tmp_path, *, patterns=(), **changes):
    return command.evaluate(
        **{
            "checkpoint": "",
            "results_of": [f"mine={tmp_path / 'results0'}"],
            "benchmark": source.load(sequences=str(root), patterns=patterns),
            "out_dir": str(tmp_path / "out"),
            **changes,
        }
    )


def test_scores_files_and_writes_everything(root, tmp_path, scores, capsys):
    two = [f"mine={tmp_path / 'results0'}", f"theirs={tmp_path / 'results1'}"]
    found = evaluate(root, tmp_path, results_of=two)
    out = tmp_path / "out"
    names = {"success.png", "precision.png", "norm_precision.png"}
    others = {"report.json", "report.html", "tables"}
    assert {p.name for p in out.iterdir()} == names | others
    tables = {f"{n}.{e}" for n in ("overview", "sequences") for e in ("md", "tex")}
    assert tables <= {p.name for p in (out / "tables").iterdir()}
    for name in names:
        assert cv2.imread(str(out / name)).shape[1] > 500
    written = json.loads((out / "report.json").read_text())
    auc = scores[0].reports["otb"].auc
    assert written["trackers"]["mine"]["otb"]["auc"] == auc
    assert found[0].reports["otb"].auc == auc
    lines = capsys.readouterr().out.splitlines()
    given = scores[0].reports["no_first"].auc
    assert lines[0].startswith(f"mine    AUC {auc:.3f}")
    assert f"first frame left out: AUC {given:.3f}" in lines[0]
    assert lines[1].startswith("theirs  AUC")


def test_pattern_chooses_sequences(root, tmp_path, scores):
    found = evaluate(root, tmp_path, patterns=["b*", "dog"])
    assert list(found[0].predicted) == ["ball", "dog"]


def test_checkpoint_and_files_side_by_side(root, tmp_path, scores, monkeypatch):
    asked = []

    def run(checkpoint, videos, out_dir, *, name, together, tracking, origin):
        assert (tracking, origin) == ({}, 0.0)
        asked.append((checkpoint, len(videos), out_dir, name, together))
        return tmp_path / "results1"

    monkeypatch.setattr(runner, "run", run)
    found = evaluate(root, tmp_path, checkpoint="runs/lite0", together=True)
    assert asked == [("runs/lite0", 3, str(tmp_path / "out"), "lite0", True)]
    assert [s.name for s in found] == ["lite0", "mine"]
    with pytest.raises(InputError, match="another --name"):
        evaluate(root, tmp_path, checkpoint="runs/lite0", name="mine")


def test_checkpoints_side_by_side(root, tmp_path, scores, monkeypatch):
    folders = {"x/a": "results2", "x/b": "results1"}

    def run(checkpoint, videos, out_dir, **options):
        return tmp_path / folders[checkpoint]

    monkeypatch.setattr(runner, "run", run)
    found = evaluate(root, tmp_path, checkpoint=["second=x/b", "x/a"])
    assert [s.name for s in found] == ["second", "a", "mine"]
    with pytest.raises(InputError, match="is for one --checkpoint"):
        evaluate(root, tmp_path, checkpoint=["x/b", "x/a"], name="one")


def test_analyses_are_run_shown_and_kept(
    root, tmp_path, scores, checkpoints, capsys, monkeypatch
):
    wanted = Wanted(alignment=True, heatmaps_of=("dog",), windows=(0.0, 0.2))
    evaluate(root, tmp_path, checkpoint=["good=sharp", "blunt"], wanted=wanted)
    out = tmp_path / "out"
    for name in ("alignment_good.png", "window_sweep.png", "heatmaps/dog.jpg"):
        assert cv2.imread(str(out / name)).shape[1] > 500
    written = json.loads((out / "report.json").read_text())
    assert list(written["trackers"]) == ["good", "blunt", "mine"]
    found = written["analyses"]
    assert list(found) == ["alignment", "heatmaps", "window_sweep"]
    assert found["alignment"]["good"]["overall"]["correlation"] == pytest.approx(1)
    assert found["window_sweep"]["blunt"]["windows"] == [0.0, 0.2]
    lines = capsys.readouterr().out.splitlines()
    for start in (
        *("alignment of good: rank correlation 1.000", "alignment of blunt"),
        *("heat maps of dog: frames", "window sweep of good", "window sweep of blunt"),
    ):
        assert sum(line.startswith(start) for line in lines) == 1
    text = (out / "report.html").read_text()
    assert "Confidence against IoU" in text and "share of the window" in text
    # All of it is kept: nothing is tracked or looked at again.
    for opened in checkpoints.values():
        opened.model.traced.clear()
    evaluate(
        *(root, tmp_path),
        checkpoint=["good=sharp", "blunt"],
        wanted=Wanted(alignment=True, windows=(0.0, 0.2)),
    )
    assert not any(opened.model.traced for opened in checkpoints.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wanted": Wanted(alignment=True)}, "--alignment needs a --checkpoint"),
        ({"wanted": Wanted(heatmaps=True)}, "--heatmaps needs a --checkpoint"),
        (
            {"checkpoint": "sharp", "wanted": Wanted(heatmaps_of=("cat",))},
            "--heatmaps_of=cat: no such sequence",
        ),
    ],
)
def test_analyses_that_cannot_be_track_nothing(
    root, tmp_path, scores, checkpoints, changes, message
):
    with pytest.raises(InputError, match=message):
        evaluate(root, tmp_path, **changes)
    assert not (tmp_path / "out").exists()


def test_worst_come_first_and_show_the_judged_tracker(scores, videos):
    worst = command.worst_sequences(scores, videos, about=1, count=2)
    judged = scores[1].reports["otb"].sequences
    assert list(worst) == sorted(judged, key=lambda n: judged[n].auc)[:2]
    name, shots = next(iter(worst.items()))
    assert shots[0].frame == 0 and shots[0].iou == pytest.approx(1.0)
    assert shots[-1].iou == pytest.approx(max(0, judged[name].iou[shots[-1].frame]))


def test_note_tells_of_truth_on_the_border(tmp_path, videos):
    truth = {"a": np.tile([0.0, 5, 9, 9], (4, 1))}
    (tmp_path / "a.txt").write_text("0,5,9,9\n" * 4)
    score = compare.score_folder("mine", tmp_path, truth)
    lines = command.summary_lines([score])
    assert lines[1].startswith("note: 4 frames have no ground truth")
    assert "AUC 0.000" in lines[0] and "AUC 0.952" in lines[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"results_of": []}, "nothing to score"),
        ({"results_of": ["mine"]}, "'mine': expected NAME=DIR"),
        ({"results_of": ["=x"]}, "expected NAME=DIR"),
        ({"results_of": ["a=x", "a=y"]}, "'a' is given twice"),
        ({"results_of": ["a=nowhere"]}, "no folder of results nowhere"),
        ({"patterns": ["cat*"]}, r"cat\*"),
    ],
)
def test_bad_flags_write_nothing(root, tmp_path, scores, changes, message):
    with pytest.raises(InputError, match=message):
        evaluate(root, tmp_path, **changes)
    assert not (tmp_path / "out").exists()


def test_damaged_frame_writes_nothing(root, tmp_path, scores):
    for path in root.glob("*/img/0001.png"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"0001\.png"):
        evaluate(root, tmp_path)
    assert not (tmp_path / "out").exists()


def refused(capsys, *argv):
    """Runs the command, which must end with one line on standard error; returns it."""
    with pytest.raises(SystemExit) as end:
        cli.main(["eval", *argv])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


def test_the_command_fails_in_one_line(root, tmp_path, scores, capsys):
    given = (
        *(f"--sequences={root}", f"--results=mine={tmp_path / 'results0'}"),
        f"--out={tmp_path / 'out'}",
    )
    for option, message in (
        ("--window_sweep", "--window_sweep needs a --checkpoint"),
        ("--windows=0,2", "--windows '2': expected numbers from 0 to 1"),
        ("--heatmaps_of=cat", "--heatmaps_of needs a --checkpoint"),
    ):
        assert message in refused(capsys, *given, option)
    (tmp_path / "results0/ball.txt").write_text("1,2,3,4\n1,2,nan,4\n")
    assert "ball.txt, line 2" in refused(capsys, *given)
    assert not (tmp_path / "out").exists()
