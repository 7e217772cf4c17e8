"""Tests for jaxtrack.config and the files in configs/."""

import importlib
import pathlib

import pytest

from configs import common
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "configs").rglob("[!_]*.py")
)


@pytest.mark.parametrize("name", NAMES)
def test_every_config_is_sound(name):
    config = importlib.import_module(name).get_config()
    config_lib.check(config)
    assert config.is_locked
    assert set(config) == set(common.get_config())


@pytest.mark.parametrize("name", [n for n in NAMES if ".ablations." in n])
def test_ablations_are_a_few_lines(name):
    path = (ROOT / name.replace(".", "/")).with_suffix(".py")
    assert len(path.read_text().splitlines()) <= 15


def test_steps_count_whole_batches():
    config = common.get_config()
    config.batch_size, config.pairs_per_epoch, config.num_epochs = 32, 100, 4
    assert config_lib.steps_per_epoch(config) == 3  # 100 // 32
    assert config_lib.total_steps(config) == 12
    assert config_lib.epochs_to_steps(config, 0.5) == 2  # ceil(1.5)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("schedule", "linear", "config.schedule is 'linear'"),
        ("flip", 1.5, r"config.flip is 1.5: it must lie in \[0, 1\]"),
        ("batch_size", 0, "config.batch_size is 0: it must be positive"),
        ("num_workers", -1, "config.num_workers is -1"),
        ("batch_size", 10_000_000, "an epoch would have no step"),
        ("synthetic_weight", 0.0, "nothing to train on"),
        ("localization", "lava", "config.localization is 'lava'"),
        ("num_boxes", 10, "config.num_boxes is 10"),
        ("records", ("no/such",), "no/such, which is no folder"),
        ("record_weights", (1.0,), "1 numbers for 0 folders"),
    ],
)
def test_what_cannot_work_is_refused(field, value, message):
    config = common.get_config()
    config[field] = value
    with pytest.raises(InputError, match=message):
        config_lib.check(config)


def test_unknown_field_is_refused():
    config = common.get_config()
    with pytest.raises(AttributeError, match="batch_size"):
        config.batch_sise = 8


def test_siamla_is_trained_as_its_paper_says():
    """Nie et al., section IV-A: 50 epochs, 5 frozen, batch 128, 5e-3 to 1e-5."""
    config = importlib.import_module("configs.siamla_r50").get_config()
    assert (config.num_epochs, config.backbone_from_epoch) == (50, 5)
    assert (config.batch_size, config.schedule) == (128, "log")
    assert (config.lr, config.lr_end) == (5e-3, 1e-5)
    assert config.loss_weights == (1, 1, 1)  # Eq. 11: lambda1 = lambda2 = 1.
    labels = (config.labels, config.label_alpha, config.label_beta)
    assert labels == ("ladl", 0.5, 10)  # Eq. 5.
    assert config.label_smoothing == 0.2  # Table V.
    assert config.num_boxes == 3
    assert not config.rate_by_quality


def test_the_small_siamla_differs_from_siamcar_in_what_siamla_adds():
    siamcar, siamla = (
        importlib.import_module(f"configs.{name}").get_config()
        for name in ("siamcar_lite0", "siamla_lite0")
    )
    differing = {name for name in siamla if siamla[name] != siamcar[name]}
    expected = {"model", "loss", "loss_weights", "num_boxes", "quality_power"}
    assert differing == expected | {"label_smoothing", "rate_by_quality"}
