"""Tests for jaxtrack.report.tuning."""

from matplotlib.figure import Figure

from jaxtrack.evaluation.tuning import tuned
from jaxtrack.report import tuning


def of(**values):
    return {name: {"auc": value, "ao": 0.0} for name, value in values.items()}


GAIN = tuned.gain(of(x=0.1, y=0.5), of(x=0.2, y=0.6), "auc")
OUTCOME = {
    "tracking": {"window": 0.25, "penalty": 0.1},
    "ranges": {"window": [0, 1]},
    "trial": 7,
    "metric": "auc",
    "gain": GAIN,
    "holdout": None,
    "tuned_on": {"split": "val", "is_test": False, "trials": 10},
}


def test_gain_in_words():
    assert tuning.gain_line("here", "auc", GAIN) == (
        "here: AUC 0.400, untuned 0.300: +0.100, 95 % interval [+0.100, +0.100] over "
        "2 sequences"
    )
    alone = tuned.gain(of(x=0.1), of(x=0.2), "ao")
    assert tuning.gain_line("here", "ao", alone) == (
        "here: AO 0.000, untuned 0.000: +0.000, on one sequence, "
        "too few for an interval"
    )


def test_the_summary_says_what_to_believe(tmp_path):
    lines = tuning.lines(OUTCOME, tmp_path)
    assert lines[0] == "best of 10 trials, number 7: window 0.250"
    assert lines[1].startswith("split 'val': AUC 0.400")
    assert "optimistic; --holdout=DIR" in lines[2]
    assert lines[3] == f"written: {tmp_path / 'tuned.json'}"
    about = {**OUTCOME["tuned_on"], "split": "test", "is_test": True}
    held = {**OUTCOME, "holdout": {"gain": GAIN}, "tuned_on": about}
    lines = tuning.lines(held, tmp_path)
    assert lines[3].startswith("holdout: AUC 0.400, untuned")
    assert "--holdout=DIR" not in "".join(lines)
    assert lines[4].startswith("warning: 'test' is a test split")


def test_pictures_are_written(tmp_path, monkeypatch):
    figures = {name: Figure(figsize=(1, 1)) for name in "ab"}
    monkeypatch.setattr(tuning.plots, "draw", lambda *given: figures)
    tuning.write(OUTCOME, [], tmp_path)
    expected = {f"{name}.{kind}" for name in "ab" for kind in ("png", "pdf", "svg")}
    assert {path.name for path in tmp_path.iterdir()} == expected
