"""State dicts of PyTorch trackers, mapped to our variables and back, by name."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights import matching
from jaxtrack.weights.matching import Match
from jaxtrack.weights.state_dict import unwrap

LEAVES = {"kernel": "weight", "scale": "weight", "mean": "running_mean"}
LEAVES |= {"var": "running_var"}  # The others have the same names.


def match(
    names: WeightNames, variables: dict[str, Any], arrays: dict[str, np.ndarray]
) -> Match:
    """Compares a state dict with a network, name by name.

    Args:
      names: PyTorch's names of the network's variables.
      variables: variables of the network, or their shapes.
      arrays: arrays of the state dict, unwrapped.
    """
    shapes = {key: shape for key, _, shape in _wanted(names, variables)}
    return matching.match(shapes, arrays, leftover=names.leftover)


def fill(
    names: WeightNames, variables: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Replaces all variables of a network by those of a state dict.

    Every key is used once and every variable is filled: a key that is missing,
    unexpected or of another shape is an error.

    Args:
      names: PyTorch's names of the network's variables.
      variables: variables of the network, or their shapes.
      state_dict: arrays by name, convolution kernels `[Cout, Cin, kh, kw]`; wrappers
        are removed by `jaxtrack.weights.unwrap`.

    Returns:
      `{"params": ..., "batch_stats": ...}`, float32.

    Raises:
      InputError: if keys or shapes do not fit the network.
    """
    arrays = unwrap(state_dict).arrays
    fit = match(names, variables, arrays)
    if not fit.is_whole:
        raise InputError(f"state dict does not fit the network: {fit.faults()}")
    return fill_fitting(names, variables, arrays)


