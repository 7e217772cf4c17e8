"""What is drawn of a pair is the same however the batch is split."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.data import batch as batch_lib
from jaxtrack.data.settings import Augmentation
from jaxtrack.ops import grid
from jaxtrack.training.division import Division
from tests import labeled

from .conftest import GEOMETRY, make_batch
from .steps import RATES, make, train


def drawing_loss(outputs, batch, *, axis_name=None):
    """SiamLA's loss, which draws negatives, and what each pair's key draws."""
    maps = {"cls": outputs["cls"][..., 1:], "ltrb": outputs["ltrb"]}
    loss, metrics = labeled.siamla_loss(
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
            current, batch_lib.shard(numbered(number), num_devices), RATES
        )
        drawn.append(metrics["draws"])
    return np.asarray(drawn)


def test_a_loss_that_draws_is_the_same_on_all_counts_of_devices():
    options = {"steps": 2, "batches": numbered, "loss": drawing_loss}
    one, one_metrics = train(1, **options)
    many, many_metrics = train(4, **options)
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
    parts = draws(num_devices, division=Division(2))
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
    # The two crops' colors always, and half of the pairs mirrored.
    chances = get_config().augment.to_dict() | {"search_blur": 0.0, "flip": 0.5}
    options = {"batches": numbered, "loss": pixels_loss}
    options |= {"steps": 2, "augmentation": Augmentation(**chances)}
    one, many = train(1, **options)[1], train(2, division=Division(2), **options)[1]
    # Each part fills its own pairs' places, and metrics are means over the two parts.
    np.testing.assert_array_equal(2 * many["pixels"], one["pixels"])
    is_same = checksums(numbered(1)) == one["pixels"]
    assert not is_same[:, :2].any()
    assert 0 < is_same[:, 2].sum() < 8
