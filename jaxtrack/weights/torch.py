"""State dicts of PyTorch trackers, mapped to our variables by name, strictly."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack import models
from jaxtrack.errors import InputError
from jaxtrack.models.backbones.efficientnet import TAPS


def _tower_index(match: re.Match) -> str:
    """A tower is a list there: convolution, normalisation, ReLU, convolution, ..."""
    tower, kind, number = match.groups()
    return f"{tower}.{3 * int(number) + (kind == 'norm')}."


# From a path in our variables, joined by dots, to PyTorch's name; first to last.
RULES = {
    "resnet": (
        (r"\.block(\d+)\.", r".\1."),
        (r"\.downsample_conv\.", ".downsample.0."),
        (r"\.downsample_bn\.", ".downsample.1."),
        (r"^neck\.conv(\d)\.", r"neck.downsample\1.downsample.0."),
        (r"^neck\.bn(\d)\.", r"neck.downsample\1.downsample.1."),
        (r"^correlation\.down\.", "down."),
        (r"^correlation\.(...)(\d)_(kernel|search)\.", r"rpn_head.rpn\2.\1.conv_\3.0."),
        (
            r"^correlation\.(...)(\d)_(kernel|search)_bn\.",
            r"rpn_head.rpn\2.\1.conv_\3.1.",
        ),
        (r"^head\.(cls|loc)(\d)_conv\.", r"rpn_head.rpn\2.\1.head.0."),
        (r"^head\.(cls|loc)(\d)_bn\.", r"rpn_head.rpn\2.\1.head.1."),
        (r"^head\.(cls|loc)(\d)_out\.", r"rpn_head.rpn\2.\1.head.3."),
        (r"^head\.$", "rpn_head."),
        (r"(_tower)\.(conv|norm)(\d+)\.", _tower_index),
        (r"^head\.", "car_head."),
    ),
    "lite0": (
        (r"^backbone\.block(\d+)\.", r"backbone._blocks.\1._"),
        (r"^backbone\.(?=conv_stem|bn0)", "backbone._"),
    ),
    "googlenet": (
        (r"^backbone\.", "basemodel."),
        (r"^neck\.reduce_conv\.", "basemodel.channel_reduce.0."),
        (r"^neck\.reduce_bn\.", "basemodel.channel_reduce.1."),
        (r"^neck\.cls_z_", "c_z_k."),
        (r"^neck\.cls_x_", "c_x."),
        (r"^neck\.box_z_", "r_z_k."),
        (r"^neck\.box_x_", "r_x."),
        (r"^head\.(cls|bbox)_conv(\d)\.", r"head.\1_p5_conv\2.conv."),
        (r"^head\.(\w+)_(conv|bn)\.", r"head.\1_p5.\2."),
    ),
}
RULES["effb0"] = RULES["lite0"]
LEAVES = {"kernel": "weight", "scale": "weight", "mean": "running_mean"}
LEAVES |= {"var": "running_var"}  # The others are called the same.
FAMILY = {"siamcar_r50": "resnet", "siamcar_r18": "resnet", "siamcar_lite0": "lite0"}
FAMILY |= {"siamla_r50": "resnet", "siamla_lite0": "lite0"}
FAMILY |= {"siamfcpp_googlenet": "googlenet", "siamfcpp_lite0": "lite0"}
FAMILY |= {"siamrpnpp_r50": "resnet", "siamrpnpp_r50_otb": "resnet"}
FAMILY |= {"siamrpnpp_lite0": "lite0", "rpn_effb0": "effb0"}
FAMILY |= {"cract_r18": "resnet", "cract_lite0": "lite0"}
MOST_NAMED = 8  # Keys a message lists before it counts the rest.


def from_state_dict(name: str, state_dict: dict[str, np.ndarray]) -> dict[str, Any]:
    """Maps the state dict of a whole tracker to our variables.

    Every key is used once and every variable is filled: a key that is missing,
    unexpected or of another shape is an error. A prefix `module.` on every key and a
    dict that holds the real one under "state_dict" are unwrapped, and
    `num_batches_tracked` is ignored. Networks on ResNet have the names of SiamCAR's and
    pysot's code, `siamfcpp_googlenet` those of video_analyst, whose backbone is its
    `basemodel` but for `channel_reduce`, and those on Lite0 and B0 the names of
    `EfficientNet-PyTorch` below `backbone.` and ours elsewhere. Ours are SiamLA's too
    behind the neck, and CRACT's: no public code exists. Weights of pysot without
    `rpn_head.cls_weight` (its `_otb` ones) are `siamrpnpp_r50_otb`'s.

    Args:
      name: a key of `jaxtrack.models.MODELS`.
      state_dict: arrays by name, convolution kernels `[Cout, Cin, kh, kw]`.

    Returns:
      `{"params": ..., "batch_stats": ...}`, float32.

    Raises:
      InputError: if the name is unknown, or the keys or shapes are not the model's.
    """
    return _fill(name, _template(name), unwrap(state_dict))


def to_state_dict(name: str, variables: dict[str, Any]) -> dict[str, np.ndarray]:
    """Maps our variables to the state dict of the same tracker in PyTorch.

    Args:
      name: a key of `jaxtrack.models.MODELS`.
      variables: of that model, `{"params": ..., "batch_stats": ...}`.

    Returns:
      Arrays by name, as `from_state_dict` takes them.
    """
    state_dict = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(variables)[0]:
        path = tuple(key.key for key in keys[1:])
        array = np.asarray(leaf)
        if array.ndim == 4:
            order = (2, 3, 0, 1) if _is_transposed(name, path) else (3, 2, 0, 1)
            array = np.ascontiguousarray(array.transpose(order))
        elif array.ndim == 2:
            array = np.ascontiguousarray(array.T)
        state_dict[torch_name(name, path)] = array
    return state_dict


def backbone_from_state_dict(
    name: str, variables: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Replaces the backbone in a tracker's variables by one from a state dict.

    Args:
      name: a key of `jaxtrack.models.MODELS`.
      variables: of that model.
      state_dict: as in `from_state_dict`, names without `backbone_prefix`; a classifier
        (`fc`) and blocks behind the last one used are left out.

    Returns:
      Variables with another backbone; the rest is shared with `variables`.

    Raises:
      InputError: if keys or shapes are not those of the backbone.
    """
    template = _template(name)
    part = {kind: {"backbone": tree["backbone"]} for kind, tree in template.items()}
    state_dict = {
        f"{backbone_prefix(name)}{key}": value
        for key, value in unwrap(state_dict).items()
        if not _is_behind_backbone(name, key)
    }
    filled = _fill(name, part, state_dict)
    return {kind: {**tree, **filled.get(kind, {})} for kind, tree in variables.items()}


