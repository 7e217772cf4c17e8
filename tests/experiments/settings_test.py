"""Tests for experiments.settings."""

import json
import pathlib

import pytest

from experiments import settings
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
LITE = CONFIGS / "siamcar_lite0.py"


def finish(**changes):
    given = {"overrides": {}, "data": {}, "pairs": 8000, "seed": 2, **changes}
    return settings.of_training(LITE, **given)


@pytest.fixture
def folder(tmp_path):
    for name in ("x/b", "x/a", "x/__init__", "a", "c"):
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").touch()
    return tmp_path


def test_finds_names_files_and_folders_in_order(folder):
    inner = folder / "x"
    assert settings.find(["x"], folder) == {"a": inner / "a.py", "b": inner / "b.py"}
    found = settings.find(["c", str(inner / "a.py"), "b"], folder)
    assert list(found.items()) == [
        *(("c", folder / "c.py"), ("a", inner / "a.py"), ("b", inner / "b.py"))
    ]


def test_numbers_configs_of_one_name(folder):
    files = [str(folder / "a.py"), "c", str(folder / "x" / "a.py")]
    assert list(settings.find(files, folder)) == ["a_1", "c", "a_2"]
    assert list(settings.find(["c", "c"], folder)) == ["c_1", "c_2"]


def test_refuses_names(folder):
    for names, message in [
        (["y"], "no config y: see the folder"),
        (["no.py"], "no config no.py"),
        (["a"], "a is both .*a.py and .*a.py: give a path"),
    ]:
        with pytest.raises(InputError, match=message):
            settings.find(names, folder)


def test_the_ablations_can_be_trained_and_see_the_same():
    files = settings.find(["ablations"])
    assert len(files) == 12
    how = {"pairs": 3200, "seed": 0, "data": {}, "overrides": {}}
    made = [settings.of_training(path, **how) for path in files.values()]
    for name in ("batch_size", "pairs_per_epoch", "synthetic_weight", "records"):
        assert len({config[name] for config in made}) == 1


def test_loads_a_file(tmp_path):
    assert settings.load(LITE).model == "siamcar_lite0"
    with pytest.raises(InputError, match="no config file"):
        settings.load(tmp_path / "absent.py")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="no function get_config"):
        settings.load(tmp_path / "empty.py")
    (tmp_path / "settings.txt").write_text("")
    with pytest.raises(InputError, match=r"end in \.py"):
        settings.load(tmp_path / "settings.txt")


def test_parses_literals_and_texts():
    entries = ["lr=1e-3", "optimizer=sgd", "cls_weights=(1.0, 0.0, 0.0)", "model='x=y'"]
    want = {"lr": 1e-3, "optimizer": "sgd", "cls_weights": (1.0, 0.0, 0.0)}
    assert settings.parse_overrides(entries) == {**want, "model": "x=y"}


def test_refuses_overrides():
    for entries, message in [
        (["lr"], "FIELD=VALUE"),
        (["=3"], "FIELD=VALUE"),
        (["lr=1", "lr=2"], "twice"),
        (["seed=1"], "itself sets seed"),
        (["records=()"], "itself sets records"),
    ]:
        with pytest.raises(InputError, match=message):
            settings.parse_overrides(entries)


def test_overrides_nested_fields():
    config = settings.load(LITE)
    settings.override(config, {"preprocessing.order": "BGR", "lr": 1}, source="--set:")
    assert config.preprocessing.order == "BGR" and config.lr == 1.0


def test_refuses_unknown_fields_and_types():
    for fields in ({"batch_sise": 3}, {"lr.x": 3}, {"a.b": 3}, {"batch_size": "many"}):
        with pytest.raises(InputError, match="--set: "):
            settings.override(settings.load(LITE), fields, source="--set:")
    with pytest.raises(InputError, match="--set: batch_sise=3"):
        finish(overrides={"batch_sise": 3})


def test_budget_is_the_whole_training():
    for pairs in (32, 63, 320, 8000, 24000):
        config = finish(pairs=pairs)
        steps = pairs // config.batch_size
        assert config_lib.total_steps(config) == steps
        warmup = config_lib.epochs_to_steps(config, config.warmup_epochs)
        assert 0.1 * steps <= warmup < 0.1 * steps + 1.001
        # Never: the first step that trains the backbone is the one after the last.
        assert config_lib.epochs_to_steps(config, config.backbone_from_epoch) == steps
        assert (config.seed, config.checkpoint_every) == (2, 50)


def test_user_goes_over_the_experiment_and_the_batch_counts():
    config = finish(
        overrides={"batch_size": 8, "num_workers": 0, "checkpoint_every": 7},
        data={"batch_size": 16, "num_workers": 1},
        pairs=80,
    )
    assert (config.batch_size, config.num_workers) == (8, 0)
    assert (config_lib.total_steps(config), config.checkpoint_every) == (10, 7)


def test_refuses_too_few_pairs_and_bad_values():
    with pytest.raises(InputError, match="--pairs=31"):
        finish(pairs=31)
    with pytest.raises(InputError, match="optimizer"):
        finish(overrides={"optimizer": "adam"})


def test_differences():
    a, b = settings.load(LITE), settings.load(LITE)
    assert settings.differences([a, b]) == {}
    b.lr, b.preprocessing.mean = 0.5, (1.0, 2.0, 3.0)
    assert settings.differences([a, b, a]) == {
        "lr": [a.lr, 0.5, a.lr],
        "preprocessing.mean": [[127.0] * 3, [1.0, 2.0, 3.0], [127.0] * 3],
    }


def test_survives_json():
    config = settings.load(LITE)
    back = settings.from_json(json.loads(config.to_json()))
    assert back == config and back.is_locked
    assert back.cls_weights == (0.5, 0.35, 0.15)
