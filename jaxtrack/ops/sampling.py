"""Random subsets of fixed shape."""

import jax
import jax.numpy as jnp
from jax import lax


def random_subset(key: jax.Array, mask: jax.Array, count: jax.Array | int) -> jax.Array:
    """Draws true entries of a mask uniformly, without replacement.

    Args:
      key: of the draw.
      mask: `[...]` bool, what may be drawn.
      count: `[]` how many; it may be traced, but a plain int is cheaper (the same
        entries are drawn). Where fewer are true, all are drawn.

    Returns:
      `[...]` bool, of which `min(count, sum(mask))` are true.
    """
    flat = mask.reshape(-1)
    order = jax.random.bits(key, flat.shape) >> 1  # Leaves the upper half to the rest.
    order = jnp.where(flat, order, jnp.uint32(0xFFFFFFFF))
    # With their places, so that equal draws stay different entries.
    if isinstance(count, int):
        _, places = lax.top_k(~order, min(count, flat.size))
    else:
        places = lax.broadcasted_iota(jnp.int32, flat.shape, 0)
        _, places = lax.sort((order, places), num_keys=1)
    is_drawn = jnp.arange(places.size) < jnp.minimum(count, jnp.sum(flat))
    return jnp.zeros_like(flat).at[places].set(is_drawn).reshape(mask.shape)
