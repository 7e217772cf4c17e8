"""Tests for experiments.settings."""

import pytest

from experiments import settings
from jaxtrack import config as config_lib
from jaxtrack import configs
from jaxtrack.errors import InputError


def finish(name="siamcar_lite0", **how):
    how = {"data": {}, "pairs": 8000, "seed": 2, **how}
    return settings.of_training(configs.find(name), **how)


def test_finds_names_files_and_folders_in_order(tmp_path):
    found = settings.find(["ablations"])
    known = [name for name in configs.names() if name.startswith("ablations/")]
    assert list(found.values()) == list(map(configs.find, known)) and len(found) == 12
    assert list(found) == [name.removeprefix("ablations/") for name in known]
    (tmp_path / "own.py").touch()
    named = ["demo", str(tmp_path / "own.py"), "cract/lite0_cascade"]
    assert settings.find(named) == {
        "demo": configs.find("demo"),
        "own": tmp_path / "own.py",
        "lite0_cascade": configs.find("cract/lite0_cascade"),
    }


def test_numbers_configs_of_one_name(tmp_path):
    (tmp_path / "demo.py").touch()
    files = [str(tmp_path / "demo.py"), "siamcar_r18", "demo"]
    assert list(settings.find(files)) == ["demo_1", "siamcar_r18", "demo_2"]
    assert list(settings.find(["demo", "demo"])) == ["demo_1", "demo_2"]


def test_refuses_names():
    for names, message in [
        (["siamcar_lite"], "did you mean siamcar_lite0"),
        (["no.py"], "no config file no.py"),
        ([], "name at least one"),
    ]:
        with pytest.raises(InputError, match=message):
            settings.find(names)


def test_the_ablations_can_be_trained_and_see_the_same():
    made = [finish(path, pairs=3200) for path in settings.find(["ablations"]).values()]
    shared = ("run.batch_size", "run.pairs_per_epoch", "data.composed_weight")
    for name in (*shared, "data.records"):
        assert len({config_lib.flat(config)[name] for config in made}) == 1


def test_budget_is_the_whole_training():
    for pairs in (32, 63, 320, 8000, 24000):
        config = finish(pairs=pairs)
        steps = pairs // config.run.batch_size
        assert config_lib.total_steps(config) == steps
        warmup = config_lib.epochs_to_steps(config, config.optimizer.warmup_epochs)
        assert 0.1 * steps <= warmup < 0.1 * steps + 1.001
        # Never: the first step that trains the backbone is the one after the last.
        thawed = config.optimizer.backbone_from_epoch
        assert config_lib.epochs_to_steps(config, thawed) == steps
        assert (config.run.seed, config.run.checkpoint_every) == (2, 50)


def test_a_backbone_trains_from_the_same_share_on():
    # From 7.5 of 15 epochs on, and from 10 of 20.
    for name in ("regularization/tuned_backbone", "siamcar_r50"):
        assert finish(name).optimizer.backbone_from_epoch == 0.5


def test_user_goes_over_the_experiment_and_the_batch_counts():
    changes = [("run.batch_size", "8"), ("data.num_workers", "0")]
    changes += [("run.checkpoint_every", "7")]
    data = {"run.batch_size": 16, "data.num_workers": 1}
    config = finish(changes=changes, data=data, pairs=80)
    assert (config.run.batch_size, config.data.num_workers) == (8, 0)
    assert (config_lib.total_steps(config), config.run.checkpoint_every) == (10, 7)


def test_refuses_changes_and_too_few_pairs():
    own = "config.{}: the experiment itself"
    for change, message in [
        (("run.seed", "1"), own.format("run.seed")),
        (("data.records", "()"), own.format("data.records")),
        (("batch_sise", "3"), "batch_sise"),
        (("optimizer.kind", "adam"), "optimizer.kind"),
    ]:
        with pytest.raises(InputError, match=message):
            finish(changes=[change])
    with pytest.raises(InputError, match="--pairs=31"):
        finish(pairs=31)


def test_differences():
    a, b = configs.load("siamcar_lite0"), configs.load("siamcar_lite0")
    assert settings.differences([a, b]) == {}
    b.optimizer.lr, b.model.preprocessing.mean = 0.5, (1.0, 2.0, 3.0)
    assert settings.differences([a, b, a]) == {
        "optimizer.lr": [a.optimizer.lr, 0.5, a.optimizer.lr],
        "model.preprocessing.mean": [[0.0] * 3, [1.0, 2.0, 3.0], [0.0] * 3],
    }
