"""Tests for jaxtrack.weights.torch."""

import jax
import numpy as np
import pytest

from jaxtrack import weights
from jaxtrack.errors import InputError
from jaxtrack.weights import torch
from jaxtrack.weights.torch import fill_backbone
from tests.goldens import draw
from tests.networks import (
    NETWORKS,
    abstract,
    from_state_dict,
    number_tensor,
    number_variables,
    to_state_dict,
    weight_names,
)

LITE = "siamcar_lite0"


@pytest.fixture
def state_dict():
    """A state dict that fits, to be spoilt."""
    return to_state_dict(LITE, number_variables(LITE))


def public_names_fit(goldens, name):
    """Checks all names and shapes of public code, and that there are no others."""
    state_dict = draw.state_dict(goldens, name, number_tensor)
    variables = from_state_dict(name, state_dict)
    public = {k: v for k, v in state_dict.items() if "num_batches" not in k}
    ours = to_state_dict(name, variables)
    assert set(ours) == set(public)
    for key, value in public.items():
        np.testing.assert_array_equal(ours[key], value, strict=True)
    return state_dict, variables


def test_public_names_fit_siamcar(goldens):
    state_dict, variables = public_names_fit(goldens, "siamcar_r50")
    # A convolution's kernel is [out, in, y, x] there, a transposed one's [in, out].
    params = variables["params"]
    kernel = params["head"]["cls_tower"]["conv3"]["kernel"]
    assert kernel[0, 1, 2, 3] == state_dict["car_head.cls_tower.9.weight"][3, 2, 0, 1]
    down = params["correlation"]["down"]["kernel"]
    assert down.shape == (1, 1, 768, 256)
    assert down[0, 0, 2, 3] == state_dict["down.weight"][2, 3, 0, 0]


def test_public_names_fit_siamrpnpp(goldens):
    """Those of pysot; the network without weights of levels is another's.

    The channels of its last convolutions stay in their order: all anchors' first value,
    all anchors' second.
    """
    state_dict, variables = public_names_fit(goldens, "siamrpnpp_r50")
    kernel = variables["params"]["correlation"]["loc3_search"]["kernel"]
    assert (
        kernel[0, 1, 2, 3]
        == state_dict["rpn_head.rpn3.loc.conv_search.0.weight"][3, 2, 0, 1]
    )
    last = variables["params"]["head"]["cls4_out"]["bias"]
    np.testing.assert_array_equal(last, state_dict["rpn_head.rpn4.cls.head.3.bias"])
    mean = {k: v for k, v in state_dict.items() if not k.endswith("_weight")}
    assert len(state_dict) - len(mean) == 2
    with pytest.raises(InputError, match=r"missing: rpn_head\.cls_weight"):
        from_state_dict("siamrpnpp_r50", mean)
    alike = from_state_dict("siamrpnpp_r50_otb", mean)
    assert jax.tree.leaves(alike["params"]["neck"])
    with pytest.raises(InputError, match=r"unexpected: rpn_head\.cls_weight"):
        from_state_dict("siamrpnpp_r50_otb", state_dict)


def test_public_names_fit_siamfcpp(goldens):
    """Those of video_analyst."""
    state_dict, variables = public_names_fit(goldens, "siamfcpp_googlenet")
    row = variables["params"]["backbone"]["Mixed_6b"]["branch7x7_2"]["conv"]["kernel"]
    assert row.shape == (1, 7, 128, 128)
    key = "basemodel.Mixed_6b.branch7x7_2.conv.weight"
    assert row[0, 4, 2, 3] == state_dict[key][3, 2, 0, 4]


QUICK = ("siamcar_lite0", "siamcar_r18", "siamla_r50", "siamrpnpp_lite0", "rpn_effb0")
QUICK += ("siamfcpp_lite0", "cract_r18", "cract_lite0", "siamban_lite0", "nanotrack_v2")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name not in QUICK else [])
        for name in NETWORKS
    ],
)
def test_there_and_back(name):
    """No two numbers of a network are alike, so none has another's place."""
    variables = number_variables(name)
    again = from_state_dict(name, to_state_dict(name, variables))
    jax.tree.map(np.testing.assert_array_equal, again, variables)


