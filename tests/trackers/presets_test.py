"""Tests for the presets of all families."""

import json

import numpy as np
import pytest

from jaxtrack import config, configs
from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.trackers import PRESETS, find_preset

NUMBERS = ("tracking.penalty", "tracking.window", "tracking.size_rate")


@pytest.mark.parametrize("name", PRESETS)
def test_a_checkpoint_of_any_model_takes_it(name):
    settings = find_preset(name).settings
    assert all(config.is_of_tracking(field) for field in settings)
    changed = get_config()
    # Locked: an unknown field or another type is refused.
    changed.update_from_flattened_dict(settings)
    config.check(changed)
    changed = config.flat(changed)
    assert all(changed[field] == value for field, value in settings.items())


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("siamrpnpp_r50_vot", "siamrpnpp_r50"),
        ("siamfcpp", "siamfcpp_googlenet"),
        ("siamla_otb100", "siamla_r50"),
        ("siamla_got10k", "siamla_r50_got10k"),
        ("cract", "cract_r18"),
        ("siamban_vot2018", "siamban_r50"),
        ("nanotrack_opencv", "nanotrack_v2"),
    ],
)
def test_configs_use_the_same_numbers(name, file):
    default = config.flat(configs.load(file))
    settings = find_preset(name).settings
    assert {field: default[field] for field in settings} == settings


@pytest.mark.parametrize(
    ("name", "penalty", "window", "size_rate"),
    [
        # pysot's penalty_k, window_influence, lr.
        ("siamrpnpp_r50_otb", 0.24, 0.5, 0.25),
        ("siamrpnpp_8gpu_vot", 0.04, 0.44, 0.33),
        ("siamrpnpp_16gpu_vot", 0.01, 0.40, 0.38),
        # SiamCAR lists [lr, penalty_k, window_lr]: [.33, .04, .3].
        ("siamcar_lasot", 0.04, 0.3, 0.33),
        ("siamcar_old_vot2019", 0.04, 0.3, 0.41),
        ("siamfcpp_otb100", 0.0433, 0.2369, 0.5384),
    ],
)
def test_public_numbers(name, penalty, window, size_rate):
    settings = find_preset(name).settings
    np.testing.assert_array_equal(
        [settings[field] for field in NUMBERS], [penalty, window, size_rate]
    )


def test_selection_is_a_part_of_a_preset():
    assert find_preset("siamcar_uav123").settings["tracking.selection"] == "released"
    assert find_preset("siamla_uav123").settings["tracking.num_boxes"] == 3
    assert find_preset("siamrpnpp_r50_otb").settings["tracking.num_boxes"] == 1
    # That commit's selection is not built here, so none is claimed.
    assert "tracking.selection" not in find_preset("siamcar_old_uav123").settings


def test_stamp_says_where_numbers_come_from():
    stamp = find_preset("siamcar_otb100").description("siamcar_otb100")
    assert json.loads(json.dumps(stamp)) == stamp
    assert stamp["preset"] == "siamcar_otb100" and stamp["tuned_on"] == "unknown"
    assert "SiamCAR" in stamp["source"] and "HP_SEARCH" in stamp["note"]
    assert stamp["settings"] == find_preset("siamcar_otb100").settings


def test_presets_cannot_be_changed():
    with pytest.raises(TypeError):
        find_preset("siamfcpp").settings["tracking.window"] = 0.9


def test_unknown_name():
    with pytest.raises(InputError, match="unknown preset 'x': choose from siamrpnpp"):
        find_preset("x")
