"""Matches the arrays of a file with the variables of a network, by name."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxtrack.weights.state_dict import listed

Shape = tuple[int, ...]


class Match(NamedTuple):
    """The names of a file and of a network, by the result of the match.

    Attributes:
      fitting: arrays that fit their variable.
      missing: variables without an array.
      unexpected: arrays without a variable.
      misshapen: arrays whose shape or dtype differs from the variable's -> how.
      leftover: arrays that the network is known not to use.
    """

    fitting: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: Mapping[str, str]
    leftover: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every variable has an array, and every array a variable."""
        return not (self.missing or self.unexpected or self.misshapen)

    def faults(self, *, most: int = 8) -> str:
        """Describes what does not fit, on one line.

        Args:
          most: names of a kind to list before the rest is counted.
        """
        kinds = {
            "missing": list(self.missing),
            "unexpected": list(self.unexpected),
            "of another shape": [f"{k} is {w}" for k, w in self.misshapen.items()],
        }
        return "; ".join(
            f"{kind}: {listed(names, most=most)}"
            for kind, names in kinds.items()
            if names
        )

    def lines(self) -> list[str]:
        """Describes every name that does not fit, a line each, and the counts."""
        rows = [f"missing     {name}" for name in self.missing]
        rows += [f"unexpected  {name}" for name in self.unexpected]
        rows += [f"misshapen   {name} is {why}" for name, why in self.misshapen.items()]
        rows += [f"left out    {name}" for name in self.leftover]
        counts = (
            f"{len(self.fitting)} arrays fit, {len(self.missing)} missing, "
            f"{len(self.unexpected)} unexpected, {len(self.misshapen)} misshapen, "
            f"{len(self.leftover)} left out"
        )
        return [*rows, counts]


def match(
    shapes: Mapping[str, Shape],
    arrays: Mapping[str, Any],
    *,
    leftover: str = r"$^",
) -> Match:
    """Compares the names, shapes and types of a network with those of a file.

    Args:
      shapes: of the network's variables by the names that the file uses.
      arrays: arrays of the file.
      leftover: regular expression of the file's names that the network does not use.

    Returns:
      The result for each name.
    """
    misshapen = {
        name: why
        for name, shape in shapes.items()
        if name in arrays and (why := _difference(arrays[name], shape))
    }
    others = [name for name in arrays if name not in shapes]
    return Match(
        fitting=tuple(n for n in shapes if n in arrays and n not in misshapen),
        missing=tuple(name for name in shapes if name not in arrays),
        unexpected=tuple(name for name in others if not re.match(leftover, name)),
        misshapen=misshapen,
        leftover=tuple(name for name in others if re.match(leftover, name)),
    )


def _difference(array, shape):
    """Describes how an array differs from its variable, or "" if it does not."""
    if tuple(array.shape) != tuple(shape):
        return f"{list(array.shape)}, not {list(shape)}"
    dtype = np.asarray(array).dtype
    return "" if jnp.issubdtype(dtype, jnp.floating) else f"{dtype}, not floating"
