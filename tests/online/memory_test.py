"""Tests for jaxtrack.online.memory."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack.online import memory

LABELS = np.array([1, 1, 0, 0, 0], np.float32)
VALID = np.ones(5, bool)


sample_weights = jax.jit(memory.sample_weights)


def group(value):
    """A group of five samples of two numbers, all of which are `value`."""
    return jnp.full((5, 2), value, jnp.float32), jnp.asarray(LABELS), jnp.asarray(VALID)


def start(num_groups=4):
    return memory.create(num_groups, *group(0), frame=0)


@partial(jax.jit, static_argnames=("count", "rate", "min_first_weight"))
def fill(mem, count, rate=0.01, **options):
    """Inserts groups 1 to `count`; returns the memory and all weights on the way."""

    def body(mem, t):
        mem = memory.insert(
            mem, *group(t.astype(jnp.float32)), frame=t, rate=rate, **options
        )
        return mem, mem.weights

    return lax.scan(body, mem, jnp.arange(1, count + 1))


def numpy_rule(num_groups, count, rates, least, exact):
    """The rule of ATOM's code, for one initial sample; returns slots and weights."""
    w = np.zeros(num_groups)
    w[0] = 1
    held = np.full(num_groups, -1)
    held[0] = 0
    prev = None
    for t in range(1, count + 1):
        r = 1 + int(np.argmin(w[1:]))
        if prev is None:
            w /= 1 - rates[t]
            w[r] = rates[t]
        else:
            w[r] = w[prev] / (1 - rates[t])
        w /= w.sum()
        if w[0] < least:
            w /= w[1:].sum() / (1 - least) if exact else least + w[1:].sum()
            w[0] = least
        prev, held[r] = r, t
    return held, w


def test_first_weights_by_hand():
    # 1 / .9 and .1 -> sum 1.2111: .91743 and .08257. Then .08257 / .9 = .09174 -> sum
    # 1.09174: .84034, .07563, .08403.
    mem, weights = fill(start(), 2, rate=0.1)
    np.testing.assert_allclose(weights[0], [0.91743, 0.08257, 0, 0], atol=1e-5)
    np.testing.assert_allclose(weights[1], [0.84034, 0.07563, 0.08403, 0], atol=1e-5)
    assert mem.previous == 2
    np.testing.assert_array_equal(mem.frames, [0, 1, 2, 0])
    np.testing.assert_array_equal(mem.samples[:, 0, 0], [0, 1, 2, 0])
    assert mem.valid[:3].all() and not mem.valid[3].any()


@pytest.mark.parametrize("exact, rtol", [(True, 2e-5), (False, 0.02)])
@pytest.mark.parametrize("num_groups", [2, 7, 40])
def test_three_hundred_insertions_are_as_in_numpy(num_groups, exact, rtol):
    rng = np.random.default_rng(0)
    rates = np.append(0, np.where(rng.random(300) < 0.2, 0.02, 0.01))

    def body(mem, t):
        mem = memory.insert(
            mem,
            *group(t.astype(jnp.float32)),
            frame=t,
            rate=jnp.asarray(rates, jnp.float32)[t],
        )
        return mem, None

    mem, _ = jax.jit(lambda m: lax.scan(body, m, jnp.arange(1, 301)))(start(num_groups))
    held, weights = numpy_rule(num_groups, 300, rates, 0.25, exact)
    np.testing.assert_array_equal(mem.frames, held)
    np.testing.assert_array_equal(mem.samples[:, -1, -1], held)
    np.testing.assert_allclose(mem.weights, weights, rtol=rtol)


def test_the_last_group_may_be_replaced_in_place():
    mem = fill(start(), 5)[0]
    insert = partial(memory.insert, frame=9, rate=0.5)
    new = insert(mem, *group(9.0), replaces_last=True)
    # Slot and weight are those of group 5; the others are as they were.
    slot = int(mem.previous)
    assert new.previous == slot and mem.frames[slot] == 5 and new.frames[slot] == 9
    np.testing.assert_array_equal(new.weights, mem.weights)
    np.testing.assert_array_equal(new.samples[slot], 9)
    others = np.arange(4) != slot
    np.testing.assert_array_equal(new.samples[others], mem.samples[others])
    # The first group is never the last.
    new = insert(start(), *group(9.0), replaces_last=True)
    np.testing.assert_array_equal(new.frames, [0, 9, 0, 0])


def test_sums_stay_one_and_the_first_group_stays():
    mem, weights = jax.jit(partial(fill, count=100, rate=0.1))(start(6))
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert (weights[:, 0] >= 0.25).all()
    assert weights[-1, 0] == 0.25  # The limit is reached.
    np.testing.assert_array_equal(mem.samples[0], 0)
    # The last five are kept, the newest weighs most.
    np.testing.assert_array_equal(np.sort(mem.frames[1:]), range(96, 101))
    order = np.argsort(mem.frames)
    newer = np.asarray(mem.weights)[order][1:]
    np.testing.assert_allclose(newer[:-1] / newer[1:], 0.9, rtol=1e-5)


