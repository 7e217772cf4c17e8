"""Classification losses of response cells, unreduced."""

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.losses.quality import bce_with_logits


def softmax_cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Computes the negative log-likelihood of each cell's label.

        loss = -log softmax(logits)[label],  0 where the label is IGNORE

    Args:
      logits: background and target, `[..., 2]`.
      labels: `[...]` int32 of POSITIVE, NEGATIVE, IGNORE (see `assign.regions`).

    Returns:
      Losses, `[...]`.

    Raises:
      ValueError: unless there are two logits for each label.
    """
    if logits.shape != (*labels.shape, 2):
        raise ValueError(f"logits {logits.shape} do not match labels {labels.shape}")
    # -log softmax(l)[k] = log(1 + exp(l_other - l_k)), exact for large differences.
    difference = logits[..., 1] - logits[..., 0]
    difference = jnp.where(labels == regions.POSITIVE, -difference, difference)
    return jnp.where(labels == regions.IGNORE, 0, jax.nn.softplus(difference))


def focal_loss(
    logits: jax.Array, labels: jax.Array, *, alpha: float = 0.75, gamma: float = 2.0
) -> jax.Array:
    """Computes the focal loss of each cell, which down-weights easy cells.

        positive:  -alpha (1 - p)^gamma log p,  p = sigmoid(logit)
        negative:  -(1 - alpha) p^gamma log(1 - p)
        ignored:   0

    Lin et al., Focal Loss (arXiv:1708.02002), Eq. 5, with SiamFC++'s weight.

    Args:
      logits: `[...]`, one a cell.
      labels: `[...]` int32 of POSITIVE, NEGATIVE, IGNORE (see `assign.regions`).
      alpha: weight of positive cells, in [0, 1].
      gamma: at least 0; 0 is the weighted cross-entropy.

    Returns:
      Losses, `[...]`; they and their gradients are finite for every finite logit.

    Raises:
      ValueError: if the shapes differ.
    """
    if logits.shape != labels.shape:
        raise ValueError(f"logits {logits.shape} and labels {labels.shape} differ")
    is_positive = labels == regions.POSITIVE
    # With s the logit of the wrong answer: log(1 + e^s) sigmoid(s)^gamma.
    wrong = jnp.where(is_positive, -logits, logits)
    # A power as exp of a logarithm: its gradient is finite where the sigmoid is 0.
    modulation = jnp.exp(-gamma * jax.nn.softplus(-wrong))
    weight = jnp.where(is_positive, alpha, 1 - alpha)
    losses = weight * modulation * jax.nn.softplus(wrong)
    return jnp.where(labels == regions.IGNORE, 0, losses)


def hard_negatives(
    losses: jax.Array, labels: jax.Array, *, count: int
) -> tuple[jax.Array, jax.Array]:
    """Selects the NEGATIVE cells with the largest losses in each image.

    The shape is fixed: where an image has fewer negatives, the remaining entries
    are marked as missing and have loss 0.

    Args:
      losses: non-negative losses of the cells, `[B, H, W]`.
      labels: `[B, H, W]` int32 of POSITIVE, NEGATIVE, IGNORE.
      count: cells to select an image, at most `H * W`.

    Returns:
      The picked losses, `[B, count]`, largest first, and whether each is really the
      loss of a negative cell, `[B, count]` bool.

    Raises:
      ValueError: if `count` is larger than the number of cells.
    """
    batch, height, width = losses.shape
    if not 0 < count <= height * width:
        raise ValueError(f"cannot select {count} cells of losses {losses.shape}")
    negatives = jnp.where(labels == regions.NEGATIVE, losses, -1)
    hardest, _ = lax.top_k(negatives.reshape(batch, height * width), count)
    is_real = hardest >= 0
    return jnp.where(is_real, hardest, 0), is_real


def ladl_loss(
    logits: jax.Array,
    labels: jax.Array,
    is_positive: jax.Array,
    *,
    weight_gradient: bool = True,
) -> jax.Array:
    """Computes SiamLA's localization-aware dynamic label loss of each cell.

        positive:  -(y log c + (1 - y) log(1 - c)),  c = sigmoid(logit)
        negative:  -(1 + c) log(1 - c)

    Nie et al., SiamLA, Eq. 4; its positive term as printed has log(1 - c) twice (S1),
    and the factor 1 + c, between 1 and 2, is meant to favor hard negatives (S2).

    Args:
      logits: `[...]`, one a cell (S8).
      labels: y, `[...]` in [0, 1], of positive cells; see
        `assign.localization.dynamic_labels`.
      is_positive: `[...]` bool.
      weight_gradient: whether the factor 1 + c is differentiated, as printed, or taken
        as a constant weight.

    Returns:
      Losses, `[...]`, finite for every finite logit.

    Raises:
      ValueError: if the shapes differ.
    """
    if not logits.shape == labels.shape == is_positive.shape:
        raise ValueError(
            f"logits {logits.shape}, labels {labels.shape} and is_positive "
            f"{is_positive.shape} differ"
        )
    weight = 1 + jax.nn.sigmoid(logits)
    if not weight_gradient:
        weight = lax.stop_gradient(weight)
    # -log(1 - sigmoid(l)) = log(1 + e^l), exact where the sigmoid rounds to 1.
    negative = weight * jax.nn.softplus(logits)
    return jnp.where(is_positive, bce_with_logits(logits, labels), negative)