def fill_fitting(
    names: WeightNames, variables: dict[str, Any], arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Replaces those variables of a network that a state dict has arrays for.

    Args:
      names: PyTorch's names of the network's variables.
      variables: variables of the network.
      arrays: arrays of the state dict, unwrapped; `match` says which of them fit.

    Returns:
      Variables; those without a fitting array are shared with `variables`.
    """
    fitting = set(match(names, variables, arrays).fitting)
    leaves, tree = jax.tree_util.tree_flatten_with_path(variables)
    filled = [
        _ours(names, path, np.asarray(arrays[key])) if key in fitting else leaf
        for (key, path, _), (_, leaf) in zip(
            _wanted(names, variables), leaves, strict=True
        )
    ]
    return jax.tree_util.tree_unflatten(tree, filled)


def fill_backbone(
    names: WeightNames, variables: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Replaces the backbone in a tracker's variables by one from a state dict.

    Args:
      names: PyTorch's names of the network's variables; if several code
        bases name the backbone, the one whose names fit best is used.
      variables: variables of the network.
      state_dict: as in `fill`, names without `names.backbone`; a classifier and what
        else an ImageNet network has behind the last level are left out, and its 1x1
        shortcuts become 3x3 ones as `centered` says.

    Returns:
      Variables with another backbone; the rest is shared with `variables`.

    Raises:
      InputError: if keys or shapes are not those of the backbone.
    """
    part, names, arrays = _of_backbone(names, variables, state_dict)
    filled = fill(names, part, arrays)
    return {kind: {**tree, **filled.get(kind, {})} for kind, tree in variables.items()}


def match_backbone(
    names: WeightNames, variables: dict[str, Any], state_dict: dict[str, np.ndarray]
) -> Match:
    """Compares a state dict with a tracker's backbone, name by name.

    Args:
      names: as in `fill_backbone`.
      variables: variables of the network, or their shapes.
      state_dict: as in `fill_backbone`.
    """
    part, names, arrays = _of_backbone(names, variables, state_dict)
    fit = match(names, part, arrays)
    every = (f"{names.backbone}{key}" for key in unwrap(state_dict).arrays)
    return fit._replace(leftover=tuple(key for key in every if key not in arrays))


def _of_backbone(names, variables, state_dict):
    """Returns a tracker's backbone, its best names, and a state dict under them."""
    part = {
        kind: {"backbone": tree["backbone"]}
        for kind, tree in variables.items()
        if "backbone" in tree
    }
    arrays = unwrap(state_dict).arrays
    narrow = narrow_shortcuts(names, arrays)
    arrays = {
        f"{names.backbone}{key}": centered(value) if key in narrow else value
        for key, value in arrays.items()
        if not re.match(names.unused, key)
    }
    candidates = [names, *(names._replace(rules=r) for r in names.codes.values())]
    counts = [
        sum(key in arrays for key, _, _ in _wanted(names, part)) for names in candidates
    ]
    return part, candidates[counts.index(max(counts))], arrays


def backbone_state_dict(
    names: WeightNames, variables: dict[str, Any], *, code: str = ""
) -> dict[str, np.ndarray]:
    """Maps a tracker's backbone to the state dict of the ImageNet network.

    Args:
      names: PyTorch's names of the network's variables.
      variables: variables of the network, `{"params": ..., "batch_stats": ...}`.
      code: one of `names.codes`, or "" for the default names.

    Returns:
      Arrays by name, as `fill_backbone` takes them. Shortcuts that are 0 around their
      center are 1x1, as in torchvision; others stay 3x3, as in pysot.
    """
    if code:
        names = names._replace(rules=names.codes[code])
    part = {
        kind: {"backbone": tree["backbone"]}
        for kind, tree in variables.items()
        if "backbone" in tree
    }
    arrays = {
        key.removeprefix(names.backbone): value
        for key, value in state_dict_of(names, part).items()
    }
    wide = [key for key in arrays if re.match(names.widened, key)]
    centers = {key: arrays[key][:, :, 1:-1, 1:-1] for key in wide}
    if all(np.array_equal(arrays[k], centered(c)) for k, c in centers.items()):
        arrays |= centers
    return arrays


def narrow_shortcuts(
    names: WeightNames, state_dict: dict[str, np.ndarray]
) -> list[str]:
    """Lists the kernels that are 1x1, as in torchvision, and 3x3 in ours.

    Args:
      names: PyTorch's names of the network's variables.
      state_dict: of a backbone, arrays by name.
    """
    return [
        key
        for key, value in state_dict.items()
        if re.match(names.widened, key) and value.shape[2:] == (1, 1)
    ]


def centered(kernel: np.ndarray) -> np.ndarray:
    """Places a 1x1 kernel in the center of a 3x3 one that is 0 elsewhere.

    The convolution is the same. Of the strided and dilated shortcuts of a ResNet, whose
    padding is that of the 3x3 convolution beside them, the center meets the pixel that
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
      names: PyTorch's names of them.
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
    """Returns PyTorch's name of a variable.

    Args:
      names: PyTorch's names of the network's variables.
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
    """Returns the shape of a variable in the state dict.

    Args:
      names: PyTorch's names of the network's variables.
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


def _wanted(names, variables):
    """Lists PyTorch's name, our path and PyTorch's shape of every variable."""
    entries = []
    for keys, leaf in jax.tree_util.tree_flatten_with_path(variables)[0]:
        path = tuple(key.key for key in keys[1:])
        shape = torch_shape(names, path, leaf.shape)
        entries.append((torch_name(names, path), path, shape))
    return entries


def _is_transposed(names, path):
    """Returns whether the kernel belongs to a transposed convolution."""
    return any(path[: len(start)] == start for start in names.transposed)


def _ours(names, path, array):
    """Converts one of PyTorch's arrays to ours."""
    if array.ndim == 4:
        array = array.transpose(
            (2, 3, 0, 1) if _is_transposed(names, path) else (2, 3, 1, 0)
        )
    elif array.ndim == 2:
        array = array.T
    return jnp.asarray(np.asarray(array, order="C"), jnp.float32)