def test_the_lightest_goes_not_the_oldest():
    mem = start(4).replace(
        weights=jnp.array([0.4, 0.3, 0.1, 0.2]), previous=jnp.int32(3)
    )
    mem = memory.insert(mem, *group(9), frame=9, rate=0.5)
    np.testing.assert_array_equal(mem.frames, [0, 0, 9, 0])
    # .2 / .5 = .4 in the place of .1: a sum of 1.3.
    np.testing.assert_allclose(mem.weights, np.array([0.4, 0.3, 0.4, 0.2]) / 1.3, 1e-6)


def test_a_lighter_first_group_is_allowed_on_request():
    _, weights = fill(start(6), 100, 0.1, min_first_weight=0.1)
    np.testing.assert_allclose(weights[-1, 0], 0.1, rtol=1e-6)


def test_sample_weights_by_hand():
    mem = start(3).replace(
        weights=jnp.array([0.5, 0.2, 0.3]),
        labels=jnp.array([LABELS, LABELS, LABELS]),
        valid=jnp.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 1, 1, 1]], bool),
        frames=jnp.array([0, 10, 20], jnp.int32),
    )
    expected = np.array(
        [
            [0.125, 0.125, 0.25 / 3, 0.25 / 3, 0.25 / 3],
            [0.1, 0, 0.05, 0.05, 0],
            [0, 0, 0.1, 0.1, 0.1],  # No positive: the negatives have all.
        ]
    )
    np.testing.assert_allclose(sample_weights(mem), expected, rtol=1e-6)
    recent = sample_weights(mem, since_frame=11)
    np.testing.assert_allclose(recent, expected * [[1], [0], [1]] / 0.8, rtol=1e-6)
    exact = sample_weights(mem, since_frame=10)
    np.testing.assert_allclose(exact, expected, rtol=1e-6)


def test_sample_weights_sum_to_one(variant):
    mem, _ = fill(start(8), 5)
    weigh = variant(lambda m, since: memory.sample_weights(m, since_frame=since))
    for since in (0, 3, 1000):
        weights = weigh(mem, jnp.int32(since))
        assert abs(weights.sum() - 1) < 1e-6
        assert (weights.sum(1) > 0).sum() == (
            6 if since == 0 else 1 + max(6 - since, 0)
        )


def test_nothing_valid_weighs_nothing():
    mem = start(3)
    mem = mem.replace(valid=jnp.zeros_like(mem.valid))
    np.testing.assert_array_equal(sample_weights(mem), np.zeros((3, 5)))


def test_an_empty_group_counts_for_nothing():
    samples, labels, _ = group(1)
    mem = memory.insert(start(3), samples, labels, jnp.zeros(5, bool), frame=1)
    weights = sample_weights(mem)
    np.testing.assert_array_equal(weights[1], 0)
    assert abs(weights.sum() - 1) < 1e-6


def test_eager_jit_and_pmap_agree(variant):
    insert = variant(lambda m, f, rate: memory.insert(m, *group(3), frame=f, rate=rate))
    mem = insert(start(3), jnp.int32(5), jnp.float32(0.02))
    np.testing.assert_array_equal(mem.frames, [0, 5, 0])
    np.testing.assert_allclose(mem.weights[1] / mem.weights[0], 0.02 * 0.98, rtol=1e-5)


def test_vmap_is_a_loop():
    mems = [fill(start(4), count)[0] for count in (1, 2, 5)]
    rates = jnp.array([0.01, 0.02, 0.1])

    def insert(mem, rate):
        return memory.insert(mem, *group(7), frame=7, rate=rate)

    stacked = jax.tree.map(lambda *rows: jnp.stack(rows), *mems)
    batched, alone = jax.jit(jax.vmap(insert))(stacked, rates), jax.jit(insert)
    looped = [alone(mem, rate) for mem, rate in zip(mems, rates, strict=True)]
    looped = jax.tree.map(lambda *rows: jnp.stack(rows), *looped)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), batched, looped
    )


def test_faults_show_the_shapes():
    samples, labels, valid = group(0)
    with pytest.raises(ValueError, match="num_groups is 1"):
        memory.create(1, samples, labels, valid, 0)
    with pytest.raises(ValueError, match=r"\(5, 2\), \(4,\), \(5,\)"):
        memory.create(3, samples, labels[:4], valid, 0)
    with pytest.raises(ValueError, match=r"\(4, 2\).*groups of \(5, 2\)"):
        memory.insert(start(), samples[:4], labels[:4], valid[:4], frame=1)
