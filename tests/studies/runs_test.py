"""Tests for jaxtrack.studies.runs."""

import json
import pathlib

import pytest

from jaxtrack.errors import InputError
from jaxtrack.studies import jobs, runs, settings

LITE = pathlib.Path(__file__).resolve().parents[2] / "configs" / "siamcar_lite0.py"


@pytest.fixture
def make_run(tmp_path):
    def make(name="one", **overrides):
        config = settings.finish(LITE, overrides=overrides, given={}, pairs=320, seed=0)
        videos = (tmp_path / "videos" / "a", tmp_path / "videos" / "b")
        return runs.Run(name, tmp_path / name, config, videos)

    return make


@pytest.fixture
def started(monkeypatch):
    """Jobs that would be run."""
    found = []

    def run_jobs(work, *, at_once, on_finished):
        found.extend(work)
        on_finished(work[0])

    monkeypatch.setattr(jobs, "run_jobs", run_jobs)
    return found


def test_writes_settings_that_revive(make_run, started):
    run = make_run()
    runs.run_all([run])
    spec = json.loads((run.folder / "settings.json").read_text())
    assert settings.revive(spec["config"]) == run.config
    assert spec["videos"] == [str(video) for video in run.videos]


def test_refuses_other_settings_before_anything_is_written(make_run, started):
    runs.run_all([make_run(), make_run("two")])
    with pytest.raises(InputError, match=r"two was made with config\.lr=0\.002"):
        runs.run_all([make_run("new"), make_run("two", lr=0.1)])
    assert not make_run("new").folder.exists()
    runs.run_all([make_run(), make_run("two")])


def test_a_field_that_is_new_is_no_change(make_run, started):
    run = make_run()
    runs.run_all([run])
    path = run.folder / "settings.json"
    spec = json.loads(path.read_text())
    del spec["config"]["lr"]
    path.write_text(json.dumps(spec))
    runs.run_all([run])
    assert json.loads(path.read_text())["config"]["lr"] == run.config.lr


def test_tells_when_a_run_is_done(make_run, started):
    calls = []
    runs.run_all([make_run()], at_once=3, on_finished=lambda: calls.append(1))
    assert calls == [1] and started[0].label == "one"


def test_stages_are_done_by_what_lies_there(make_run):
    run = make_run()
    train, score = runs.as_job(run).stages
    assert train.command[1:] == (
        *("-m", "jaxtrack.studies.work", "--stage=train"),
        f"--folder={run.folder}",
    )
    assert "--stage=score" in score.command
    # 320 pairs in batches of 32 are 10 steps; "10.tmp" is an unfinished checkpoint.
    (run.folder / "train" / "checkpoints" / "5").mkdir(parents=True)
    (run.folder / "train" / "checkpoints" / "10.tmp").mkdir()
    (run.folder / "train" / "log.jsonl").write_text('{"step": 2}\n{"step": 5}\n')
    assert not train.is_done() and train.share() == 0.5
    (run.folder / "train" / "checkpoints" / "10").mkdir()
    assert train.is_done() and not score.is_done()
    (run.folder / "results" / "tracker").mkdir(parents=True)
    (run.folder / "results" / "tracker" / "a.txt").touch()
    assert score.share() == 0.25  # One of two sequences, half of tracking and ranking.
    (run.folder / "scores.json").touch()
    assert not score.is_done()
    (run.folder / "alignment.json").touch()
    assert score.is_done()


def test_share_of_a_run_not_begun_or_cut_short(make_run):
    run = make_run()
    train, score = runs.as_job(run).stages
    assert train.share() == 0.0 and score.share() == 0.0
    (run.folder / "train").mkdir(parents=True)
    (run.folder / "train" / "log.jsonl").write_text('{"step": 2}\n{"st')
    assert train.share() == 0.0


def test_reads_an_outcome(tmp_path, make_outcome, write_run):
    assert runs.read_outcome(tmp_path) is None
    want = make_outcome({"a": 0.5}, {"a": None})
    write_run(tmp_path / "one", want)
    assert runs.read_outcome(tmp_path / "one") == want
    write_run(tmp_path / "two", make_outcome({"a": 0.5}))
    assert runs.read_outcome(tmp_path / "two").alignment is None
    (tmp_path / "two" / "train_usage.json").unlink()
    assert runs.read_outcome(tmp_path / "two").cpu_seconds is None
