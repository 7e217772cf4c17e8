"""Compares two recordings: how far numbers are apart, and what is too far."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.portability import plan
from jaxtrack.portability.recording import Key, Recording
from jaxtrack.portability.tolerances import TOLERANCES

# An array this much smaller than the largest of its kind is what rounding left of a
# zero, such as the gradient of a bias before a normalization, or of attention's keys:
# its error is given in parts of this share of the largest. Less precise products leave
# more: in bfloat16 7e-4 of the largest was measured.
_SMALLEST = {"float32": 1e-3, "TF32": 1e-2, "bfloat16": 1e-2}


class Row(NamedTuple):
    """How far one array is from the reference.

    Attributes:
      key: of the array.
      error: see `tolerances.TOLERANCES`.
      tolerance: the largest error allowed.
    """

    key: Key
    error: float
    tolerance: float

    @property
    def is_over(self) -> bool:
        """Whether it is too far; numbers that are not finite are."""
        return not self.error <= self.tolerance


class Comparison(NamedTuple):
    """Two recordings compared.

    Attributes:
      rows: of all that both have, in the order of computation.
      left_out: tracker and part -> why it could not be compared.
    """

    rows: list[Row]
    left_out: dict[str, str]


def compare(found: Recording, reference: Recording) -> Comparison:
    """Compares each condition of a recording with the reference's float32.

    Args:
      found: what a platform computed, in any condition.
      reference: with the condition "highest" of the same trackers and parts.

    Returns:
      The comparison.

    Raises:
      InputError: the two have nothing in common that can be compared.
    """
    truth = {
        key._replace(condition=""): value
        for key, value in reference.values.items()
        if key.condition == "highest"
    }
    left_out, rows = _unlike(found, reference), []
    groups = itertools.groupby(found.values, key=lambda key: key[:4])
    for (tracker, part, condition, kind), keys in groups:
        if f"{tracker} {part}" in left_out:
            continue
        keys = list(keys)
        sought = [truth.get(key._replace(condition="")) for key in keys]
        if any(value is None for value in sought):
            left_out[f"{tracker} {part}"] = "the reference lacks some of its arrays"
            continue
        precision = _precision(condition, found.about)
        tolerance = TOLERANCES[kind].limits[precision]
        given = [found.values[key] for key in keys]
        unit, least = TOLERANCES[kind].unit, _SMALLEST[precision]
        errors = _errors(given, sought, unit=unit, least=least)
        pairs = zip(keys, errors, strict=True)
        rows += [Row(key, error, tolerance) for key, error in pairs]
    if not rows:
        why = next(iter(left_out.items()), ("it", "holds nothing"))
        raise InputError(
            f"nothing can be compared: {why[0]}: {why[1]}: record both files with the "
            "same version, trackers and parts"
        )
    return Comparison(rows, left_out)


def _unlike(found, reference):
    """Returns tracker and part -> why the recordings differ in what they computed."""
    theirs, left_out = reference.about["inputs"], {}
    for place, checksum in found.about["inputs"].items():
        if place not in theirs:
            left_out[place] = "not in the reference"
        elif checksum != theirs[place]:
            left_out[place] = "recorded with other weights or inputs"
    return left_out


def _precision(condition: str, about: dict[str, Any]) -> str:
    """Names the precision of a condition's products."""
    if condition == "bfloat16":
        return "bfloat16"
    products = about["products"] if condition == "default" else "float32"
    return "bfloat16" if products == "less than bfloat16" else products


def _errors(
    given: Sequence[np.ndarray],
    sought: Sequence[np.ndarray],
    *,
    unit: str,
    least: float,
) -> list[float]:
    """Returns the error of each array of a kind; `least` is of `_SMALLEST`."""
    given = [value.astype(np.float64) for value in given]
    sought = [value.astype(np.float64) for value in sought]
    if unit:
        pairs = zip(given, sought, strict=True)
        return [float(np.max(np.abs(a - b))) for a, b in pairs]
    norms = [float(np.linalg.norm(b)) for b in sought]
    least = least * max(norms) or 1.0
    return [
        float(np.linalg.norm(a - b)) / max(norm, least)
        for a, b, norm in zip(given, sought, norms, strict=True)
    ]


def summary(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Makes a table: the worst array of each tracker, condition and kind.

    Args:
      rows: of a comparison.

    Returns:
      Lines of cells, the first of them the head.
    """
    table = [("tracker", "condition", "what", "arrays", "worst", "tolerance", "where")]
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = row.key
        what = key.kind if key.part == "backbone" else f"{key.part}: {key.kind}"
        groups.setdefault((key.tracker, key.condition, what), []).append(row)
    for group, members in groups.items():
        worst = max(members, key=lambda row: np.nan_to_num(row.error, nan=np.inf))
        unit = TOLERANCES[worst.key.kind].unit
        error = f"{worst.error:.1e} {unit}".rstrip() + " !" * worst.is_over
        limit = f"{worst.tolerance:.1e}"
        table.append((*group, str(len(members)), error, limit, worst.key.name))
    return table


def first_over(rows: Sequence[Row]) -> list[Row]:
    """Returns the first array over its tolerance of each tracker, part and condition.

    Layers are in the order of their execution: the first one is where platforms part.

    Args:
      rows: of a comparison.
    """
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if row.is_over:
            found.setdefault(row.key[:3], row)
    order = list(plan.PARTS)
    return sorted(found.values(), key=lambda row: order.index(row.key.part))
