"""Tests for experiments.runs."""

import dataclasses
import json
import os
import pathlib
import shutil

import pytest

from experiments import jobs, runs, settings
from jaxtrack.errors import InputError

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


def test_refuses_other_settings_of_any_that_share(make_run, started):
    runs.run_all([[make_run(), make_run("two")]])
    with pytest.raises(InputError, match=r"two was made with config\.window="):
        runs.run_all([[make_run("new"), make_run("two", window=0.9)]])
    assert not make_run("new").folder.exists()


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
        *("-m", "experiments.work", "--stage=train"),
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


# Stands in for Python: trains ten steps at once, scores what is trained.
CHILD = """#!/bin/sh
stage=${3#--stage=}; folder=${4#--folder=}
echo "$stage $(basename "$folder")" >> "$CALLS"
if [ "$stage" = train ]; then mkdir -p "$folder/train/checkpoints/10"
else [ -d "$folder/train/checkpoints/10" ] && echo '{}' > "$folder/scores.json"; fi
"""


@pytest.fixture
def children(tmp_path, monkeypatch):
    """Returns what child processes were asked for since the last call."""
    program, calls = tmp_path / "child.sh", tmp_path / "calls.txt"
    program.write_text(CHILD)
    program.chmod(0o755)
    calls.touch()
    monkeypatch.setattr(runs.sys, "executable", str(program))
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.01)
    monkeypatch.setenv("CALLS", str(calls))

    def asked():
        lines = calls.read_text().splitlines()
        calls.write_text("")
        return lines

    return asked


@pytest.fixture
def group(make_run):
    """Three runs of one training, without alignment."""
    names = ("study/one", "study/two", "study/three")
    made = [make_run(name, window=0.1 * i) for i, name in enumerate(names)]
    return [dataclasses.replace(run, aligns=False) for run in made]


def test_runs_that_share_a_training_are_scored_after_it(group, children):
    finished = []
    runs.run_all([group], on_finished=lambda: finished.append(children()))
    assert finished == [["train one", "score one", "score two", "score three"]]
    for run in group:
        spec = json.loads((run.folder / "settings.json").read_text())
        assert spec["config"]["window"] == run.config.window
        assert spec["aligns"] is False
        assert (run.folder / "train").samefile(group[0].folder / "train")
    runs.run_all([group])
    assert children() == []
    (group[1].folder / "scores.json").unlink()
    runs.run_all([group])
    assert children() == ["score two"]


def test_the_shares_of_a_job_that_shares(group):
    job = runs.as_job(*group)
    assert job.label == group[0].label
    assert [stage.name for stage in job.stages] == ["train", *["score"] * 3]
    (group[0].folder / "train" / "checkpoints" / "10").mkdir(parents=True)
    # A training is as long as four scorings.
    assert job.share() == pytest.approx(4 / 7)
    (group[2].folder).mkdir()
    (group[2].folder / "scores.json").touch()
    assert job.share() == pytest.approx(5 / 7)
    assert job.next_stage().log == group[0].folder / "score.log"


def test_alignment_is_asked_for_unless_told(make_run):
    run = make_run()
    (run.folder / "train" / "checkpoints" / "10").mkdir(parents=True)
    (run.folder / "scores.json").touch()
    assert runs.as_job(run).next_stage().name == "score"
    assert runs.as_job(dataclasses.replace(run, aligns=False)).next_stage() is None
    assert "aligns" not in runs._settings(run)  # As studies before had it.


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_a_study_can_be_moved_or_copied(group, children, tmp_path, move, monkeypatch):
    # Folders given relative to where the command was started.
    monkeypatch.chdir(tmp_path)
    near = [
        dataclasses.replace(run, folder=run.folder.relative_to(tmp_path))
        for run in group
    ]
    runs.run_all([near])
    options = {"symlinks": True} if move is shutil.copytree else {}
    move("study", tmp_path / "far" / "study", **options)
    shutil.rmtree("study", ignore_errors=True)
    moved = tmp_path / "far" / "study"
    assert (moved / "two" / "train").is_symlink()
    assert (moved / "two" / "train").samefile(moved / "one" / "train")


def test_what_was_trained_by_itself_stays_so(group, children):
    one, two, three = group
    runs.run_all([two])
    own = two.folder / "train"
    assert children() == ["train two", "score two"]
    # Asked for as one that shares, it is the one that is shared.
    runs.run_all([group])
    assert sorted(children()) == ["score one", "score three"]
    assert own.is_dir() and not own.is_symlink()
    assert (one.folder / "train").samefile(own)
    # The order of the command does not matter either.
    runs.run_all([[three, two, one]])
    assert children() == []


def test_two_that_were_trained_by_themselves(group, children):
    one, two, three = group
    runs.run_all([two, three])
    children()
    (three.folder / "train" / "checkpoints" / "10").rmdir()  # Not to its end.
    runs.run_all([group])
    assert sorted(children()) == ["score one", "train three"]
    assert (one.folder / "train").samefile(two.folder / "train")


def test_a_network_is_not_taken_from_a_run_that_is_not_asked_for(group, children):
    two, three = group[1:]
    runs.run_all([group])
    children()
    # All of it is done: the link is as good as a network of its own.
    runs.run_all([[two]])
    assert children() == [] and (two.folder / "train").is_symlink()
    (two.folder / "scores.json").unlink()
    runs.run_all([[two, three]])
    assert children() == ["train two", "score two"]
    assert not (two.folder / "train").is_symlink()
    assert (three.folder / "train").samefile(two.folder / "train")
    # A link that leads nowhere is no training.
    shutil.rmtree(two.folder)
    runs.run_all([three])
    assert children() == ["train three"]


def test_sharing_again_changes_nothing(group):
    one, two, _ = group
    runs.share_training(two, one)
    before = os.lstat(two.folder / "train")
    runs.share_training(two, one)
    assert os.lstat(two.folder / "train") == before
    assert (two.folder / "train").readlink() == pathlib.Path("../one/train")
