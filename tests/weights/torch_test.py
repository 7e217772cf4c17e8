"""Tests for jaxtrack.weights.torch."""

import jax
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.weights import from_state_dict, to_state_dict
from jaxtrack.weights.torch import backbone_from_state_dict
from tests.goldens import draw
from tests.models.conftest import draw_variables

LITE = "siamcar_lite0"


@pytest.fixture
def state_dict():
    """A state dict that fits, to be spoilt."""
    return to_state_dict(LITE, draw_variables(LITE))


def test_public_names_fit_exactly(goldens):
    """All names and shapes of SiamCAR's code, and no others."""
    state_dict = draw.state_dict(goldens, "siamcar_r50")
    variables = from_state_dict("siamcar_r50", state_dict)
    public = {k: v for k, v in state_dict.items() if "num_batches" not in k}
    ours = to_state_dict("siamcar_r50", variables)
    assert set(ours) == set(public)
    for key, value in public.items():
        np.testing.assert_array_equal(ours[key], value)
    # A convolution's kernel is [out, in, y, x] there, a transposed one's [in, out].
    params = variables["params"]
    kernel = params["head"]["cls_tower"]["conv3"]["kernel"]
    assert kernel[0, 1, 2, 3] == state_dict["car_head.cls_tower.9.weight"][3, 2, 0, 1]
    down = params["correlation"]["down"]["kernel"]
    assert down.shape == (1, 1, 768, 256)
    assert down[0, 0, 2, 3] == state_dict["down.weight"][2, 3, 0, 0]


@pytest.mark.parametrize("name", ["siamcar_lite0", "siamcar_r18"])
def test_there_and_back(name):
    variables = draw_variables(name)
    again = from_state_dict(name, to_state_dict(name, variables))
    jax.tree.map(np.testing.assert_array_equal, again, variables)


def test_wrappers_are_taken_off(state_dict):
    plain = from_state_dict(LITE, state_dict)
    prefixed = {f"module.{key}": value for key, value in state_dict.items()}
    prefixed["module.backbone._bn0.num_batches_tracked"] = np.zeros((), np.int64)
    wrapped = from_state_dict(LITE, {"epoch": 3, "state_dict": prefixed})
    jax.tree.map(np.testing.assert_array_equal, wrapped, plain)


def test_names_what_is_missing(state_dict):
    del state_dict["neck.fine.bias"]
    with pytest.raises(InputError, match=r"missing: neck\.fine\.bias$"):
        from_state_dict(LITE, state_dict)


def test_names_what_is_unexpected(state_dict):
    state_dict["rpn_head.cls.weight"] = np.zeros(3)
    with pytest.raises(InputError, match=r"unexpected: rpn_head\.cls\.weight$"):
        from_state_dict(LITE, state_dict)


def test_names_what_is_misshapen(state_dict):
    state_dict["neck.fine.weight"] = np.zeros((96, 41, 1, 1))
    message = r"neck\.fine\.weight is \(96, 41, 1, 1\), not \(96, 40, 1, 1\)"
    with pytest.raises(InputError, match=message):
        from_state_dict(LITE, state_dict)


def test_another_network_is_told_in_one_line(state_dict):
    with pytest.raises(InputError, match=r"does not fit siamcar_r50.*more") as raised:
        from_state_dict("siamcar_r50", state_dict)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 2000


def test_a_value_that_is_no_array():
    with pytest.raises(InputError, match="'optimizer' is a dict"):
        from_state_dict(LITE, {"optimizer": {}})


def test_a_backbone_must_be_whole(goldens):
    state_dict = draw.state_dict(goldens, "resnet18_atrous")
    del state_dict["layer3.0.downsample.0.weight"]
    with pytest.raises(InputError, match=r"missing: backbone\.layer3\.0\.downsample"):
        backbone_from_state_dict(
            "siamcar_r18", draw_variables("siamcar_r18"), state_dict
        )
