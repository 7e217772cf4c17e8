"""How parameters are drawn that no trained weights fill."""

import zlib
from typing import Any

import jax
import jax.numpy as jnp

from jaxtrack.models.backbones import param_group
from jaxtrack.models.layers import kaiming


def kaiming_heads(key: jax.Array, params: dict[str, Any]) -> dict[str, Any]:
    """Draws all kernels but the backbone's anew, and sets the biases there to 0.

        w ~ N(0, 2 / (k k Cout))

    Cai et al., SiamDLA, section 4.1 (D15); He et al. (arXiv:1502.01852), whose fan is
    taken to be that of the outputs, as pysot does.

    Args:
      key: of the draw; a kernel's numbers belong to its name.
      params: of a network.

    Returns:
      Parameters of the same shapes; scales, and all of the backbone, are the same.
    """

    def draw(keys, leaf):
        path = tuple(part.key for part in keys)
        if param_group(path) != "head":
            return leaf
        if path[-1] == "bias":
            return jnp.zeros_like(leaf)
        if path[-1] != "kernel":
            return leaf
        own = jax.random.fold_in(key, zlib.crc32("/".join(path).encode()))
        return kaiming(own, leaf.shape, leaf.dtype)

    return jax.tree_util.tree_map_with_path(draw, params)
