"""Tests for jaxtrack.training.step."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack import config as config_lib
from jaxtrack import trackers
from jaxtrack.config import get_config
from jaxtrack.configs import siamcar_lite0
from jaxtrack.data import batch as batch_lib
from jaxtrack.trackers import siamcar
from jaxtrack.training import state, step
from tests.networks import build, draw_variables

from .conftest import TinyTracker, make_batch
from .steps import RATES, drawn, make, sgd, train
from .tiny_cract import FAMILY as cract_family  # noqa: N811
from .tiny_cract import set_cract, tiny_cract


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
    new, metrics = mapped(first, batch_lib.shard(make_batch(0), 8), RATES)
    assert all(leaf.is_deleted() for leaf in old)
    assert jax.tree.map(jnp.shape, new) == jax.tree.map(jnp.shape, make(8)[0])
    assert metrics["loss"].shape == ()


def test_the_loss_falls():
    current, mapped = make(1)
    batch = batch_lib.shard(make_batch(0), 1)
    losses = []
    for _ in range(40):
        current, metrics = mapped(current, batch, RATES)
        losses.append(float(metrics["loss"]))
    # The centerness term cannot fall below the entropy of its targets.
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
    tx, rates = sgd(), {name: rate / 5 for name, rate in RATES.items()}
    network = build("siamcar_lite0", axis_name=step.AXIS)
    variables = draw_variables("siamcar_lite0")
    train_step = partial(
        step.train_step,
        model=step.Model(
            network,
            siamcar.FAMILY.forward(config, network),
            siamcar.FAMILY.loss(config, network),
            config_lib.preprocessing(trackers.with_preprocessing(config)),
        ),
        optimizer=tx,
        train_backbone=True,
    )
    results = []
    for count in (1, 4):
        current = state.create(variables, tx, keep_ema=False)
        mapped = step.pmap_step(train_step, devices=jax.devices()[:count])
        for _ in range(3):
            current, _ = mapped(current, batch_lib.shard(batch, count), rates)
        results.append(jax.device_get(current.params))
    # Sums in another order through 30 layers and a batch normalization by 4 examples.
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-2, atol=2e-4), *results)
