"""Tests for ImageNet weights with torchvision's names, and for trainings without."""

import importlib
import shlex
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from jaxtrack import configs, weights
from jaxtrack.cli import overrides
from jaxtrack.cli import train as cli_train
from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.models.backbones import BACKBONES, IMAGENET_PIXELS, resnet
from jaxtrack.training import loop
from jaxtrack.weights import torch
from jaxtrack.weights.torch import centered, fill, fill_backbone
from tests.goldens import draw
from tests.networks import number_variables, same_names_and_values, weight_names

NAMES = weight_names("siamcar_r18")
FULL_SIZE = {
    "cract_r18": "resnet18",
    "siamcar_r18": "resnet18",
    "siamla_r50": "resnet50",
    "dla_siamrpnpp_r50": "resnet50",
    "rpn_effb0": "efficientnet-b0",
    "siamfcpp_googlenet": "inception_v3",
}


def norm_shapes(key, channels):
    """Shapes of torch's batch normalization."""
    leaves = ("weight", "bias", "running_mean", "running_var")
    shapes = {f"{key}.{leaf}": (channels,) for leaf in leaves}
    return {**shapes, f"{key}.num_batches_tracked": ()}


def stage_shapes(stage, depth, inputs, *, is_deep):
    """Shapes of a stage as torchvision names them, and its number of channels."""
    width = 64 * 2 ** (stage - 1)
    outputs = width * (4 if is_deep else 1)
    shapes = {}
    for block in range(depth):
        key = f"layer{stage}.{block}"
        plan = [(width, inputs, 3), (width, width, 3)]
        if is_deep:
            plan = [(width, inputs, 1), (width, width, 3), (outputs, width, 1)]
        for number, (to, of, side) in enumerate(plan, start=1):
            shapes[f"{key}.conv{number}.weight"] = (to, of, side, side)
            shapes |= norm_shapes(f"{key}.bn{number}", to)
        if block == 0 and inputs != outputs:
            shapes[f"{key}.downsample.0.weight"] = (outputs, inputs, 1, 1)
            shapes |= norm_shapes(f"{key}.downsample.1", outputs)
        inputs = outputs
    return shapes, outputs


def torchvision_shapes(depths, *, is_deep):
    """Shapes of a whole ResNet as torchvision (and timm) names them."""
    shapes = {"conv1.weight": (64, 3, 7, 7), **norm_shapes("bn1", 64)}
    channels = 64
    for stage, depth in enumerate(depths, start=1):
        more, channels = stage_shapes(stage, depth, channels, is_deep=is_deep)
        shapes |= more
    return {**shapes, "fc.weight": (1000, channels), "fc.bias": (1000,)}


RESNET18 = torchvision_shapes((2, 2, 2, 2), is_deep=False)


def test_all_of_a_resnet_of_torchvision_is_taken():
    """Numbers of parameters are those torchvision tells; ResNet-18 is read below."""
    for build, depths, is_deep, count in (
        (resnet.resnet34, (3, 4, 6, 3), False, 21_797_672),
        (resnet.resnet50, (3, 4, 6, 3), True, 25_557_032),
    ):
        shapes = torchvision_shapes(depths, is_deep=is_deep)
        assert count == sum(
            np.prod(shape, dtype=int)
            for key, shape in shapes.items()
            if "running" not in key and "num_batches" not in key
        )
        state_dict = {k: np.broadcast_to(np.float32(1), s) for k, s in shapes.items()}
        image = jax.ShapeDtypeStruct((1, 127, 127, 3), jnp.float32)
        tree = jax.eval_shape(build().init, jax.random.key(0), image)
        tree = {kind: {"backbone": part} for kind, part in tree.items()}
        loaded = fill_backbone(NAMES, tree, state_dict)
        assert jax.tree.structure(loaded) == jax.tree.structure(tree)
        params = loaded["params"]["backbone"]
        for stage in (2, 3, 4):  # The center is taken, and nothing else is.
            shortcut = params[f"layer{stage}"]["block0"]["downsample_conv"]["kernel"]
            assert shortcut.shape[:2] == (3, 3)
            np.testing.assert_array_equal(shortcut[1, 1], 1)
            assert shortcut.sum() == shortcut[1, 1].size


