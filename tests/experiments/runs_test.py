"""Tests for experiments.runs."""

import json
import pathlib
import shutil

import pytest

from experiments import processes, runs, settings
from jaxtrack import config as config_lib
from jaxtrack import configs
from jaxtrack.errors import InputError


@pytest.fixture
def make_run(tmp_path):
    def make(name="one", *, aligns=False, out=tmp_path / "out", **changes):
        lite = configs.find("siamcar_lite0")
        config = settings.of_training(lite, data=changes, pairs=320, seed=0)
        videos = (tmp_path / "videos" / "a", tmp_path / "videos" / "b")
        network = runs.network_folder(out, config, fold=0)
        folder = runs.run_folder(out, name, 0, 0)
        return runs.Run(name, folder, network, config, videos, aligns)

    return make


@pytest.fixture
def started(monkeypatch):
    """Chains that would be run."""
    found = []

    def run_all(chains, *, at_once, on_finished):
        found.extend(chains)
        on_finished()

    monkeypatch.setattr(processes, "run_all", run_all)
    return found


def test_writes_settings_that_are_read_again(make_run, started):
    run, calls = make_run(), []
    runs.run_all([run], at_once=3, on_finished=lambda: calls.append(1))
    assert calls == [1] and started[0][0].label == "one: train"
    spec = json.loads((run.folder / "settings.json").read_text())
    assert config_lib.from_saved(spec["config"], source="test") == run.config
    assert spec["videos"] == [str(video) for video in run.videos]
    assert spec["aligns"] is False


def test_refuses_other_settings_before_anything_is_written(make_run, started):
    runs.run_all([make_run(), make_run("two")])
    for change, message in (
        ({"optimizer.lr": 0.1}, "optimizer.lr=0.002"),
        ({"tracking.window": 0.9}, "tracking.window="),
    ):
        with pytest.raises(InputError, match=rf"two.* was made with config\.{message}"):
            runs.run_all([make_run("new"), make_run("two", **change)])
    assert not make_run("new").folder.exists()
    runs.run_all([make_run(), make_run("two", aligns=True)])  # More is no change.


def test_a_field_that_is_new_is_no_change(make_run, started):
    run = make_run()
    runs.run_all([run])
    path = run.folder / "settings.json"
    spec = json.loads(path.read_text())
    del spec["config"]["optimizer"]["lr"]
    path.write_text(json.dumps(spec))
    runs.run_all([run])
    again = json.loads(path.read_text())["config"]["optimizer"]["lr"]
    assert again == run.config.optimizer.lr


def test_what_tracking_alone_reads_does_not_part_networks(tmp_path):
    config = configs.load("cract_lite0")
    own = runs.network_folder(tmp_path, config, fold=0)
    assert own != runs.network_folder(tmp_path, config, fold=1)
    for field, value, is_shared in [
        *(("tracking.window", 0.1, True), ("online.learns", False, True)),
        *(("tracking.nms_iou", 0.1, True), ("online.hidden", 5, True)),
        *(("refine.samples", 5, False), ("optimizer.lr", 0.1, False)),
        *(("model.pooling", "single", False), ("run.seed", 3, False)),
    ]:
        other = config.copy_and_resolve_references()
        other.update_from_flattened_dict({field: value})
        assert settings.differences([config, other])
        is_same = runs.network_folder(tmp_path, other, fold=0) == own
        assert is_same == is_shared == config_lib.is_of_tracking(field), field


def test_stages_are_done_by_what_lies_there(make_run):
    run = make_run(aligns=True)
    train, score = runs.chain_of([[run]])
    assert train.command[-3:] == ("experiments.child", "train", str(run.folder))
    assert "score" in score.command
    assert train.share() == 0.0 and score.share() == 0.0
    # 320 pairs in batches of 32 are 10 steps; "10.tmp" is an unfinished checkpoint.
    (run.network / "checkpoints" / "5").mkdir(parents=True)
    (run.network / "checkpoints" / "10.tmp").mkdir()
    (run.network / "log.jsonl").write_text('{"step": 2}\n{"st')
    assert train.share() == 0.0  # Cut short.
    (run.network / "log.jsonl").write_text('{"step": 2}\n{"step": 5}\n')
    assert not train.is_done() and train.share() == 0.5
    (run.network / "checkpoints" / "10").mkdir()
    assert train.is_done() and not score.is_done()
    (run.folder / "results" / "tracker").mkdir(parents=True)
    (run.folder / "results" / "tracker" / "a.txt").touch()
    assert score.share() == 0.25  # One of two sequences, half of tracking and ranking.
    (run.folder / "scores.json").write_text('{"auc": {}}')
    assert not score.is_done() and runs.chain_of([[make_run()]])[1].is_done()
    (run.folder / "scores.json").write_text('{"auc": {}, "alignment": {}}')
    assert score.is_done()
    # What is scored needs no network any more.
    shutil.rmtree(run.network)
    assert train.is_done()


