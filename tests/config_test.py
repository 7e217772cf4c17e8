"""Tests for jaxtrack.config and the files in configs/."""

import dataclasses
import importlib
import pathlib

import jax
import jax.numpy as jnp
import pytest

from jaxtrack import config as config_lib
from jaxtrack import models
from jaxtrack.configs import common
from jaxtrack.errors import InputError
from jaxtrack.training import objective

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = sorted(
    ".".join(("jaxtrack", *path.relative_to(ROOT).with_suffix("").parts))
    for path in (ROOT / "configs").rglob("[!_]*.py")
)


@pytest.mark.parametrize("name", NAMES)
def test_every_config_is_sound(name):
    config = importlib.import_module(name).get_config()
    config_lib.check(config)
    assert config.is_locked
    assert set(config) == set(common.get_config())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow) if ".cract." in n else n
        for n in NAMES
        if ".ablations." not in n
    ],
)
def test_every_config_has_a_loss_for_its_network(name):
    config = importlib.import_module(name).get_config()
    model = models.from_config(config, training=True)
    loss = objective.make_loss(config, model)
    inputs = objective.make_inputs(config, model)
    geometry = model.geometry
    images = [
        jax.ShapeDtypeStruct((2, side, side, 3), jnp.float32)
        for side in (geometry.template_size, geometry.search_size)
    ]

    def value(key, z_image, x_image):
        variables = model.init(key, z_image, x_image)
        boxes = {"z_xyxy": jnp.ones((2, 4)), "xyxy": jnp.ones((2, 4))}
        batch = {**boxes, "is_positive": jnp.ones(2, bool)}
        batch["key"] = jax.random.split(key, 2)
        outputs = model.apply(variables, z_image, x_image, **inputs(batch))
        return loss(outputs, batch)[0]

    result = jax.eval_shape(value, jax.random.key(0), *images)
    assert (result.shape, result.dtype) == ((), jnp.float32)


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
        ("assigner", "square", "config.assigner is 'square'"),
        ("dla_ddof", 2, "config.dla_ddof is 2"),
        ("dla_empty", "none", "config.dla_empty is 'none'"),
        ("negative_pairs", "some", "config.negative_pairs is 'some'"),
        ("loss", "siamrpn", "config.loss is 'siamrpn'"),
        ("positive_radius", 0.0, "config.positive_radius is 0.0: it must be positive"),
        ("dla_points", 0, "config.dla_points is 0: it must be positive"),
        ("dla_points", 1, "config.dla_points is 1: a deviation with config.dla_ddof 1"),
        ("loss_weights", (1.0, 1.2), "give three numbers"),
        ("virtual_anchor", 0.0, "config.virtual_anchor is 0.0: it must be positive"),
        ("ignore_radius", -1.0, "config.ignore_radius is -1.0: it must not"),
        ("dla_negatives", -1, "config.dla_negatives is -1: it must not be negative"),
        ("sampled_positives", -1, "config.sampled_positives is -1"),
        ("sampled_negatives", -1, "config.sampled_negatives is -1"),
        ("focal_gamma", -0.5, "config.focal_gamma is -0.5"),
        ("train_search_size", -1, "config.train_search_size is -1"),
        ("focal_alpha", 1.1, r"config.focal_alpha is 1.1: it must lie in \[0, 1\]"),
        ("iou_low", -0.1, r"config.iou_low is -0.1: it must lie in \[0, 1\]"),
        ("iou_high", 0.2, "config.iou_low is 0.3, above config.iou_high 0.2"),
        ("refinement", "both", "config.refinement is 'both': use one of"),
        ("pooling", "roialign", "config.pooling is 'roialign': use one of"),
        ("loss", "crac", "config.loss is 'crac'"),
        ("regression", "l2", "config.regression is 'l2'"),
        ("refine.train_proposals", 0, "config.refine.train_proposals is 0: it must be"),
        ("refine.jittered", -1, "config.refine.jittered is -1: it must not be neg"),
        ("refine.positive_iou", 1.5, r"config.refine.positive_iou is 1.5: .* \[0, 1\]"),
        ("refine.weight", -0.1, r"config.refine.weight is -0.1: it must lie in"),
        ("refine.identifier", 2.0, "config.refine.identifier is 2.0: it must lie in"),
        ("refine.window", 1.1, "config.refine.window is 1.1: it must lie in"),
        ("refine.proposals", 0, "config.refine.proposals is 0: it must be positive"),
        (
            *("refine.positives", 33),
            "config.refine.positives is 33, above config.refine.samples 32: make it at",
        ),
        (
            *("refine.samples", 73),
            "refine.samples is 73: there are but 64 train_proposals and 8 jittered",
        ),
        ("online.every", 0, "config.online.every is 0: it must be positive"),
        ("online.iterations", -1, "config.online.iterations is -1: it must not be"),
        ("online.short_frames", -1, "config.online.short_frames is -1: it must not"),
        ("online.rate", 1.01, "config.online.rate is 1.01: it must lie in"),
        ("online.success", -0.5, "config.online.success is -0.5: it must lie in"),
        ("online.groups", 1, "config.online.groups is 1: give at least 2"),
        (
            *("online.positives", 201),
            "online.positives is 201, above config.online.first_positives 200",
        ),
        (
            *("online.first_negatives", 150),
            "online.negatives is 200, above config.online.first_negatives 150",
        ),
        (
            *("online.candidates", 199),
            "online.negatives is 200, above config.online.candidates 199",
        ),
    ],
)
def test_what_cannot_work_is_refused(field, value, message):
    config = common.get_config()
    config.update_from_flattened_dict({field: value})
    with pytest.raises(InputError, match=message):
        config_lib.check(config)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("refine.positives", 32),  # As many as refine.samples.
        ("refine.samples", 72),  # 64 and 8 jittered.
        ("refine.jittered", 0),
        ("online.positives", 200),
        ("online.candidates", 200),
        ("online.groups", 2),
        ("online.iterations", 0),
        ("refine.positive_iou", 1.0),
        ("refine.weight", 0.0),
    ],
)
def test_what_just_works_is_taken(field, value):
    config = common.get_config()
    config.update_from_flattened_dict({field: value})
    config_lib.check(config)


