"""How far two platforms may be apart, and why: the one table of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Tolerance(NamedTuple):
    """How far numbers of a kind may be from the reference.

    Attributes:
      unit: "" of a relative error, `|a - b| / |b|` over an array; "px"; or "AUC".
      limits: the largest error allowed where products are float32, TF32, bfloat16.
      reason: for these limits.
    """

    unit: str
    limits: Mapping[str, float]
    reason: str


def _tolerance(unit, float32, tf32, bfloat16, reason):
    """Returns a row of the table."""
    limits = {"float32": float32, "TF32": tf32, "bfloat16": bfloat16}
    return Tolerance(unit, MappingProxyType(limits), reason)


# float32 rounds to 2^-24 = 6e-8 of a number, TF32 to 2^-11 = 5e-4, bfloat16 to
# 2^-8 = 4e-3; sums of another order add up what was rounded off.
TOLERANCES: Mapping[str, Tolerance] = MappingProxyType(
    {
        "loss": _tolerance(
            "", 1e-4, 2e-2, 1e-1, "A sum over thousands of cells, or a mean of them."
        ),
        "slope": _tolerance(
            "",
            1e-4,
            2e-2,
            1e-1,
            "Of a loss by the outputs: there is no layer between.",
        ),
        "layer": _tolerance("", 1e-4, 2e-2, 2e-1, "Errors grow from layer to layer."),
        "gradient": _tolerance(
            "", 1e-3, 1e-1, 5e-1, "Through all layers twice, and batch statistics."
        ),
        "update": _tolerance("", 1e-3, 1e-1, 5e-1, "As gradients, of three steps."),
        "box": _tolerance("px", 0.05, 2.0, 4.0, "A cell is 8 px of the crop."),
        "auc": _tolerance("AUC", 1e-3, 1e-2, 2e-2, "As a seed changes a training."),
    }
)
