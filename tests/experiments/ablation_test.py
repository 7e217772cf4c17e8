"""Tests for experiments.ablation."""

import json
import pathlib

import pytest

from experiments import ablation, runs
from jaxtrack.data import synthetic
from jaxtrack.errors import InputError

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture
def recipe(tmp_path):
    files = (CONFIGS / "siamcar_lite0.py", CONFIGS / "demo.py")
    return ablation.Recipe(configs=files, out=tmp_path / "out", num_seeds=2, pairs=64)


@pytest.fixture
def folder(tmp_path):
    for name in ("b", "a", "__init__"):
        (tmp_path / "ablations").mkdir(exist_ok=True)
        (tmp_path / "ablations" / f"{name}.py").touch()
    for name in ("a", "c"):
        (tmp_path / f"{name}.py").touch()
    return tmp_path


def test_finds_all_sorted_or_those_named(folder):
    inner = folder / "ablations"
    assert ablation.find_configs([], folder) == (inner / "a.py", inner / "b.py")
    found = ablation.find_configs(["c", "a", str(inner / "b.py")], folder)
    assert found == (folder / "c.py", inner / "a.py", inner / "b.py")


@pytest.mark.parametrize(
    ("names", "message"),
    [(["x"], "no file .*x.py or"), (["a", "a"], "twice"), (["no.py"], "no file no.py")],
)
def test_refuses_names(folder, names, message):
    with pytest.raises(InputError, match=message):
        ablation.find_configs(names, folder)


def test_refuses_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="name --configs"):
        ablation.find_configs([], tmp_path)


def test_the_projects_ablations_can_be_trained(tmp_path):
    if not (CONFIGS / "ablations").is_dir():
        pytest.skip("there are none")
    files = ablation.find_configs([], CONFIGS)
    recipe = ablation.Recipe(configs=files, out=tmp_path, pairs=3200)
    planned = ablation.make_runs(recipe, [])
    assert len(planned) == len(files) >= 2
    # Rows of one table see the same data and the same number of steps.
    for name in ("batch_size", "pairs_per_epoch", "synthetic_weight", "records"):
        assert len({one.config[name] for one in planned}) == 1


def test_seed_after_seed_on_composed_scenes_alone(recipe, tmp_path):
    planned = ablation.make_runs(recipe, [tmp_path / "scene"])
    assert [one.label for one in planned] == [
        *("siamcar_lite0 seed 0", "demo seed 0"),
        *("siamcar_lite0 seed 1", "demo seed 1"),
    ]
    for one in planned:
        config = one.config
        assert (config.records, config.synthetic_weight) == ((), 1.0)
        assert config.synthetic_split == "train"  # The scenes to test on are "eval".
        assert one.videos == (tmp_path / "scene",)


def test_a_row_by_hand(make_outcome):
    two = [
        make_outcome({"a": 0.2, "b": 0.4}, {"a": 0.1, "b": None}, cpu_seconds=30.0),
        make_outcome({"a": 0.4, "b": 0.6}, {"a": 0.3, "b": 0.3}, cpu_seconds=None),
    ]
    row = ablation.row_of(two)
    assert row["auc"] == pytest.approx(0.4)
    assert row["auc_std"] == pytest.approx(0.2 / 2**0.5)
    # Where a scene has no correlation the mean is over the others.
    assert row["alignment"] == pytest.approx(0.2)
    assert (row["cpu_seconds"], row["cpu_seconds_std"]) == (30.0, None)
    assert row["num_trainings"] == 2
    assert ablation.row_of([])["auc"] is None


def test_one_table_as_far_as_it_is_done(recipe, monkeypatch, make_outcome, write_run):
    sources = []

    def write(source, folder, *, prefix):
        sources.append(source)
        return [folder / f"{prefix}_{i}" for i in range(source.num_tracks)]

    def run_all(planned, *, at_once, on_finished):
        assert at_once == 2
        first = planned[0]
        write_run(first.folder, make_outcome({v.name: 0.5 for v in first.videos}))
        on_finished()

    monkeypatch.setattr(synthetic, "write_sequences", write)
    monkeypatch.setattr(runs, "run_all", run_all)
    found = ablation.run(recipe, at_once=2)
    assert sources[0].num_tracks == 8
    assert found["rows"]["siamcar_lite0"]["auc"] == 0.5
    assert found["rows"]["demo"]["num_trainings"] == 0
    assert json.loads((recipe.out / "ablation.json").read_text()) == found
    text = (recipe.out / "ablation.md").read_text()
    assert "| siamcar_lite0 | 0.500 | 0.500 | missing | 1.0 | 40.0 |" in text
    assert "| demo | missing |" in text
    assert ablation.summarise(recipe.out) == found
