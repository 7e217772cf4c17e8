"""Tests for jaxtrack.training.step."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxtrack import config as config_lib
from jaxtrack import trackers
from jaxtrack.config import get_config
from jaxtrack.configs import siamcar_lite0
from jaxtrack.data import batch as batch_lib
from jaxtrack.data.settings import Augmentation
from jaxtrack.models.backbones import param_group
from jaxtrack.ops import grid
from jaxtrack.ops.preprocess import Preprocessing
from jaxtrack.trackers import siamcar
from jaxtrack.training import optimizer, state, step
from tests import labelled
from tests.networks import build, draw_variables

from .conftest import GEOMETRY, TinyTracker, make_batch
from .tiny_cract import FAMILY as cract_family  # noqa: N811
from .tiny_cract import set_cract, tiny_cract

PREPROCESSING = Preprocessing("RGB", (127.0,) * 3, (128.0,) * 3)


def sgd(rate):
    return optimizer.make_optimizer(
        kind="sgd",
        schedule=lambda count: jnp.float32(rate),
        group=param_group,
        backbone_from_step=0,
        backbone_factor=0.1,
        momentum=0.9,
        weight_decay=1e-4,
        clip_norm=10.0,
    )


@cache
def drawn(model):
    """Returns a network's first variables, on the host: a step donates its state."""
    network = model(axis_name=None)
    sizes = (network.geometry.template_size, network.geometry.search_size)
    images = [jnp.zeros((1, size, size, 3)) for size in sizes]
    return jax.device_get(jax.jit(network.init)(jax.random.key(0), *images))


def make(
    num_devices,
    *,
    train_backbone=True,
    accumulate=1,
    model=TinyTracker,
    family=siamcar.FAMILY,
    loss=None,
    config=None,
    seed=0,
    augmentation=None,
):
    config = config or get_config()
    network = model(axis_name=step.AXIS)
    tx = sgd(0.05)
    first = state.create(drawn(model), tx, keep_ema=True)
    train_step = partial(
        step.train_step,
        network=network,
        forward=family.forward(config, network),
        loss=loss or family.loss(config, network),
        optimizer=tx,
        preprocessing=PREPROCESSING,
        train_backbone=train_backbone,
        ema_decay=0.9,
        accumulate=accumulate,
        seed=seed,
        augmentation=augmentation,
    )
    return first, step.pmap_step(train_step, devices=jax.devices()[:num_devices])


def train(num_devices, *, steps=3, batches=make_batch, **options):
    current, mapped = make(num_devices, **options)
    for number in range(steps):
        batch = batch_lib.shard(batches(number), num_devices)
        current, metrics = mapped(current, batch)
    return jax.device_get(current), jax.device_get(metrics)


@pytest.mark.parametrize(
    "num_devices", [pytest.param(n, marks=pytest.mark.slow) for n in (2, 4)] + [8]
)
def test_devices_together_equal_one(num_devices):
    # Batches hold examples without a positive cell, so devices' counts differ. Sums
    # in another order: float32 rounding, 1e-5 of values of order 1 after three steps.
    one, one_metrics = train(1)
    many, many_metrics = train(num_devices)
    assert int(many.step) == 3
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
        (one, one_metrics),
        (many, many_metrics),
    )


def cract(**options):
    """Returns options of `train` that make it train the tiny CRACT."""
    settings = {"config": set_cract(get_config()), "steps": 1}
    return {"model": tiny_cract, "family": cract_family, **settings, **options}


@pytest.mark.slow
def test_devices_together_equal_one_where_proposals_are_drawn():
    one, one_metrics = train(1, **cract())
    assert one_metrics["refined_positives"] > 0
    many, many_metrics = train(4, **cract())
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
        (one, one_metrics),
        (many, many_metrics),
    )
    # All of CRACT learns, but for the backbone's first part.
    moved = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), one.params, drawn(tiny_cract)["params"]
    )
    assert moved["backbone"].pop("conv1") == {"kernel": 0, "bias": 0}
    for name in ("backbone", "head", "fuse", "neck"):
        assert max(jax.tree.leaves(moved[name])) > 1e-5, name
    for name in ("regression", "identifier"):
        assert min(jax.tree.leaves(moved["refiner"][name])) > 0


