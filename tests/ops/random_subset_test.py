"""Tests for jaxtrack.ops.random_subset."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops.random_subset import random_subset

# Nine places of twenty, in a map that is not square.
MASK = np.zeros((4, 5), bool)
MASK.flat[[0, 1, 4, 7, 8, 11, 13, 18, 19]] = True


def draw_many(number, mask, count, seed=0):
    """Draws `number` times, each with a key of its own, `[number, ...]`."""
    keys = jax.random.split(jax.random.key(seed), number)
    draw = partial(random_subset, mask=jnp.asarray(mask), count=count)
    return np.asarray(jax.jit(jax.vmap(draw))(keys))


@pytest.mark.parametrize("count", [0, 1, 5, 9, 10, 20, 1000])
def test_draws_the_count_or_all_there_are_and_only_from_the_mask(count):
    drawn = draw_many(50, MASK, count)
    assert drawn.dtype == bool
    np.testing.assert_array_equal(drawn.sum((1, 2)), min(count, 9))
    assert not drawn[:, ~MASK].any()


def test_an_empty_mask_yields_nothing():
    assert not draw_many(10, np.zeros((3, 3), bool), 4).any()


def test_a_traced_count_is_as_good(variant):
    draw = variant(random_subset)
    key = jax.random.key(3)
    for count in (0, 4, 12):
        drawn = draw(key, jnp.asarray(MASK), jnp.int32(count))
        assert drawn.sum() == min(count, 9)
        same = random_subset(key, jnp.asarray(MASK), count)
        np.testing.assert_array_equal(drawn, same)


def test_every_place_is_as_likely():
    # 3 of 9 in each of 6000 draws: a place is drawn 2000 times, sd sqrt(6000 * 1/3 *
    # 2/3) = 36.5. Bounds of 5 sd fail one sound run in 10^6; the seed is fixed anyway.
    times = draw_many(6000, MASK, 3).sum(0)[MASK]
    assert times.sum() == 18000
    assert np.abs(times - 2000).max() < 5 * 36.5
    # Chi-square of 8 degrees over the multinomial's; drawing without replacement
    # lowers it by (9 - 3) / (9 - 1). Its 99.99 % point is 31.8.
    assert np.sum((times - 2000) ** 2 / 2000) * 8 / 6 < 31.8


def test_every_pair_of_places_is_as_likely():
    # 10 pairs of 5 places, 400 of 4000 draws each, sd sqrt(4000 * .1 * .9) = 19.
    mask = np.zeros(7, bool)
    mask[[0, 2, 3, 5, 6]] = True
    drawn = draw_many(4000, mask, 2)[:, mask]
    pairs, times = np.unique(drawn, axis=0, return_counts=True)
    assert len(pairs) == 10
    assert np.abs(times - 400).max() < 5 * 19


def test_same_keys_agree_and_different_keys_differ():
    first, again = draw_many(200, MASK, 4), draw_many(200, MASK, 4)
    np.testing.assert_array_equal(first, again)
    # 126 subsets: two keys agree once in 126, so 200 keys give some hundred of them.
    assert len(np.unique(first.reshape(200, -1), axis=0)) > 80
    assert (first != draw_many(200, MASK, 4, seed=1)).any()


def test_a_subset_grows_with_its_count():
    # One order of the places for a key, from which the first `count` are taken.
    less, more = draw_many(100, MASK, 3), draw_many(100, MASK, 6)
    assert (more | ~less).all()


@pytest.mark.parametrize("count", [0, 1, 7, 30, 99])
def test_a_plain_count_draws_the_same_entries(count):
    mask = jnp.asarray(np.random.default_rng(3).random((6, 9)) < 0.6)
    for seed in range(5):
        key = jax.random.key(seed)
        plain = random_subset(key, mask, count)
        traced = jax.jit(random_subset)(key, mask, jnp.int32(count))
        np.testing.assert_array_equal(plain, traced)
        assert jnp.sum(plain) == min(count, int(jnp.sum(mask)))
