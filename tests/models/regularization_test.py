"""Tests for jaxtrack.models.regularization."""

from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.errors import InputError
from jaxtrack.models.backbones.efficientnet import EfficientNetLite0, MBConv
from jaxtrack.models.regularization import drop, regularized

KEYS = jax.random.split(jax.random.key(0), 8)


class Product(nn.Module):
    """Stands for a correlation: sums the products of channels, times a parameter."""

    @nn.compact
    def __call__(self, z, x, *, train=False):
        return self.param("factor", nn.initializers.ones, ()) * (z * x).sum((1, 2, 3))


class Tiny(nn.Module):
    """A block of EfficientNet, and a correlation."""

    def setup(self):
        self.block = MBConv(8, 3, 1, 2)
        self.correlation = Product()

    def __call__(self, z, x, *, train=False, train_backbone=False):
        own = self.block(x, train=train_backbone)
        return {"map": own, "cls": self.correlation(z, x, train=train)}


def forward(network, batch, *, train, train_backbone):
    modes = {"train": train, "train_backbone": train_backbone}
    return network(batch["z_image"], batch["x_image"], **modes)


@pytest.fixture(scope="module")
def tiny():
    rng = np.random.default_rng(0)
    maps = {
        n: jnp.float32(rng.normal(size=(8, 4, 4, 8))) for n in ("z_image", "x_image")
    }
    batch = {**maps, "key": KEYS}
    network = Tiny()
    return network, jax.jit(network.init)(jax.random.key(1), *maps.values()), batch


def outputs(tiny, *, num_devices=1, train=True, train_backbone=False, **rates):
    network, variables, batch = tiny
    owner = SimpleNamespace(backbone=EfficientNetLite0())
    changed = regularized(forward, owner, **rates)
    apply = nn.apply(changed, network, mutable=["batch_stats"])

    def run(batch):
        modes = {"train": train, "train_backbone": train_backbone}
        return apply(variables, batch, **modes)[0]

    if num_devices == 1:
        return jax.device_get(jax.jit(run)(batch))
    parts = jax.tree.map(lambda a: a.reshape(num_devices, -1, *a.shape[1:]), batch)
    mapped = jax.pmap(run, devices=jax.devices()[:num_devices])(parts)
    return jax.device_get(jax.tree.map(lambda a: a.reshape(8, *a.shape[2:]), mapped))


def test_channels_are_dropped_together_and_the_others_grow():
    def dropped(maps):
        return drop(KEYS, maps, 0.25, whole=False)

    maps = {"z": jnp.ones((8, 1, 2, 500)), "x": 2 * jnp.ones((8, 2, 2, 500))}
    found, back = jax.jit(lambda maps: jax.vjp(dropped, maps))(maps)
    # One b of a pair and channel: 0, or 1 / (1 - 1/4) = 4/3.
    kept = np.asarray(found["z"][:, 0, 0] > 0)
    for name, value in (("z", 4 / 3), ("x", 8 / 3)):
        expected = np.broadcast_to((kept * value)[:, None, None], maps[name].shape)
        np.testing.assert_allclose(found[name], expected, rtol=1e-6)
    # Linear: what is 0 has no gradient, the rest 4/3.
    (slope,) = back(jax.tree.map(jnp.ones_like, maps))
    np.testing.assert_allclose(slope["z"], found["z"], rtol=1e-6)
    np.testing.assert_allclose(slope["x"], found["x"] / 2, rtol=1e-6)
    # 4,000 draws: a deviation of sqrt(.75 * .25 / 4000) = .007.
    assert kept.mean() == pytest.approx(0.75, abs=0.03)
    assert len(np.unique(kept, axis=0)) == 8


def test_whole_maps_are_dropped_pair_by_pair():
    dropped = jax.jit(partial(drop, rate=0.5, whole=True))
    found = np.asarray(dropped(KEYS, jnp.ones((8, 2, 2, 3))))
    assert {0.0, 2.0} == set(np.unique(found))
    assert (np.ptp(found.reshape(8, -1), axis=1) == 0).all()
    alone = drop(KEYS[3:4], jnp.ones((1, 2, 2, 3)), 0.5, whole=True)
    np.testing.assert_array_equal(alone, found[3:4])


def test_template_and_search_crop_lose_the_same_channels(tiny):
    _, _, batch = tiny
    # Of channel c remains 0, or 4 times the sum of z x over the cells at a rate of 1/2.
    found = outputs(tiny, feature_dropout=0.5)["cls"]
    sums = np.asarray((batch["z_image"] * batch["x_image"]).sum((1, 2)))
    subsets = (np.arange(256)[:, None] >> np.arange(8)) & 1
    for value, own in zip(found, sums, strict=True):
        assert np.abs(4 * subsets @ own - value).min() < 1e-3


def test_a_block_is_left_out_or_its_branch_is_doubled(tiny):
    x = np.asarray(tiny[2]["x_image"])
    whole = outputs(tiny, train_backbone=True)["map"]
    found = outputs(tiny, train_backbone=True, stochastic_depth=0.5)["map"]
    left_out = np.isclose(found, x, atol=1e-5).all((1, 2, 3))
    doubled = np.isclose(found, 2 * whole - x, atol=1e-4).all((1, 2, 3))
    assert left_out.any() and doubled.any() and (left_out ^ doubled).all()


def test_a_pair_loses_the_same_on_one_device_and_on_four(tiny):
    one = outputs(tiny, feature_dropout=0.5)
    four = outputs(tiny, feature_dropout=0.5, num_devices=4)
    np.testing.assert_allclose(four["cls"], one["cls"], rtol=1e-5)


def test_nothing_is_dropped_where_nothing_trains(tiny):
    rates = {"feature_dropout": 0.5, "stochastic_depth": 0.5}
    found = outputs(tiny, train=False, **rates)
    plain = outputs(tiny, train=False)
    jax.tree.map(np.testing.assert_array_equal, found, plain)
    frozen = outputs(tiny, stochastic_depth=0.5)
    np.testing.assert_array_equal(frozen["map"], plain["map"])


def test_without_rates_it_is_the_familys_own():
    assert regularized(forward, SimpleNamespace(backbone=nn.Dense(1))) is forward


def test_a_backbone_without_such_blocks_is_refused():
    network = SimpleNamespace(backbone=nn.Dense(1))
    with pytest.raises(InputError, match="stochastic_depth needs a backbone of MBConv"):
        regularized(forward, network, stochastic_depth=0.2)
