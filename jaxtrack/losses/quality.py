"""Losses of the predicted quality of a box: centre-ness, or IoU."""

import jax


def bce_with_logits(logits: jax.Array, targets: jax.Array) -> jax.Array:
    """Computes the binary cross-entropy with soft targets, from logits.

        loss = -t log sigmoid(l) - (1 - t) log(1 - sigmoid(l)) = log(1 + e^l) - t l

    Its least value is the entropy of the target, not 0.

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