def unwrap(state_dict: dict[str, Any]) -> dict[str, np.ndarray]:
    """Takes off the wrapper and prefix that training scripts put round a state dict.

    Args:
      state_dict: bare, or under the key "state_dict" beside other things.

    Returns:
      Arrays by name without `module.` and without `num_batches_tracked`.

    Raises:
      InputError: if a value is no array.
    """
    state_dict = state_dict.get("state_dict", state_dict)
    bare = {key.removeprefix("module."): value for key, value in state_dict.items()}
    bare = {k: v for k, v in bare.items() if not k.endswith("num_batches_tracked")}
    for key, value in bare.items():
        if not hasattr(value, "shape"):
            raise InputError(
                f"state dict: {key!r} is a {type(value).__name__}, not an array; is "
                'this the "state_dict" of a network?'
            )
    return bare


def backbone_prefix(name: str) -> str:
    """Says how PyTorch's names of a tracker's backbone begin.

    Args:
      name: a key of `jaxtrack.models.MODELS`.

    Returns:
      A prefix that ends in a dot.
    """
    return "basemodel." if FAMILY[name] == "googlenet" else "backbone."


def torch_name(name: str, path: tuple[str, ...]) -> str:
    """Names a variable as PyTorch does.

    Args:
      name: a key of `jaxtrack.models.MODELS`.
      path: keys of the variable below "params" or "batch_stats".

    Returns:
      Its key in the state dict.
    """
    *modules, leaf = path
    key = ".".join([*modules, ""])
    for pattern, replacement in RULES[FAMILY[name]]:
        key = re.sub(pattern, replacement, key)
    return key + LEAVES.get(leaf, leaf)


