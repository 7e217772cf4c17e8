"""Tests for jaxtrack.evaluation.vot_command."""

import json

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.errors import InputError
from jaxtrack.evaluation import (
    runner,
    settings,
    vot_command,
    vot_files,
    vot_run,
    wanted,
)
from tests.datasets import fake_datasets as fake


@pytest.fixture
def vot2018(tmp_path, checkpoints, monkeypatch):
    """Two sequences of targets that rest; one has a tag on its first frames."""
    monkeypatch.setattr(vot_run, "make_tracker", runner.make_tracker)
    for name in ("ants1", "bag"):
        rows = np.tile([2.0, 2, 3, 3], (120, 1))
        folder = fake.vot_sequence(tmp_path / "vot", name, rows)
    (folder / "occlusion.tag").write_text("1\n" * 60)
    return datasets.load("vot2018", tmp_path / "vot", allow_missing=True)


def evaluate(benchmark, tmp_path, **changes):
    return vot_command.evaluate(
        **{
            "checkpoint": "sharp",
            "results_of": [],
            "benchmark": benchmark,
            "out_dir": str(tmp_path / "out"),
            "chosen": settings.choose(changes=["window=0.0"]),
            **changes,
        }
    )


def test_runs_scores_and_reports(tmp_path, vot2018, capsys):
    # At rest the tracker is right for ever; moving by 4.5 px a frame it fails at once,
    # in frame 1, and again every sixth frame: 1, 7, ..., 115.
    good = evaluate(vot2018, tmp_path, name="good")["good"]
    assert (good.failures, good.robustness) == (0, 0)
    fast = settings.choose(changes=["window=0.45"])
    scored = evaluate(
        *(vot2018, tmp_path),
        name="bad",
        chosen=fast,
        results_of=[f"good={tmp_path / 'out/results/good'}"],
    )
    assert list(scored) == ["bad", "good"]
    assert scored["bad"].failures == 2 * 20
    assert scored["good"].eao == good.eao > 0.9 > scored["bad"].eao
    out = tmp_path / "out"
    written = json.loads((out / "report.json").read_text())
    assert written["vot"]["trackers"]["good"]["eao"] == good.eao
    assert written["stamp"]["settings"] == {"set": {"window": 0.45}}
    page = (out / "report.html").read_text()
    for text in ("occlusion", "Expected average overlap", "vot2018", "are missing"):
        assert text in page
    assert (out / "tables/vot.tex").is_file() and (out / "vot_0.png").is_file()
    lines = capsys.readouterr().out
    assert "good at vot2018: EAO" in lines and "note: 58 of 60" in lines


def test_kept_runs_are_not_tracked_again(tmp_path, vot2018, checkpoints):
    evaluate(vot2018, tmp_path)
    traced = checkpoints["sharp"].model.traced
    traced.clear()
    evaluate(vot2018, tmp_path)
    assert not traced


def test_missing_runs_are_named(tmp_path, vot2018):
    folder = tmp_path / "theirs"
    rows = [np.array([1.0]), *[np.array([2.0, 2, 3, 3])] * 119]
    vot_files.write_runs(folder, "bag", [rows], np.zeros((120, 1)))
    given = {"checkpoint": "", "results_of": [f"theirs={folder}"]}
    with pytest.raises(InputError, match="ants1_001.txt"):
        evaluate(vot2018, tmp_path, **given)
    assert not (tmp_path / "out").exists()


def test_analyses_of_one_pass_are_refused(tmp_path, vot2018):
    with pytest.raises(InputError, match="--alignment looks at one pass"):
        evaluate(vot2018, tmp_path, wanted=wanted.Wanted(alignment=True))
    with pytest.raises(InputError, match="nothing to score"):
        evaluate(vot2018, tmp_path, checkpoint="")
