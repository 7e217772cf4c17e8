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
    given = {"overrides": {}, "given": {}, "pairs": 8000, "seed": 2, **changes}
    return settings.finish(LITE, **given)


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


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["lr"], "FIELD=VALUE"),
        (["=3"], "FIELD=VALUE"),
        (["lr=1", "lr=2"], "twice"),
        (["seed=1"], "itself sets seed"),
        (["records=()"], "itself sets records"),
    ],
)
def test_refuses_overrides(entries, message):
    with pytest.raises(InputError, match=message):
        settings.parse_overrides(entries)


def test_overrides_nested_fields():
    config = settings.load(LITE)
    settings.override(config, {"preprocessing.order": "BGR", "lr": 1}, source="--set:")
    assert config.preprocessing.order == "BGR" and config.lr == 1.0


@pytest.mark.parametrize(
    "fields", [{"batch_sise": 3}, {"lr.x": 3}, {"a.b": 3}, {"batch_size": "many"}]
)
def test_refuses_unknown_fields_and_types(fields):
    with pytest.raises(InputError, match="--set: "):
        settings.override(settings.load(LITE), fields, source="--set:")


@pytest.mark.parametrize("pairs", [32, 63, 320, 8000, 24000])
def test_budget_is_the_whole_training(pairs):
    config = finish(pairs=pairs)
    steps = pairs // config.batch_size
    assert config_lib.total_steps(config) == steps
    warmup = config_lib.epochs_to_steps(config, config.warmup_epochs)
    assert 0.1 * steps <= warmup < 0.1 * steps + 1.001
    # Never: the first step that trains the backbone is the one after the last.
    assert config_lib.epochs_to_steps(config, config.backbone_from_epoch) == steps
    assert (config.seed, config.checkpoint_every) == (2, 50)


def test_user_goes_over_the_study_and_the_batch_counts():
    config = finish(
        overrides={"batch_size": 8, "num_workers": 0, "checkpoint_every": 7},
        given={"batch_size": 16, "num_workers": 1},
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
    assert settings.differences(a, b) == {}
    b.lr, b.preprocessing.mean = 0.5, (1.0, 2.0, 3.0)
    assert settings.differences(a, b) == {
        "lr": [a.lr, 0.5],
        "preprocessing.mean": [[127.0] * 3, [1.0, 2.0, 3.0]],
    }


def test_survives_json():
    config = settings.load(LITE)
    back = settings.revive(json.loads(config.to_json()))
    assert back == config and back.is_locked
    assert back.cls_weights == (0.5, 0.35, 0.15)
