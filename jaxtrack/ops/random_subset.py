"""Random subsets of fixed shape."""

import jax
import jax.numpy as jnp
from jax import lax


def random_subset(key: jax.Array, mask: jax.Array, count: jax.Array | int) -> jax.Array:
    """Draws true entries of a mask uniformly, without replacement.

    Args:
      key: random key.
      mask: `[...]` bool, the entries that may be drawn.
      count: `[]`, number drawn; may be traced, but a plain int is cheaper (the same
        entries are drawn). Where fewer are true, all are drawn.

    Returns:
      `[...]` bool; `min(count, sum(mask))` are true.
    """
    flat = mask.reshape(-1)
    order = _normal_floats(jax.random.bits(key, flat.shape))
    order = jnp.where(flat, order, -1.0)
    # Paired with their indices, so that equal draws stay distinct entries.
    if isinstance(count, int):
        _, places = lax.top_k(order, min(count, flat.size))
    else:
        places = lax.broadcasted_iota(jnp.int32, flat.shape, 0)
        _, places = lax.sort((-order, places), num_keys=1)
    is_drawn = jnp.arange(places.size) < jnp.minimum(count, jnp.sum(flat))
    return jnp.zeros_like(flat).at[places].set(is_drawn).reshape(mask.shape)


def _normal_floats(bits):
    """Converts 30 of 32 random bits to distinct positive floats.

    They are read as a float's own bits, above the subnormal ones: XLA's CPU compiler
    has a fast `top_k` for floats alone, and `jax.random.uniform` makes 23 bits only.
    """
    return lax.bitcast_convert_type((bits >> 2) + (1 << 23), jnp.float32)
