"""Tests for experiments.plan."""

import pytest

from experiments import plan, settings
from jaxtrack import config as config_lib
from jaxtrack.data import build
from jaxtrack.errors import InputError


@pytest.fixture
def packed(monkeypatch):
    """Calls of the packer, which packs nothing."""
    calls = []

    def note(out, **how):
        calls.append((out, how))
        out.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(build, "build", note)
    return calls


def test_names_differ():
    assert plan.names_of("configs/x.py", "other/y.py") == ("x", "y")
    assert plan.names_of("configs/x.py", "other/x.py") == ("x_a", "x_b")


def test_folds_of_a_folder(recipe, folds):
    assert plan.make_folds(recipe) == folds


def test_each_fold_packs_its_own_training_sequences(recipe, folds, packed):
    fields = plan.pack(recipe, folds)
    where = recipe.root.absolute() / "sequences"
    assert packed == [
        (recipe.out / "packed" / "fold0", {"root": where, "patterns": ("davis_b",)}),
        (recipe.out / "packed" / "fold1", {"root": where, "patterns": ("davis_a",)}),
    ]
    # Only davis_a has masks; fold 0 tests it, so only fold 1 may cut it out.
    assert fields[0]["synthetic_cutouts"] == ""
    assert fields[1]["synthetic_cutouts"] == str(where)
    assert fields[1]["synthetic_patterns"] == ("davis_a",)
    assert fields[0]["records"] == (str(recipe.out / "packed" / "fold0"),)
    assert fields[0]["record_weights"] == (0.4,)
    assert fields[0]["synthetic_weight"] == 0.35


def test_stills_and_photographs_where_there_are_some(recipe, folds, packed):
    (recipe.root / "images" / "imagenet_sample").mkdir(parents=True)
    table = recipe.root / "images" / "dogs_boxes.tsv"
    table.touch()
    fields = plan.pack(recipe, folds)
    assert packed[0] == (recipe.out / "packed" / "stills", {"stills": [table]})
    for number, one in enumerate(fields):
        names = (f"fold{number}", "stills")
        assert one["records"] == tuple(str(recipe.out / "packed" / n) for n in names)
        assert one["record_weights"] == (0.4, 0.25)
        assert one["synthetic_photos"].endswith("imagenet_sample")


def test_odd_names_are_taken_literally(recipe, packed):
    for name in ("davis_[x]", "davis_x"):
        (recipe.root / "sequences" / name / "mask").mkdir(parents=True)
        path = recipe.root / "sequences" / name / "groundtruth_rect.txt"
        path.write_text("1,2,3,4\n")
    fold = plan.folds_lib.Fold(train=("davis_[x]",), test=("davis_x",))
    fields = plan.pack(recipe, [fold])
    for patterns in (packed[0][1]["patterns"], fields[0]["synthetic_patterns"]):
        found = [p.name for q in patterns for p in (recipe.root / "sequences").glob(q)]
        assert found == ["davis_[x]"]


def test_runs_come_in_pairs_that_differ_in_the_config_alone(recipe, folds, packed):
    recipe = recipe._replace(overrides={"lr": 0.5})
    data = plan.pack(recipe, folds)
    runs = plan.make_runs(recipe, folds, data)
    labels = [run.label for run in runs]
    assert labels[:3] == [
        "siamcar_lite0 seed 0 fold 0",
        "siamcar_r18 seed 0 fold 0",
        "siamcar_lite0 seed 0 fold 1",
    ]
    assert len(runs) == 2 * 2 * 2 and len({run.folder for run in runs}) == 8
    for a, b in zip(runs[::2], runs[1::2], strict=True):
        assert a.config.model == "siamcar_lite0" and b.config.model == "siamcar_r18"
        assert a.videos == b.videos
        assert config_lib.total_steps(a.config) == config_lib.total_steps(b.config)
        same = ("seed", "batch_size", "lr", "num_workers", *data[0])
        assert all(a.config[name] == b.config[name] for name in same)
    assert [run.config.seed for run in runs] == [0] * 4 + [1] * 4
    for number, run in enumerate(runs):
        fold = folds[number // 2 % 2]
        assert tuple(video.name for video in run.videos) == fold.test
        assert run.config.records[0].endswith(f"fold{number // 2 % 2}")


def test_runs_of_any_number_of_configs(recipe, folds, packed, tmp_path):
    (tmp_path / "small.py").write_text(
        "from jaxtrack.configs import siamcar_lite0\n"
        "def get_config():\n"
        "    c = siamcar_lite0.get_config()\n"
        "    c.batch_size = 16\n"
        "    return c\n"
    )
    paths = {"small": str(tmp_path / "small.py"), "x": recipe.a, "y": recipe.b}
    recipe = recipe._replace(a="", b="")
    data = plan.pack(recipe, folds)
    planned = plan.runs_of(paths, recipe, folds, data, aligns=False)
    assert [run.label for run in planned] == [
        f"{name} seed {seed} fold {fold}"
        for seed in (0, 1)
        for fold in (0, 1)
        for name in paths
    ]
    for run, name in zip(planned, [*paths] * 4, strict=True):
        assert run.folder.parent == recipe.out / "runs" / name
        # The first one's, or the same pairs would be other steps.
        assert run.config.batch_size == 16
        assert config_lib.total_steps(run.config) == 320 // 16
        assert run.aligns is False
    assert planned[4].config.records == planned[3].config.records
    assert planned[4].config.records != planned[2].config.records
    assert all(run.aligns for run in plan.runs_of(paths, recipe, folds, data))


def test_two_configs_of_one_name_are_two(recipe, folds, packed, tmp_path):
    other = tmp_path / "siamcar_lite0.py"
    other.write_text("from jaxtrack.configs.siamcar_r18 import get_config\n")
    recipe = recipe._replace(b=str(other))
    planned = plan.make_runs(recipe, folds, plan.pack(recipe, folds))
    assert [(run.folder.parent.name, run.config.model) for run in planned[:2]] == [
        ("siamcar_lite0_a", "siamcar_lite0"),
        ("siamcar_lite0_b", "siamcar_r18"),
    ]
    assert all(run.aligns for run in planned)


def test_describes_the_study(recipe, folds, packed):
    runs = plan.make_runs(recipe, folds, plan.pack(recipe, folds))
    found = plan.describe(recipe, folds, runs)
    assert (found["a"], found["b"]) == ("siamcar_lite0", "siamcar_r18")
    assert (found["pairs"], found["batch_size"]) == (320, 32)
    assert found["always_held_out"] == ["otb_c"]
    assert found["differences"]["model"] == ["siamcar_lite0", "siamcar_r18"]
    assert "batch_size" not in found["differences"]
    # Of what the study sets nothing differs.
    assert not set(found["differences"]) & {"seed", "records", *settings._OWN}


def test_names_a_missing_folder(recipe, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        plan.make_folds(recipe._replace(root=tmp_path / "absent"))
