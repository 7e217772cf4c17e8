"""State dicts of PyTorch trackers, mapped to our variables by name, strictly."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights.state_dict import listed, unwrap

LEAVES = {"kernel": "weight", "scale": "weight", "mean": "running_mean"}
LEAVES |= {"var": "running_var"}  # The others are called the same.


def fill(
    names: WeightNames, variables: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Replaces all variables of a network by those of a state dict.

    Every key is used once and every variable is filled: a key that is missing,
    unexpected or of another shape is an error. A prefix `module.` on every key and a
    dict that holds the real one under "state_dict" are unwrapped, and
    `num_batches_tracked` is ignored.

    Args:
      names: what PyTorch's code calls the network's variables.
      variables: of the network, or their shapes.
      state_dict: arrays by name, convolution kernels `[Cout, Cin, kh, kw]`.

    Returns:
      `{"params": ..., "batch_stats": ...}`, float32.

    Raises:
      InputError: if the keys or shapes are not the network's.
    """
    state_dict = unwrap(state_dict).arrays
    leaves, tree = jax.tree_util.tree_flatten_with_path(variables)
    wanted = {}
    for keys, leaf in leaves:
        path = tuple(key.key for key in keys[1:])
        wanted[torch_name(names, path)] = (path, leaf.shape)
    missing = [key for key in wanted if key not in state_dict]
    unexpected = [key for key in state_dict if key not in wanted]
    misshapen = [
        f"{key} is {tuple(state_dict[key].shape)}, not {torch_shape(names, *place)}"
        for key, place in wanted.items()
        if key in state_dict
        and tuple(state_dict[key].shape) != torch_shape(names, *place)
    ]
    faults = {"missing": missing, "unexpected": unexpected, "wrong shape": misshapen}
    faults = {kind: keys for kind, keys in faults.items() if keys}
    if faults:
        told = "; ".join(f"{kind}: {listed(keys)}" for kind, keys in faults.items())
        raise InputError(f"state dict does not fit the network: {told}")
    arrays = [
        _ours(names, path, np.asarray(state_dict[key]))
        for key, (path, _) in wanted.items()
    ]
    return jax.tree_util.tree_unflatten(tree, arrays)


def fill_backbone(
    names: WeightNames, variables: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Replaces the backbone in a tracker's variables by one from a state dict.

    Args:
      names: what PyTorch's code calls the network's variables.
      variables: of the network.
      state_dict: as in `fill`, names without `names.backbone`; a classifier and what
        else an ImageNet network has behind the last level are left out, and its 1x1
        shortcuts become 3x3 ones as `centered` says.

    Returns:
      Variables with another backbone; the rest is shared with `variables`.

    Raises:
      InputError: if keys or shapes are not those of the backbone.
    """
    part = {kind: {"backbone": tree["backbone"]} for kind, tree in variables.items()}
    state_dict = unwrap(state_dict).arrays
    narrow = narrow_shortcuts(names, state_dict)
    state_dict = {
        f"{names.backbone}{key}": centered(value) if key in narrow else value
        for key, value in state_dict.items()
        if not re.match(names.unused, key)
    }
    filled = fill(names, part, state_dict)
    return {kind: {**tree, **filled.get(kind, {})} for kind, tree in variables.items()}


def narrow_shortcuts(
    names: WeightNames, state_dict: dict[str, np.ndarray]
) -> list[str]:
    """Lists the kernels that are 1x1, as torchvision has them, and 3x3 in ours.

    Args:
      names: what PyTorch's code calls the network's variables.
      state_dict: of a backbone, arrays by name.
    """
    return [
        key
        for key, value in state_dict.items()
        if re.match(names.widened, key) and value.shape[2:] == (1, 1)
    ]


def centered(kernel: np.ndarray) -> np.ndarray:
    """Places a 1x1 kernel in the centre of a 3x3 one that is 0 elsewhere.

    The convolution is the same. Of the strided and dilated shortcuts of a ResNet, whose
    padding is that of the 3x3 convolution beside them, the centre meets the pixel that
    is in the middle of that convolution's, as the 1x1 kernel does in torchvision's.

    Args:
      kernel: `[Cout, Cin, 1, 1]`.

    Returns:
      `[Cout, Cin, 3, 3]`.
    """
    return np.pad(kernel, ((0, 0), (0, 0), (1, 1), (1, 1)))


def state_dict_of(
    names: WeightNames, variables: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Maps a network's variables to the state dict of the same network in PyTorch.

    Args:
      names: what PyTorch's code calls them.
      variables: `{"params": ..., "batch_stats": ...}`.

    Returns:
      Arrays by name, as `fill` takes them.
    """
    state_dict = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(variables)[0]:
        path = tuple(key.key for key in keys[1:])
        array = np.asarray(leaf)
        if array.ndim == 4:
            order = (2, 3, 0, 1) if _is_transposed(names, path) else (3, 2, 0, 1)
            array = np.ascontiguousarray(array.transpose(order))
        elif array.ndim == 2:
            array = np.ascontiguousarray(array.T)
        state_dict[torch_name(names, path)] = array
    return state_dict


def torch_name(names: WeightNames, path: tuple[str, ...]) -> str:
    """Names a variable as PyTorch does.

    Args:
      names: what PyTorch's code calls the network's variables.
      path: keys of the variable below "params" or "batch_stats".

    Returns:
      Its key in the state dict.
    """
    *modules, leaf = path
    key = ".".join([*modules, ""])
    for pattern, replacement in names.rules:
        key = re.sub(pattern, replacement, key)
    return key + LEAVES.get(leaf, leaf)


def torch_shape(
    names: WeightNames, path: tuple[str, ...], shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Says the shape of a variable in the state dict.

    Args:
      names: what PyTorch's code calls the network's variables.
      path: keys of the variable.
      shape: ours, such as `[kh, kw, Cin, Cout]`.

    Returns:
      PyTorch's, such as `(Cout, Cin, kh, kw)`.
    """
    if len(shape) != 4:
        return tuple(shape)[:: -1 if len(shape) == 2 else 1]
    kh, kw, inputs, outputs = shape
    if _is_transposed(names, path):
        return (inputs, outputs, kh, kw)
    return (outputs, inputs, kh, kw)


def _is_transposed(names, path):
    """Whether the kernel is that of a transposed convolution."""
    return any(path[: len(start)] == start for start in names.transposed)


def _ours(names, path, array):
    """Turns one of PyTorch's arrays into ours."""
    if array.ndim == 4:
        array = array.transpose(
            (2, 3, 0, 1) if _is_transposed(names, path) else (2, 3, 1, 0)
        )
    elif array.ndim == 2:
        array = array.T
    return jnp.asarray(np.asarray(array, order="C"), jnp.float32)
