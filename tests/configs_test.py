"""Tests for the files in configs/."""

import importlib
import pathlib
import re

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from jaxtrack import config as config_lib
from jaxtrack import configs, trackers
from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from tests.networks import without_backbone

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = sorted(
    ".".join(("jaxtrack", *path.relative_to(ROOT).with_suffix("").parts))
    for path in (ROOT / "configs").rglob("[!_]*.py")
)

ROWS = ("ablations", "siamla", "regularization")  # Folders of small changes.


def test_every_config_is_sound():
    fields = set(config_lib.flat(get_config()))
    for name in NAMES:
        config = importlib.import_module(name).get_config()
        config_lib.check(config)
        assert config.is_locked
        assert set(config_lib.flat(config)) == fields
        # A larger batch on the command line then scales from the config's own.
        assert config.optimizer.reference_batch == config.run.batch_size


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow)
        if ".cract." in n
        or n.endswith("_otb")
        or (
            ".dla_" in n and not n.endswith("_lite0")
        )  # Their losses are dla_*_lite0's.
        else n
        for n in NAMES
        if not any(f".{folder}." in n for folder in ROWS)
    ],
)
def test_every_config_has_a_loss_for_its_network(name):
    config = importlib.import_module(name).get_config()
    network = trackers.network_of(config, training=True)
    loss = trackers.family_of(config).loss(config, network)
    result = jax.eval_shape(lambda *args: loss(*args)[0], *outputs_of(config, network))
    assert (result.shape, result.dtype) == ((), jnp.float32)


TRACED = {}


def outputs_of(config, network):
    """Returns shapes of a network's outputs and of their batch; each is traced once."""
    read = (config.model, config.refine, config.data.search_size)
    if str(read) in TRACED:
        return TRACED[str(read)]
    forward = trackers.family_of(config).forward(config, network)
    rest, images = without_backbone(network)

    def trace(key, z_image, x_image):
        variables = rest.init(key, z_image, x_image)
        batch = {"z_image": z_image, "x_image": x_image}
        batch |= {"z_xyxy": jnp.ones((2, 4)), "xyxy": jnp.ones((2, 4))}
        batch |= {"is_positive": jnp.ones(2, bool), "key": jax.random.split(key, 2)}
        modes = {"train": False, "train_backbone": False}
        return nn.apply(forward, rest)(variables, batch, **modes), batch

    TRACED[str(read)] = jax.eval_shape(trace, jax.random.key(0), *images)
    return TRACED[str(read)]


def test_ablations_are_a_few_lines():
    for name in (n for n in NAMES if any(f".{folder}." in n for folder in ROWS)):
        path = (ROOT / name.replace(".", "/")).with_suffix(".py")
        assert len(path.read_text().splitlines()) <= 15


def differences(name, other):
    """Returns what one config file changes of another: setting -> value."""
    one, two = (
        config_lib.flat(importlib.import_module(f"jaxtrack.configs.{n}").get_config())
        for n in (name, other)
    )
    assert one.keys() == two.keys()
    return {field: value for field, value in one.items() if value != two[field]}


def test_cract_is_trained_as_its_paper_says():
    """Fan and Ling, sections 3.4 and 4: 50 epochs of SGD, 1e-2 to 1e-4."""
    config = importlib.import_module("jaxtrack.configs.cract_r18").get_config()
    optimizer, labels, tracking = config.optimizer, config.labels, config.tracking
    assert (optimizer.kind, optimizer.schedule) == ("sgd", "log")
    rates = (optimizer.lr, optimizer.lr_end, optimizer.weight_decay)
    assert rates == (1e-2, 1e-4, 1e-4)
    assert config.run.num_epochs == 50
    assert (labels.assigner, labels.iou_high, labels.iou_low) == ("iou", 0.6, 0.3)
    assert labels.sampled_positives + labels.sampled_negatives == 64
    assert (config.loss.regression, config.loss.weights) == ("smooth_l1", (1, 1, 0))
    refine, online = config.refine, config.online
    assert (refine.samples, refine.positives, refine.positive_iou) == (32, 16, 0.5)
    assert refine.loss_weights == (1, 1)
    scores = (tracking.refined_weight, tracking.identifier_weight)
    assert (tracking.proposals, *scores) == (10, 0.8, 0.4)
    assert (online.first_positives, online.first_negatives) == (200, 1000)
    assert (online.every, online.positives, online.negatives) == (10, 50, 200)
    assert online.learns


