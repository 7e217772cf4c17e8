"""How the arrays of a file meet the variables of a network, every name of both."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxtrack.weights.state_dict import listed

Shape = tuple[int, ...]


class Match(NamedTuple):
    """Every name of a file and of a network, by how it fares.

    Attributes:
      fitting: of arrays that fit their variable.
      missing: of variables that no array has.
      unexpected: of arrays that no variable has.
      misshapen: of both, whose shape or type differs, and how.
      leftover: of arrays that the network is known to leave out.
    """

    fitting: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: Mapping[str, str]
    leftover: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every variable has its array, and every array its variable."""
        return not (self.missing or self.unexpected or self.misshapen)

    def faults(self, *, most: int = 8) -> str:
        """Words what does not fit, on one line.

        Args:
          most: names of a kind that are told before the rest is counted.
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
        """Words every name that does not simply fit, a line each, and the sums."""
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
      arrays: of the file.
      leftover: regular expression of the file's names that the network leaves out.

    Returns:
      How each name fares.
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
    """Words how an array differs from what is wanted, or "" where it does not."""
    if tuple(array.shape) != tuple(shape):
        return f"{list(array.shape)}, not {list(shape)}"
    dtype = np.asarray(array).dtype
    return "" if jnp.issubdtype(dtype, jnp.floating) else f"{dtype}, not floating"