def conv(x, kernel, stride=1, padding=0, dilation=1):
    """Convolves `[C, H, W]` with `[O, C, k, k]` in float64, by definition."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    side = dilation * (kernel.shape[-1] - 1)
    rows, columns = (range(0, n - side, stride) for n in x.shape[1:])
    out = np.zeros((len(kernel), len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            reach = slice(row, row + side + 1, dilation)
            patch = x[:, reach, column : column + side + 1 : dilation]
            out[:, i, j] = np.einsum("ocyx,cyx->o", kernel, patch)
    return out


def torchvision_block(weights, x, *, is_deep, stride, dilation):
    """A block as torchvision defines it: padded, its shortcut 1x1."""

    def layer(y, name, norm, *sizes):
        scale, bias, mean, var = (
            weights[f"{norm}.{leaf}"][:, None, None]
            for leaf in ("weight", "bias", "running_mean", "running_var")
        )
        y = conv(y, weights[f"{name}.weight"], *sizes)
        return (y - mean) / np.sqrt(var + 1e-5) * scale + bias

    spatial = (stride, dilation, dilation)
    plan = [spatial, (1, 1, 1)]
    if is_deep:
        plan = [(1, 0, 1), spatial, (1, 0, 1)]
    y = x
    for number, sizes in enumerate(plan, start=1):
        y = layer(y, f"conv{number}", f"bn{number}", *sizes)
        y = np.maximum(y, 0) if number < len(plan) else y
    return np.maximum(y + layer(x, "downsample.0", "downsample.1", stride), 0)


@pytest.mark.parametrize(
    ("is_deep", "stride", "edge"), [(False, 2, 0), (True, 2, 1), (True, 1, 0)]
)
def test_the_center_meets_the_pixel_of_the_1x1_shortcut(is_deep, stride, edge):
    """Strided, ours pads nothing: torchvision's input with a border of 0 is its own.

    Behind a convolution the border is not 0 any more, so there the cells at the edge
    differ.
    """
    block = resnet.Stage(is_deep, 1, 4, stride, 4 // stride**2, shortcut=3)
    x = np.random.default_rng(0).standard_normal((11, 11, 3), np.float32)
    framed = np.pad(x, ((1, 1), (1, 1), (0, 0))) if stride == 2 else x
    tree = jax.eval_shape(block.init, jax.random.key(0), framed[None])
    tree = {kind: {"backbone": {"layer3": part}} for kind, part in tree.items()}
    outputs = 16 if is_deep else 4
    shapes = {"conv1.weight": (4, 3, 3, 3), "conv2.weight": (4, 4, 3, 3)}
    shapes |= {**norm_shapes("bn1", 4), **norm_shapes("bn2", 4)}
    if is_deep:
        shapes |= {"conv1.weight": (4, 3, 1, 1), "conv3.weight": (16, 4, 1, 1)}
        shapes |= norm_shapes("bn3", 16)
    shapes |= {"downsample.0.weight": (outputs, 3, 1, 1)}
    shapes |= norm_shapes("downsample.1", outputs)
    drawn = {key: draw.tensor(key, shape) for key, shape in shapes.items()}
    loaded = fill_backbone(
        NAMES, tree, {f"layer3.0.{key}": value for key, value in drawn.items()}
    )
    variables = {kind: part["backbone"]["layer3"] for kind, part in loaded.items()}
    ours = np.moveaxis(block.apply(variables, framed[None])[0], -1, 0)
    dilation = 2 if stride == 1 else 1
    theirs = torchvision_block(
        {key: np.float64(value) for key, value in drawn.items()},
        np.float64(np.moveaxis(x, -1, 0)),
        is_deep=is_deep,
        stride=stride,
        dilation=dilation,
    )
    assert ours.shape == theirs.shape and theirs.any()
    inner = slice(edge, -edge or None)
    ours, theirs = ours[:, inner, inner], theirs[:, inner, inner]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_safetensors_file_of_torchvision_is_read(tmp_path):
    """Into the config that names it; where pixels would stay raw it is refused."""
    drawn = np.random.default_rng(0).random(5_000_000, np.float32)
    state_dict = {
        key: drawn[: np.prod(shape, dtype=int)].reshape(shape)
        for key, shape in RESNET18.items()
    }
    state_dict["bn1.num_batches_tracked"] = np.int64([7])
    path = tmp_path / "resnet18.safetensors"
    safetensors.numpy.save_file(state_dict, path)
    variables = number_variables("siamcar_r18")
    given = (str(path), NAMES, variables)
    start = weights.load_pretrained(*given, preprocessing=IMAGENET_PIXELS)
    assert start.description == f"the backbone comes from {path}"
    loaded = start.variables
    kernel = loaded["params"]["backbone"]["layer4"]["block0"]["downsample_conv"]
    np.testing.assert_array_equal(
        kernel["kernel"][1, 1], state_dict["layer4.0.downsample.0.weight"][..., 0, 0].T
    )
    assert loaded["params"]["neck"] is variables["params"]["neck"]
    same_names_and_values(
        torch.backbone_state_dict(NAMES, loaded),
        {k: v for k, v in state_dict.items() if "fc." not in k},
    )
    raw = BACKBONES["resnet18"].preprocessing
    with pytest.raises(InputError, match="1x1 shortcuts.*normalized pixels") as fault:
        weights.load_pretrained(*given, preprocessing=raw)
    given = overridden(get_config(), str(fault.value)).model.preprocessing
    assert given.to_dict() == IMAGENET_PIXELS._asdict()


def overridden(config, text):
    """Changes settings by the options that a message tells to give."""
    words = [w for w in shlex.split(text) if w.startswith("--config.")]
    pairs = [w.removeprefix("--config.").split("=", 1) for w in words]
    overrides.apply(config, pairs)
    return config


def test_whole_trackers_have_no_narrow_shortcuts():
    key = "backbone.layer2.0.downsample.0.weight"
    tree = {"params": {"backbone": {"layer2": {"block0": {"downsample_conv": {}}}}}}
    block = tree["params"]["backbone"]["layer2"]["block0"]
    block["downsample_conv"]["kernel"] = jax.ShapeDtypeStruct((3, 3, 2, 4), jnp.float32)
    kernel = np.ones((4, 2, 1, 1), np.float32)
    with pytest.raises(InputError, match=r"is \[4, 2, 1, 1\], not \[4, 2, 3, 3\]"):
        fill(NAMES, tree, {key: kernel})
    fill(NAMES, tree, {key: centered(kernel)})


def test_full_size_configs_name_their_backbones_source():
    for name, made in FULL_SIZE.items():
        config = configs.load(name)
        with pytest.raises(InputError, match='config.model.pretrained is ""') as fault:
            weights.check_backbone(config)
        told = str(fault.value)
        assert "state_dict()" in told and "--allow_random_backbone" in told
        assert made.replace("-", "") in told.replace("-", "")
        assert "\n" not in told
        config.model.pretrained = "file.safetensors"
        weights.check_backbone(config)
        page = importlib.import_module(f"jaxtrack.configs.{name}").__doc__
        assert f"pretrained={made}." in page


def test_small_configs_start_from_imagenet():
    for name in configs.names():
        config = configs.load(name)
        if config.model.backbone == "efficientnet_lite0":
            weights.check_backbone(config)
            config.model.pretrained = ""
            with pytest.raises(InputError, match="give --config.model.pretrained=imag"):
                weights.check_backbone(config)


def test_a_random_backbone_is_refused_unless_allowed(tmp_path, monkeypatch):
    class ReachedError(Exception):
        pass

    def stop(*_):
        raise ReachedError

    monkeypatch.setattr(loop, "open_loader", stop)
    config = configs.load("siamcar_r18")
    with pytest.raises(InputError, match="resnet18.*never trained"):
        loop.train(config, tmp_path / "run")
    config.model.pretrained = str(tmp_path / "absent.pth")
    with pytest.raises(InputError, match=r"absent.pth: no such file of weights"):
        loop.train(config, tmp_path / "run")  # And not ReachedError.
    assert not (tmp_path / "run").exists()
    given = types.SimpleNamespace(
        init="",
        config="siamcar_r18",
        overrides=[
            ("data.records", "()"),
            ("data.num_use", "()"),
            ("data.frame_ranges", "()"),
            ("data.composed_weight", "1.0"),
        ],
        workdir=str(tmp_path / "run"),
        allow_random_backbone=True,
        distributed=False,
        coordinator="",
        num_processes=None,
        process_id=None,
    )
    with pytest.raises(ReachedError):
        cli_train.run(given)