def torch_shape(name: str, path: tuple[str, ...], shape: tuple[int, ...]) -> tuple:
    """Says the shape of a variable in the state dict.

    Args:
      name: a key of `jaxtrack.models.MODELS`.
      path: keys of the variable.
      shape: ours, such as `[kh, kw, Cin, Cout]`.

    Returns:
      PyTorch's, such as `(Cout, Cin, kh, kw)`.
    """
    if len(shape) != 4:
        return tuple(shape)[:: -1 if len(shape) == 2 else 1]
    kh, kw, inputs, outputs = shape
    if _is_transposed(name, path):
        return (inputs, outputs, kh, kw)
    return (outputs, inputs, kh, kw)


def _is_transposed(name, path):
    """Whether the kernel is that of a transposed convolution: SiamCAR's `down` is."""
    return FAMILY[name] == "resnet" and path[:2] == ("correlation", "down")


def _is_behind_backbone(name, key):
    """Whether an ImageNet network's key belongs to a part that trackers cut off."""
    if FAMILY[name] == "resnet":
        return key.startswith("fc.")
    if FAMILY[name] == "googlenet":
        return key.startswith(("Mixed_7", "AuxLogits.", "fc."))
    if key.startswith(("_conv_head.", "_bn1.", "_fc.")):
        return True
    block = re.match(r"_blocks\.(\d+)\.", key)
    return FAMILY[name] == "lite0" and bool(block) and int(block[1]) > TAPS[-1]


def _template(name):
    """Shapes of a model's variables; nothing is computed."""
    model = models.build(name)
    z, x = (
        jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
        for size in (model.geometry.template_size, model.geometry.search_size)
    )
    return jax.eval_shape(model.init, jax.random.key(0), z, x)


def _fill(name, template, state_dict):
    """Puts the arrays of `state_dict` in the places of `template`, or says why not."""
    leaves, tree = jax.tree_util.tree_flatten_with_path(template)
    wanted = {}
    for keys, leaf in leaves:
        _, *path = [key.key for key in keys]
        path = tuple(path)
        wanted[torch_name(name, path)] = (path, leaf.shape)
    missing = [key for key in wanted if key not in state_dict]
    unexpected = [key for key in state_dict if key not in wanted]
    misshapen = [
        f"{key} is {tuple(state_dict[key].shape)}, not {torch_shape(name, *place)}"
        for key, place in wanted.items()
        if key in state_dict
        and tuple(state_dict[key].shape) != torch_shape(name, *place)
    ]
    faults = {"missing": missing, "unexpected": unexpected, "wrong shape": misshapen}
    faults = {kind: keys for kind, keys in faults.items() if keys}
    if faults:
        listed = "; ".join(f"{kind}: {_listed(keys)}" for kind, keys in faults.items())
        raise InputError(f"state dict does not fit {name}: {listed}")
    arrays = [
        _ours(name, path, np.asarray(state_dict[key]))
        for key, (path, _) in wanted.items()
    ]
    return jax.tree_util.tree_unflatten(tree, arrays)


def _ours(name, path, array):
    """Turns one of PyTorch's arrays into ours."""
    if array.ndim == 4:
        array = array.transpose(
            (2, 3, 0, 1) if _is_transposed(name, path) else (2, 3, 1, 0)
        )
    elif array.ndim == 2:
        array = array.T
    return jnp.asarray(np.asarray(array, order="C"), jnp.float32)


def _listed(keys):
    """The first few keys, and how many more there are."""
    rest = len(keys) - MOST_NAMED
    return ", ".join(keys[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