def test_matrices_are_transposed():
    """A linear layer's weight is [out, in] there, and ours [in, out]."""
    name = "cract_lite0"
    variables = number_variables(name)
    state_dict = to_state_dict(name, variables)
    for head, outputs in (("regression", 4), ("identifier", 2)):
        weight = state_dict[f"refiner.{head}.fc_out.weight"]
        kernel = variables["params"]["refiner"][head]["fc_out"]["kernel"]
        assert weight.shape == (outputs, 128) and kernel.shape == (128, outputs)
        np.testing.assert_array_equal(weight[1], kernel[:, 1])
        assert weight.flags.c_contiguous
        bias = state_dict[f"refiner.{head}.fc_out.bias"]
        assert bias.shape == (outputs,)
    # 6 x 6 bins of 48 channels.
    assert state_dict["refiner.regression.fc0.weight"].shape == (128, 6 * 6 * 48)
    spoilt = {**state_dict, "refiner.identifier.fc_out.weight": weight.T}
    message = r"identifier\.fc_out\.weight is \[128, 2\], not \[2, 128\]"
    with pytest.raises(InputError, match=message):
        from_state_dict(name, spoilt)
    # A square matrix has one shape both ways; its values tell.
    square = state_dict["refiner.regression.fc1.weight"]
    again = from_state_dict(name, state_dict)["params"]["refiner"]["regression"]
    np.testing.assert_array_equal(again["fc1"]["kernel"], square.T)
    assert np.any(square != square.T)


def test_the_refinement_has_names_of_its_own():
    """CRACT's RPN is pysot's of one level, its fourth; what follows is ours."""
    names = to_state_dict("cract_r18", number_variables("cract_r18"))
    heads = {key.split(".")[0] for key in names}
    assert heads == {"backbone", "neck", "rpn_head", "fuse", "refiner"}
    assert names["neck.downsample4.downsample.0.weight"].shape == (256, 512, 1, 1)
    assert names["rpn_head.rpn2.cls.conv_kernel.0.weight"].shape == (256, 256, 3, 3)
    assert names["fuse.conv.weight"].shape == (256, 256 + 512, 1, 1)
    assert names["refiner.identifier.conv_target.weight"].shape == (256, 768, 3, 3)
    assert names["refiner.identifier.fc_out.weight"].shape == (2, 256)


def test_wrappers_are_taken_off(state_dict):
    settings = {"backbone": "efficientnet_lite0", "design": "light"}
    plain = weights.from_state_dict("siamcar", state_dict, **settings)
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
    message = r"neck\.fine\.weight is \[96, 41, 1, 1\], not \[96, 40, 1, 1\]"
    with pytest.raises(InputError, match=message):
        from_state_dict(LITE, state_dict)


def test_names_what_is_not_floating(state_dict):
    """Quantized weights would be numbers of another meaning."""
    state_dict["neck.fine.bias"] = state_dict["neck.fine.bias"].astype(np.int8)
    with pytest.raises(InputError, match=r"neck\.fine\.bias is int8, not floating"):
        from_state_dict(LITE, state_dict)


def test_every_name_is_accounted_for(state_dict):
    """One of each kind: fitting, missing, unexpected, misshapen, left out."""
    count = len(state_dict)
    state_dict["neck.fine.weight"] = np.zeros((1, 2), np.float32)
    del state_dict["neck.fine.bias"]
    state_dict |= {"a.b": np.zeros(1), "old.c": np.zeros(1)}
    names = weight_names(LITE)._replace(leftover=r"old\.")
    found = torch.match(names, abstract(LITE)[1], state_dict)
    assert len(found.fitting) == count - 2
    assert found.lines() == [
        "missing     neck.fine.bias",
        "unexpected  a.b",
        "misshapen   neck.fine.weight is [1, 2], not [96, 40, 1, 1]",
        "left out    old.c",
        f"{count - 2} arrays fit, 1 missing, 1 unexpected, 1 misshapen, 1 left out",
    ]
    own = number_variables(LITE)
    filled = torch.fill_fitting(names, own, state_dict)
    assert (
        filled["params"]["neck"]["fine"]["bias"]
        is own["params"]["neck"]["fine"]["bias"]
    )