def test_rows_of_regularization_change_what_they_say():
    late = {"optimizer.backbone_from_epoch": 7.5}  # Of 15.
    changes = {
        "feature_dropout": {"optimizer.feature_dropout": 0.3},
        "no_weight_decay": {"optimizer.weight_decay": 0.0},
        "no_average": {"optimizer.ema_decay": 0.0},
        "occluders": {"augment.occluder": 0.5},
        "occluders_ignored": {
            "augment.occluder": 0.5,
            "augment.occluder_ignored": True,
        },
        "negatives": {"data.negative_ratio": 0.2},
        "tuned_backbone": late,
        "stochastic_depth": late | {"optimizer.stochastic_depth": 0.1},
    }
    for name, expected in changes.items():
        assert differences(f"regularization.{name}", "siamcar_lite0") == expected


# What each file changes of the full network: the paper's tables one thing each.
SINGLE, UNLEARNT = {"model.pooling": "single"}, {"online.learns": False}
CRACT_ABLATIONS = {
    "lite0_cascade": SINGLE | UNLEARNT,
    "lite0_discriminator": SINGLE,
    "lite0_identifier": UNLEARNT,
    "lite0_parallel": {"model.refinement": "parallel"} | SINGLE | UNLEARNT,
    "r18_discriminator": {"tracking.identifier_weight": 0.0},
    "r18_identifier": UNLEARNT,
    "r18_parallel": {"model.refinement": "parallel"},
    "r18_roialign": SINGLE,
}


def test_ablations_of_cract_change_what_they_say():
    for name, changes in CRACT_ABLATIONS.items():
        assert differences(f"cract.{name}", f"cract_{name.split('_')[0]}") == changes


def test_all_ablations_of_cract_are_tested():
    found = [n for n in NAMES if n.startswith("jaxtrack.configs.cract.")]
    assert [f"jaxtrack.configs.cract.{name}" for name in CRACT_ABLATIONS] == found


def test_the_small_cract_differs_from_siamrpnpp_in_the_refinement():
    changed = differences("cract_lite0", "siamrpnpp_lite0")
    assert "tracking.refined_window" in changed
    changed = {n for n in changed if n.split(".")[0] not in ("refine", "online")}
    assert changed == {"model.name", "tracking.refined_window"}


def test_siamla_is_trained_as_its_paper_says():
    """Nie et al., section IV-A: 50 epochs, 5 frozen, batch 128, 5e-3 to 1e-5."""
    config = importlib.import_module("jaxtrack.configs.siamla_r50").get_config()
    assert (config.run.num_epochs, config.optimizer.backbone_from_epoch) == (50, 5)
    assert (config.run.batch_size, config.optimizer.schedule) == (128, "log")
    assert (config.optimizer.lr, config.optimizer.lr_end) == (5e-3, 1e-5)
    assert config.loss.weights == (1, 1, 1)  # Eq. 11: lambda1 = lambda2 = 1.
    labels = (config.labels.kind, config.labels.alpha, config.labels.beta)
    assert labels == ("ladl", 0.5, 10)  # Eq. 5.
    assert config.labels.smoothing == 0.2  # Table V.
    assert config.tracking.num_boxes == 3
    assert not config.tracking.rate_by_quality


def test_the_small_siamla_differs_from_siamcar_in_what_siamla_adds():
    changed = differences("siamla_lite0", "siamcar_lite0")
    assert set(changed) == {
        *("model.name", "labels.smoothing", "loss.weights", "loss.quality"),
        *("tracking.num_boxes", "tracking.quality_power", "tracking.rate_by_quality"),
    }


def test_siamrpnpp_of_otb_tracks_as_pysot_does():
    changed = differences("siamrpnpp_r50_otb", "siamrpnpp_r50")
    assert changed.pop("model.level_weights") is False
    preset = trackers.find_preset("siamrpnpp_r50_otb").settings
    assert changed == {name: preset[name] for name in changed} and len(changed) == 3


