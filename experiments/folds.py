"""Which sequences train a tracker, and which test it, fold by fold."""

import fnmatch
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jaxtrack.errors import InputError

TRAIN = ("davis_*", "segtrack2_*")
HELD_OUT = ("otb_*", "uav_*", "vot_*")


class Fold(NamedTuple):
    """One way to divide the sequences.

    Attributes:
      train: names of those to train on.
      test: names of those to test on: this fold's share of the rest, then those that
        no fold trains on.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]


def matching(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Returns the names that fit a glob pattern, each once, sorted."""
    return sorted({n for n in names for p in patterns if fnmatch.fnmatchcase(n, p)})


def split(
    names: Iterable[str],
    *,
    train: Sequence[str] = TRAIN,
    held_out: Sequence[str] = HELD_OUT,
    num_folds: int = 2,
) -> list[Fold]:
    """Divides sequences so that each is tested by networks that never saw it.

    The names that fit `train`, sorted, are dealt to the folds one after the other,
    family by family (a family is what stands before the first `_`); so a fold's share
    of a family, and its share of all, differs from another's by one at most. Each fold
    trains on the other folds' shares and is tested on its own. The names that fit
    `held_out` are tested in every fold; other names are left out.

    Args:
      names: of the sequences.
      train: glob patterns of those that may be trained on.
      held_out: glob patterns of those that are never trained on.
      num_folds: number of folds, 2 or more.

    Returns:
      The folds.

    Raises:
      InputError: fewer sequences than folds, or a name that fits both.
    """
    if num_folds < 2:
        raise InputError(f"--folds={num_folds}: a sequence is held out of one of 2")
    names = list(names)
    dealt, always = matching(names, train), matching(names, held_out)
    if both := sorted(set(dealt) & set(always)):
        raise InputError(
            f"sequence {both[0]} fits a pattern to train on and one to hold out: "
            "make the patterns disjoint"
        )
    if len(dealt) < num_folds:
        raise InputError(
            f"{len(dealt)} sequences fit {', '.join(train)}: {num_folds} folds need "
            "one each"
        )
    # Sorted by name, a family stands together.
    shares = [dealt[k::num_folds] for k in range(num_folds)]
    return [
        Fold(
            train=tuple(n for other in shares if other is not share for n in other),
            test=(*share, *always),
        )
        for share in shares
    ]


def always_tested(folds: Sequence[Fold]) -> list[str]:
    """Returns the names that every fold tests: no network has trained on them."""
    return [name for name in folds[0].test if all(name in f.test for f in folds)]
