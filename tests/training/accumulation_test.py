"""A batch taken in parts, one after the other."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxtrack.models.norms import Statistics
from jaxtrack.training import state, step
from jaxtrack.training.accumulation import averaged, exact
from jaxtrack.training.division import Division

from .conftest import make_batch
from .steps import PREPROCESSING, RATES, train


def test_accumulation_averages_the_parts():
    # Two equal halves: each part's gradient is that of the whole batch; but for the
    # variance's count, n / (n - 1), so do its running statistics.
    def doubled(number):
        half = make_batch(number, size=4)
        return {name: np.concatenate([a, a]) for name, a in half.items()}

    whole, _ = train(1, steps=1, batches=doubled)
    parts, _ = train(1, steps=1, batches=doubled, division=Division(2))
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6),
        (whole.params, whole.batch_stats["neck"]["mean"]),
        (parts.params, parts.batch_stats["neck"]["mean"]),
    )


def pairs(number):
    """Returns a batch of 16 pairs, of whose parts some have no positive pair."""
    batch = make_batch(number, size=16)
    batch["is_positive"][:2] = batch["is_positive"][9:12] = False
    return batch


def ghost(num_devices, parts):
    """Divides 16 pairs so that groups of two have statistics of their own."""
    size = 16 // (num_devices * parts)
    return Division(parts, Statistics(split=size // 2, devices=1), parts > 1)


def frozen(num_devices, parts):
    """Divides a batch whose statistics stay."""
    del num_devices
    return Division(parts, Statistics(is_frozen=True), parts > 1)


@functools.cache
def trained(divide, num_devices, parts):
    division = divide(num_devices, parts)
    return train(num_devices, batches=pairs, division=division)


SLOW = pytest.mark.slow
SPLITS = [
    *(pytest.param(*n, ghost, marks=SLOW) for n in [(1, 8), (2, 4), (8, 1)]),
    *(pytest.param(*n, frozen, marks=SLOW) for n in [(1, 8), (4, 2)]),
    (4, 2, ghost),
]


@pytest.mark.parametrize(("num_devices", "parts", "divide"), SPLITS)
def test_devices_and_parts_together_equal_the_whole_batch(num_devices, parts, divide):
    # Counts of positives and statistics are the whole batch's, so parameters, running
    # statistics and metrics are, but for the order of sums; see step_test.
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
        trained(divide, num_devices, parts),
        trained(divide, 1, 1),
    )


@pytest.mark.slow
def test_parts_with_counts_and_statistics_of_their_own_do_not():
    whole, _ = train(1, batches=pairs)
    parts, _ = train(1, batches=pairs, division=Division(8))
    apart = jax.tree.map(lambda a, b: np.abs(a - b).max(), whole.params, parts.params)
    assert max(jax.tree.leaves(apart)) > 1e-2


def test_the_exact_gradient_by_hand():
    # loss = sum (w x)^2 / sum (w x) of numbers 1, 2, 3: w 14 / 6, of slope 7 / 3. Of
    # parts (1), (2) and (3) alone it is w 1, 2 and 3: their average has the slope 2.
    def loss(outputs, batch):
        value = jnp.sum(outputs["y"] ** 2) / jnp.sum(outputs["y"])
        return value, {"seen": jnp.sum(batch["x"])}

    def apply(params, part):
        return {"y": params * part["x"]}, {"mean": part["x"].mean()}

    batch, w = {"x": jnp.array([1.0, 2.0, 3.0])}, jnp.float32(5.0)
    slope, metrics, stats = exact(apply, loss, w, batch, parts=3)
    np.testing.assert_allclose(slope, 7 / 3, rtol=1e-6)
    assert metrics["seen"] == 6 and stats["mean"] == 2
    slope, metrics, stats = averaged(apply, loss, w, batch, parts=3)
    np.testing.assert_allclose(slope, 2.0, rtol=1e-6)
    assert metrics["seen"] == 2 and stats["mean"] == 2


class Gain(nn.Module):
    """Multiplies a number by a parameter."""

    @nn.compact
    def __call__(self, gain):
        return self.param("w", nn.initializers.ones, ()) * gain


@pytest.mark.parametrize(("accumulate", "square"), [(1, 6.25), (2, 7.25), (4, 7.5)])
def test_each_part_goes_its_own_way_through_the_network(accumulate, square):
    # Pairs are numbered 1, 1, 2, 2, 3, 3, 4, 4, and a part's gain is their mean: 1.5
    # and 3.5 of two parts, (2.25 + 12.25) / 2 = 7.25 on average of squares; of four
    # parts (1 + 4 + 9 + 16) / 4 = 7.5. The mean gain, which is the slope, is 2.5.
    batch = {**make_batch(0), "number": jnp.repeat(jnp.arange(1.0, 5.0), 2)}
    seen = []

    def forward(network, part, *, train, train_backbone):
        assert train and not train_backbone
        assert part["z_image"].dtype == jnp.float32
        seen.append(set(part) - set(batch))
        gain = part["number"].mean()
        return {"out": network(gain), "gain": gain}

    def loss(outputs, part, *, axis_name):
        assert part["z_image"].dtype == jnp.uint8 and axis_name is None
        return outputs["out"], {"square": outputs["gain"] ** 2}

    params = {"w": jnp.ones(())}
    tx = optax.sgd(0.1)
    _, metrics = step.train_step(
        state.create({"params": params}, tx, keep_ema=False),
        batch,
        RATES,
        model=step.Model(Gain(), forward, loss, PREPROCESSING),
        optimizer=tx,
        train_backbone=False,
        division=Division(accumulate),
    )
    np.testing.assert_allclose(metrics["square"], square, rtol=1e-6)
    np.testing.assert_allclose(metrics["grad_norm"], 2.5, rtol=1e-6)
    # It finds the pairs' keys too.
    assert seen
    assert all(new == {"key"} for new in seen)