# A row of SiamLA's tables -> what it changes of the whole SiamLA.
UNSMOOTHED, PLAIN = {"labels.smoothing": 0.0}, {"labels.kind": "region"}
CENTERNESS = {"model.localization": "centerness"}
SIAMLA_ROWS = {
    "table3_ladl": CENTERNESS | UNSMOOTHED,
    "table3_ladl_lals": CENTERNESS,
    "table3_lafa": PLAIN | UNSMOOTHED,
    "table3_lals": PLAIN | CENTERNESS,
    "table4_linear": CENTERNESS | UNSMOOTHED | {"labels.curve": "linear"},
    "table5_lambda01": CENTERNESS | {"labels.smoothing": 0.1},
    "table5_lambda03": CENTERNESS | {"labels.smoothing": 0.3},
    "table5_lambda04": CENTERNESS | {"labels.smoothing": 0.4},
    "table6_no_aggregation": PLAIN | UNSMOOTHED | {"model.localization": "non_local"},
    "table6_no_nonlocal": PLAIN | UNSMOOTHED | {"model.localization": "aggregation"},
}


def test_ablations_of_siamla_change_what_they_say():
    """The small ones as those on ResNet-50, whose whole is the paper's training."""
    for name, changes in SIAMLA_ROWS.items():
        assert differences(f"ablations.{name}", "ablations.table3_siamla") == changes
        assert differences(f"siamla.r50_{name}", "siamla.r50_table3_siamla") == changes
    assert not differences("siamla.r50_table3_siamla", "siamla_r50_got10k")
    rows = {*SIAMLA_ROWS, "table3_siamcar", "table3_siamla"}
    folders = {"ablations": "", "siamla": "r50_"}
    for folder, start in folders.items():
        found = {n.split(f".{folder}.")[1] for n in NAMES if f".{folder}." in n}
        assert found == {f"{start}{row}" for row in rows}


def test_ablations_have_the_labels_and_the_loss_of_the_paper():
    """Small and full-size ones alike, and the baseline its own paper's."""
    small = differences("ablations.table3_siamla", "siamla_r50_got10k")
    fixed = {"model", "data", "augment", "optimizer", "run", "tracking"}
    assert {name.split(".")[0] for name in small} <= fixed
    for name in ("ablations.table3_siamcar", "siamla.r50_table3_siamcar"):
        changed = differences(name, "siamcar_r50")
        assert not [n for n in changed if n.split(".")[0] in ("labels", "loss")]


def test_centerness_is_trained_on_centerness():
    for name in NAMES:
        config = importlib.import_module(name).get_config()
        if config.model.name == "siamla":
            assert config.loss.quality == "centerness"


def test_every_config_says_what_it_is_and_costs():
    for name in NAMES:
        if name.count(".") > 2:  # Their packages say it.
            name = name.rpartition(".")[0]
        text = importlib.import_module(name).__doc__
        for words in ("\nPaper: ", "\nRun: ", "\nCost", "core: ", "\nDiffers: "):
            assert words in text, f"{name} lacks {words.strip()}"


def test_commands_of_configs_set_what_there_is():
    for name in NAMES:
        text = importlib.import_module(name).__doc__
        for field in re.findall(r"--config\.([\w.]+)=", text):
            assert config_lib.is_known(field), f"{name}: {field}"
        config = importlib.import_module(name).get_config()
        # Where the data are of the paper, their root is all that is left to say.
        if "Run: jaxtrack train" in text and config.data.records:
            assert "--config.data.root=packed" in text, name


def test_a_file_that_invents_a_setting_is_told_the_nearest(tmp_path):
    path = tmp_path / "own.py"
    for line, message in {
        "c.run.batch_sise = 8": "no setting config.batch_sise: did you mean run.batch",
        "c.lr = 1.0": "own.py: no setting config.lr: did you mean optimizer.lr",
    }.items():
        path.write_text(
            "from jaxtrack.config import get_config as default\n"
            f"def get_config():\n    c = default()\n    {line}\n    return c\n"
        )
        with pytest.raises(InputError, match=message):
            configs.load(path)