def test_reads_an_outcome(tmp_path, make_outcome, write_run):
    assert runs.read_outcome(tmp_path) is None
    want = make_outcome({"a": 0.5}, {"a": None})
    write_run(tmp_path / "one", want)
    assert runs.read_outcome(tmp_path / "one") == want
    write_run(tmp_path / "two", make_outcome({"a": 0.5}))
    assert runs.read_outcome(tmp_path / "two").alignment is None
    (tmp_path / "two" / "train" / "train_usage.json").unlink()
    assert runs.read_outcome(tmp_path / "two").cpu_seconds is None


def test_runs_that_share_a_network_are_scored_after_it(make_run, children):
    group = [make_run(f"run{i}", **{"tracking.window": 0.1 * i}) for i in range(3)]
    other = make_run("other", **{"optimizer.lr": 0.5})
    finished = []
    runs.run_all(
        [group[0], other, *group[1:]], on_finished=lambda: finished.append(children())
    )
    scoring = [f"score run{i} seed0_fold0" for i in range(3)]
    assert finished == [
        ["train run0 seed0_fold0", *scoring],
        ["train other seed0_fold0", "score other seed0_fold0"],
    ]
    for run in group:
        spec = json.loads((run.folder / "settings.json").read_text())
        assert spec["config"]["tracking"]["window"] == run.config.tracking.window
        assert (run.folder / "train").samefile(group[0].network)
    # A training is as long as four scorings.
    chain = runs.chain_of([group])
    (group[1].folder / "scores.json").unlink()
    assert processes.share_done(chain) == pytest.approx(6 / 7)
    assert processes.next_stage(chain).log == group[1].folder / "score.log"
    # Only that is done again, in any order.
    runs.run_all([*group[::-1], other])
    assert children() == ["score run1 seed0_fold0"]


def test_networks_of_a_seed_and_fold_are_trained_together(make_run, started):
    one = make_run()
    two = make_run("two", **{"optimizer.lr": 0.5})
    runs.run_all([one, two], is_together=True)
    (train, *scoring) = started[0]
    folders = (str(one.folder), str(two.folder))
    assert len(started) == 1 and train.command[-3:] == ("train", *folders)
    assert [stage.label for stage in scoring] == ["one: score", "two: score"]
    for run in (one, two):
        assert train.share() == 0.0 and not train.is_done()
        (run.network / "log.jsonl").write_text('{"step": 7}\n')
    assert train.share() == 0.7
    # What is trained is not trained again.
    (one.network / "checkpoints" / "10").mkdir(parents=True)
    again = runs.chain_of([[one], [two]])[0]
    assert again.command[-2:] == ("train", str(two.folder)) and not again.is_done()
    mixed = [one, make_run("bank", **{"data.negative_ratio": 0.5})]
    with pytest.raises(
        InputError, match=r"--together: data.negative_ratio is 0.*, 0.5"
    ):
        runs.run_all(mixed, is_together=True)


def test_an_experiment_can_be_moved_or_copied(
    make_run, children, tmp_path, monkeypatch
):
    # Folders given relative to where the command was started.
    monkeypatch.chdir(tmp_path)
    near = [make_run(n, out=pathlib.Path("near")) for n in ("one", "two")]
    runs.run_all(near)
    shutil.copytree("near", "copied", symlinks=True)
    shutil.move("near", tmp_path / "far" / "moved")
    for out in (tmp_path / "copied", tmp_path / "far" / "moved"):
        one, two = (out / run.folder.relative_to("near") for run in near)
        assert (one / "train").samefile(two / "train")
        network = pathlib.Path("../../..", *near[0].network.parts[1:])
        assert (two / "train").readlink() == network
        assert runs.read_outcome(two).cpu_seconds is not None
