"""Tests for `jaxtrack tune`: how it ends where sequences cannot be read."""

import pytest

from jaxtrack import cli
from jaxtrack.evaluation.tuning import search
from jaxtrack.report import tuning as report
from tests.evaluation.fixtures import write_sequences
from tests.refusals import refused


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command, with a search that cannot track one sequence."""
    root = write_sequences(tmp_path / "sequences")
    (root / "dog/groundtruth_rect.txt").write_text("1,2,3\n")

    def tune(recipe, material, *, holdout, skip, share):
        assert [video.name for video in material.videos] == ["ball", "car <1>"]
        skip("ball", "img/0003.png is cut off")
        return None, None

    monkeypatch.setattr(search, "tune", tune)
    monkeypatch.setattr(report, "write", lambda *_: None)
    monkeypatch.setattr(report, "lines", lambda *_: ["best: 0.5"])
    return ["tune", "--checkpoint=lite", f"--sequences={root}", f"--out={tmp_path}/out"]


def test_sequences_left_out_are_named_and_the_status_is_3(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(command)
    told = capsys.readouterr()
    assert (end.value.code, told.out) == (3, "best: 0.5\n")
    first, second, last = told.err.splitlines()
    assert first.startswith("skipped dog: ") and "line 1: expected 4" in first
    assert second == "skipped ball: img/0003.png is cut off"
    assert last == "finished with 2 skipped"


def test_strict_stops_at_the_first(command, capsys):
    assert "line 1: expected 4" in refused(capsys, *command, "--strict")
    sound = [*command, "--strict", "--pattern=ball", "--pattern=car*"]
    assert "sequence ball: img/0003.png is cut off" in refused(capsys, *sound)
