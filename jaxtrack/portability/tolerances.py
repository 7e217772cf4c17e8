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


def _tolerance(unit, limits, reason):
    """Returns a row of the table; limits are of float32, TF32, bfloat16."""
    named = dict(zip(("float32", "TF32", "bfloat16"), limits, strict=True))
    return Tolerance(unit, MappingProxyType(named), reason)


# float32 rounds to 2^-24 = 6e-8 of a number, TF32 to 2^-11 = 5e-4, bfloat16 to
# 2^-8 = 4e-3. Measured on a CPU with XLA's optimization off, and in bfloat16: see
# docs/portability.md. TF32 rounds an eighth of what bfloat16 does.
TOLERANCES: Mapping[str, Tolerance] = MappingProxyType(
    {
        "loss": _tolerance(
            "",
            (1e-5, 2e-2, 1e-1),
            "Float32: 80 times what another order of sums changed. Others: as layers.",
        ),
        "slope": _tolerance(
            "",
            (1e-5, 1e-3, 1e-2),
            "Of a loss by the network's outputs. A loss has few products to round.",
        ),
        "layer": _tolerance(
            "",
            (5e-5, 2e-2, 1e-1),
            "Errors grow from layer to layer: 25 and 3 times the largest measured.",
        ),
        "gradient": _tolerance(
            "",
            (3e-4, 1e-1, 5e-1),
            "Twice the depth of the layers, and statistics of few pairs: 20 times the "
            "largest measured. Others: 5 times the layers'.",
        ),
        "update": _tolerance(
            "", (3e-4, 1e-1, 5e-1), "As gradients, added up over three steps."
        ),
        "box": _tolerance(
            "px",
            (0.25, 4.0, 8.0),
            "Crops lie on eighths of a pixel: rounding may choose the next one. In "
            "bfloat16 boxes were up to 5 px apart.",
        ),
        "auc": _tolerance(
            "AUC",
            (1e-3, 1e-2, 2e-2),
            "Of one video of 60 frames; bfloat16 changed it by 0.0095.",
        ),
    }
)
