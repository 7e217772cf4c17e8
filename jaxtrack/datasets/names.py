"""Choosing sequences by names, by patterns, and as other codes spell them."""

import fnmatch
from collections.abc import Iterable

from jaxtrack.datasets.sequence import Listing
from jaxtrack.errors import InputError

_NAMED = 20  # Sequences that an error names.


def choose(
    listing: Listing, patterns: Iterable[str], *, where: str = "the dataset"
) -> tuple[str, ...]:
    """Returns the names that names and patterns choose, in the dataset's order.

    Args:
      listing: of a split.
      patterns: names, also as other codes spell them, or patterns; none takes all.
      where: what an error names.

    Raises:
      InputError: one of them fits no sequence.
    """
    fitting, known = set(), set(listing.names)
    for wanted in (patterns := tuple(patterns)):
        if wanted in known:
            fitting.add(wanted)
            continue
        fits = {n for n in listing.names if fnmatch.fnmatchcase(n, wanted)}
        # Public codes write Jogging-1 as Jogging_1 and Jogging.1 too.
        alike = _plain(wanted)
        fits = fits or {n for n in listing.names if fnmatch.fnmatch(_plain(n), alike)}
        if not fits:
            raise InputError(
                f"{where}: no sequence {wanted!r}; they are {named(listing.names)}"
            )
        fitting |= fits
    return tuple(n for n in listing.names if n in fitting or not patterns)


def _plain(name: str) -> str:
    """A name without what public codes spell differently."""
    return name.lower().replace("_", "-").replace(".", "-")


def named(names: tuple[str, ...] | list[str]) -> str:
    """Returns the first names, for an error.

    Args:
      names: any number of them.
    """
    return ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