def test_a_frozen_backbone_does_not_move():
    first, _ = make(1)
    last, _ = train(1, train_backbone=False)
    same = partial(np.testing.assert_array_equal)
    jax.tree.map(same, first.batch_stats["backbone"], last.batch_stats["backbone"])
    moved = jax.tree.map(
        lambda a, b: float(np.abs(a - b).max()), first.params, last.params
    )
    assert moved["head"]["kernel"] > 0
    # No gradient reaches it; weight decay alone is the optimizer's to withhold.
    assert moved["backbone"]["layer2"]["kernel"] < 1e-5


def test_a_training_backbone_moves_but_its_frozen_part_does_not():
    first, _ = make(1)
    last, _ = train(1)
    gone = np.abs(
        last.params["backbone"]["layer2"]["kernel"]
        - first.params["backbone"]["layer2"]["kernel"]
    ).max()
    assert gone > 1e-5
    np.testing.assert_array_equal(
        last.params["backbone"]["conv1"]["kernel"],
        first.params["backbone"]["conv1"]["kernel"],
    )


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


def drawing_loss(outputs, batch, *, axis_name=None):
    """SiamLA's loss, which draws negatives, and what each pair's key draws."""
    maps = {"cls": outputs["cls"][..., 1:], "ltrb": outputs["ltrb"]}
    loss, metrics = labelled.siamla_loss(
        {**maps, "localization": outputs["centerness"]},
        batch["xyxy"],
        batch["is_positive"],
        batch["key"],
        points=grid.points(GEOMETRY),
        axis_name=axis_name,
    )
    draws = jax.vmap(jax.random.uniform)(batch["key"])
    return loss, {**metrics, "draws": jnp.zeros(8).at[batch["number"]].set(draws)}


def numbered(number):
    """Returns a batch whose pairs know their place in it."""
    return {**make_batch(number), "number": np.arange(8)}


def draws(num_devices, *, steps=1, **options):
    """Returns what each pair's key draws in each step, `[steps, 8]`."""
    current, mapped = make(num_devices, loss=drawing_loss, **options)
    drawn = []
    for number in range(steps):
        current, metrics = mapped(
            current, batch_lib.shard(numbered(number), num_devices)
        )
        drawn.append(metrics["draws"])
    return np.asarray(drawn)


def test_a_loss_that_draws_is_the_same_on_all_counts_of_devices():
    options = {"steps": 2, "batches": numbered, "loss": drawing_loss}
    one, one_metrics = train(1, **options)
    for num_devices in (2, 4):
        many, many_metrics = train(num_devices, **options)
        # Each pair's key, bit by bit.
        np.testing.assert_array_equal(many_metrics["draws"], one_metrics["draws"])
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
            (many, many_metrics),
            (one, one_metrics),
        )


@pytest.mark.slow
def test_every_pair_step_and_seed_has_its_own_key():
    first, other = draws(1, steps=3), draws(1, steps=3, seed=1)
    assert np.unique([first, other]).size == 2 * 3 * 8
    np.testing.assert_array_equal(first, draws(1, steps=3))


def test_the_seed_changes_a_loss_that_draws():
    qualities = [
        train(1, steps=1, batches=numbered, loss=drawing_loss, seed=seed)[1]
        for seed in (0, 1)
    ]
    assert qualities[0]["quality"] != qualities[1]["quality"]
    assert qualities[0]["cls"] == qualities[1]["cls"]


@pytest.mark.parametrize("num_devices", [1, 2])
def test_keys_are_split_along_with_the_accumulated_batch(num_devices):
    # Each part fills its own pairs' places, and metrics are means over the two parts.
    parts = draws(num_devices, accumulate=2)
    np.testing.assert_allclose(2 * parts, draws(1), rtol=1e-6)


def checksums(batch):
    """Returns a number of each pair's pictures and search box, exact in float32."""
    sums = []
    for name in ("z_image", "x_image", "xyxy"):
        numbers = batch[name].reshape(len(batch["number"]), -1).astype("int32")
        weights = np.arange(numbers.shape[1], dtype=np.int32) % 97
        sums.append((numbers * weights[None]).sum(axis=1) % 65536)
    return jnp.stack(sums, axis=1).astype(jnp.float32)


def pixels_loss(outputs, batch, *, axis_name=None):
    """Any loss, and the checksums of what it is given."""
    sums = jnp.zeros((8, 3)).at[batch["number"]].set(checksums(batch))
    return (outputs["cls"] ** 2).mean(), {"pixels": sums}


