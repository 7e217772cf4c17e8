"""What a recording may hold: trackers, parts, and the conditions of each."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

# Condition -> how something is computed. The first is what others are compared with.
CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "highest": "float32, products in full precision, compiled, on one device",
        "default": "float32, products as the platform rounds them (TF32, or bfloat16)",
        "bfloat16": "in bfloat16, with parameters in float32",
        "eager": "as highest, one operation at a time",
        "devices": "as highest, over all devices",
    }
)


class Part(NamedTuple):
    """A part of a recording.

    Attributes:
      meaning: what is computed.
      conditions: under which it differs.
      cost: CPU seconds on a CPU, roughly; nearly all of them compile.
    """

    meaning: str
    conditions: tuple[str, ...]
    cost: float


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "losses": Part(
            "each loss and its gradient, of fixed outputs",
            ("highest", "default", "eager"),
            4,
        ),
        "backbone": Part(
            "each backbone on a crop of 64 px, layer by layer",
            ("highest", "default", "bfloat16"),
            5,
        ),
        "layers": Part(
            "the network, layer by layer", ("highest", "default", "bfloat16"), 5
        ),
        "training": Part(
            "three training steps of 4 pairs, and the first gradient",
            ("highest", "default", "bfloat16", "devices"),
            25,
        ),
        "tracking": Part(
            "lite: 60 frames; others: four frames, each from the true box before",
            ("highest", "default", "bfloat16"),
            8,
        ),
    }
)
# The tracker whose weights ship; those of all others are drawn.
SHIPPED = "lite"
# Points and anchors, labels by place and by prediction.
DEFAULT = (SHIPPED, "siamla_lite0", "dla_siamrpnpp_lite0")
# Those of the recording that ships: one of each paper. CRACT takes longest.
REFERENCE = (*DEFAULT, "cract_lite0")
# Every family, every kind of label, every backbone.
ALL = (
    *REFERENCE,
    "siamcar_lite0",
    "siamrpnpp_lite0",
    "siamfcpp_lite0",
    "dla_siamcar_lite0",
    "dla_siamla_lite0",
    "dla_siamfcpp_lite0",
    "nanotrack_v2",
    "siamcar_r50",
    "siamla_r50",
    "siamban_r50",
    "siamrpnpp_r50",
    "cract_r18",
    "siamfcpp_googlenet",
    "rpn_effb0",
)


class Item(NamedTuple):
    """One thing to compute.

    Attributes:
      tracker: a config's name, or `SHIPPED`; of the part "backbone" a backbone's name.
      part: of `PARTS`.
      condition: of `CONDITIONS`.
    """

    tracker: str
    part: str
    condition: str


def items(
    backbones: Mapping[str, str],
    *,
    parts: Sequence[str],
    conditions: Iterable[str],
) -> list[Item]:
    """Lists what to compute.

    Args:
      backbones: tracker -> name of its backbone.
      parts: of `PARTS`.
      conditions: of `CONDITIONS`.

    Returns:
      The items; a backbone that trackers share occurs once.
    """
    found = {}
    for tracker, backbone in backbones.items():
        for part in parts:
            if tracker == SHIPPED and part != "tracking":
                continue
            # What is drawn follows nothing: rounding would choose another cell.
            limited = part == "tracking" and tracker != SHIPPED
            allowed = ("highest",) if limited else PARTS[part].conditions
            name = backbone if part == "backbone" else tracker
            for condition in conditions:
                if condition in allowed:
                    found[Item(name, part, condition)] = None
    return list(found)
