"""Names of sequences: how other codes write them, and choosing by pattern."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from jaxtrack.datasets import members
from jaxtrack.datasets.sequence import Listing
from jaxtrack.errors import InputError

_NAMED = 20  # Sequences that an error names.

# All of LaSOT's names: classes with numbers from 1 to 20.
_LASOT = tuple(
    f"{kind}-{number}"
    for kind in dict.fromkeys(
        name.rpartition("-")[0]
        for name in (*members.LASOT_TEST, *members.LASOT_EXTENSION)
    )
    for number in range(1, 21)
)
# Human4 has the ground truth of its second target alone.
_OTB = (*members.OTB100, "Human4-2")
_SAME = {"human4-2": "human4"}
# What public codes put before a name, `uav_bike1` -> the benchmark's sequences; none
# where the list is not known here.
_PREFIXES = {
    **dict.fromkeys(("otb", "otb50", "otb100", "otb2015"), _OTB),
    **dict.fromkeys(("uav", "uav123"), members.UAV123),
    **dict.fromkeys(("nfs", "nfs30"), members.NFS),
    **dict.fromkeys(("vot", "vot2018", "vot2019"), members.VOT2018),
    "lasot": _LASOT,
    **dict.fromkeys(("got10k", "tnl2k", "trackingnet", "tpl", "tc128"), ()),
}
_PREFIXED = re.compile(rf"({'|'.join(_PREFIXES)})[_-](.+)", re.IGNORECASE)
_KNOWN = tuple(frozenset(names) for names in _PREFIXES.values() if names)
_Spelling = Callable[[str], str]


class _Beside(NamedTuple):
    """What the other names of a folder tell about one of them.

    Attributes:
      strangers: names that no sequence has, in upper or lower case.
      keeps_case: whether one with capitals is written as the sequence's.
    """

    strangers: frozenset[str]
    keeps_case: bool


class Matches(NamedTuple):
    """The sequences that names of other codes stand for.

    Attributes:
      found: name of a sequence -> the other name.
      unclear: name of a sequence -> the names it may be, where these are several, or
        the sequences that share one.
      others: names that stand for no sequence.
    """

    found: dict[str, str]
    unclear: dict[str, tuple[str, ...]]
    others: tuple[str, ...]


def match(names: Iterable[str], given: Iterable[str]) -> Matches:
    """Finds the names that other codes give to sequences.

    The name itself goes first; then upper and lower case count as one, then a prefix
    that names the benchmark (`uav_bike1`) is taken off, then targets may be numbered in
    any way: Jogging-1, Jogging_1, Jogging.1, Jogging1. A sequence of another benchmark
    is never taken: LaSOT's car-2 is not OTB's Car2.

    Args:
      names: of the sequences.
      given: as the others have them.

    Returns:
      The matches.
    """
    names, given = tuple(dict.fromkeys(names)), tuple(dict.fromkeys(given))
    found = {name: name for name in set(names) & set(given)}
    lowered = {name.lower() for name in names}
    beside = _Beside(
        frozenset(other for other in given if other.lower() not in lowered),
        any(name != name.lower() for name in found),
    )
    left = [other for other in given if other not in found]
    unclear: dict[str, tuple[str, ...]] = {}
    for spelling in (str.lower, _unprefixed, _numbered, _unnumbered):
        fits = _fitting(spelling, [n for n in names if n not in found], left, beside)
        for name, others in fits.items():
            rivals = [n for n, some in fits.items() if set(some) & set(others)]
            if len(others) > 1 or len(rivals) > 1:
                unclear.setdefault(name, tuple(others if len(others) > 1 else rivals))
            elif name not in unclear:
                found[name] = others[0]
        left = [other for other in left if other not in found.values()]
    ordered = {name: found[name] for name in names if name in found}
    return Matches(ordered, unclear, tuple(left))


def _fitting(
    spelling: _Spelling, names: list[str], given: list[str], beside: _Beside
) -> dict[str, list[str]]:
    """Name -> names that are written like it and belong to no other benchmark."""
    keys: dict[str, list[str]] = {}
    for other in given:
        # A separator is dropped from our name, never from theirs.
        key = _numbered(other) if spelling is _unnumbered else spelling(other)
        keys.setdefault(key, []).append(other)
    fits = {}
    for name in names:
        alike = keys.get(spelling(name), ())
        alike = [other for other in alike if not _is_foreign(name, other, beside)]
        if alike:
            fits[name] = alike
    return fits


def _unprefixed(name: str) -> str:
    """A name in lower case without the prefix that names its benchmark."""
    prefixed = _PREFIXED.fullmatch(name)
    return (prefixed[2] if prefixed else name).lower()


def _numbered(name: str) -> str:
    """Jogging-1, Jogging_1 and Jogging.1 alike."""
    plain = re.sub(r"[-_. ]+", "-", _unprefixed(name))
    return _SAME.get(plain, plain)


def _unnumbered(name: str) -> str:
    """The same, as Jogging1."""
    return re.sub(r"-(\d+)$", r"\1", _numbered(name))


def _is_foreign(name: str, other: str, beside: _Beside) -> bool:
    """Returns whether a similar name belongs to another benchmark's sequence."""
    theirs, ours = _PREFIXED.fullmatch(other), _PREFIXED.fullmatch(name)
    if theirs and ours:
        return _benchmark(theirs) != _benchmark(ours)
    if theirs:
        return _is_of_another(name, _benchmark(theirs))
    if ours:
        return _is_of_another(other, _benchmark(ours))
    strange = [known for known in _KNOWN if other in known and name not in known]
    if other.lower() != name.lower():
        return bool(strange)
    # Case alone tells little: Suv is OTB's, suv NfS's, or OTB's of who writes so.
    return bool(strange) and (
        beside.keeps_case or any(beside.strangers & known for known in strange)
    )


def _benchmark(prefixed: re.Match) -> Sequence[str]:
    """The sequences of the benchmark that a prefix names; none where unknown."""
    return _PREFIXES[prefixed[1].lower()]


def _is_of_another(name: str, benchmark: Sequence[str]) -> bool:
    """Returns whether a name is known, and not as one of a benchmark's."""
    return name not in benchmark and any(name in known for known in _KNOWN)


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
    patterns = tuple(patterns)
    fitting = set(match(listing.names, patterns).found.items())
    taken = {other for _, other in fitting}
    chosen = {name for name, _ in fitting}
    for wanted in (wanted for wanted in patterns if wanted not in taken):
        fits = {n for n in listing.names if fnmatch.fnmatchcase(n, wanted)}
        alike = _numbered(wanted)
        fits = fits or {
            n for n in listing.names if fnmatch.fnmatch(_numbered(n), alike)
        }
        if not fits:
            raise InputError(
                f"{where}: no sequence {wanted!r}; they are {named(listing.names)}"
            )
        chosen |= fits
    return tuple(n for n in listing.names if n in chosen or not patterns)


def named(names: tuple[str, ...] | list[str]) -> str:
    """Returns the first names, for an error.

    Args:
      names: any number of them.
    """
    return ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