# Names and shapes in timm's tf_efficientnet_b0, and in EfficientNet-PyTorch's.
TIMM = {
    "conv_stem.weight": ("_conv_stem.weight", (32, 3, 3, 3)),
    "bn1.running_var": ("_bn0.running_var", (32,)),
    "blocks.0.0.conv_dw.weight": ("_blocks.0._depthwise_conv.weight", (32, 1, 3, 3)),
    "blocks.0.0.bn1.bias": ("_blocks.0._bn1.bias", (32,)),
    "blocks.0.0.se.conv_reduce.bias": ("_blocks.0._se_reduce.bias", (8,)),
    "blocks.0.0.conv_pw.weight": ("_blocks.0._project_conv.weight", (16, 32, 1, 1)),
    "blocks.0.0.bn2.weight": ("_blocks.0._bn2.weight", (16,)),
    "blocks.1.0.conv_pw.weight": ("_blocks.1._expand_conv.weight", (96, 16, 1, 1)),
    "blocks.2.1.bn1.weight": ("_blocks.4._bn0.weight", (240,)),
    "blocks.3.2.conv_dw.weight": ("_blocks.7._depthwise_conv.weight", (480, 1, 3, 3)),
    "blocks.4.2.bn2.running_mean": ("_blocks.10._bn1.running_mean", (672,)),
    "blocks.5.3.se.conv_expand.weight": (
        *("_blocks.14._se_expand.weight", (1152, 48, 1, 1)),
    ),
    "blocks.6.0.conv_pwl.weight": (
        "_blocks.15._project_conv.weight",
        (320, 1152, 1, 1),
    ),
    "blocks.6.0.bn3.bias": ("_blocks.15._bn2.bias", (320,)),
}


def test_timm_names_of_efficientnets():
    """Blocks are counted by stage there; both codes' names give the same network."""
    names, own = weight_names("rpn_effb0"), number_variables("rpn_effb0")
    state_dict = torch.backbone_state_dict(names, own, code="timm")
    public = torch.backbone_state_dict(names, own)
    assert len(state_dict) == len(public)
    for name, (other, shape) in TIMM.items():
        assert state_dict[name].shape == shape
        np.testing.assert_array_equal(state_dict[name], public[other])
    blank = jax.tree.map(np.zeros_like, own)
    more = {"conv_head.weight": np.zeros(1), "classifier.bias": np.zeros(1)}
    for arrays in (state_dict | more, public):
        filled = fill_backbone(names, blank, arrays)
        jax.tree.map(
            np.testing.assert_array_equal,
            *(tree["params"]["backbone"] for tree in (filled, own)),
        )
    found = torch.match_backbone(names, abstract("rpn_effb0")[1], state_dict | more)
    assert found.is_whole and len(found.leftover) == 2
    lite = torch.backbone_state_dict(
        weight_names(LITE), number_variables(LITE), code="timm"
    )
    assert lite["blocks.4.2.conv_pwl.weight"].shape == (112, 672, 1, 1)
    assert not any("se." in name for name in lite)


def test_another_network_is_told_in_one_line(state_dict):
    with pytest.raises(InputError, match=r"does not fit the network.*more") as raised:
        from_state_dict("siamcar_r50", state_dict)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 2000


def test_what_holds_no_arrays():
    with pytest.raises(InputError, match="no arrays by name: it has optimizer"):
        from_state_dict(LITE, {"optimizer": {}})


def test_a_backbone_must_be_whole(goldens):
    state_dict = draw.state_dict(goldens, "resnet18_atrous", number_tensor)
    del state_dict["layer3.0.downsample.0.weight"]
    with pytest.raises(InputError, match=r"missing: backbone\.layer3\.0\.downsample"):
        fill_backbone(
            weight_names("siamcar_r18"), number_variables("siamcar_r18"), state_dict
        )