def test_a_pair_is_augmented_the_same_on_all_devices_and_in_all_parts():
    # The two crops' colours always, and half of the pairs mirrored.
    chances = get_config().augment.to_dict() | {"search_blur": 0.0, "flip": 0.5}
    options = {"batches": numbered, "loss": pixels_loss}
    options |= {"steps": 2, "augmentation": Augmentation(**chances)}
    one, many = train(1, **options)[1], train(2, accumulate=2, **options)[1]
    # Each part fills its own pairs' places, and metrics are means over the two parts.
    np.testing.assert_array_equal(2 * many["pixels"], one["pixels"])
    is_same = checksums(numbered(1)) == one["pixels"]
    assert not is_same[:, :2].any()
    assert 0 < is_same[:, 2].sum() < 8


def test_averaged_parameters_by_hand():
    # Step 0: decay min(0.9, 1/10) = 0.1, so ema = 0.1 first + 0.9 new.
    first, _ = make(1)
    last, _ = train(1, steps=1)
    expected = jax.tree.map(lambda a, b: 0.1 * a + 0.9 * b, first.params, last.params)
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7), expected, last.ema
    )


def test_bfloat16_computes_roughly_the_same_on_float32_parameters():
    def half(**options):
        return TinyTracker(dtype=jnp.bfloat16, **options)

    full, full_metrics = train(1)
    rough, rough_metrics = train(1, model=half)
    assert {leaf.dtype for leaf in jax.tree.leaves(rough.params)} == {np.dtype("f4")}
    # 8 bits of mantissa: 2^-8 = 0.4 % an operation, some ten of them one on another.
    np.testing.assert_allclose(rough_metrics["loss"], full_metrics["loss"], rtol=0.05)
    assert rough_metrics["loss"] != full_metrics["loss"]
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), full.params, rough.params)
    assert max(jax.tree.leaves(moved)) < 0.05


def test_the_state_given_is_gone_and_both_results_have_no_axis_of_devices():
    first, mapped = make(8)
    first = step.replicate(first)
    old = jax.tree.leaves(first.params)
    new, metrics = mapped(first, batch_lib.shard(make_batch(0), 8))
    assert all(leaf.is_deleted() for leaf in old)
    assert jax.tree.map(jnp.shape, new) == jax.tree.map(jnp.shape, make(8)[0])
    assert metrics["loss"].shape == ()


def test_the_loss_falls():
    current, mapped = make(1)
    batch = batch_lib.shard(make_batch(0), 1)
    losses = []
    for _ in range(40):
        current, metrics = mapped(current, batch)
        losses.append(float(metrics["loss"]))
    # The centre-ness term cannot fall below the entropy of its targets.
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
def test_the_real_network_is_the_same_on_four_devices():
    config = siamcar_lite0.get_config()
    rng = np.random.default_rng(0)
    batch = {
        "z_image": rng.integers(0, 256, (4, 128, 128, 3), np.uint8),
        "x_image": rng.integers(0, 256, (4, 256, 256, 3), np.uint8),
        "z_xyxy": np.tile(np.float32([37, 24, 91, 104]), (4, 1)),
        "xyxy": np.tile(np.float32([96, 90, 150, 170]), (4, 1)),
        "is_positive": np.array([True, True, False, True]),
    }
    tx = sgd(0.01)
    network = build("siamcar_lite0", axis_name=step.AXIS)
    variables = draw_variables("siamcar_lite0")
    train_step = partial(
        step.train_step,
        network=network,
        forward=siamcar.FAMILY.forward(config, network),
        loss=siamcar.FAMILY.loss(config, network),
        optimizer=tx,
        preprocessing=config_lib.preprocessing(trackers.with_preprocessing(config)),
        train_backbone=True,
    )
    results = []
    for count in (1, 4):
        current = state.create(variables, tx, keep_ema=False)
        mapped = step.pmap_step(train_step, devices=jax.devices()[:count])
        for _ in range(3):
            current, _ = mapped(current, batch_lib.shard(batch, count))
        results.append(jax.device_get(current.params))
    # Sums in another order through 30 layers and a batch normalisation by 4 examples.
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-2, atol=2e-4), *results)
