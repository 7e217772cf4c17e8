"""State dicts whose batch normalizations were folded into the kernels before them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from flax import traverse_util

from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights.torch import torch_name

Path = tuple[str, ...]


def unfold(
    names: WeightNames,
    variables: Mapping[str, Any],
    state_dict: Mapping[str, np.ndarray],
    norms: Mapping[Path, tuple[Path, float]],
) -> dict[str, np.ndarray]:
    """Restores batch normalizations that were folded into a state dict's kernels.

        scale = 1,  mean = 0,  var = 1 - eps,  bias = that of the convolution

    so that the normalization only adds the bias, and the network is equivalent. If the
    network's convolution has a bias, it keeps it, and the normalization's is 0.

    Args:
      names: PyTorch's names of the network's variables.
      variables: of the network, or their shapes.
      state_dict: arrays by name.
      norms: path of a convolution -> path and epsilon of the normalization behind it;
        see `jaxtrack.models.folding.find`.

    Returns:
      Arrays by name; normalizations that are present are unchanged.
    """
    arrays = dict(state_dict)
    own = traverse_util.flatten_dict(dict(variables["params"]))
    for conv, (norm, epsilon) in norms.items():
        leaves = {
            leaf: torch_name(names, (*norm, leaf))
            for leaf in ("scale", "bias", "mean", "var")
        }
        bias = torch_name(names, (*conv, "bias"))
        if bias not in arrays or any(key in arrays for key in leaves.values()):
            continue
        zero = np.zeros_like(arrays[bias])
        arrays |= {
            leaves["scale"]: zero + 1,
            leaves["mean"]: zero,
            leaves["var"]: zero + (1 - epsilon),
            leaves["bias"]: zero if (*conv, "bias") in own else arrays.pop(bias),
        }
    return arrays
