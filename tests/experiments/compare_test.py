"""Tests for experiments.compare, the engine and the command."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from experiments import compare, folds, plot, runs, settings
from jaxtrack import cli, locks
from jaxtrack import config as config_lib
from jaxtrack.data.composed import ComposedSource, write_sequences
from jaxtrack.errors import InputError
from tests.refusals import refused

from .conftest import write_config

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "experiments.compare")
NAMES = ("plain", "middle", "full")


def make_runs(experiment):
    return compare.make_runs(experiment, compare.make_folds(experiment))


def test_runs_of_a_seed_and_fold_are_neighbors_that_differ_in_the_config_alone(
    experiment, two_folds
):
    made = make_runs(experiment._replace(changes=[("optimizer.weight_decay", "0.5")]))
    labels = (
        f"{name} seed {seed} fold {fold}"
        for seed in (0, 1)
        for fold in (0, 1)
        for name in NAMES
    )
    assert [run.label for run in made] == list(labels)
    assert len({run.folder for run in made}) == 12
    for place, run in enumerate(made):
        seed, fold = place // 6, place // 3 % 2
        assert run.config.run.seed == seed and run.config.optimizer.weight_decay == 0.5
        assert tuple(video.name for video in run.videos) == two_folds[fold][1]
        assert run.config.data.records[0].endswith(f"fold{fold}")
        assert config_lib.total_steps(run.config) == 10
        # Two that differ in tracking alone share a network, of this seed and fold.
        assert (run.network == made[place - 1].network) == (place % 3 == 2)
    assert len({run.network for run in made}) == 8


def test_all_have_the_first_ones_batch(experiment, tmp_path):
    write_config(tmp_path / "small.py", "c.run.batch_size = 16")
    files = [str(tmp_path / "small.py"), *map(str, experiment.configs.values())]
    for run in make_runs(experiment._replace(configs=settings.find(files))):
        # Or the same pairs would be other steps.
        assert run.config.run.batch_size == 16
        assert config_lib.total_steps(run.config) == 20


def test_the_papers_parts_share_one_training(experiment):
    parts = [f"cract/lite0_{n}" for n in ("parallel", "cascade", "discriminator")]
    names = ["siamrpnpp_lite0", *parts, "cract_lite0"]
    made = make_runs(experiment._replace(configs=settings.find(names), num_seeds=1))
    networks = [run.network for run in made[:5]]
    assert networks[2] == networks[3] and len(set(networks)) == 4


def test_describes_the_experiment(experiment):
    made = compare.make_folds(experiment)
    record = compare.describe(experiment, made, compare.make_runs(experiment, made))
    assert list(record["configs"]) == list(NAMES)
    assert (record["pairs"], record["batch_size"]) == (320, 32)
    assert record["held_out"] == ["otb_c"]
    # Of what the experiment sets nothing differs.
    assert record["differences"] == {
        "optimizer.lr": [2e-3, 0.5, 0.5],
        "tracking.window": [0.45, 0.45, 0],
    }


def rows(text):
    """Cells of the first table's rows by their first one."""
    table = text[text.index("\n| config") :].split("\n\n")[0].splitlines()
    lines = [line[2:-2].split(" | ") for line in table[3:]]
    return {first: cells for first, *cells in lines}


def test_trains_compares_and_finds_everything_done(experiment, children, monkeypatch):
    monkeypatch.setattr(plot, "difference_plot", lambda result: b"a picture")
    found = compare.compare(experiment, at_once=2)
    calls = children()
    # Of a seed and fold: two trainings, three scorings.
    assert len(calls) == 20 and sum(c.startswith("train") for c in calls) == 8
    assert not any(call.startswith("train full") for call in calls)
    written = json.loads((experiment.out / "compare.json").read_text())
    assert written == found and found["num_finished"] == 12
    text = (experiment.out / "compare.md").read_text()
    # 0.5 and 0.52 of the seeds; the child makes middle and full better by 0.1.
    assert rows(text)["plain"] == ["0.510 ± 0.014", "-"] * 2
    change = "+0.100 (+0.080 to +0.120)"
    assert rows(text)["middle"] == ["0.610 ± 0.014", change] * 2
    assert rows(text)["full"][1].startswith("+0.000")
    assert "rank correlation: Neither is shown to be better" in text
    assert (experiment.out / "compare.png").read_bytes() == b"a picture"
    assert compare.compare(experiment) == found and children() == []
    # Another reference, or less alignment, asks for nothing new.
    other = compare.compare(experiment._replace(reference="first", aligns=False))
    assert children() == []
    change = other["rows"][2]["change"]
    assert change["reference"] == "plain"
    assert change["auc"]["all"]["difference"] == pytest.approx(0.1)
    # A config more trains that one alone.
    two = {name: experiment.configs[name] for name in NAMES[:2]}
    more = {**two, "other": experiment.configs["plain"]}
    compare.compare(experiment._replace(configs=more, num_seeds=1))
    assert children() == [f"score other seed0_fold{fold}" for fold in (0, 1)]


