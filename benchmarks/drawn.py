"""Variables drawn by numpy: to be timed they need not be trained, nor be compiled."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import traverse_util


def variables_of(network: nn.Module) -> dict:
    """Draws a network's variables; kernels keep the variance of what they see.

    Args:
      network: with `geometry`, called with a template's and a search crop.

    Returns:
      Variables in numpy.
    """
    geometry = network.geometry
    sizes = geometry.template_size, geometry.search_size
    crops = [jax.ShapeDtypeStruct((1, s, s, 3), jnp.float32) for s in sizes]
    shapes = jax.eval_shape(network.init, jax.random.key(0), *crops)
    rng = np.random.default_rng(0)

    def draw(path, leaf):
        if path[-1] == "kernel":
            scale = np.sqrt(2 / np.prod(leaf.shape[:-1]))
            return rng.normal(0, scale, leaf.shape).astype(leaf.dtype)
        fill = np.ones if path[-1] in ("scale", "var") else np.zeros
        return fill(leaf.shape, leaf.dtype)

    return traverse_util.path_aware_map(draw, shapes)