def test_every_field_that_is_checked_exists():
    fields = {*config_lib._FRACTIONS, *config_lib._POSITIVE, *config_lib._COUNTS}
    fields |= {*config_lib._CHOICES, *(n for pair in config_lib._ORDERED for n in pair)}
    assert fields <= set(flat(common.get_config()))


def test_a_dataclass_is_filled_from_settings_that_have_every_field():
    @dataclasses.dataclass
    class Crop:
        size: int = 1
        flip: float = 0.25
        gray: float = 0.25

    config = common.get_config().unlock()
    config.flip = 0.5
    assert config_lib.fill_dataclass(Crop, config, size=8) == Crop(8, 0.5, 0.0)
    del config.flip, config.gray
    with pytest.raises(InputError, match="Crop needs config.flip, config.gray"):
        config_lib.fill_dataclass(Crop, config, size=8)


def test_unknown_field_is_refused():
    config = common.get_config()
    with pytest.raises(AttributeError, match="batch_size"):
        config.batch_sise = 8


def flat(config):
    """Returns every setting by its name, with a dot for a part of the settings."""
    fields = {}
    for name, value in config.items():
        is_part = hasattr(value, "items")
        inner = flat(value).items() if is_part else ()
        fields |= {f"{name}.{k}": v for k, v in inner} if is_part else {name: value}
    return fields


def differences(name, other):
    """Returns what one config file changes of another: setting -> value."""
    one, two = (
        flat(importlib.import_module(f"jaxtrack.configs.{n}").get_config())
        for n in (name, other)
    )
    assert one.keys() == two.keys()
    return {field: value for field, value in one.items() if value != two[field]}


def test_cract_is_trained_as_its_paper_says():
    """Fan and Ling, sections 3.4 and 4: 50 epochs of SGD, 1e-2 to 1e-4."""
    config = importlib.import_module("jaxtrack.configs.cract_r18").get_config()
    assert (config.num_epochs, config.optimizer, config.schedule) == (50, "sgd", "log")
    assert (config.lr, config.lr_end, config.weight_decay) == (1e-2, 1e-4, 1e-4)
    assert (config.assigner, config.iou_high, config.iou_low) == ("iou", 0.6, 0.3)
    assert config.sampled_positives + config.sampled_negatives == 64
    assert (config.regression, config.loss_weights) == ("smooth_l1", (1, 1, 0))
    refine, online = config.refine, config.online
    assert (refine.samples, refine.positives, refine.positive_iou) == (32, 16, 0.5)
    assert refine.loss_weights == (1, 1)
    assert (refine.proposals, refine.weight, refine.identifier) == (10, 0.8, 0.4)
    assert (online.first_positives, online.first_negatives) == (200, 1000)
    assert (online.every, online.positives, online.negatives) == (10, 50, 200)
    assert online.learns


# What each file changes of the full network: the paper's tables one thing each.
SINGLE, UNLEARNT = {"pooling": "single"}, {"online.learns": False}
CRACT_ABLATIONS = {
    "lite0_cascade": SINGLE | UNLEARNT,
    "lite0_discriminator": SINGLE,
    "lite0_identifier": UNLEARNT,
    "lite0_parallel": {"refinement": "parallel"} | SINGLE | UNLEARNT,
    "r18_discriminator": {"refine.identifier": 0.0},
    "r18_identifier": UNLEARNT,
    "r18_parallel": {"refinement": "parallel"},
    "r18_roialign": SINGLE,
}


@pytest.mark.parametrize("name", CRACT_ABLATIONS)
def test_ablations_of_cract_change_what_they_say(name):
    changed = differences(f"cract.{name}", f"cract_{name.split('_')[0]}")
    assert changed == CRACT_ABLATIONS[name]


def test_all_ablations_of_cract_are_tested():
    found = [n for n in NAMES if n.startswith("jaxtrack.configs.cract.")]
    assert [f"jaxtrack.configs.cract.{name}" for name in CRACT_ABLATIONS] == found


def test_the_small_cract_differs_from_siamrpnpp_in_the_refinement():
    changed = differences("cract_lite0", "siamrpnpp_lite0")
    assert {name for name in changed if "." not in name} == {"model", "loss"}
    parts = {name.split(".")[0] for name in changed if "." in name}
    assert parts == {"refine", "online"}


def test_siamla_is_trained_as_its_paper_says():
    """Nie et al., section IV-A: 50 epochs, 5 frozen, batch 128, 5e-3 to 1e-5."""
    config = importlib.import_module("jaxtrack.configs.siamla_r50").get_config()
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
        importlib.import_module(f"jaxtrack.configs.{name}").get_config()
        for name in ("siamcar_lite0", "siamla_lite0")
    )
    differing = {name for name in siamla if siamla[name] != siamcar[name]}
    expected = {"model", "loss", "loss_weights", "num_boxes", "quality_power"}
    assert differing == expected | {"label_smoothing", "rate_by_quality"}
