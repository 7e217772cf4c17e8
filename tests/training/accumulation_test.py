"""A batch taken in parts, one after the other."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxtrack.training import state, step

from .conftest import make_batch
from .steps import PREPROCESSING, train


def test_accumulation_averages_the_parts():
    # Two equal halves: each part's gradient is that of the whole batch. Statistics of
    # batch normalisation move twice, so they are left out.
    def doubled(number):
        half = make_batch(number, size=4)
        return {name: np.concatenate([a, a]) for name, a in half.items()}

    whole, _ = train(1, steps=1, batches=doubled)
    parts, _ = train(1, steps=1, batches=doubled, accumulate=2)
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6),
        whole.params,
        parts.params,
    )


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
        network=Gain(),
        forward=forward,
        loss=loss,
        optimizer=tx,
        preprocessing=PREPROCESSING,
        train_backbone=False,
        accumulate=accumulate,
    )
    np.testing.assert_allclose(metrics["square"], square, rtol=1e-6)
    np.testing.assert_allclose(metrics["grad_norm"], 2.5, rtol=1e-6)
    # It finds the pairs' keys too.
    assert seen
    assert all(new == {"key"} for new in seen)
