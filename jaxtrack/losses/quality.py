"""Losses of the predicted quality of a box: centerness, or IoU."""

import jax
import jax.numpy as jnp


def bce_with_logits(logits: jax.Array, targets: jax.Array) -> jax.Array:
    """Computes the binary cross-entropy with soft targets, from logits.

        loss = -t log sigmoid(l) - (1 - t) log(1 - sigmoid(l)) = log(1 + e^l) - t l

    Its minimum is the entropy of the target, not 0.

    Args:
      logits: `[...]`.
      targets: `[...]` in [0, 1].

    Returns:
      Losses, `[...]`.

    Raises:
      ValueError: if the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} differ")
    return jax.nn.softplus(logits) - targets * logits


def entropy(targets: jax.Array) -> jax.Array:
    """Computes the minimum of `bce_with_logits`: the soft target's entropy.

        h = -t log t - (1 - t) log(1 - t),  0 for t = 0 and t = 1

    Args:
      targets: `[...]` in [0, 1].

    Returns:
      Entropies, `[...]`, in [0, ln 2].
    """

    def term(share):
        has_any = share > 0
        return jnp.where(has_any, -share * jnp.log(jnp.where(has_any, share, 1)), 0)

    return term(targets) + term(1 - targets)