def test_stopped_it_tells_what_is_there_and_goes_on(experiment, children, monkeypatch):
    monkeypatch.setattr(plot, "difference_plot", lambda found: None)
    monkeypatch.setenv("FAILS", "score full")
    with pytest.raises(InputError, match=r"full seed 0 fold 0: score failed .*memory"):
        compare.compare(experiment)
    assert len(children()) == 5
    # The first fold of the first seed, whose own sequences are these.
    written = json.loads((experiment.out / "compare.json").read_text())
    plain = written["rows"][0]
    assert (plain["seeds"], plain["folds"]) == ([0], [0])
    assert set(plain["auc"]["sequences"]) == {"davis_a", "otb_c"}
    found = compare.summarize(experiment.out)
    assert found["rows"][1]["change"]["auc"]["all"]["difference"] == pytest.approx(0.1)
    assert found["rows"][2]["auc"] is None
    monkeypatch.delenv("FAILS")
    found = compare.compare(experiment)
    assert len(children()) == 16 and found["rows"][2]["seeds"] == [0, 1]


def test_a_second_one_is_kept_out_and_nothing_is_not_summarized(experiment, children):
    with pytest.raises(InputError, match="no experiment in .* without --summary_only"):
        compare.summarize(experiment.out)
    message = "another experiment .* is at work"
    with (
        locks.locked(experiment.out, "experiment"),
        pytest.raises(InputError, match=message),
    ):
        compare.compare(experiment)
    assert children() == [] and not (experiment.out / compare.RECORD).exists()


def test_the_command_says_what_is_there_or_one_line(
    experiment, children, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(plot, "difference_plot", lambda result: None)
    compare.compare(experiment._replace(num_seeds=1))
    text = (experiment.out / "compare.md").read_text()
    (experiment.out / "compare.md").unlink()
    capsys.readouterr()

    argv = ["--summary_only", f"--out={experiment.out}"]
    cli.run_command(compare, argv, prog="compare")
    written = f"written: {experiment.out / 'compare.md'}"
    assert capsys.readouterr().out == f"{text}\n{written}\n"
    out = f"--out={tmp_path / 'new'}"
    for argv, message in [
        (["--config=demo,no.py", out], "no config file no.py"),
        (
            ["--config=demo", "--pairs=0", out],
            "--pairs=0: give a whole number",
        ),
        (["--config=demo", "--jobs=2", out], "unknown option --jobs"),
    ]:
        assert message in refused(capsys, *argv, command=compare)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_real_trainings_on_video(tmp_path):
    scenes = ComposedSource(num_tracks=3, length=4, size=(120, 160), split="eval")
    made = write_sequences(scenes, tmp_path / "data" / "sequences", prefix="davis")
    made[2].rename(made[2].with_name("otb_0002"))
    still = tmp_path / "still.py"  # Its boxes keep their size.
    write_config(still, "c.tracking.size_rate = 0.0")
    out = tmp_path / "out"
    given = [
        *(f"--config=siamcar_lite0,{still}", f"--root={tmp_path / 'data'}"),
        *(f"--out={out}", "--seeds=1", "--pairs=8", "--processes=2"),
        *("--config.run.batch_size=4", "--config.data.scenes=4"),
    ]

    def run():
        how = {"cwd": ROOT, "capture_output": True, "text": True}
        done = subprocess.run([*COMMAND, *given], **how)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = run()
    found = json.loads((out / "compare.json").read_text())
    assert found["experiment"]["differences"] == {"tracking.size_rate": [0.5, 0.0]}
    for row in found["rows"]:
        sequences = {"davis_0000", "davis_0001", "otb_0002"}
        assert set(row["auc"]["sequences"]) == sequences
        assert row["usage"]["cpu_seconds"] > 1 and row["alignment"] is not None
    first, second = (runs.run_folder(out, n, 0, 1) for n in ("siamcar_lite0", "still"))
    assert (first / "train").samefile(second / "train")
    attempts = (first / "train" / "train_usage.json").read_text()
    assert len(json.loads(attempts)["attempts"]) == 1
    files = (one / "results" / "tracker" / "otb_0002.txt" for one in (first, second))
    sizes = [np.loadtxt(file, delimiter=",", usecols=(2, 3)) for file in files]
    assert np.ptp(sizes[0], axis=0).min() > 0.01 > np.ptp(sizes[1], axis=0).max()
    assert run() == said  # Finds everything done.
    assert (first / "train" / "train_usage.json").read_text() == attempts


@pytest.mark.slow
def test_a_real_training_on_composed_scenes(tmp_path, monkeypatch):
    monkeypatch.setattr(folds.of_scenes, "__kwdefaults__", {"num_scenes": 1})
    experiment = compare.Experiment(
        configs=settings.find(["demo"]),
        out=tmp_path,
        num_seeds=1,
        pairs=8,
        changes=[("run.batch_size", "4"), ("data.scenes", "4")],
        aligns=False,
    )
    (row,) = compare.compare(experiment)["rows"]
    assert list(row["auc"]["sequences"]) == ["scene_0000"]
    assert row["change"] is None and not (tmp_path / "compare.png").exists()
