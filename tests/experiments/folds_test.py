"""Tests for experiments.folds."""

from collections import Counter

import numpy as np
import pytest

from experiments import folds
from jaxtrack.errors import InputError

HELD_OUT = ["otb_a", "uav_b", "vot_c"]


def names_of(num_davis, num_segtrack, seed=0):
    names = [f"davis_{i:02d}" for i in range(num_davis)]
    names += [f"segtrack2_{i:02d}" for i in range(num_segtrack)] + HELD_OUT
    return list(np.random.default_rng(seed).permutation(names))


def test_deals_alternately_by_hand():
    names = ["davis_d", "davis_a", "davis_c", "davis_b", "segtrack2_x", "otb_q"]
    first, second = folds.split(names)
    # The fifth name goes on where the fourth stopped: to the first fold.
    assert first.test == ("davis_a", "davis_c", "segtrack2_x", "otb_q")
    assert first.train == ("davis_b", "davis_d")
    assert second.test == ("davis_b", "davis_d", "otb_q")
    assert second.train == ("davis_a", "davis_c", "segtrack2_x")


@pytest.mark.parametrize("num_folds", [2, 3, 5])
@pytest.mark.parametrize("counts", [(20, 8), (7, 5), (3, 2), (5, 0)])
def test_disjoint_whole_balanced(num_folds, counts):
    names = names_of(*counts)
    found = folds.split(names, num_folds=num_folds)
    dealt = {n for n in names if n not in HELD_OUT}
    held = [set(f.test) - set(HELD_OUT) for f in found]
    assert len(found) == num_folds
    for fold, share in zip(found, held, strict=True):
        assert not set(fold.train) & set(fold.test)
        assert set(fold.train) == dealt - share
        assert set(HELD_OUT) <= set(fold.test)
        assert len(set(fold.test)) == len(fold.test)
    # Every name that may be trained on is held out exactly once.
    assert Counter(n for share in held for n in share) == Counter(dealt)
    for family in ("", "davis", "segtrack2"):
        sizes = [sum(n.startswith(family) for n in share) for share in held]
        assert max(sizes) - min(sizes) <= 1


def test_order_of_the_names_does_not_matter():
    assert folds.split(names_of(6, 3, seed=1)) == folds.split(names_of(6, 3, seed=2))


def test_other_names_are_left_out():
    found = folds.split(["davis_a", "davis_b", "got_1"])
    assert "got_1" not in {n for fold in found for part in fold for n in part}


def test_always_tested():
    assert folds.always_tested(folds.split(names_of(6, 3))) == HELD_OUT


def test_matching_takes_each_once_sorted():
    assert folds.matching(["b1", "a1", "c"], ["b*", "*1"]) == ["a1", "b1"]


def test_refuses():
    with pytest.raises(InputError, match="disjoint"):
        folds.split(["davis_a", "davis_b"], held_out=["*_b"])
    with pytest.raises(InputError, match="1 sequences fit"):
        folds.split(["davis_a", "otb_b"])
    with pytest.raises(InputError, match="--folds=1"):
        folds.split(["davis_a", "davis_b"], num_folds=1)
