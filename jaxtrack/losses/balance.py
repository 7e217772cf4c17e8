"""Reductions of the classification losses of cells to a scalar."""

import jax

from jaxtrack.assign import regions
from jaxtrack.losses import reduce

REDUCTIONS = ("balanced", "positives", "cells")


def classification_share(
    losses: jax.Array,
    labels: jax.Array,
    *,
    reduction: str,
    cls_weights: tuple[float, float, float],
    num_hard: int,
    axis_name: str | None = None,
) -> jax.Array:
    """Reduces classification losses to this device's share.

        "balanced":  c0 mean_pos + c1 mean_neg + c2 mean_hard
        "positives": sum_valid / number of positives
        "cells":     mean_valid

    valid are all cells that are not IGNORE. "balanced" is that of pysot's and SiamCAR's
    code; "cells" is Cai et al., SiamDLA, Eq. 3, over the cells that its Algorithm 1
    labels (D2).

    Args:
      losses: of every cell, or of every anchor, `[B, ...]`.
      labels: `[B, ...]` int32 of POSITIVE, NEGATIVE, IGNORE.
      reduction: one of `REDUCTIONS`.
      cls_weights: c0, c1, c2.
      num_hard: hardest negatives an image; 0 omits their term.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      `[]`.

    Raises:
      ValueError: for an unknown reduction.
    """
    reduce.check_choice("reduction", reduction, REDUCTIONS)
    valid = labels != regions.IGNORE
    if reduction == "positives":
        positive = labels == regions.POSITIVE
        return reduce.global_count_share(losses, valid, positive, axis_name=axis_name)
    if reduction == "cells":
        return reduce.global_mean_share(losses, valid, axis_name=axis_name)
    return reduce.balanced_mean_share(
        losses,
        labels,
        cls_weights=cls_weights,
        num_hard=num_hard,
        axis_name=axis_name,
    )
